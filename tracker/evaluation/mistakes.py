"""Find the errors of an evaluation: wrong poses, misses and false positives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...models.evaluation.annotations import is_counted, people
from ...models.evaluation.coco import BODY_SHARE
from ...models.geometry.boxes import inside, iou
from ...models.geometry.keypoints import Skeleton, oks

if TYPE_CHECKING:
    from .images import Evaluation

KINDS = ("pose", "miss", "false-positive")
LEAST_OKS, LEAST_IOU = 0.1, 0.5  # minimum of either for a match
LEAST_SCORE, SAME_BOX = 0.1, 0.9  # less confident poses are noise, unless they were estimated in the person's true box


@dataclass(frozen=True, slots=True)
class Case:
    """One error.

    Attributes:
        kind: one of `KINDS`.
        rank: severity within its kind; higher is worse.
        image_id: id of the image.
        truth: the person's annotation; None for a false positive.
        found: the person's pose; None for a miss.
        oks: OKS of the two.
    """

    kind: str
    rank: float
    image_id: int
    truth: dict[str, Any] | None
    found: dict[str, Any] | None
    oks: float = 0.0


def find_errors(run: Evaluation) -> list[Case]:
    """Return each person as a case: with the best matching pose, missed, or a false positive.

    Poses of low confidence are ignored. The others are matched in the order of their scores, as in COCO's measure, but
    with low thresholds. A pose on a crowd, or on a person without labelled keypoints, is no false positive.
    """
    truth: dict[int, list] = defaultdict(list)
    rest: dict[int, list] = defaultdict(list)
    found: dict[int, list] = defaultdict(list)
    for annotation in people(run.truth):
        (truth if is_counted(annotation) else rest)[annotation["image_id"]].append(annotation)
    for pose in run.poses:
        found[pose["image_id"]].append(pose)
    cases: list[Case] = []
    for image_id in sorted(truth.keys() | found.keys()):
        here = sorted(found[image_id], key=lambda pose: -pose["score"])[:20]  # COCO evaluates 20 per image
        cases += _match(image_id, truth[image_id], here, rest[image_id], run.dataset.skeleton)
    return cases


def _match(image_id: int, truth: list, found: list, rest: list, skeleton: Skeleton) -> Iterator[Case]:
    areas = np.array([a.get("area", BODY_SHARE * a["bbox"][2] * a["bbox"][3]) for a in truth], dtype=float)
    points, poses = keypoints_of(truth, skeleton), keypoints_of(found, skeleton)
    likeness = oks(points, poses, areas, sigmas=skeleton.sigmas)  # (T, F)
    overlap = iou(boxes_of(truth), boxes_of(found))
    fitness = np.where((likeness >= LEAST_OKS) | (overlap >= LEAST_IOU), likeness + overlap, -1.0)
    unmatched = np.ones(len(truth), dtype=bool)
    for f, pose in enumerate(found):
        if pose["score"] < LEAST_SCORE and overlap[:, f].max(initial=0) < SAME_BOX:
            continue
        values = np.where(unmatched, fitness[:, f], -1.0)
        if len(truth) and values.max() >= 0:
            t = int(values.argmax())
            unmatched[t] = False
            yield Case("pose", 1 - likeness[t, f], image_id, truth[t], pose, float(likeness[t, f]))
        elif not (inside(boxes_of([pose]), boxes_of(rest)) > LEAST_IOU).any():
            yield Case("false-positive", pose["score"], image_id, None, pose)
    for t in np.flatnonzero(unmatched).tolist():
        yield Case("miss", float(areas[t]), image_id, truth[t], None)


def keypoints_of(persons: list[dict[str, Any]], skeleton: Skeleton) -> NDArray[np.float64]:
    """Return keypoints (N, K, 2), NaN where missing."""
    array = np.array([p["keypoints"] for p in persons], dtype=float).reshape(-1, len(skeleton), 3)
    return np.where(array[..., 2:] > 0, array[..., :2], np.nan)


def boxes_of(persons: list[dict[str, Any]]) -> NDArray[np.float64]:
    """Return the boxes (N, 4) xyxy pixels of annotations, whose `bbox` is x, y, width and height."""
    array = np.array([person["bbox"] for person in persons], dtype=float).reshape(-1, 4)
    return np.concatenate([array[:, :2], array[:, :2] + array[:, 2:]], axis=1)
