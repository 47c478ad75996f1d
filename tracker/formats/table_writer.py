"""The keypoint table: one CSV row per person and frame, streamed."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from ...models.geometry.keypoints import Skeleton
from ..partial import PartialFile, Transaction
from ..types import Frame, Tracks

TRACK_COLUMNS = {
    "frame": "number of the frame in the source, from 0",
    "time_s": "presentation time of the frame in the source, seconds",
    "track_id": "the person's identity, a positive integer that is never used twice in a file",
    "state": "'measured' in this frame, 'predicted' by the motion model, or 'interpolated' between frames",
    "score": "the detector's confidence in the person, 0 to 1",
    "x1": "left edge of the person's box, pixels from the left edge of the displayed frame",
    "y1": "top edge of the person's box, pixels from the top edge of the displayed frame",
    "x2": "right edge of the person's box, pixels from the left edge of the displayed frame",
    "y2": "bottom edge of the person's box, pixels from the top edge of the displayed frame",
}
KEYPOINT_COLUMNS = {
    "x": "pixels from the left edge of the displayed frame; empty where missing",
    "y": "pixels from the top edge of the displayed frame; empty where missing",
    "score": "confidence in the keypoint, 0 to 1; empty where missing",
}
PIXEL_DECIMALS, SCORE_DECIMALS = 2, 4


def columns(skeleton: Skeleton) -> dict[str, str]:
    """Return the table's columns in order, each with its meaning and unit."""
    keypoints = {
        f"{name}_{part}": f"{name.replace('_', ' ')}: {meaning}"
        for name in skeleton.keypoints
        for part, meaning in KEYPOINT_COLUMNS.items()
    }
    return TRACK_COLUMNS | keypoints


class CsvSink:
    """Write one row for every person of every frame.

    Every row is with the system before `write` returns, so a crash leaves a valid table under its partial name.

    Args:
        path: where the complete table will be.
        skeleton: names the keypoints' columns.
        overwrite: whether a file of that name may be replaced.
        results: gives the table its name; None gives it at the end of the `with` block.

    Raises:
        OutputError: when the name is taken or the file cannot be written.
    """

    def __init__(
        self, path: str | Path, *, skeleton: Skeleton, overwrite: bool = False, results: Transaction | None = None
    ) -> None:
        self._file = PartialFile(path, overwrite=overwrite, results=results)
        self._header = ",".join(columns(skeleton)) + "\n"
        self._decimals = np.array([SCORE_DECIMALS] + 4 * [PIXEL_DECIMALS] + len(skeleton) * [2, 2, SCORE_DECIMALS])
        self._row = ",".join(f"%.{n}f" for n in self._decimals) + "\n"
        self._num_keypoints = len(skeleton)

    @property
    def path(self) -> Path:
        """Where the complete table will be."""
        return self._file.path

    @property
    def partial(self) -> Path:
        """Where the table is until it is complete."""
        return self._file.partial

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
        self._file.__exit__(kind, error, trace)

    def restart(self) -> None:
        """Take back all rows."""
        self._file.clear()
        self._file.write(self._header.encode())

    def write(self, frame: Frame, tracks: Tracks) -> None:
        """Append the rows of one frame."""
        self.write_rows(frame.index, frame.time, tracks)

    def write_rows(self, index: int, time: float, tracks: Tracks) -> None:
        """Append the rows of the frame with this number and time in seconds."""
        if not len(tracks):
            return
        lead = f"{index},{time:.6f},"
        rows = [
            f"{lead}{track},{state},{numbers}"
            for track, state, numbers in zip(tracks.ids.tolist(), tracks.states, self._numbers(tracks), strict=True)
        ]
        self._file.write("".join(rows).encode())

    def _numbers(self, tracks: Tracks) -> list[str]:
        """Format what is floating in each row: score, box and keypoints, nothing where a value is missing."""
        poses = tracks.poses
        if poses.keypoints.shape[1] != self._num_keypoints:
            raise ValueError(
                f"The poses have {poses.keypoints.shape[1]} keypoints and the table {self._num_keypoints}; "
                "give CsvSink the skeleton of the model."
            )
        assert poses.box_scores is not None
        keypoints = np.concatenate([poses.keypoints, poses.scores[..., None]], axis=-1)  # (N, K, 3)
        keypoints = np.where(np.isfinite(keypoints).all(-1, keepdims=True), keypoints, np.nan)
        n = len(poses)
        values = np.concatenate([poses.box_scores[:, None], poses.boxes, keypoints.reshape(n, -1)], axis=1)
        values = np.where(np.isfinite(values), values, np.nan).astype(np.float64)  # (N, 5 + 3 K)
        scale = 10.0**self._decimals
        values = np.rint(values * scale) / scale + 0.0  # + 0.0 turns -0.00 into 0.00
        return [(self._row % tuple(row)).replace("nan", "") for row in values.tolist()]
