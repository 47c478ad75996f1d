"""Detect image changes outside the boxes of known people, where a new person may have entered."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..types import Frame

_WIDTH = 64  # cells along the longer side: twenty pixels of 720p each
_STEP = 4  # pixels sampled along each cell's side
_MARGIN = 0.2  # of a known person's width and height, for arms and shadows
_CHANGE = 12.0  # grey levels: above sensor noise, below the contrast of a person in front of a wall
_CELLS = 3  # minimum number of changed cells


class Activity:
    """Callable `(frame, boxes) -> bool`: whether the image changed outside the boxes since the last `keep`."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the reference image, before another source."""
        self._cells: NDArray[np.float32] | None = None
        self._latest: NDArray[np.float32] | None = None

    def __call__(self, frame: Frame, boxes: NDArray[np.floating]) -> bool:
        """Compare a frame with the reference image.

        Args:
            frame: the current frame.
            boxes: (N, 4) xyxy pixels, boxes of the known people.
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
        change -= np.median(change)  # changes of light or exposure
        for left, top, right, bottom in boxes:
            x, y = _MARGIN * (right - left), _MARGIN * (bottom - top)
            first = np.maximum(np.floor(np.array([left - x, top - y]) / cell), 0).astype(int)
            last = np.maximum(np.ceil(np.array([right + x, bottom + y]) / cell), 0).astype(int)
            change[first[1] : last[1], first[0] : last[0]] = 0
        return int((np.abs(change) > _CHANGE).sum()) >= _CELLS

    def keep(self) -> None:
        """Make the latest frame the reference image, after a detection."""
        self._cells = self._latest
