"""The table of action features: one CSV row per person and frame, streamed, and what it means in JSON beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from ...errors import OutputError
from ..features.columns import LEAD
from ..features.derivatives import FILTER
from ..features.stream import ActionFeatures, Features
from ..partial import PartialFile
from ..types import Frame, Tracks
from .sidecar import sidecar_path, versions

_DECIMALS = {"px": 2, "deg": 2, "deg/s": 1, "px/s": 2, "px/s2": 1, "%": 1}
_FINE = 4  # decimals of all other units


class FeatureSink:
    """Write the features of every person of every frame.

    A row is written as soon as its features are known, and the last ones at the end, also where that is an error.

    Args:
        path: where the complete table will be.
        features: computes them.
        overwrite: whether a file of that name may be replaced.

    Raises:
        OutputError: when the name is taken or the file cannot be written.
    """

    def __init__(self, path: str | Path, *, features: ActionFeatures, overwrite: bool = False) -> None:
        self._file = PartialFile(path, overwrite=overwrite)
        self._features = features
        self._header = ",".join((*LEAD, *features.columns)) + "\n"
        decimals = [_DECIMALS.get(unit, _FINE) for unit, _ in features.columns.values()]
        self._scale = 10.0 ** np.array(decimals)
        self._row = ",".join(f"%.{n}f" for n in decimals) + "\n"

    def __enter__(self) -> Self:
        self._file.__enter__()
        try:
            self._file.write(self._header.encode())
        except BaseException as error:
            self._file.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with suppress(*((OutputError,) if kind else ())):  # the first error is the one to be told
                self._append(self._features.finish())
        except BaseException as failure:
            self._file.__exit__(type(failure), failure, failure.__traceback__)
            raise
        self._file.__exit__(kind, error, trace)
        self._write_facts(complete=kind is None)

    def restart(self) -> None:
        """Take back all rows."""
        self._features.finish()
        self._file.clear()
        self._file.write(self._header.encode())

    def write(self, frame: Frame, tracks: Tracks) -> None:
        """Take the people of one frame."""
        self.write_rows(frame.index, frame.time, tracks)

    def write_rows(self, index: int, time: float, tracks: Tracks) -> None:
        """Take the people of the frame with this number and time in seconds."""
        self._append(self._features.update(index, time, tracks))

    def _append(self, frames: Sequence[Features]) -> None:
        block = "".join(self._rows(frame) for frame in frames)
        if block:
            self._file.write(block.encode())

    def _rows(self, frame: Features) -> str:
        lead = f"{frame.frame},{frame.time:.6f},"
        values = np.where(np.isfinite(frame.values), frame.values, np.nan)
        values = np.rint(values * self._scale) / self._scale + 0.0  # + 0.0 turns -0.00 into 0.00
        return "".join(
            f"{lead}{identity},{state},{view},{posture},{(self._row % tuple(row)).replace('nan', '')}"
            for identity, state, view, posture, row in zip(
                frame.ids.tolist(), frame.states, frame.views, frame.postures, values.tolist(), strict=True
            )
        )

    def _write_facts(self, *, complete: bool) -> None:
        """Write what a reader of the table has to know."""
        features = self._features
        facts = {
            "complete": complete,
            "skeleton": {"name": features.skeleton.name, "keypoints": list(features.skeleton.keypoints)},
            "filter": FILTER,
            "calibration": {"person_height_m": features.person_height, "scale_px_per_m": features.scale},
            "versions": versions(),
            "columns": {name: {"unit": unit, "meaning": text} for name, (unit, text) in self._columns().items()},
        }
        with PartialFile(sidecar_path(self._file.path, complete=complete), overwrite=True) as file:
            file.write((json.dumps(facts, indent=2, ensure_ascii=False) + "\n").encode())
        if complete:
            sidecar_path(self._file.path, complete=False).unlink(missing_ok=True)

    def _columns(self) -> dict[str, tuple[str, str]]:
        return LEAD | self._features.columns
