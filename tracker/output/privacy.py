"""Images that do not tell who somebody is: with blurred faces, or with no pixel of the video at all."""

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
_SURE = 0.3  # mean score of the head's keypoints from which they alone tell where it is
_SEEN = 0.1  # score below which a keypoint says nothing
_HOLD = 0.5  # seconds for which a face stays blurred where its person was seen last
_SHRINK = 0.4  # seconds in which a radius shrinks to a third, so that a glimpse of one ear uncovers nothing
_BLOCKS = 5  # across a face: fewer than anybody is known by


class Region(NamedTuple):
    """An ellipse that hides a head: centre and half axes in pixels."""

    x: float
    y: float
    rx: float
    ry: float


class BlurFaces:
    """Callable `(frame, tracks) -> Frame` with everybody's face blurred beyond recognition.

    A face is where the keypoints of the head are. Where these are not sure, the place to which the trunk points is
    blurred, too, and the upper part of the box. People without an id, who were seen for the first time, are blurred by
    their box. Somebody who is lost stays blurred for a moment where they were. A head outside of the image is left
    alone.

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
        """Return the frame with another image; the given one stays as it is."""
        image = frame.image.copy()
        self._last = {person: seen for person, seen in self._last.items() if 0 <= frame.time - seen[0] <= _HOLD}
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
        """Return what hides one person's head; nothing where it is outside of the image."""
        poses = tracks.poses
        keypoints, scores = poses.keypoints[row].astype(np.float64), poses.scores[row]
        box = poses.boxes[row].astype(np.float64)
        seen = np.isfinite(keypoints).all(-1) & (scores >= _SEEN)
        head = [k for k in self._head if seen[k]]
        sure = float(scores[head].mean()) if head else 0.0
        around = _around_head(keypoints[head], self._span(keypoints, seen), box) if head else None
        if around is not None and sure >= _SURE:
            return [around] if _touches(around, image) else []
        trunk = self._above_trunk(keypoints, scores, box)
        if trunk is not None and not _touches(trunk, image):
            return []
        return [region for region in (around, trunk, _upper_part(box)) if region is not None]

    def _span(self, keypoints: NDArray[np.float64], seen: NDArray[np.bool_]) -> float:
        """Return the distance of the shoulders; 0 where they are not both seen."""
        if len(self._shoulders) < 2 or not seen[self._shoulders].all():
            return 0.0
        a, b = keypoints[self._shoulders]
        return float(np.linalg.norm(a - b))

    def _above_trunk(
        self, keypoints: NDArray[np.float64], scores: NDArray[np.floating], box: NDArray[np.float64]
    ) -> Region | None:
        """Return where the head is by shoulders and hips; None where those are not sure."""
        trunk = [*self._shoulders, *self._hips]
        if len(trunk) < 4 or np.isnan(keypoints[trunk]).any() or scores[trunk].min() < _SURE:
            return None
        neck, pelvis = keypoints[self._shoulders].mean(0), keypoints[self._hips].mean(0)
        centre = neck + 0.45 * (neck - pelvis)
        radius = _held(0.4 * float(np.linalg.norm(neck - pelvis)), box)
        return Region(float(centre[0]), float(centre[1]), radius, radius)


def _around_head(head: NDArray[np.float64], shoulders: float, box: NDArray[np.float64]) -> Region:
    """Return a circle around the head's keypoints (H, 2), large enough for a head of that body."""
    centre = (head.min(0) + head.max(0)) / 2
    reach = float(np.linalg.norm(head - centre, axis=-1).max())
    radius = _held(max(2.0 * reach, 0.4 * shoulders), box)
    return Region(float(centre[0]), float(centre[1]), radius, 1.2 * radius)


def _held(radius: float, box: NDArray[np.float64]) -> float:
    """Hold a head's radius to what a box can have: from a standing person's, a seventh of them, to a portrait's."""
    side = float(max(box[2:] - box[:2]))
    return min(max(radius, 0.08 * side), 0.4 * side)


def _upper_part(box: NDArray[np.float64]) -> Region:
    """Return the part of a person's box where the head can be: more of it, the less upright the box is."""
    width, height = np.maximum(box[2:] - box[:2], 1.0)
    share = min(1.0, 0.65 * width / height)
    x, y = (box[0] + box[2]) / 2, box[1] + share * height / 2
    return Region(float(x), float(y), 0.6 * float(width), 0.65 * share * float(height))


def _touches(region: Region, image: Image) -> bool:
    height, width = image.shape[:2]
    return -region.rx < region.x < width + region.rx and -region.ry < region.y < height + region.ry


def _blur(image: Image, region: Region) -> None:
    """Blur an ellipse in place, from no more than a few blocks of it."""
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
    """Return the frame in black, for people to be drawn on."""
    return replace(frame, image=np.zeros_like(frame.image))
