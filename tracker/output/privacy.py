"""Images in which no person is recognisable: with blurred faces, or black with skeletons only."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.geometry.keypoints import Skeleton
from ..types import Frame, Tracks
from .overlay import Image

_HEAD = ("nose", "left_eye", "right_eye", "left_ear", "right_ear", "head_top", "top_head", "upper_neck", "neck")
_CERTAIN = 0.3  # mean score above which the keypoints of the head alone locate it
_MIN_SCORE = 0.1  # keypoints with a lower score are ignored
_HOLD = 0.5  # seconds for which the last face of a lost person stays blurred
_SHRINK = 0.4  # time constant in seconds of a shrinking radius, so that a single visible ear does not uncover the face
_BLOCKS = 5  # blocks across a face, too few to recognise anyone


class Region(NamedTuple):
    """An ellipse that hides a head: centre and half axes in pixels."""

    x: float
    y: float
    rx: float
    ry: float


class BlurFaces:
    """Callable `(frame, tracks) -> Frame` with all faces blurred beyond recognition.

    Faces are located by the keypoints of the head. If their scores are low, the position above the trunk and the upper
    part of the box are blurred too. Detections without an ID are blurred by their box. Lost people stay blurred at
    their last position for a moment. Heads outside the image are ignored.

    Args:
        skeleton: of the keypoints.
    """

    def __init__(self, skeleton: Skeleton) -> None:
        names = skeleton.keypoints
        self._head = [k for k, name in enumerate(names) if name in _HEAD or name.startswith("face_")]
        self._shoulders, self._hips = (
            [names.index(f"{side}_{part}") for side in ("left", "right") if f"{side}_{part}" in names]
            for part in ("shoulder", "hip")
        )
        self._last: dict[int, tuple[float, list[Region]]] = {}

    def __call__(self, frame: Frame, tracks: Tracks) -> Frame:
        """Return the frame with a new image; the given one is not modified."""
        image = frame.image.copy()
        self._last = {person: last for person, last in self._last.items() if 0 <= frame.time - last[0] <= _HOLD}
        for row, person in enumerate(tracks.ids.tolist()):
            last = self._last.pop(person, None)
            regions = self._regions(tracks, row, image)
            if last and regions:
                least = last[1][0].rx * math.exp((last[0] - frame.time) / _SHRINK)
                x, y, rx, ry = regions[0]
                regions[0] = Region(x, y, max(rx, least), max(ry, least))
            if regions:
                self._last[person] = frame.time, regions
        regions = [region for _, kept in self._last.values() for region in kept]
        regions += [_upper_part(box) for box in np.asarray(tracks.others, dtype=np.float64)]
        for region in regions:
            _blur(image, region)
        return replace(frame, image=image)

    def _regions(self, tracks: Tracks, row: int, image: Image) -> list[Region]:
        """Return the regions that hide one person's head; none if it is outside the image."""
        poses = tracks.poses
        keypoints, scores = poses.keypoints[row].astype(np.float64), poses.scores[row]
        box = poses.boxes[row].astype(np.float64)
        visible = np.isfinite(keypoints).all(-1) & (scores >= _MIN_SCORE)
        head = [k for k in self._head if visible[k]]
        score = float(scores[head].mean()) if head else 0.0
        around = _around_head(keypoints[head], self._span(keypoints, visible), box) if head else None
        if around is not None and score >= _CERTAIN:
            return [around] if _touches(around, image) else []
        trunk = self._above_trunk(keypoints, scores, box)
        if trunk is not None and not _touches(trunk, image):
            return []
        return [region for region in (around, trunk, _upper_part(box)) if region is not None]

    def _span(self, keypoints: NDArray[np.float64], visible: NDArray[np.bool_]) -> float:
        """Return the distance between the shoulders; 0 if one is missing."""
        if len(self._shoulders) < 2 or not visible[self._shoulders].all():
            return 0.0
        a, b = keypoints[self._shoulders]
        return float(np.linalg.norm(a - b))

    def _above_trunk(
        self, keypoints: NDArray[np.float64], scores: NDArray[np.floating], box: NDArray[np.float64]
    ) -> Region | None:
        """Return the region of the head estimated from shoulders and hips; None if their scores are low."""
        trunk = [*self._shoulders, *self._hips]
        if len(trunk) < 4 or np.isnan(keypoints[trunk]).any() or scores[trunk].min() < _CERTAIN:
            return None
        neck, pelvis = keypoints[self._shoulders].mean(0), keypoints[self._hips].mean(0)
        centre = neck + 0.45 * (neck - pelvis)
        radius = _clipped(0.4 * float(np.linalg.norm(neck - pelvis)), box)
        return Region(float(centre[0]), float(centre[1]), radius, radius)


def _around_head(head: NDArray[np.float64], shoulders: float, box: NDArray[np.float64]) -> Region:
    """Return an ellipse around the keypoints (H, 2) of the head, of at least the size of a head."""
    centre = (head.min(0) + head.max(0)) / 2
    reach = float(np.linalg.norm(head - centre, axis=-1).max())
    radius = _clipped(max(2.0 * reach, 0.4 * shoulders), box)
    return Region(float(centre[0]), float(centre[1]), radius, 1.2 * radius)


def _clipped(radius: float, box: NDArray[np.float64]) -> float:
    """Clip the radius of a head to the range from a standing person to a portrait, relative to the box."""
    side = float(max(box[2:] - box[:2]))
    return min(max(radius, 0.08 * side), 0.4 * side)


def _upper_part(box: NDArray[np.float64]) -> Region:
    """Return the part of a box where the head can be; it is larger for wide boxes."""
    width, height = np.maximum(box[2:] - box[:2], 1.0)
    share = min(1.0, 0.65 * width / height)
    x, y = (box[0] + box[2]) / 2, box[1] + share * height / 2
    return Region(float(x), float(y), 0.6 * float(width), 0.65 * share * float(height))


def _touches(region: Region, image: Image) -> bool:
    height, width = image.shape[:2]
    return -region.rx < region.x < width + region.rx and -region.ry < region.y < height + region.ry


def _blur(image: Image, region: Region) -> None:
    """Blur an ellipse in place, by reducing it to a few blocks."""
    if not np.isfinite(region).all():
        return
    height, width = image.shape[:2]
    x1, x2 = (int(np.clip(region.x + side * region.rx, 0, width)) for side in (-1, 1))
    y1, y2 = (int(np.clip(region.y + side * region.ry, 0, height)) for side in (-1, 1))
    x2, y2 = min(x2 + 1, width), min(y2 + 1, height)
    if x1 >= x2 or y1 >= y2:
        return
    part = image[y1:y2, x1:x2]
    few = cv2.resize(part, (_BLOCKS, _BLOCKS), interpolation=cv2.INTER_AREA)
    smooth = cv2.resize(few, (x2 - x1, y2 - y1), interpolation=cv2.INTER_LINEAR)
    rows, columns = np.ogrid[y1:y2, x1:x2]
    hidden = ((columns - region.x) / max(region.rx, 1)) ** 2 + ((rows - region.y) / max(region.ry, 1)) ** 2 <= 1
    part[hidden] = smooth[hidden]


def only_skeletons(frame: Frame, tracks: Tracks) -> Frame:
    """Return the frame with a black image."""
    return replace(frame, image=np.zeros_like(frame.image))
