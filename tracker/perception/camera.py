"""Estimate the camera's motion between frames from the static background."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ...models.geometry import shrink
from ..types import Frame

MODES = ("auto", "static", "moving")
STILL = np.eye(2, 3)

_WIDTH = 320  # longer side of the analysed image, pixels
_POINTS, _ENOUGH = 100, 8  # maximum and minimum number of tracked corners
_QUALITY = 0.001  # of the strongest corner's response; low, because ordinary corners are good enough
_WINDOW = 15  # pixels, window of the optical flow
_REACH = _WINDOW // 2 + 2  # pixels from a point to the farthest one that affects its flow or its corner response
_NOISE = 0.15  # pixels, standard deviation of a tracked point's position
_MISS = 1.0  # pixels, residual of an outlier
_CHANGE, _ALIKE = 15, 0.5  # mean difference in grey levels, and correlation below which the scene is another one
_CHECK_SECONDS = 0.2  # longest interval between two checks of a static camera


class CameraMotion:
    """Callable `(frame, boxes) -> (2, 3)`, the motion since the last frame; None at a hard cut.

    Corners outside the people's boxes are tracked with sparse optical flow (pyramidal Lucas-Kanade) in a small grey
    image, and a rotation, scale and translation are fitted to them (RANSAC). A static camera is the simpler model; it
    is kept unless the fit gains more than its parameters cost. The longer the camera is static, the less often it is
    checked, down to five times per second, which is enough to notice when it starts to move.

    Args:
        mode: `auto` detects whether the camera moves; `static` and `moving` skip the detection.

    Raises:
        UsageError: the mode does not exist.
    """

    def __init__(self, mode: str = "auto") -> None:
        if mode not in MODES:
            raise UsageError(f"The camera mode is '{mode}'; choose {', '.join(MODES[:-1])} or {MODES[-1]}.")
        self.mode = mode
        self.reset()

    def reset(self) -> None:
        """Forget the last frame, before another source."""
        self._reference: NDArray[np.uint8] | None = None  # reference image of the flow: the camera has not moved since
        self._boxes = np.zeros((0, 4))  # (N, 4) boxes of its people, in its pixels
        self._points: NDArray[np.float32] | None = None  # (P, 2) its corners, computed on demand
        self._kept = False  # whether the reference image is that of the last call
        self._thumbnail: NDArray[np.uint8] | None = None  # of the last frame
        self._time = self._moved = 0.0  # seconds, of the last check and of the last motion

    def __call__(self, frame: Frame, boxes: NDArray[np.floating]) -> NDArray[np.float64] | None:
        """Return the motion since the last call.

        Args:
            frame: the current frame.
            boxes: (N, 4) xyxy pixels, boxes of the people in the frame of the last call, whose motion is ignored.
        """
        if self._time > frame.time:
            self.reset()
        scale = min(1.0, _WIDTH / max(frame.image.shape[:2]))
        if self._kept:
            self._boxes, self._kept = np.asarray(boxes) * scale, False
        new = self._new(frame.image)  # called for every frame, because it stores the thumbnail
        if self._reference is not None and not new and not self._due(frame.time):
            return STILL
        grey = _grey(frame.image, scale)
        motion = None if self._reference is None else self._flow(self._reference, grey)
        if self._reference is None or new or (motion is not None and motion is not STILL):
            self._moved = frame.time
        if motion is not STILL:  # an unchanged reference image accumulates slow motion
            self._reference, self._points, self._kept = grey, None, True
        self._time = frame.time
        if motion is None:
            return None if new else STILL
        return np.column_stack([motion[:, :2], motion[:, 2] / scale])

    def _due(self, time: float) -> bool:
        """Return whether a check is due: after half of the time for which the camera has been static."""
        if self.mode != "auto":
            return self.mode == "moving"
        return time - self._time >= min((self._time - self._moved) / 2, _CHECK_SECONDS)

    def _new(self, image: NDArray[np.uint8]) -> bool:
        """Return whether the layout of brightness differs from the last frame's: a cut, or fast motion."""
        rows = cv2.cvtColor(
            image[:: max(1, len(image) // 36)], cv2.COLOR_BGR2GRAY
        )  # 36 rows are enough for a thumbnail
        thumbnail = cv2.resize(rows, (32, 18), interpolation=cv2.INTER_AREA)
        last, self._thumbnail = self._thumbnail, np.asarray(thumbnail, dtype=np.uint8)
        if last is None or cv2.norm(thumbnail, last, cv2.NORM_L1) <= _CHANGE * last.size:
            return False
        return float(cv2.matchTemplate(thumbnail, last, cv2.TM_CCOEFF_NORMED)[0, 0]) < _ALIKE

    def _flow(self, last: NDArray[np.uint8], grey: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        """Return the motion in the small image, `STILL` for none, or None if the points have no common motion."""
        if last.shape != grey.shape:
            return None
        if self._points is None:
            self._points = _corners(last, self._boxes)
        if len(self._points) < _ENOUGH:
            return None
        found, status, _ = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload]  # None makes the output
            last, grey, self._points, None, winSize=(_WINDOW, _WINDOW), maxLevel=3
        )
        good = status.ravel() == 1
        if good.sum() < _ENOUGH:
            return None
        return _explain(self._points[good], found[good])


def _grey(image: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    size = tuple(max(1, round(side * scale)) for side in image.shape[1::-1])
    return shrink.resize(np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8), size)


def _corners(grey: NDArray[np.uint8], boxes: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return corners (P, 2) of an image whose windows touch no box, because people's outlines move."""
    mask = np.full(grey.shape, 255, dtype=np.uint8)
    for left, top, right, bottom in (boxes + _REACH * np.array([-1, -1, 1, 1])).clip(0).astype(int):
        mask[top : bottom + 1, left : right + 1] = 0
    points = cv2.goodFeaturesToTrack(grey, _POINTS, _QUALITY, 5, mask=mask)
    return np.zeros((0, 2), np.float32) if points is None else points[:, 0]


def _explain(before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.float64] | None:
    """Return the model that fits the displacement of points (P, 2) best: `STILL`, a similarity transform, or None.

    Source: models are compared by GRIC (Torr, "Geometric motion segmentation and model selection", 1998), which adds a
    cost for the four parameters of a similarity.
    """
    fitted, _ = cv2.estimateAffinePartial2D(before, after, ransacReprojThreshold=_MISS)
    best, least = None, np.inf
    for motion, parameters in ((STILL, 0), (fitted, 4)):
        if motion is None:
            continue
        squares = ((before @ motion[:, :2].T + motion[:, 2] - after) ** 2).sum(1)  # (P,)
        cost = np.minimum(squares / _NOISE**2, 4).sum() + parameters * np.log(4 * len(before))
        if cost < least and (squares < _MISS**2).sum() >= max(_ENOUGH, len(before) / 3):
            best, least = motion, cost
    return best
