"""How the camera moves from picture to picture, seen at what stands still beside the people."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ...models.geometry import shrink
from ..types import Frame

MODES = ("auto", "static", "moving")
STILL = np.eye(2, 3)

_WIDTH = 320  # pixels of the longer side of the picture that is looked at
_POINTS, _ENOUGH = 100, 8  # that are followed
_QUALITY = 0.001  # of the sharpest corner's: beside one that is very sharp, ordinary ones do as well
_WINDOW = 15  # pixels around a point that are compared
_REACH = _WINDOW // 2 + 2  # from a point to the farthest pixel that has a say, in what makes it a corner too
_NOISE = 0.15  # pixels, standard deviation of where a point is found again
_MISS = 1.0  # pixels, from which a point does not follow a motion
_CHANGE, _ALIKE = 15, 0.5  # grey levels on average, and correlation below which a picture is of another place
_CHECK_SECONDS = 0.2  # between two looks at whether a still camera still is


class CameraMotion:
    """Callable `(frame, boxes) -> (2, 3)` that brings points of the last frame to this one; None at a hard cut.

    Corners away from the people's boxes are followed with sparse optical flow (Lucas and Kanade, pyramids) in a small
    grey picture, and a turn, scale and shift are fitted to them (RANSAC). That the camera stands still is the simpler
    explanation, and holds until another one is the better by more than its parameters are worth. The longer it stands
    still, the rarer it is looked at, down to five times a second; that is enough to notice that it starts to move.

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
        self._picture: NDArray[np.uint8] | None = None  # that motion is measured from: the camera has not moved since
        self._boxes = np.zeros((0, 4))  # its people, in its pixels
        self._points: NDArray[np.float32] | None = None  # (P, 2), its corners, once they are needed
        self._kept = False  # whether it is that of the last call
        self._thumbnail: NDArray[np.uint8] | None = None  # of the last frame
        self._time = self._moved = 0.0  # seconds, of the last look and of the last motion

    def __call__(self, frame: Frame, boxes: NDArray[np.floating]) -> NDArray[np.float64] | None:
        """Return the motion since the last call.

        Args:
            frame: the picture.
            boxes: (N, 4) xyxy pixels, of the people in the picture of the last call, which move by themselves.
        """
        if self._time > frame.time:
            self.reset()
        scale = min(1.0, _WIDTH / max(frame.image.shape[:2]))
        if self._kept:
            self._boxes, self._kept = np.asarray(boxes) * scale, False
        new = self._new(frame.image)  # of every frame, for the next one
        if self._picture is not None and not new and not self._due(frame.time):
            return STILL
        picture = _grey(frame.image, scale)
        motion = None if self._picture is None else self._flow(self._picture, picture)
        if self._picture is None or new or (motion is not None and motion is not STILL):
            self._moved = frame.time
        if motion is not STILL:  # it still has what a slow motion adds up to
            self._picture, self._points, self._kept = picture, None, True
        self._time = frame.time
        if motion is None:
            return None if new else STILL
        return np.column_stack([motion[:, :2], motion[:, 2] / scale])

    def _due(self, time: float) -> bool:
        """Return whether to look again: after half of the time for which the camera was seen to stand still."""
        if self.mode != "auto":
            return self.mode == "moving"
        return time - self._time >= min((self._time - self._moved) / 2, _CHECK_SECONDS)

    def _new(self, image: NDArray[np.uint8]) -> bool:
        """Return whether light and dark are elsewhere than in the last picture: a cut, or a fast motion."""
        rows = cv2.cvtColor(image[:: max(1, len(image) // 36)], cv2.COLOR_BGR2GRAY)  # enough of a picture to be known
        thumbnail = cv2.resize(rows, (32, 18), interpolation=cv2.INTER_AREA)
        last, self._thumbnail = self._thumbnail, np.asarray(thumbnail, dtype=np.uint8)
        if last is None or cv2.norm(thumbnail, last, cv2.NORM_L1) <= _CHANGE * last.size:
            return False
        return float(cv2.matchTemplate(thumbnail, last, cv2.TM_CCOEFF_NORMED)[0, 0]) < _ALIKE

    def _flow(self, last: NDArray[np.uint8], picture: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        """Return the motion in the small picture, `STILL` for none, or None where the points follow no common one."""
        if last.shape != picture.shape:
            return None
        if self._points is None:
            self._points = _corners(last, self._boxes)
        if len(self._points) < _ENOUGH:
            return None
        found, status, _ = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload]  # None makes the output
            last, picture, self._points, None, winSize=(_WINDOW, _WINDOW), maxLevel=3
        )
        good = status.ravel() == 1
        if good.sum() < _ENOUGH:
            return None
        return _explain(self._points[good], found[good])


def _grey(image: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    size = tuple(max(1, round(side * scale)) for side in image.shape[1::-1])
    return shrink.resize(np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8), size)


def _corners(picture: NDArray[np.uint8], boxes: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return corners (P, 2) of a picture whose surroundings show nothing of the boxes: an outline moves its corners."""
    mask = np.full(picture.shape, 255, dtype=np.uint8)
    for left, top, right, bottom in (boxes + _REACH * np.array([-1, -1, 1, 1])).clip(0).astype(int):
        mask[top : bottom + 1, left : right + 1] = 0
    points = cv2.goodFeaturesToTrack(picture, _POINTS, _QUALITY, 5, mask=mask)
    return np.zeros((0, 2), np.float32) if points is None else points[:, 0]


def _explain(before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.float64] | None:
    """Return the motion that explains best where points (P, 2) went: `STILL`, a similarity, or None.

    Source: the criterion for choosing between motions is GRIC (Torr, "Geometric motion segmentation and model
    selection", 1998), where four parameters must pay for themselves.
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
