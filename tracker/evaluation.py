"""Run a detector and a pose estimator over annotated pictures and measure them as COCO does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import SourceError, UsageError
from ..models.crop import crop_regions
from ..models.evaluate import coco_box_ap, coco_keypoint_ap, oks_nms, person_category, rescore
from ..models.keypoints import COCO
from .types import Detections, Frame, Poses

CROP = (256, 192)  # height and width whose padded box is the area of a pose in ViTPose's suppression of doubles
MOST_POSES = 40  # COCO counts 20 people a picture; twice that leaves room for the doubles

Detector = Callable[[Frame], Detections]
Estimator = Callable[[Frame, Detections], Poses]


def evaluate(
    images: str | Path,
    annotations: str | Path | dict[str, Any],
    estimate: Estimator | None,
    *,
    detector: Detector | None = None,
    boxes: str = "gt",
    progress: Callable[[Sequence[dict]], Iterable[dict]] = iter,
) -> dict[str, dict[str, float]]:
    """Measure keypoints and boxes on every picture of a COCO file, by ViTPose's protocol.

    A picture's id is its frame's index, so that boxes from a COCO results file find it.

    Args:
        images: folder of the pictures.
        annotations: COCO keypoint file, or what it holds.
        estimate: the pose estimator; None measures boxes only.
        detector: None measures keypoints only.
        boxes: `gt`: keypoints in the true boxes of the people whose keypoints count; `detector`: in those found.
        progress: wraps the list of pictures that the loop goes through.

    Returns:
        `{"keypoints": {...}, "boxes": {...}}` in [0, 1], as `posetrack.models.evaluate` names them.

    Raises:
        SourceError: the annotations or a picture cannot be read.
        UsageError: boxes are to come from a detector and there is none, or the skeleton is not COCO's.
    """
    if boxes not in ("gt", "detector"):
        raise UsageError(f"Boxes '{boxes}' are not known; give gt or detector.")
    if boxes == "detector" and estimate is not None and detector is None:
        raise UsageError("Keypoints in detected boxes need a detector; name one, or take the true boxes (gt).")
    truth = annotations if isinstance(annotations, dict) else read_annotations(annotations)
    true_boxes = _true_boxes(truth)
    found: list[dict[str, Any]] = []
    poses: list[dict[str, Any]] = []
    for picture in progress(truth["images"]):
        frame = Frame(_read(Path(images) / picture["file_name"], picture), index=picture["id"], time=0.0)
        people = true_boxes.get(picture["id"], Detections.empty())
        if detector is not None:
            detections = detector(frame)
            found += _box_results(picture["id"], detections)
            people = detections[:MOST_POSES] if boxes == "detector" else people
        if estimate is not None:
            poses += _pose_results(picture["id"], estimate(frame, people))
    tables = {}
    if estimate is not None:
        tables["keypoints"] = coco_keypoint_ap(truth, poses)
    if detector is not None:
        tables["boxes"] = coco_box_ap(truth, found)
    return tables


def read_annotations(path: str | Path) -> dict[str, Any]:
    """Read a COCO file.

    Raises:
        SourceError: it is missing, no JSON, or has no images and annotations with boxes.
    """
    try:
        truth = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SourceError(f"Cannot read annotations from '{path}': there is no such file. Check the path.") from error
    except (OSError, ValueError) as error:
        raise SourceError(f"Cannot read annotations from '{path}': {error}. Give a COCO keypoint .json.") from error
    needs = {"images": {"id", "file_name"}, "annotations": {"image_id", "bbox", "keypoints"}}
    for part, keys in needs.items():
        entries = truth.get(part) if isinstance(truth, dict) else None
        people = entries if isinstance(entries, list) else [None]
        if not all(isinstance(entry, dict) and keys <= entry.keys() for entry in people):
            wanted = ", ".join(sorted(keys))
            raise SourceError(f"Cannot read annotations from '{path}': '{part}' needs entries with {wanted} each.")
    return truth


def _true_boxes(truth: dict[str, Any]) -> dict[int, Detections]:
    """Return the boxes of the people whose keypoints COCO counts, for each picture's id."""
    rows: dict[int, list[list[float]]] = {}
    person = person_category(truth)
    for annotation in truth["annotations"]:
        if annotation.get("category_id", person) != person or annotation.get("iscrowd", 0):
            continue
        if len(annotation["keypoints"]) != 3 * len(COCO):
            count = len(annotation["keypoints"]) // 3
            raise UsageError(f"The annotations have {count} keypoints a person; only COCO's {len(COCO)} are measured.")
        if any(annotation["keypoints"][2::3]):
            rows.setdefault(annotation["image_id"], []).append(annotation["bbox"])
    boxes = {index: np.array(values, dtype=np.float32) for index, values in rows.items()}  # xywh
    return {
        index: Detections(np.concatenate([b[:, :2], b[:, :2] + b[:, 2:]], axis=1), np.ones(len(b), np.float32))
        for index, b in boxes.items()
    }


def _read(path: Path, picture: dict[str, Any]) -> NDArray[np.uint8]:
    if not path.is_file():
        raise SourceError(f"Cannot read the picture '{path}': there is no such file. Check --images.")
    # annotations are in pixels as they are stored, before the camera's orientation
    image = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise SourceError(f"Cannot read the picture '{path}': it is broken, or no picture. Fetch it again.")
    height, width = image.shape[:2]
    if (picture.get("width", width), picture.get("height", height)) != (width, height):
        size = f"{width}x{height} pixels, but {picture['width']}x{picture['height']} is annotated"
        raise SourceError(f"The picture '{path}' has {size}. Give the pictures that were annotated.")
    return image  # type: ignore[return-value]


def _box_results(image_id: int, detections: Detections) -> list[dict[str, Any]]:
    corners, sizes = detections.boxes[:, :2], detections.boxes[:, 2:] - detections.boxes[:, :2]
    return [
        {"image_id": image_id, "bbox": box, "score": score}
        for box, score in zip(np.concatenate([corners, sizes], axis=1).tolist(), detections.scores.tolist())
    ]


def _pose_results(image_id: int, poses: Poses) -> list[dict[str, Any]]:
    """Score each person again, leave doubles out, and write missing keypoints as COCO does, 0 with score 0."""
    if poses.keypoints.shape[1] != len(COCO):
        raise UsageError(f"The model gives {poses.keypoints.shape[1]} keypoints; only COCO's {len(COCO)} are measured.")
    assert poses.box_scores is not None
    scores = rescore(poses.box_scores, poses.scores)
    _, sizes = crop_regions(poses.boxes, input_size=CROP)
    kept = oks_nms(poses.keypoints, scores, sizes.prod(1))
    keypoints = np.concatenate([np.nan_to_num(poses.keypoints, nan=0.0), poses.scores[..., None]], axis=2)  # (N, K, 3)
    return [
        {"image_id": image_id, "keypoints": keypoints[row].ravel().tolist(), "score": float(scores[row])}
        for row in kept
    ]
