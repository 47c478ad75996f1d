"""The job of one source: everything that its run needs beside the networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config.outputs import Outputs
from ..config.source import Source
from ..tracking.selection import Selection
from ..video.place import Remote


@dataclass(frozen=True, slots=True)
class Job:
    """One source, how it is read, and its results.

    Attributes:
        source: path, address, or index of a webcam; or a file in a store.
        name: what messages and results call the source.
        reading: options of reading it; those of a batch name all its sources.
        targets: path of each result, by the name of its option.
        overwrite: whether existing results are replaced.
        outputs: options of the results.
        refine: whether the tracks are refined before a second pass.
        stated: every option that results depend on, by its name, for the sidecar.
    """

    source: str | int | Path | Remote
    name: str
    reading: Source
    targets: Mapping[str, Path | Remote]
    overwrite: bool
    outputs: Outputs
    refine: bool
    stated: Mapping[str, Any]

    @property
    def here(self) -> bool:
        """Whether its source or a result is a file of this machine, or of a folder that machines share."""
        return any(isinstance(place, Path) for place in (self.source, *self.targets.values()))

    @property
    def files(self) -> Mapping[str, Path]:
        """The targets that are files of this machine: all of a job that was staged."""
        return {output: path for output, path in self.targets.items() if isinstance(path, Path)}

    def selection(self) -> Selection:
        """Return which people are written and drawn."""
        outputs = self.outputs
        return Selection.parse(outputs.person, min_length=outputs.min_length, roi=outputs.roi)

    @property
    def second_pass(self) -> str:
        """The option that needs all tracks before anything is written; empty if there is none."""
        if self.refine:
            return "--refine"
        if self.selection().whole:
            return "--min-length" if self.outputs.min_length else f"--person {self.outputs.person}"
        return "--floor auto" if self.outputs.calibration.finds_floor else ""
