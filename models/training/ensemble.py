"""Labels from several teachers: each keypoint where most of them agree, weighted by their agreement.

An ensemble of views (networks, input sizes, mirrored crops) finds keypoints better than any of its members, and its
agreement measures how far to trust each keypoint.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..geometry.crop import PADDING
from ..geometry.keypoints import COCO
from .data import People

Array = NDArray[np.floating]
View = Callable[[NDArray[np.uint8], Array], Array]

NEAR = 0.06  # of that side: standard deviation of the distance between two views of the same place
# Weight of a label by its support. Below .2 the views contradict each other; from .75 on they are right nearly always.
SUPPORT, WEIGHT = (0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75), (0.0, 0.25, 0.4, 0.6, 0.8, 0.92, 1.0)
FAR = 0.1  # of the side: an annotated keypoint this far from a supported place is contradicted
OUTVOTES = 0.45  # support from which the views outvote an annotator who is not trusted entirely
LEAST = 0.4  # weight of a keypoint that counts for the number of keypoints below
LEAST_KEYPOINTS = 4
MARGIN = 0.02  # of the image: a label may lie this far outside


def sides(boxes: Array) -> Array:
    """Return the side (N,) in pixels of the square crop around each box (N, 4) xyxy."""
    return PADDING * (boxes[:, 2:] - boxes[:, :2]).max(1)


def fuse(views: Array, side: Array) -> Array:
    """Fuse the keypoints of several views.

    For each keypoint, the view with the most support by the others is the centre; the result is the mean of all views,
    weighted by score and closeness to it.

    Args:
        views: (V, N, K, 3) x and y in pixels, and the score in [0, 1]; 0 for keypoints or people that a view missed.
        side: (N,) of the square crops, pixels.

    Returns:
        (N, K, 3) x, y and the support in [0, 1]: the mean over the views of score times closeness.
    """
    points, scores = views[..., :2], views[..., 2] + 1e-6
    squares = ((points[:, None] - points[None]) ** 2).sum(-1)  # (V, V, N, K)
    closeness = np.exp(-squares / (2 * (NEAR * side[:, None]) ** 2))
    center = (closeness * scores).sum(1).argmax(0)  # (N, K)
    share = np.take_along_axis(closeness, center[None, None], axis=0)[0] * scores
    place = (points * share[..., None]).sum(0) / share.sum(0)[..., None]
    return np.concatenate([place, share.sum(0)[..., None] / len(views)], axis=-1)


def relabel_image(
    people: People, row: int, annotations: Sequence[dict[str, Any]], views: Sequence[View]
) -> list[dict[str, Any]]:
    """Return the annotations of the people of an image with the labels of an ensemble; see `relabelled`.

    Args:
        people: annotated people.
        row: of the image.
        annotations: of all people, in their order.
        views: `(image (H, W, 3), boxes (N, 4) xyxy) -> (N, K, 3)` x, y and score.
    """
    rows = people.of_image(row)
    if rows.start == rows.stop:
        return []
    image, scale = people.image(row)
    boxes = people.boxes[rows] * np.tile(scale, 2)
    fused = fuse(np.stack([view(image, boxes) for view in views]), sides(boxes))
    fused[..., :2] /= scale
    height, width = people.sizes[row].tolist()
    return [
        relabelled(annotation, labels, side=float(side), size=(height, width))
        for annotation, labels, side in zip(annotations[rows], fused, sides(people.boxes[rows]), strict=True)
    ]


def relabelled(annotation: dict[str, Any], fused: Array, *, side: float, size: tuple[int, int]) -> dict[str, Any]:
    """Return a COCO annotation with the labels of an ensemble.

    `label_source` is who made the labels: `gt`, or none, are true and stay; `teacher` are replaced; others come from
    annotators who make mistakes: their keypoints stay unless the ensemble is sure of another place.

    Args:
        annotation: with `keypoints` in COCO's layout, and perhaps `keypoint_weights` in [0, 1].
        fused: (K, 3), a person of `fuse`.
        side: of the square crop, pixels.
        size: (height, width) of the image.

    Returns:
        The annotation, with `num_keypoints` 0 if the ensemble is sure of too few keypoints.
    """
    source = annotation.get("label_source", "gt")
    if source == "gt":
        return annotation
    height, width = size
    points, support = fused[:, :2], fused[:, 2]
    extent = np.array([width, height])
    inside = ((points > -MARGIN * extent) & (points < (1 + MARGIN) * extent)).all(1)
    weights = np.interp(support, SUPPORT, WEIGHT) * inside
    if source != "teacher":
        old = np.array(annotation["keypoints"], dtype=float).reshape(len(COCO), 3)
        trusted = np.array(annotation.get("keypoint_weights", np.ones(len(COCO)))) * (old[:, 2] > 0)
        far = np.hypot(*(old[:, :2] - points).T) > FAR * side
        kept = (trusted > 0) & ~(far & (support > OUTVOTES))
        points = np.where(kept[:, None], old[:, :2], points)
        weights = np.where(kept, np.maximum(trusted, weights), weights)
    if (weights >= LEAST).sum() < LEAST_KEYPOINTS:
        weights = np.zeros(len(COCO))
    visible = weights > 0
    labels = np.column_stack([np.where(visible[:, None], points, 0).round(2), 2 * visible])
    return annotation | {
        "keypoints": [value for x, y, v in labels.tolist() for value in (x, y, int(v))],
        "keypoint_weights": weights.round(3).tolist(),
        "num_keypoints": int(visible.sum()),
    }
