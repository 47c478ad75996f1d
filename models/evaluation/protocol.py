"""What each family's authors do to boxes and scores before COCO measures the poses.

Common to all: a pose's certainty mixes the box's and the keypoints' scores, and of poses with a mutual OKS above 0.9
only the most certain stays. None of them uses the soft variant of that suppression by default.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .coco import oks_nms, rescore
from .potr import SMALL, rescore_sets, select_people

Array = NDArray[np.floating]
Kept = tuple[NDArray[np.intp], Array]  # rows, the most certain first, and their scores


def cut_boxes(boxes: Array, size: tuple[int, int], *, whole_pixels: bool = False) -> Array:
    """Cut true boxes at the picture's borders, and leave out those that are outside.

    Args:
        boxes: (N, 4) xyxy.
        size: (width, height) of the picture.
        whole_pixels: whether a box ends after its last pixel, or, one pixel shorter, at it.

    Returns:
        (M, 4) xyxy.

    Source: `_load_coco_keypoint_annotation_kernel` of mmpose 0.x, TransPose and PE-former.
    """
    first = np.maximum(boxes[:, :2], 0)
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2] - 1, 0)
    last = np.minimum(first + sides, np.array(size) - 1)
    inside = (last > first).all(1)
    return np.concatenate([first, last + whole_pixels], axis=1)[inside]


def _as_annotated(boxes: Array, size: tuple[int, int]) -> Array:
    return boxes


@dataclass(frozen=True, slots=True)
class Protocol:
    """How one family is measured.

    Attributes:
        family: whose it is.
        certainty: in words, how a pose is scored.
        select: `(keypoints (N, K, 2), scores (N, K), box_scores (N,), areas (N,), sigmas) -> rows (M,), scores (M,)`
            for poses of one picture in detected boxes; areas are those of the padded boxes.
        select_true: the same for poses in the true boxes.
        least_area: square pixels; smaller detections are not looked at.
        clean: `(boxes (N, 4) xyxy, size) -> (M, 4)`, what is done to true boxes in a picture of size (width, height).
    """

    family: str
    certainty: str
    select: Callable[..., Kept]
    select_true: Callable[..., Kept]
    least_area: float = 0.0
    clean: Callable[[Array, tuple[int, int]], Array] = _as_annotated


def _by_heatmaps(keypoints: Array, scores: Array, box_scores: Array, areas: Array, sigmas: tuple[float, ...]) -> Kept:
    certain = rescore(box_scores, scores)
    kept = oks_nms(keypoints, certain, areas, sigmas=sigmas)
    return kept, certain[kept]


def _by_places(keypoints: Array, scores: Array, box_scores: Array, areas: Array, sigmas: tuple[float, ...]) -> Kept:
    certain = box_scores * scores.mean(1)  # here a keypoint that could be anywhere scores near 0, and so counts
    kept = oks_nms(keypoints, certain, areas, sigmas=sigmas)
    return kept, certain[kept]


def _by_sets(keypoints: Array, scores: Array, box_scores: Array, areas: Array, sigmas: tuple[float, ...]) -> Kept:
    return select_people(keypoints, rescore_sets(box_scores, scores), areas)


def _sum_of_sets(keypoints: Array, scores: Array, box_scores: Array, areas: Array, sigmas: tuple[float, ...]) -> Kept:
    """Score by the sum of probabilities and keep everybody, as PE-former does without `--use_det_bbox`."""
    return np.arange(len(scores)), scores.sum(1)


def _everybody(keypoints: Array, scores: Array, *_: Any) -> Kept:
    return np.arange(len(scores)), scores.mean(1)


def _as_found(keypoints: Array, scores: Array, box_scores: Array, *_: Any) -> Kept:
    order = np.argsort(-box_scores, kind="stable")
    return order, box_scores[order]


_HEATMAPS = "box score x mean of the keypoint scores above 0.2; OKS suppression 0.9"
OURS = Protocol(
    "ours",
    "box score x mean of the keypoint scores; OKS suppression 0.9",
    select=_by_places,
    select_true=_by_places,
)
VITPOSE = Protocol("ViTPose", _HEATMAPS, select=_by_heatmaps, select_true=_by_heatmaps, clean=cut_boxes)
TRANSPOSE = Protocol(
    "TransPose",
    _HEATMAPS,
    select=_by_heatmaps,
    select_true=_by_heatmaps,
    clean=partial(cut_boxes, whole_pixels=True),
)
POTR = Protocol(
    "POTR",
    "true boxes: sum of the keypoint scores; detected ones, from 32 x 32 pixels: box score x mean of the keypoint"
    " scores, OKS suppression 0.9, no score below an extent of 32 x 32 pixels",
    select=_by_sets,
    select_true=_sum_of_sets,
    least_area=SMALL,
    clean=cut_boxes,
)

YOLO = Protocol("YOLO", "box score", select=_as_found, select_true=_as_found)  # suppression is part of the network

MPII = Protocol("MPII", "not used", select=_everybody, select_true=_everybody)  # of the data set, for every family


def protocol_of(family: str) -> Protocol:
    """Return the protocol of a family, the name of a network's class; for one that has none published, our own."""
    published = {"ViTPose": VITPOSE, "ViTPosePlus": VITPOSE, "TransPose": TRANSPOSE, "POTR": POTR, "YOLO": YOLO}
    return published.get(family, OURS)
