"""The report of a run: collects images and measurements during the run, and writes the page at its end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ..features.events.event import UNITS
from ..features.extraction.stream import ActionFeatures
from ..partial import PartialFile, Transaction
from .clip import Clip
from .collector import Collector
from .libraries import require
from .logo import logo_uri


class Report:
    """One HTML file about a run.

    In a `with` block, `write` receives the annotated images and `people` the tracks with features and events; then call
    `save`. From the start of the block, no other run can write the page.

    Args:
        path: of the page, .html.
        actions: computes the features.
        units: of the values of events that are no counts, by name.
        fps: average frame rate; None if unknown.
        logo: image beside the heading; None without.
        overwrite: whether an existing file may be replaced.
        results: gives the page its name.

    Attributes:
        path: of the page.
        clip: the annotated images.
        people: collects measurements.

    Raises:
        UsageError: Bokeh is missing, the suffix is not .html, or the logo is no image.
        OutputError: the name is taken or cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        actions: ActionFeatures,
        *,
        units: Mapping[str, str] = UNITS,
        fps: float | None = None,
        logo: str | Path | None = None,
        overwrite: bool = False,
        results: Transaction,
    ) -> None:
        self.path = Path(path)
        check_report(self.path)
        self._logo = logo_uri(Path(logo)) if logo else ""
        self._page = PartialFile(self.path, overwrite=overwrite, results=results)
        self._begun = False
        self.clip = Clip(self.path.with_name(f".{self.path.name}.clip"), fps=fps)
        self.people = Collector(actions, units=units)

    def __enter__(self) -> Self:
        self._page.__enter__()
        self.clip.__enter__()
        self._begun = True
        return self

    def write(self, image: NDArray[np.uint8], time: float) -> None:
        """Add an annotated image (H, W, 3), BGR, with its time in seconds."""
        self.clip.write(image, time)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clip.__exit__(kind, error, trace)

    def save(self, facts: Mapping[str, Any], *, complete: bool = True) -> None:
        """Write the page; the page of an interrupted run keeps its partial name, and one that never began has none.

        Args:
            facts: metadata of the run, as in its sidecar.
            complete: whether the run reached its end.

        Raises:
            OutputError: the page cannot be written.
        """
        from .page import render

        if not self._begun:
            return
        text = render(self.people.measurements, facts=facts, clip=self.clip, logo=self._logo)
        self._page.write(text.encode(errors="backslashreplace"))  # of file names that are not UTF-8
        if complete:
            self._page.__exit__(None, None, None)
        else:
            self._page.finish().close()


def check_report(path: Path) -> None:
    """Check that a report can be written.

    Raises:
        UsageError: Bokeh is missing, or the suffix is not .html.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"A report is an HTML page, and '{path}' does not end in .html. Choose a name that does.")
    require("bokeh", "A report")
