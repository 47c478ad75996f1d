"""The report of a run: what it takes while the run goes, and its page when it is over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import UsageError
from ..features.events import EventDetector
from ..features.stream import ActionFeatures
from ..partial import PartialFile, Transaction, check_target, partial_path
from .clip import Clip
from .gather import Gatherer
from .libraries import need


class Report:
    """One HTML file about a run.

    Give `clip` the annotated pictures and `people` the tracks, both as context managers; then `save`.

    Args:
        path: of the page, .html.
        actions: computes features.
        detector: finds events.
        fps: average rate of the pictures; None where unknown.
        overwrite: whether a file of that name may be replaced.
        results: gives the page its name; None gives it at once.

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
        detector: EventDetector,
        *,
        fps: float | None = None,
        overwrite: bool = False,
        results: Transaction | None = None,
    ) -> None:
        self.path, self._results = Path(path), results
        check_report(self.path)
        check_target(self.path, overwrite=overwrite)
        self.clip = Clip(fps=fps)
        self.people = Gatherer(actions, detector)

    def save(self, facts: Mapping[str, Any], *, complete: bool = True) -> None:
        """Write the page; that of a run that was cut short has a partial name.

        Args:
            facts: of the run, as its sidecar tells them.
            complete: whether the run came to its end.

        Raises:
            OutputError: it cannot be written.
        """
        from .page import render

        text = render(self.people.everybody, facts=facts, clip=self.clip)
        path, results = (self.path, self._results) if complete else (partial_path(self.path), None)
        with PartialFile(path, overwrite=True, results=results) as file:
            file.write(text.encode(errors="backslashreplace"))  # of file names that are not UTF-8


def check_report(path: Path) -> None:
    """Refuse what cannot become a report, before anything is computed.

    Raises:
        UsageError: Bokeh is missing, or the suffix is no page's.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"A report is a page, and '{path}' does not end in .html. Give it such a name.")
    need("bokeh", "A report")
