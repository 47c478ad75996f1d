"""Metrics of COCO and CrowdPose for people, and the rescoring and suppression of ViTPose's protocol."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ..geometry.keypoints import COCO, oks
from ..geometry.skeletons import CROWDPOSE

KEYPOINT_METRICS = ("AP", "AP50", "AP75", "AP_M", "AP_L", "AR", "AR50", "AR75", "AR_M", "AR_L")
CROWDPOSE_METRICS = ("AP", "AP50", "AP75", "AR", "AR50", "AR75", "AP_easy", "AP_medium", "AP_hard")
BOX_METRICS = ("AP", "AP50", "AP75", "AP_S", "AP_M", "AP_L", "AR1", "AR10", "AR", "AR_S", "AR_M", "AR_L")
CROWD_LEVELS = {"AP_easy": (0.0, 0.2), "AP_medium": (0.2, 0.8), "AP_hard": (0.8, np.inf)}  # [from, to) of `crowdIndex`
BODY_SHARE = 0.53  # CrowdPose's area of a person, as a fraction of the box


def coco_keypoint_ap(truth: dict[str, Any], results: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return COCO's keypoint metrics: OKS thresholds .5 to .95, at most 20 people per image, by score.

    Args:
        truth: a COCO keypoint file; crowds and people without labelled keypoints are ignored.
        results: each with `image_id`, `keypoints` (3 K numbers x, y, score) and `score`.

    Returns:
        `KEYPOINT_METRICS` in [0, 1]; -1 if the ground truth has no person of that size.
    """
    return dict(zip(KEYPOINT_METRICS, _evaluate(truth, _poses(results), "keypoints", COCO.sigmas), strict=True))


