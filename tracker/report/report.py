"""The report of a run: what it takes while the run goes, and its page when it is over."""

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

    Give `clip` the annotated pictures and `people` the tracks, both as context managers; then `save`.

    Args:
        path: of the page, .html.
        actions: computes features.
        fps: average rate of the pictures; None where unknown.
        overwrite: whether a file of that name may be replaced.

    Attributes:
        path: of the page.
        clip: takes pictures.
        people: takes tracks.

    Raises:
        UsageError: Bokeh is missing, or the suffix is another.
        OutputError: the name is taken or cannot be written to.
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
        """Write the page; that of a run that was cut short has a partial name.

        Args:
            facts: of the run, as its sidecar tells them.
            complete: whether the run came to its end.

        Raises:
            OutputError: it cannot be written.
        """
        from .page import render

        text = render(self.people.measurements, facts=facts, clip=self.clip)
        with PartialFile(self.path if complete else partial_path(self.path), overwrite=True) as file:
            file.write(text.encode())
        if complete:
            partial_path(self.path).unlink(missing_ok=True)


def check_report(path: Path) -> None:
    """Refuse what cannot become a report, before anything is computed.

    Raises:
        UsageError: Bokeh is missing, or the suffix is no page's.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"A report is a page, and '{path}' does not end in .html. Give it such a name.")
    need("bokeh", "A report")
