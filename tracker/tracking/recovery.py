"""Complete the detections by known people: those without a box, and limbs outside a box."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...models.geometry.boxes import areas, inside, iou
from ...models.geometry.keypoints import oks
from ..types import Detections, Poses
from .expectation import with_own_boxes

Estimate = Callable[[Detections], Poses]  # the pose network, on boxes of this frame

_IN_VIEW = 0.7  # minimum share of a missed person's box inside the image
_FREE = 0.3  # maximum share of a missed person's box inside one detected box; more may be that person's body
_SAME = 0.5  # IoU from which a detected box is that of an expected person
_SURE = 0.3  # minimum confidence of a keypoint that widens a box
_BEYOND = 0.03  # of the box's longer side: distance of such a keypoint from the box; less is the detector's noise
_MARGIN = 0.05  # of the box's longer side, around such keypoints: a hand is longer than its wrist
_AGREED = 0.5  # OKS of two estimates of the same person
_FADE_SECONDS = 2.0  # the box score of a person without a detection falls to 1 / e after


def missed(expected: NDArray[np.floating], boxes: NDArray[np.floating], size: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return a mask (N,) of the people without a detected box where they are expected.

    People behind others are not among them: a crop there would show the person in front. Nor are people who are leaving
    the image: what is left of them does not locate them.

    Args:
        expected: (N, 4) boxes of known people in this frame, xyxy pixels.
        boxes: (M, 4) detected boxes, xyxy pixels.
        size: (height, width) of the image.
    """
    height, width = size
    in_view = inside(expected, np.array([[0.0, 0.0, width, height]]))[:, 0] >= _IN_VIEW
    free = inside(expected, boxes).max(1, initial=0.0) <= _FREE
    return np.asarray(in_view & free)


def widened(found: Poses, expected: Poses, *, estimate: Estimate, sigmas: tuple[float, ...]) -> Poses:
    """Return the poses, estimated again where limbs of a person are expected outside the detected box.

    A crop of the detected box would cut them off. The second estimate counts if it is of the same person.

    Args:
        found: N poses.
        expected: M known people in this frame.
        estimate: as `Estimate`.
        sigmas: (K,) OKS sigmas.
    """
    boxes = _wide_boxes(found.boxes, expected)
    rows = (boxes != found.boxes).any(-1)
    if not rows.any():
        return found
    own = found[rows]
    wide = estimate(Detections(boxes[rows], own.box_scores))
    wide = replace(wide, boxes=_enclosing(own.boxes, wide))
    same = agree(own, wide, sigmas).diagonal()
    rows[rows] = same
    return joined(found[~rows], wide[same])


def _wide_boxes(boxes: NDArray[np.floating], expected: Poses) -> NDArray[np.floating]:
    """Return the detected boxes (N, 4), wider where limbs of their person are expected outside."""
    if not len(boxes) or not len(expected):
        return boxes
    overlap = iou(boxes, expected.boxes)  # (N, M)
    people, known = expected[overlap.argmax(1)], overlap.max(1) > _SAME
    unit = (boxes[:, 2:] - boxes[:, :2]).max(1, keepdims=True)
    beyond = np.abs(boxes - _enclosing(boxes, people)).max(1, keepdims=True) > _BEYOND * unit
    wide = _enclosing(boxes, people, _MARGIN * unit)
    return np.where(known[:, None] & beyond, wide, boxes)


def recovered(people: Poses, found: Poses, *, estimate: Estimate, sigmas: tuple[float, ...], seconds: float) -> Poses:
    """Return the poses of people without a detected box, estimated where they are expected.

    A pose that is of one of the people `found` is left out: that person turned unexpectedly. The box score fades,
    because nothing else than a detection confirms that there is a person: one who is only followed is lost in the end.

    Args:
        people: N missed people, with the box scores of the last frame.
        found: M poses of detected people.
        estimate: as `Estimate`.
        sigmas: (K,) OKS sigmas.
        seconds: since the last frame.
    """
    scores = people.box_scores * np.exp(-seconds / _FADE_SECONDS)
    poses = with_own_boxes(estimate(Detections(people.boxes, scores)), people)
    return poses[~agree(poses, found, sigmas).any(-1)]


def agree(first: Poses, second: Poses, sigmas: tuple[float, ...]) -> NDArray[np.bool_]:
    """Return (N, M) whether two poses of one frame, from different crops, are of the same person.

    Only confident keypoints count. In a wider crop, the pose network may describe a neighbour.

    Args:
        first: N poses; their boxes give the sizes of the people.
        second: M poses.
        sigmas: (K,) OKS sigmas.
    """
    one, other = (np.where(poses.scores[..., None] >= _SURE, poses.keypoints, np.nan) for poses in (first, second))
    return np.asarray(oks(one, other, areas(first.boxes), sigmas=sigmas) >= _AGREED)


def _enclosing(boxes: NDArray[np.floating], people: Poses, margin: NDArray[np.floating] | float = 0.0) -> NDArray[Any]:
    """Return the smallest boxes (N, 4) around boxes (N, 4) and the confident keypoints of N people.

    Args:
        boxes: (N, 4) xyxy pixels.
        people: N poses, whose boxes are ignored.
        margin: (N, 1) pixels around the keypoints.
    """
    sure = ((people.scores >= _SURE) & np.isfinite(people.keypoints).all(-1))[..., None]
    low = np.where(sure, people.keypoints, np.inf).min(1) - margin
    high = np.where(sure, people.keypoints, -np.inf).max(1) + margin
    return np.concatenate([np.minimum(boxes[:, :2], low), np.maximum(boxes[:, 2:], high)], axis=1)


def joined(first: Poses, second: Poses) -> Poses:
    """Return the people of both, in this order."""
    if not len(first) or not len(second):
        return first if len(first) else second
    return Poses(
        *(np.concatenate([getattr(first, field.name), getattr(second, field.name)]) for field in fields(Poses))
    )
