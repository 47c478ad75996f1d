"""Read annotations of COCO, OCHuman, CrowdPose or MPII, converted to COCO's format."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from ...errors import SourceError, UsageError
from ...numeric import as_number, is_whole
from ..geometry.keypoints import COCO, Skeleton
from ..geometry.skeletons import CROWDPOSE, MPII
from .coco import coco_keypoint_ap, crowdpose_ap, person_category
from .mpii import BIAS, mpii_metrics

FARTHEST = 1e6  # pixels; a coordinate farther away is an error
HEAD_FILES = ("mpii_gt_val.mat", "gt_valid.mat")  # mmpose's and HRNet's names of the same file


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset's skeleton and metric.

    Attributes:
        name: of the dataset.
        skeleton: of its keypoints.
        measure: `(truth, results) -> metrics`.
    """

    name: str
    skeleton: Skeleton
    measure: Callable[[dict[str, Any], list[dict[str, Any]]], dict[str, float]]


COCO_LIKE = Dataset("coco", COCO, coco_keypoint_ap)
CROWDPOSE_LIKE = Dataset("crowdpose", CROWDPOSE, crowdpose_ap)
MPII_LIKE = Dataset("mpii", MPII, mpii_metrics)


def dataset_of(truth: dict[str, Any]) -> Dataset:
    """Recognise the dataset by `head` (MPII) or the images' `crowdIndex` (CrowdPose); COCO otherwise.

    Raises:
        UsageError: a person has another number of keypoints than the dataset.
    """
    if truth["annotations"] and "head" in truth["annotations"][0]:
        dataset = MPII_LIKE
    elif truth["images"] and all("crowdIndex" in image for image in truth["images"]):
        dataset = CROWDPOSE_LIKE
    else:
        dataset = COCO_LIKE
    for annotation in people(truth):
        count = len(annotation["keypoints"]) // 3
        if count != len(dataset.skeleton):
            wanted = f"{dataset.name} has {len(dataset.skeleton)}"
            raise UsageError(f"The annotations have {count} keypoints per person, but {wanted}. Give another file.")
    return dataset


