"""The report of a run: collects images and measurements during the run, and writes the page at its end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import UsageError
from ..features.stream import ActionFeatures
from ..partial import PartialFile, check_target, partial_path
from .clip import Clip
from .libraries import need
from .measurements import Collector


class Report:
    """One HTML file about a run.

    `clip` receives the annotated images, `people` the tracks with features and events; then call `save`.

    Args:
        path: of the page, .html.
        actions: computes the features.
        fps: average frame rate; None if unknown.
        overwrite: whether an existing file may be replaced.

    Attributes:
        path: of the page.
        clip: receives images.
        people: collects measurements.

    Raises:
        UsageError: Bokeh is missing, or the suffix is not .html.
        OutputError: the name is taken or cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        actions: ActionFeatures,
        *,
        fps: float | None = None,
        overwrite: bool = False,
    ) -> None:
        self.path = Path(path)
        check_report(self.path)
        check_target(self.path, overwrite=overwrite)
        self.clip = Clip(fps=fps)
        self.people = Collector(actions)

    def save(self, facts: Mapping[str, Any], *, complete: bool = True) -> None:
        """Write the page; the page of an interrupted run keeps its partial name.

        Args:
            facts: metadata of the run, as in its sidecar.
            complete: whether the run reached its end.

        Raises:
            OutputError: the page cannot be written.
        """
        from .page import render

        text = render(self.people.measurements, facts=facts, clip=self.clip)
        with PartialFile(self.path if complete else partial_path(self.path), overwrite=True) as file:
            file.write(text.encode())
        if complete:
            partial_path(self.path).unlink(missing_ok=True)


def check_report(path: Path) -> None:
    """Check that a report can be written.

    Raises:
        UsageError: Bokeh is missing, or the suffix is not .html.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"A report is an HTML page, and '{path}' does not end in .html. Choose a name that does.")
    need("bokeh", "A report")
