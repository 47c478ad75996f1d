"""Outputs of a run that is looked at again as a whole: the tracks are kept, changed, and only then drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from ..timings import Timings
from ..types import Frame, Tracks
from .sinks import Conceal, OverlaySink, Sink, Together

Again = Callable[[Sequence[float], Sequence[Tracks]], list[Tracks]]


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
        again: `(times, tracks) -> tracks`, what the whole run is made of.
        conceal: `(frame, tracks) -> Frame` with a picture that does not show who everybody is.
        timings: where the stages "again", "read" and "write" are counted.

    Attributes:
        done: whether the tables hold what came of the second look.
    """

    def __init__(
        self,
        overlay: OverlaySink | None,
        tables: Sequence[Table],
        *,
        again: Again,
        timings: Timings,
        conceal: Conceal | None = None,
    ) -> None:
        super().__init__(*([overlay] if overlay else []), *tables)
        self.done = False
        self._overlay, self._tables = overlay, tables
        self._again, self._conceal, self._timings = again, conceal, timings
        self._indices: list[int] = []
        self._times: list[float] = []
        self._tracks: list[Tracks] = []

    def write(self, frame: Frame, tracks: Tracks) -> None:
        """Keep the people of one frame of the first look."""
        self._indices.append(frame.index)
        self._times.append(frame.time)
        self._tracks.append(tracks)
        with self._timings.stage("write"):
            for table in self._tables:
                table.write(frame, tracks)

    def look_again(self, frames: Iterator[Frame], step: Callable[[int], None]) -> None:
        """Look at the tracks as a whole and write what comes of it; the frames are read where something is drawn.

        Args:
            frames: of the same video, from its beginning.
            step: is called with the people of each frame that is drawn.
        """
        with self._timings.stage("again"):
            tracks = self._again(self._times, self._tracks)
        for table in self._tables:
            table.restart()
            for index, time, people in zip(self._indices, self._times, tracks):
                table.write_rows(index, time, people)
        self.done = True
        if not self._overlay:
            return
        for seen, people in zip(self._tracks, tracks):
            with self._timings.stage("read"):
                frame = next(frames, None)
            if frame is None:
                return
            if self._conceal:  # whom the second look leaves out, too
                with self._timings.stage("conceal"):
                    frame = self._conceal(self._conceal(frame, seen), people)
            with self._timings.stage("write"):
                self._overlay.write(frame, people)
            step(len(people))
            if self.closed:
                raise KeyboardInterrupt
