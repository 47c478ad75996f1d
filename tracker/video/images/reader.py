"""Read images with times as a video."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import SourceError

Load = Callable[[int], NDArray[np.uint8]]

TOLERANCE = 1e-6  # seconds


class ImagesReader:
    """Iterator of images with known times; unreadable images are omitted and leave a gap in time.

    Attributes:
        fps: average rate.
        fps_guessed: whether the rate is an assumption.
        duration: of all images in seconds.
        frame_count: number of images between start and end.
        failed: number of unreadable images.
        damage: description of damage to their file; None if there is none.
        number: of the last image, in the source.
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
        """Choose the images between start and end.

        Args:
            load: returns image k, (H, W, 3) BGR uint8, or raises a SourceError; called in order.
            times: in seconds of each image, increasing.
            duration: seconds from the start of the first image to the end of the last.
            numbers: of each image in the source, increasing; 0, 1, ... if omitted.
            fps: frames per second; None for the average of the times.
            guessed: whether the rate is an assumption.
            damage: description of damage to their file.
            close: releases the resources of `load`.
            start: seconds; earlier images are omitted.
            end: seconds; images from it on are omitted.
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
