"""How the camera moves from picture to picture, seen at what stands still beside the people."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ..types import Frame

MODES = ("auto", "static", "moving")
STILL = np.eye(2, 3)

_WIDTH = 320  # pixels of the longer side of the picture that is looked at
_POINTS, _ENOUGH = 100, 8  # that are followed
_SPEED, _NOISE = 0.01, 0.0005  # widths in a second, and at once, from which a camera moves: more than points shake
_CALM_SECONDS = 1.0  # without motion, until a camera counts as still
_CHECK_SECONDS = 0.2  # between two looks at whether a still camera still is


class CameraMotion:
    """Callable `(frame, boxes) -> (2, 3)` that brings points of the last frame to this one; None at a hard cut.

    Corners outside the people's boxes are followed with sparse optical flow (Lucas and Kanade, pyramids) in a small
    grey picture, and a turn, scale and shift are fitted to them (RANSAC). A camera that was still for a second is only
    looked at five times a second; that is enough to notice that it starts to move.

    Args:
        mode: `auto` finds out by itself whether the camera moves; `static` and `moving` know.

    Raises:
        UsageError: there is no such mode.
    """

    def __init__(self, mode: str = "auto") -> None:
        if mode not in MODES:
            raise UsageError(f"The camera is said to be '{mode}'; choose {', '.join(MODES[:-1])} or {MODES[-1]}.")
        self.mode = mode
        self.reset()

    def reset(self) -> None:
        """Forget the last picture, as before another source."""
        self._picture: NDArray[np.uint8] | None = None  # the last that motion was measured at
        self._boxes = np.zeros((0, 4))  # its people, in its pixels
        self._kept = False  # whether it is that of the last call
        self._thumbnail: NDArray[np.float32] | None = None  # of the last frame
        self._time = self._moved = 0.0  # seconds, of `_picture` and of the last motion

    def __call__(self, frame: Frame, boxes: NDArray[np.floating]) -> NDArray[np.float64] | None:
        """Return the motion since the last call.

        Args:
            frame: the picture.
            boxes: (N, 4) xyxy pixels, of the people in the picture of the last call, which move by themselves.
        """
        if self._time > frame.time:
            self.reset()
        scale = min(1.0, _WIDTH / max(frame.image.shape[:2]))
        grey = cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY)
        if self._kept:
            self._boxes, self._kept = np.asarray(boxes) * scale, False
        picture = np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        new = self._new(picture)  # of every frame, for the next one
        first = self._picture is None
        since = frame.time - self._time
        calm = self.mode == "auto" and frame.time - self._moved > _CALM_SECONDS
        if not first and not new and (self.mode == "static" or (calm and since < _CHECK_SECONDS)):
            return STILL
        found = None if self._picture is None else self._flow(self._picture, picture)
        motion = STILL.copy() if found is None else found
        if first or new or _shift(motion, picture.shape[1::-1]) > _WIDTH * max(_SPEED * since, _NOISE):
            self._moved = frame.time
        elif calm:
            motion = STILL.copy()
        self._picture, self._kept, self._time = picture, True, frame.time
        motion[:, 2] /= scale
        return None if new and found is None else motion

    def _new(self, picture: NDArray[np.uint8]) -> bool:
        """Return whether light and dark are elsewhere than in the last one: a cut, or a fast motion."""
        thumbnail = cv2.resize(picture, (32, 18), interpolation=cv2.INTER_AREA).astype(np.float32)
        last, self._thumbnail = self._thumbnail, thumbnail
        if last is None:
            return False
        a, b = thumbnail - thumbnail.mean(), last - last.mean()
        alike = float((a * b).sum()) / max(float(np.sqrt((a**2).sum() * (b**2).sum())), 1e-6)
        return alike < 0.5 and float(np.abs(thumbnail - last).mean()) > 15

    def _flow(self, last: NDArray[np.uint8], picture: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        """Return the motion in the small picture, or None where its points follow no common one."""
        if last.shape != picture.shape:
            return None
        mask = np.full(last.shape, 255, dtype=np.uint8)
        for left, top, right, bottom in np.maximum(self._boxes, 0).astype(int):
            mask[top : bottom + 1, left : right + 1] = 0
        points = cv2.goodFeaturesToTrack(last, _POINTS, 0.01, 5, mask=mask)
        if points is None or len(points) < _ENOUGH:
            return None
        found, status, _ = cv2.calcOpticalFlowPyrLK(last, picture, points, None, winSize=(15, 15), maxLevel=3)  # type: ignore[call-overload]  # None makes the output
        good = status.ravel() == 1
        if good.sum() < _ENOUGH:
            return None
        motion, inliers = cv2.estimateAffinePartial2D(points[good], found[good], ransacReprojThreshold=1.0)
        return None if motion is None or inliers.sum() < max(_ENOUGH, good.sum() / 3) else motion


def _shift(motion: NDArray[np.float64], size: tuple[int, ...]) -> float:
    """Return how far a motion takes the corners of a picture (width, height), in pixels."""
    corners = np.array([[0, 0], [size[0], 0], [0, size[1]], list(size)], dtype=np.float64)
    return float(np.abs(corners @ motion[:, :2].T + motion[:, 2] - corners).max())
