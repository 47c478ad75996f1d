"""Evaluation protocols: how each family's authors treat boxes and scores before COCO's evaluation.

In all of them, the score of a pose combines those of the box and the keypoints, and of poses with a mutual OKS above
0.9 only the one with the highest score is kept. None uses soft suppression by default.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .coco import oks_nms, rescore
from .potr import SMALL, rescore_sets, select_people

Array = NDArray[np.floating]
Kept = tuple[NDArray[np.intp], Array]  # rows by decreasing score, and their scores


def clip_boxes(boxes: Array, size: tuple[int, int], *, whole_pixels: bool = False) -> Array:
    """Clip ground-truth boxes to the image, and drop those outside it.

    Args:
        boxes: (N, 4) xyxy.
        size: (width, height) of the image.
        whole_pixels: whether a box includes its last pixel; otherwise it ends one pixel earlier.

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
    """The evaluation protocol of one family.

    Attributes:
        family: of networks.
        certainty: description of the score of a pose.
        select: `(keypoints (N, K, 2), scores (N, K), box_scores (N,), areas (N,), sigmas) -> rows (M,), scores (M,)`
            for poses of one image in detected boxes; areas are those of the padded boxes.
        select_true: the same for poses in ground-truth boxes.
        least_area: square pixels; smaller detections are ignored.
        clean: `(boxes (N, 4) xyxy, size) -> (M, 4)`, applied to ground-truth boxes of an image of size (width,
            height).
    """

    family: str
    certainty: str
    select: Callable[..., Kept]
    select_true: Callable[..., Kept]
    least_area: float = 0.0
    clean: Callable[[Array, tuple[int, int]], Array] = _as_annotated


def _by_heatmaps(keypoints: Array, scores: Array, box_scores: Array, areas: Array, sigmas: tuple[float, ...]) -> Kept:
    people_scores = rescore(box_scores, scores)
    kept = oks_nms(keypoints, people_scores, areas, sigmas=sigmas)
    return kept, people_scores[kept]


def _by_mean_score(keypoints: Array, scores: Array, box_scores: Array, areas: Array, sigmas: tuple[float, ...]) -> Kept:
    people_scores = box_scores * scores.mean(1)  # includes uncertain keypoints, whose score is near 0 in this family
    kept = oks_nms(keypoints, people_scores, areas, sigmas=sigmas)
    return kept, people_scores[kept]


def _by_sets(keypoints: Array, scores: Array, box_scores: Array, areas: Array, sigmas: tuple[float, ...]) -> Kept:
    return select_people(keypoints, rescore_sets(box_scores, scores), areas)


def _sum_of_sets(keypoints: Array, scores: Array, box_scores: Array, areas: Array, sigmas: tuple[float, ...]) -> Kept:
    """Score by the sum of probabilities and keep all people, as PE-former does without `--use_det_bbox`."""
    return np.arange(len(scores)), scores.sum(1)


def _all_people(keypoints: Array, scores: Array, *_: Any) -> Kept:
    return np.arange(len(scores)), scores.mean(1)


def _as_found(keypoints: Array, scores: Array, box_scores: Array, *_: Any) -> Kept:
    order = np.argsort(-box_scores, kind="stable")
    return order, box_scores[order]


_HEATMAPS = "box score x mean of the keypoint scores above 0.2; OKS suppression 0.9"
OURS = Protocol(
    "ours",
    "box score x mean of the keypoint scores; OKS suppression 0.9",
    select=_by_mean_score,
    select_true=_by_mean_score,
)
VITPOSE = Protocol("ViTPose", _HEATMAPS, select=_by_heatmaps, select_true=_by_heatmaps, clean=clip_boxes)
RTMPOSE = Protocol("RTMPose", _HEATMAPS, select=_by_heatmaps, select_true=_by_heatmaps)
TRANSPOSE = Protocol(
    "TransPose",
    _HEATMAPS,
    select=_by_heatmaps,
    select_true=_by_heatmaps,
    clean=partial(clip_boxes, whole_pixels=True),
)
POTR = Protocol(
    "POTR",
    "true boxes: sum of the keypoint scores; detected ones, from 32 x 32 pixels: box score x mean of the keypoint"
    " scores, OKS suppression 0.9, no score below an extent of 32 x 32 pixels",
    select=_by_sets,
    select_true=_sum_of_sets,
    least_area=SMALL,
    clean=clip_boxes,
)

YOLO = Protocol("YOLO", "box score", select=_as_found, select_true=_as_found)  # suppression is part of the network
RTMO = replace(YOLO, family="RTMO")

MPII = Protocol("MPII", "not used", select=_all_people, select_true=_all_people)  # for every family


def protocol_of(family: str) -> Protocol:
    """Return the protocol of a family (the name of a network's class); ours, if its authors published none."""
    published = {"ViTPose": VITPOSE, "ViTPosePlus": VITPOSE, "TransPose": TRANSPOSE, "POTR": POTR, "YOLO": YOLO}
    published |= {"RTMPose": RTMPOSE, "RTMO": RTMO}
    return published.get(family, OURS)
