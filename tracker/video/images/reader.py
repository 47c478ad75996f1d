"""Pictures that are shown one after the other, as a video."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import SourceError

Load = Callable[[int], NDArray[np.uint8]]

TOLERANCE = 1e-6  # seconds


class PicturesReader:
    """Reads pictures whose times are known; one that cannot be read is left out, and its time stays empty.

    Attributes:
        fps: average rate.
        fps_guessed: nothing says so.
        duration: seconds of all pictures.
        frame_count: pictures between start and end.
        failed: pictures that could not be read.
        damage: what is wrong with their file; None if nothing is.
        number: of the picture that came last, in the source.
    """

    live = False

    def __init__(
        self,
        load: Load,
        times: Sequence[float],
        *,
        duration: float,
        numbers: Sequence[int] | None = None,
        fps: float | None = None,
        guessed: bool = False,
        damage: str | None = None,
        close: Callable[[], object] | None = None,
        start: float | None,
        end: float | None,
    ) -> None:
        """Choose the pictures between start and end.

        Args:
            load: returns picture k, (H, W, 3) BGR uint8, or raises a SourceError; asked for in order.
            times: seconds of each, increasing.
            duration: seconds from the first one's beginning to the last one's end.
            numbers: of each in the source, increasing; None counts them.
            fps: frames a second; None for the average of the times.
            guessed: the times are those of a guessed rate.
            damage: what is wrong with their file.
            close: releases what `load` uses.
            start: seconds; pictures before it are left out.
            end: seconds; pictures from it on are left out.
        """
        self.fps: float | None = fps or (len(times) / duration if duration else None)
        self.fps_guessed, self.duration, self.failed, self.number = guessed, duration, 0, 0
        self.damage, self._close = damage, close
        first, last = (start or 0.0) - TOLERANCE, np.inf if end is None else end - TOLERANCE
        self._load, self._numbers = load, numbers or range(len(times))
        self._chosen = [(k, time) for k, time in enumerate(times) if first <= time < last]
        self.frame_count: int | None = len(self._chosen)

    def __iter__(self) -> Iterator[tuple[NDArray[np.uint8], float]]:
        """Yield (image (H, W, 3) BGR uint8, seconds)."""
        for k, time in self._chosen:
            try:
                image: Any = self._load(k)
            except SourceError:
                self.failed += 1
                continue
            self.number = self._numbers[k]
            yield image, time

    def close(self) -> None:
        """Release the file."""
        if self._close is not None:
            self._close()
