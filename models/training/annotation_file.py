"""Annotation files in COCO's format: found, read, and checked entry by entry."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import SourceError
from ...numeric import is_number, is_whole
from ..evaluation.annotations import is_below
from ..geometry.keypoints import COCO

MOST_BYTES = 1_000_000_000  # of an annotation file, unpacked; that of COCO has a quarter
SHOWN = 5  # maximum examples in the message of a problem
NO_POINTS = [0] * 3 * len(COCO)  # keypoints of a person who has none
IMAGE_KEYS = {"images": "id", "annotations": "image_id"}


def find_annotations(root: Path, *, split: str) -> Path | None:
    """Return the annotation file of a split, or None."""
    published = sorted((root / "annotations").glob("person_keypoints_*.json"))
    if named := [path for path in published if split in path.name]:
        return named[0]
    plain = [root / "annotations.json", root / "annotations.json.gz"]
    unnamed = [path for path in (*published, *plain) if path.is_file() and "val" not in path.name]
    return unnamed[0] if unnamed and split == "train" else None


def load_annotations(path: Path) -> dict[str, Any]:
    """Return the contents of an annotation file.

    Raises:
        SourceError: it cannot be read, or is not in COCO's format.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES / 1e9:g} GB")
        truth = json.loads(data)
    except (OSError, EOFError, ValueError, RecursionError, zlib.error) as error:
        raise SourceError(f"Cannot read annotations from '{path}': {error}. Give a COCO keypoint file.") from error
    if not isinstance(truth, dict) or not all(isinstance(truth.get(key), list) for key in IMAGE_KEYS):
        raise SourceError(f"'{path}' has no lists 'images' and 'annotations'. Give a COCO keypoint file.")
    return truth


class Problems:
    """Problems of a dataset: each kind with its count and a few examples."""

    def __init__(self) -> None:
        self._examples: dict[str, list[Any]] = {}

    def add(self, kind: str, example: Any) -> None:
        """Add an example of a kind of problem; `kind` completes a sentence, such as "images are missing"."""
        self._examples.setdefault(kind, []).append(example)

    def sentences(self) -> list[str]:
        """Return a sentence for each kind."""
        return [
            f"{len(names)} {kind}: {', '.join(map(str, names[:SHOWN]))}{', ...' if len(names) > SHOWN else '.'}"
            for kind, names in self._examples.items()
        ]


def checked_images(images: list[Any], problems: Problems) -> list[dict[str, Any]]:
    """Return the usable images of a file."""
    kept: dict[int, dict[str, Any]] = {}
    for image in images:
        match image:
            case {"id": number, "file_name": name, "width": width, "height": height} if (
                is_below(name)
                and all(is_whole(value) and 0 <= value < 2**53 for value in (number, width, height))
                and width > 0
                and height > 0
            ):
                if number in kept:
                    problems.add("images have the id of another image, left out", number)
                else:
                    kept[number] = image
            case _:
                problems.add(
                    "images lack an id, a file_name below the folder, a width or a height, left out", str(image)[:60]
                )
    return list(kept.values())


def checked_annotation(
    annotation: Any, images: Collection[int], listed: Collection[Any], problems: Problems
) -> dict[str, Any] | None:
    """Return an annotation, corrected; None with a problem if it is unusable.

    Args:
        annotation: of the file.
        images: ids of the images that can be read.
        listed: ids of the images that the file lists.
        problems: collects what is wrong.
    """
    if not _has_image(annotation):
        problems.add("annotations lack an image_id, left out", str(annotation)[:60])
        return None
    name = annotation.get("id", "without id")
    if annotation["image_id"] not in images:
        if annotation["image_id"] not in listed:
            problems.add("annotations are of an image that is not listed, left out", name)
        return None
    box, points = annotation.get("bbox"), annotation.get("keypoints", NO_POINTS)
    if not _numbers(box, 4) or box[2] <= 0 or box[3] <= 0:
        problem = "a box without an area"
    elif not _numbers(points, len(NO_POINTS)):
        problem = f"keypoints that are not {len(NO_POINTS)} numbers"
    elif not set(points[2::3]) <= {0, 1, 2}:
        problem = "a visibility other than 0, 1 and 2"
    elif not _numbers(annotation.get("keypoint_weights", [1.0] * len(COCO)), len(COCO)):
        problem = f"keypoint_weights that are not {len(COCO)} numbers"
    else:
        visible = sum(v > 0 for v in points[2::3])
        if annotation.get("num_keypoints", visible) == visible:
            return annotation
        problems.add("annotations have another num_keypoints than visible keypoints, corrected", name)
        return annotation | {"num_keypoints": visible}
    problems.add(f"annotations have {problem}, left out", name)
    return None


def _has_image(annotation: Any) -> bool:
    return isinstance(annotation, dict) and is_whole(annotation.get("image_id"))


def _numbers(values: Any, count: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == count
        and all(is_number(value) and np.isfinite(value) for value in values)
    )