def people(truth: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the annotations of people, including crowds."""
    person = person_category(truth)
    return [a for a in truth["annotations"] if a.get("category_id", person) == person]


def is_counted(annotation: dict[str, Any]) -> bool:
    """Return whether an annotation counts: it is not a crowd, and has at least one labelled keypoint."""
    return not annotation.get("iscrowd", 0) and any(annotation["keypoints"][2::3])


def read_annotations(path: str | Path, *, keypoints: bool = True) -> dict[str, Any]:
    """Read COCO's format (also OCHuman's and CrowdPose's), or MPII's list of people and the head boxes beside it.

    Args:
        path: the file.
        keypoints: whether people need keypoints; those without get unlabelled ones otherwise.

    Raises:
        SourceError: a file is missing, is not JSON, or has an entry that cannot be evaluated.
    """
    try:
        truth = json.loads(Path(path).read_bytes())
    except FileNotFoundError as error:
        raise SourceError(f"Cannot read annotations from '{path}': there is no such file. Check the path.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise SourceError(f"Cannot read annotations from '{path}': {error}. Give a COCO keypoint .json.") from error
    if isinstance(truth, list) and truth and isinstance(truth[0], dict) and "joints" in truth[0]:
        return _read_mpii(Path(path), truth)
    if isinstance(truth, dict) and "keypoint_names" in truth:
        advice = "Give one of the COCO-style files of the same download, ochuman_coco_format_*.json."
        raise SourceError(f"'{path}' is OCHuman's own file, which does not state which people to evaluate. {advice}")
    people_need = {"image_id", "bbox", "keypoints"} if keypoints else {"image_id", "bbox"}
    needs = {"images": {"id", "file_name"}, "annotations": people_need}
    for part, keys in needs.items():
        entries = truth.get(part) if isinstance(truth, dict) else None
        listed = entries if isinstance(entries, list) else [None]
        if not all(isinstance(entry, dict) and keys <= entry.keys() for entry in listed):
            wanted = ", ".join(sorted(keys))
            raise SourceError(f"Cannot read annotations from '{path}': '{part}' needs entries with {wanted} each.")
    for annotation in truth["annotations"]:
        annotation.setdefault("keypoints", [0, 0, 0] * len(COCO))
    categories = truth.get("categories") or []
    _check_each("category", categories if isinstance(categories, list) else [None], _check_category, path)
    _check_each("image", truth["images"], _check_image, path)
    images = {image["id"] for image in truth["images"]}
    _check_each("annotation", truth["annotations"], partial(_check_annotation, images=images), path)
    return truth


def _check_each(kind: str, entries: list[Any], check: Callable[[Any], None], path: str | Path) -> None:
    for number, entry in enumerate(entries):
        try:
            check(entry)
        except (TypeError, ValueError) as error:
            raise SourceError(f"Cannot read annotations from '{path}': {kind} {number}: {error}.") from error


def is_below(name: Any) -> bool:
    """Return whether an image's `file_name` leads to a file below the folder of the images, and not out of it."""
    return isinstance(name, str) and not PurePath(name).is_absolute() and ".." not in PurePath(name).parts


def _check_category(category: Any) -> None:
    if not isinstance(category, dict) or not is_whole(category.get("id")):
        raise ValueError("it has no whole number as its id")


def _check_image(image: dict[str, Any]) -> None:
    if not is_whole(image["id"]):
        raise ValueError("its id is not a whole number")
    if not is_below(image["file_name"]):
        raise ValueError(f"its file_name {image['file_name']!r} is not that of a file below the folder of the images")
    as_number(image.get("crowdIndex", 0))


def _check_annotation(annotation: dict[str, Any], images: set[int]) -> None:
    if not is_whole(annotation["image_id"]) or annotation["image_id"] not in images:
        raise ValueError(f"its image_id {annotation['image_id']!r} is that of no image")
    if len(annotation["bbox"]) != 4:
        raise ValueError("its bbox is not x, y, width and height")
    numbers = [*annotation["bbox"], *annotation["keypoints"]]
    numbers += [annotation[key] for key in ("iscrowd", "category_id") if key in annotation]
    if not all(abs(as_number(value)) <= FARTHEST for value in numbers):  # NaN is not
        raise ValueError(f"it has numbers that are not finite, or beyond {FARTHEST:g}")
    if not 0 <= as_number(annotation.get("area", 0)) <= FARTHEST**2:
        raise ValueError(f"its area is {annotation['area']}")


def _read_mpii(path: Path, entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Convert MPII's list and Matlab file, whose pixels count from 1, to COCO's format.

    A person's box is the unpadded square of HRNet and mmpose, 200 x `scale` wide.
    """
    heads, points, visible = _read_heads(path, count=len(entries))
    images: dict[str, dict[str, Any]] = {}
    annotations = []
    for n, entry in enumerate(entries):
        try:
            scale, (x, y) = as_number(entry["scale"]), map(as_number, entry["center"])
            image = images.setdefault(entry["image"], {"id": len(images) + 1, "file_name": entry["image"]})
            if not is_below(entry["image"]) or not all(abs(value) <= FARTHEST for value in (x, y, 200 * scale)):
                raise ValueError
        except (KeyError, TypeError, ValueError) as error:
            raise SourceError(
                f"Cannot read annotations from '{path}': person {n} needs image, center, scale."
            ) from error
        side, center = 200.0 * scale, np.array([x - 1, y + 15 * scale - 1])  # slightly lower, to include the feet
        keypoints = np.concatenate([points[n] - 1, 2 * visible[n][:, None]], axis=1)
        annotations.append(
            {
                "id": n + 1,
                "image_id": image["id"],
                "category_id": 1,
                "bbox": [*(center - side / 2).tolist(), side, side],
                "keypoints": keypoints.ravel().tolist(),
                "head": float(heads[n]),
            }
        )
    return {"images": list(images.values()), "annotations": annotations}


def _read_heads(path: Path, *, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return head sizes (N,), keypoints (N, 16, 2) in pixels that count from 1, and their visibility (N, 16)."""
    from scipy.io import loadmat

    names = [path.with_name(name) for name in HEAD_FILES]
    heads = next((name for name in names if name.is_file()), None)
    if heads is None:
        files = " or ".join(f"'{name.name}'" for name in names)
        raise SourceError(f"MPII's metric needs the head sizes. Put {files} beside '{path}'.")
    try:
        content = loadmat(heads)
        corners = np.asarray(content["headboxes_src"], dtype=float)  # (2, 2, N): first and second corner, x and y
        points = np.asarray(content["pos_gt_src"], dtype=float).transpose(2, 0, 1)
        visible = np.asarray(content["jnt_missing"]).T == 0
    except Exception as error:  # those of a damaged file have no common class
        raise SourceError(f"Cannot read the heads of '{heads}': {error}. Download the file again.") from error
    if {len(points), len(visible), corners.shape[-1]} != {count}:
        raise SourceError(f"'{heads}' has {len(points)} people, but '{path}' has {count}. Give one split's files.")
    return BIAS * np.linalg.norm(corners[1] - corners[0], axis=0), points, visible
