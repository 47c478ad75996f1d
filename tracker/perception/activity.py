"""Whether something moves where nobody is known: somebody new may have come."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..types import Frame

_WIDTH = 64  # cells along the longer side: twenty pixels of 720p each
_STEP = 4  # of the picture's pixels for every cell's side are looked at, no more
_MARGIN = 0.2  # of a known person's width and height; arms and shadows move there
_CHANGE = 12.0  # grey levels from which a cell changed: above a sensor's noise, below a person in front of a wall
_CELLS = 3  # that must have changed


class Activity:
    """Callable `(frame, boxes) -> bool`: whether the picture changed outside the boxes since it was last looked at."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the picture, as before another source."""
        self._cells: NDArray[np.float32] | None = None
        self._latest: NDArray[np.float32] | None = None

    def __call__(self, frame: Frame, boxes: NDArray[np.floating]) -> bool:
        """Compare a frame with the one that was kept last.

        Args:
            frame: the picture.
            boxes: (N, 4) xyxy pixels, of the people who are known.
        """
        height, width = frame.image.shape[:2]
        cell = max(height, width) / _WIDTH
        step = max(1, int(cell / _STEP))
        size = max(1, round(width / cell)), max(1, round(height / cell))
        grey = cv2.cvtColor(np.ascontiguousarray(frame.image[::step, ::step]), cv2.COLOR_BGR2GRAY)
        self._latest = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        if self._cells is None or self._cells.shape != self._latest.shape:
            return True
        change = self._latest - self._cells
        change -= np.median(change)  # the light, or a camera's exposure
        for left, top, right, bottom in boxes:
            x, y = _MARGIN * (right - left), _MARGIN * (bottom - top)
            first = np.maximum(np.floor(np.array([left - x, top - y]) / cell), 0).astype(int)
            last = np.maximum(np.ceil(np.array([right + x, bottom + y]) / cell), 0).astype(int)
            change[first[1] : last[1], first[0] : last[0]] = 0
        return int((np.abs(change) > _CHANGE).sum()) >= _CELLS

    def keep(self) -> None:
        """Compare what comes with the latest frame: it was looked at."""
        self._cells = self._latest
