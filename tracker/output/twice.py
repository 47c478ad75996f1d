"""Outputs of a run with `--refine`: the tracks are kept, looked at again as a whole, and only then drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from ...models.keypoints import Skeleton
from ..timings import Timings
from ..tracking.refine import refine
from ..types import Frame, Tracks
from .sinks import OverlaySink, Sink, Together


class Table(Sink, Protocol):
    """A sink that needs no picture, and can begin anew."""

    def write_rows(self, index: int, time: float, tracks: Tracks) -> None:
        """Take the people of the frame with this number and time in seconds."""

    def restart(self) -> None:
        """Take back everything."""


class Twice(Together):
    """Keep the tracks of a video that is read twice.

    Tables grow with the first look, so that a run that is cut short leaves what was measured.

    Args:
        overlay: what is drawn in the second look; None where no picture was asked for.
        tables: are written anew before that.
        skeleton: of the keypoints.
        timings: where the stages "refine", "read" and "write" are counted.

    Attributes:
        refined: whether the tables hold refined tracks.
    """

    def __init__(
        self, overlay: OverlaySink | None, tables: Sequence[Table], *, skeleton: Skeleton, timings: Timings
    ) -> None:
        super().__init__(*([overlay] if overlay else []), *tables)
        self.refined = False
        self._overlay, self._tables = overlay, tables
        self._skeleton, self._timings = skeleton, timings
        self._times: list[float] = []
        self._tracks: list[Tracks] = []

    def write(self, frame: Frame, tracks: Tracks) -> None:
        """Keep the people of one frame of the first look."""
        self._times.append(frame.time)
        self._tracks.append(tracks)
        with self._timings.stage("write"):
            for table in self._tables:
                table.write(frame, tracks)

    def look_again(self, frames: Iterator[Frame], step: Callable[[int], None]) -> None:
        """Refine the tracks and write them; the frames are read where something is drawn.

        Args:
            frames: of the same video, from its beginning.
            step: is called with the people of each frame that is drawn.
        """
        with self._timings.stage("refine"):
            tracks = refine(self._times, self._tracks, skeleton=self._skeleton)
        for table in self._tables:
            table.restart()
            for index, (time, people) in enumerate(zip(self._times, tracks)):
                table.write_rows(index, time, people)
        self.refined = True
        if not self._overlay:
            return
        for people in tracks:
            with self._timings.stage("read"):
                frame = next(frames, None)
            if frame is None:
                return
            with self._timings.stage("write"):
                self._overlay.write(frame, people)
            step(len(people))
            if self.closed:
                raise KeyboardInterrupt
