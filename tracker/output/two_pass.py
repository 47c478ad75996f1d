"""Outputs of a run in two passes: the first pass measures, the second draws the tracks as revised in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from ..timings import Timings
from ..types import Frame, Tracks
from .sinks import Conceal, ContextGroup, OverlaySink, Sink

Revise = Callable[[Sequence[float], Sequence[Tracks]], list[Tracks]]


class Table(Sink, Protocol):
    """Sink that needs no image and can start over."""

    def write_rows(self, index: int, time: float, tracks: Tracks) -> None:
        """Write the people of one frame, given its number and time in seconds."""

    def restart(self) -> None:
        """Remove everything written so far."""


class TwoPassSinks(ContextGroup):
    """Outputs of a video that is read twice.

    The first pass writes the tables too, so that an interrupted run keeps what was measured.

    Args:
        overlay: draws in the second pass; None if no image is requested.
        tables: written in the first pass, and again before the second.
        revise: `(times, tracks) -> tracks`, from the frames of the first pass to those of the results.
        conceal: `(frame, tracks) -> Frame` with an image in which no person is recognisable.
        timings: collects the stages "revise", "read", "conceal" and "write".

    Attributes:
        done: whether the tables contain the results.
    """

    def __init__(
        self,
        overlay: OverlaySink | None,
        tables: Sequence[Table],
        *,
        revise: Revise,
        timings: Timings,
        conceal: Conceal | None = None,
    ) -> None:
        super().__init__(*([overlay] if overlay else []), *tables)
        self.done = False
        self._overlay, self._tables = overlay, tables
        self._revise, self._conceal, self._timings = revise, conceal, timings
        self._indices: list[int] = []
        self._times: list[float] = []
        self._tracks: list[Tracks] = []

    def write(self, frame: Frame, tracks: Tracks) -> None:
        """Keep the tracks of one frame in the first pass."""
        self._indices.append(frame.index)
        self._times.append(frame.time)
        self._tracks.append(tracks)
        with self._timings.stage("write"):
            for table in self._tables:
                table.write(frame, tracks)

    def second_pass(self, frames: Iterator[Frame], step: Callable[[int], None]) -> None:
        """Revise the tracks and write the results.

        Args:
            frames: of the same video, from its beginning; read only if there is an overlay.
            step: called after each drawn frame with its number of people.
        """
        with self._timings.stage("revise"):
            revised = self._revise(self._times, self._tracks)
        for table in self._tables:
            table.restart()
        for index, time, tracks in zip(self._indices, self._times, revised):
            for table in self._tables:
                table.write_rows(index, time, tracks)
        self.done = True
        if not self._overlay:
            return
        for measured, tracks in zip(self._tracks, revised):
            with self._timings.stage("read"):
                frame = next(frames, None)
            if frame is None:
                return
            if self._conceal:  # also people who are not in the results
                with self._timings.stage("conceal"):
                    frame = self._conceal(self._conceal(frame, measured), tracks)
            with self._timings.stage("write"):
                self._overlay.write(frame, tracks)
            step(len(tracks))
            if self.closed:
                raise KeyboardInterrupt