def crowdpose_ap(truth: dict[str, Any], results: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return CrowdPose's metrics: like COCO's, but with other sigmas and areas, and levels of crowding.

    A person's area is always 0.53 of the box. Instead of sizes, images are easy, medium or hard by their `crowdIndex`,
    and each level is evaluated as a separate dataset.

    Args:
        truth: a CrowdPose file: COCO's format with 14 keypoints and a `crowdIndex` for every image.
        results: as in `coco_keypoint_ap`, with 14 keypoints.

    Returns:
        `CROWDPOSE_METRICS` in [0, 1]; -1 for a level without people.

    Source: `crowdposetools.cocoeval`, which rounds the levels to four digits.
    """
    people = [a | {"area": BODY_SHARE * a["bbox"][2] * a["bbox"][3]} for a in truth["annotations"]]
    truth, poses = truth | {"annotations": people}, _poses(results)
    ap, ap50, ap75, _, _, ar, ar50, ar75, *_ = _evaluate(truth, poses, "keypoints", CROWDPOSE.sigmas)
    levels = []
    for low, high in CROWD_LEVELS.values():
        images = {i["id"]: i for i in truth["images"] if low <= i["crowdIndex"] < high}
        part = truth | {
            "images": list(images.values()),
            "annotations": [a for a in people if a["image_id"] in images],
        }
        levels.append(_evaluate(part, [r for r in poses if r["image_id"] in images], "keypoints", CROWDPOSE.sigmas)[0])
    return dict(zip(CROWDPOSE_METRICS, (ap, ap50, ap75, ar, ar50, ar75, *levels), strict=True))


def _poses(results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"image_id": r["image_id"], "keypoints": [float(v) for v in r["keypoints"]], "score": float(r["score"])}
        for r in results
    ]


def coco_box_ap(truth: dict[str, Any], results: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return COCO's box metrics for people: IoU thresholds .5 to .95, at most 100 boxes per image, by score.

    Args:
        truth: a COCO file; crowds are ignored.
        results: each with `image_id`, `bbox` (x, y, width, height) and `score`.

    Returns:
        `BOX_METRICS` in [0, 1]; AR is for 100 boxes per image; -1 if the ground truth has no person of that size.
    """
    boxes = [
        {"image_id": r["image_id"], "bbox": [float(v) for v in r["bbox"]], "score": float(r["score"])} for r in results
    ]
    return dict(zip(BOX_METRICS, _evaluate(truth, boxes, "bbox")[: len(BOX_METRICS)], strict=True))


def _evaluate(
    truth: dict[str, Any], results: list[dict[str, Any]], kind: str, sigmas: Sequence[float] = ()
) -> list[float]:
    try:
        import faster_coco_eval as coco
    except ImportError as error:
        raise UsageError("Evaluation needs faster-coco-eval. Install it: pip install 'posetrack[eval]'.") from error

    person = person_category(truth)
    quiet = {"print_function": lambda *_: None}
    dataset = coco.COCO(_completed(truth, person), **quiet)
    evaluation = coco.COCOeval_faster(
        dataset, dataset.loadRes([r | {"category_id": person} for r in results]), iouType=kind, **quiet
    )
    evaluation.params.catIds = [person]
    if kind == "keypoints":
        evaluation.params.kpt_oks_sigmas = np.array(sigmas)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return [float(value) for value in evaluation.all_stats]


def person_category(truth: dict[str, Any]) -> int:
    """Return the id of the category `person`; if none has that name, that of the only category, or 1."""
    categories = truth.get("categories") or [{"id": 1}]
    named = [c["id"] for c in categories if c.get("name") == "person"]
    return named[0] if named else categories[0]["id"] if len(categories) == 1 else 1


def _completed(truth: dict[str, Any], person: int) -> dict[str, Any]:
    """Copy the people of a COCO file, adding the fields that COCO's own files always have."""
    people = [copy.deepcopy(a) for a in truth["annotations"] if a.get("category_id", person) == person]
    for number, annotation in enumerate(people, start=1):
        annotation["id"] = number  # the evaluation takes an id of 0 for "not matched"
        visible = np.count_nonzero(np.array(annotation.get("keypoints", ()))[2::3])
        defaults = {
            "category_id": person,
            "iscrowd": 0,
            "area": annotation["bbox"][2] * annotation["bbox"][3],
            "num_keypoints": int(visible),
        }
        annotation |= {key: value for key, value in defaults.items() if key not in annotation}
    categories = [{"id": person, "name": "person"}]
    return {"images": truth["images"], "annotations": people, "categories": categories}


def rescore(
    box_scores: NDArray[np.floating], scores: NDArray[np.floating], *, threshold: float = 0.2
) -> NDArray[np.floating]:
    """Return ViTPose's score of each person: box score times the mean score of the confident keypoints.

    Source: `TopDownCocoDataset.evaluate` of mmpose 0.x.

    Args:
        box_scores: (N,).
        scores: (N, K) of the keypoints.
        threshold: keypoints at or below it (`vis_thr`) are excluded from the mean; a person without others gets 0.

    Returns:
        (N,).
    """
    confident = scores > threshold
    return box_scores * (scores * confident).sum(1) / np.maximum(confident.sum(1), 1)


def oks_nms(
    keypoints: NDArray[np.floating],
    scores: NDArray[np.floating],
    areas: NDArray[np.floating],
    *,
    threshold: float = 0.9,
    sigmas: Sequence[float] = COCO.sigmas,
) -> NDArray[np.intp]:
    """Suppress similar poses of lower score, greedily.

    Source: `oks_nms` of mmpose 0.x; the area of a pair is the mean of the two.

    Args:
        keypoints: (N, K, 2) pixels.
        scores: (N,) of the people.
        areas: (N,) squared pixels; in ViTPose's protocol those of the padded boxes.
        threshold: a pose with a higher OKS to a kept one is suppressed.
        sigmas: (K,).

    Returns:
        The kept rows, by decreasing score.
    """
    rest = np.argsort(-scores, kind="stable")
    kept = []
    while len(rest):
        best, rest = rest[0], rest[1:]
        kept.append(best)
        pairs = (areas[best] + areas[rest]) / 2
        similarity = oks(keypoints[rest], keypoints[best : best + 1], pairs, sigmas=tuple(sigmas))[:, 0]
        rest = rest[similarity <= threshold]
    return np.array(kept, dtype=np.intp)
