"""Evaluate a detector and a pose estimator on annotated images, by the protocol of the dataset's authors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import SourceError, UsageError
from ...image import decode
from ...models.evaluation.annotations import MPII_LIKE, Dataset, dataset_of, is_counted, people, read_annotations
from ...models.evaluation.coco import coco_box_ap, person_category
from ...models.evaluation.protocol import MPII, OURS, Protocol
from ...models.geometry.crop import crop_regions
from ..types import Detections, Frame, Poses

BATCH = 64  # people per batch, from several images
MOST_POSES = 40  # COCO evaluates 20 people per image; twice that leaves room for duplicates

EstimateBatch = Callable[[Sequence[tuple[Frame, Any]]], list[Poses]]  # one list entry per frame
LabelledFrame = tuple[dict[str, Any], Frame, Any]  # image and category id for results, frame, people


@dataclass(slots=True)
class Evaluation:
    """Results of an evaluation.

    Attributes:
        dataset: of the annotations.
        truth: the annotations in COCO format.
        tables: metrics `{"keypoints": {...}, "boxes": {...}}` in [0, 1], named as in `posetrack.models`.
        poses: results in COCO format, each with the `bbox` of its crop.
        boxes: detections in COCO format.
        counts: numbers of images, annotated people, detected boxes, estimated poses and evaluated poses.
        protocol: description of the processing of boxes and scores.
    """

    dataset: Dataset
    truth: dict[str, Any]
    tables: dict[str, dict[str, float]] = field(default_factory=dict)
    poses: list[dict[str, Any]] = field(default_factory=list)
    boxes: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    protocol: dict[str, str] = field(default_factory=dict)


def evaluate(
    images: str | Path,
    annotations: str | Path | dict[str, Any],
    estimate: EstimateBatch | None,
    *,
    detector: Callable[[Frame], Detections | Poses] | None = None,
    boxes: str = "gt",
    protocol: Protocol = OURS,
    input_size: tuple[int, int] = (256, 192),
    most_poses: int | None = MOST_POSES,
    progress: Callable[[Sequence[dict]], Iterable[dict]] = iter,
) -> Evaluation:
    """Evaluate keypoints and boxes on all images of a dataset.

    The frame index is the image id, so that a COCO results file can serve as the detector.

    Args:
        images: folder of the images.
        annotations: the annotation file, or the result of `read_annotations`.
        estimate: estimates the poses of the people in several frames at once, `as_found` if the detector is a
            single-stage network; None evaluates boxes only.
        detector: detects people, a single-stage network with their poses; None evaluates keypoints only.
        boxes: boxes of the pose crops: `gt`, the true ones of people with labelled keypoints, or `detector`.
        protocol: protocol of the estimator's family; MPII replaces it by its own, which evaluates all people.
        input_size: (height, width) of the estimator's crops, from which the protocol computes the areas of poses.
        most_poses: maximum number of detected people per image, the most confident first; None for no limit.
        progress: wraps the list of images, for a progress bar.

    Raises:
        SourceError: the annotations or an image cannot be read.
        UsageError: `boxes` is `detector` without a detector, or the skeletons differ.
    """
    truth = annotations if isinstance(annotations, dict) else read_annotations(annotations)
    run = Evaluation(dataset_of(truth), truth)
    _check(run.dataset, images, boxes=boxes, estimate=estimate, detector=detector)
    if run.dataset is MPII_LIKE:
        protocol = MPII
    true_boxes = _true_boxes(truth)
    person = person_category(truth)
    select = protocol.select if boxes == "detector" else protocol.select_true

    def labelled_frames() -> Iterator[LabelledFrame]:
        for entry in progress(truth["images"]):
            known = true_boxes.get(entry["id"], np.zeros((0, 4)))
            if detector is None and (estimate is None or not len(known)):
                continue
            frame = Frame(_read(Path(images) / entry["file_name"], entry), index=entry["id"], time=0.0)
            label = {"image_id": entry["id"], "category_id": person}
            if detector is not None:
                found = detector(frame)
                run.boxes += _box_results(label, found)
            if boxes == "detector":
                large = np.prod(found.boxes[:, 2:] - found.boxes[:, :2], axis=1) >= protocol.least_area
                yield label, frame, found[large][:most_poses]
            else:
                cleaned = protocol.clean(known, (frame.image.shape[1], frame.image.shape[0]))
                yield label, frame, Detections(cleaned, np.ones(len(cleaned)))

    estimated = 0
    for group in _groups(labelled_frames()):
        if estimate is None:
            continue
        for (label, _, _), poses in zip(group, estimate([(frame, here) for _, frame, here in group]), strict=True):
            _check_keypoints(poses, run.dataset)
            estimated += len(poses)
            _, sizes = crop_regions(poses.boxes, input_size=input_size)
            rows, scores = select(
                poses.keypoints, poses.scores, poses.box_scores, sizes.prod(1), run.dataset.skeleton.sigmas
            )
            run.poses += _pose_results(label, poses[rows], scores)
    annotated = [person for person in people(truth) if not person.get("iscrowd", 0)]
    counted = annotated if estimate is None else list(filter(is_counted, annotated))
    run.counts = {"images": len(truth["images"]), "people": len(counted)}
    if estimate is not None:
        run.protocol = {"family": protocol.family, "scores": protocol.certainty}
        run.tables["keypoints"] = run.dataset.measure(truth, run.poses)
        run.counts |= {"poses_estimated": estimated, "poses_measured": len(run.poses)}
    if detector is not None:
        run.tables["boxes"] = coco_box_ap(truth, run.boxes)
        run.counts |= {"boxes": len(run.boxes)}
    return run


def as_found(batch: Sequence[tuple[Frame, Poses]]) -> list[Poses]:
    """Return the poses that a single-stage network found with the people."""
    return [poses for _, poses in batch]


def _check(
    dataset: Dataset,
    images: str | Path,
    *,
    boxes: str,
    estimate: EstimateBatch | None,
    detector: Callable[[Frame], Detections | Poses] | None,
) -> None:
    if boxes not in ("gt", "detector"):
        raise UsageError(f"boxes is '{boxes}'; give gt or detector.")
    if boxes == "detector" and estimate is not None and detector is None:
        raise UsageError("Keypoints in detected boxes need a detector. Name one, or use the true boxes (gt).")
    if dataset is MPII_LIKE and detector is not None:
        raise UsageError("MPII evaluates poses in its own boxes and annotates no others. Leave the detector out.")
    if not Path(images).is_dir():
        raise SourceError(f"Cannot read images from '{images}': there is no such folder. Check --images.")


def _true_boxes(truth: dict[str, Any]) -> dict[int, NDArray[np.float64]]:
    """Return the boxes (N, 4) xyxy of people whose keypoints COCO evaluates, by image id."""
    rows: dict[int, list[list[float]]] = {}
    for annotation in filter(is_counted, people(truth)):
        rows.setdefault(annotation["image_id"], []).append(annotation["bbox"])
    boxes = {index: np.array(values, dtype=np.float64) for index, values in rows.items()}  # xywh
    return {index: np.concatenate([b[:, :2], b[:, :2] + b[:, 2:]], axis=1) for index, b in boxes.items()}


def _read(path: Path, entry: dict[str, Any]) -> NDArray[np.uint8]:
    if not path.is_file():
        raise SourceError(f"Cannot read the image '{path}': there is no such file. Check --images.")
    try:
        image = decode(path.read_bytes(), upright=False)
    except ValueError as error:
        raise SourceError(f"Cannot read the image '{path}': it {error}. Download it again.") from None
    height, width = image.shape[:2]
    if (entry.get("width", width), entry.get("height", height)) != (width, height):
        size = f"{width}x{height} pixels, but {entry['width']}x{entry['height']} is annotated"
        raise SourceError(f"The image '{path}' has {size}. Give the annotated images.")
    return image


def _groups(frames: Iterable[LabelledFrame]) -> Iterator[list[LabelledFrame]]:
    """Group frames until a group has `BATCH` people or frames."""
    group: list[LabelledFrame] = []
    for one in frames:
        group.append(one)
        if sum(len(here) for _, _, here in group) >= BATCH or len(group) == BATCH:
            yield group
            group = []
    if group:
        yield group


def _check_keypoints(poses: Poses, dataset: Dataset) -> None:
    given, wanted = poses.keypoints.shape[1], len(dataset.skeleton)
    if given != wanted:
        raise UsageError(f"The model gives {given} keypoints, but {dataset.name} has {wanted}. Give another model.")


def _box_results(label: dict[str, Any], people: Detections | Poses) -> list[dict[str, Any]]:
    scores = people.scores if isinstance(people, Detections) else people.box_scores
    boxes = zip(_xywh(people.boxes), scores.tolist(), strict=True)
    return [label | {"bbox": box, "score": score} for box, score in boxes]


def _pose_results(label: dict[str, Any], poses: Poses, scores: NDArray[np.floating]) -> list[dict[str, Any]]:
    """Convert poses to COCO results; missing keypoints become 0 with score 0."""
    keypoints = np.concatenate([np.nan_to_num(poses.keypoints, nan=0.0), poses.scores[..., None]], axis=2)  # (N, K, 3)
    return [
        label | {"keypoints": points.ravel().tolist(), "score": float(score), "bbox": box}
        for points, score, box in zip(keypoints, scores, _xywh(poses.boxes), strict=True)
    ]


def _xywh(boxes: NDArray[np.floating]) -> list[list[float]]:
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1).tolist()
