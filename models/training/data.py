"""Annotated people in COCO's format: read, checked once, and stored as arrays."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import SourceError
from ...numeric import is_number, is_whole
from ..evaluation.annotations import is_below
from ..geometry.keypoints import COCO
from .pixels import Pixels, find_images

MOST_BYTES = 1_000_000_000  # of an annotation file, unpacked; that of COCO has a quarter
SHOWN = 5  # maximum examples in the message of a problem


@dataclass(frozen=True, slots=True)
class People:
    """N people in P images, in the order of the images.

    Attributes:
        pixels: reads images.
        names: (P) of the image files.
        ids: (P,) COCO's image ids.
        sizes: (P, 2) height and width of the images as annotated.
        squashed: (P,) whether the publisher stretched the image to a square, with unknown aspect ratio.
        image_rows: (N,) row of each person's image.
        boxes: (N, 4) xyxy pixels.
        keypoints: (N, K, 2) pixels.
        weights: (N, K) in [0, 1], reliability of each keypoint; 0 if unknown.
        true: (N,) whether people annotated the keypoints carefully: `label_source` is `gt`, or missing.
        truth: the annotations of the images in COCO's format, for evaluation.
    """

    pixels: Pixels
    names: Sequence[str]
    ids: NDArray[np.int64]
    sizes: NDArray[np.int64]
    squashed: NDArray[np.bool_]
    image_rows: NDArray[np.int64]
    boxes: NDArray[np.float32]
    keypoints: NDArray[np.float32]
    weights: NDArray[np.float32]
    true: NDArray[np.bool_]
    truth: dict[str, Any]

    def __len__(self) -> int:
        return len(self.image_rows)

    def image(self, row: int) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """Return image `row` (H, W, 3) BGR, and the factors (2,) from annotated x and y to its pixels."""
        image = self.pixels(row)
        height, width = self.sizes[row]
        return image, np.array([image.shape[1] / width, image.shape[0] / height])

    def of_image(self, row: int) -> slice:
        """Return the rows of the people in image `row`."""
        return slice(*np.searchsorted(self.image_rows, [row, row + 1]))

    def select_images(self, rows: NDArray[np.integer]) -> People:
        """Return the people of some of the images."""
        rows = np.sort(rows)
        new_rows = np.full(len(self.names), -1)
        new_rows[rows] = np.arange(len(rows))
        kept = new_rows[self.image_rows] >= 0
        ids = {int(i) for i in self.ids[rows]}
        return replace(
            self,
            pixels=self.pixels.select(rows),
            names=[self.names[i] for i in rows],
            ids=self.ids[rows],
            sizes=self.sizes[rows],
            squashed=self.squashed[rows],
            image_rows=new_rows[self.image_rows[kept]],
            boxes=self.boxes[kept],
            keypoints=self.keypoints[kept],
            weights=self.weights[kept],
            true=self.true[kept],
            truth=self.truth
            | {key: [e for e in self.truth[key] if e[name] in ids] for key, name in _IMAGE_KEYS.items()},
        )

    def select(self, rows: NDArray[np.bool_] | NDArray[np.integer]) -> People:
        """Return some of the people, with all images, by a mask (N,) or by ascending, perhaps repeated, rows."""
        arrays = {name: getattr(self, name)[rows] for name in ("image_rows", "boxes", "keypoints", "weights", "true")}
        return replace(self, **arrays)


_IMAGE_KEYS = {"images": "id", "annotations": "image_id"}


def read(
    root: Path, *, split: str, labels: Path | None = None, cache: Path | None = None, max_side: int = 320
) -> tuple[People, list[str]]:
    """Read the people of a folder.

    Args:
        root: folder with `annotations/person_keypoints_*.json` and image folders, as COCO is published, or with
            `annotations.json` (or `.json.gz`) and images as files or in `*.tar` shards.
        split: `train` or `val`, selects the annotation file; one whose name has neither word is for training.
        labels: annotation file to use instead of that of the folder.
        cache: folder for decoded images; if None, an image is decoded on each access.
        max_side: images in the cache are downscaled to at most this longer side, pixels.

    Returns:
        The valid people, and a sentence for each kind of problem.

    Raises:
        SourceError: there are no such annotations, or none of them is valid.
    """
    path = labels or find_annotations(root, split=split)
    if path is None:
        raise SourceError(
            f"{root} contains no annotations for '{split}'. Give a folder with annotations.json, or with "
            f"annotations/person_keypoints_{split}*.json."
        )
    truth = _load(path)
    problems = Problems()
    images = _checked_images(truth["images"], problems)
    folder = path.name.removeprefix("person_keypoints_").split(".")[0]
    encoded = find_images(root, folder, [image["file_name"] for image in images], problems.add)
    images = [image for image in images if image["file_name"] in encoded]
    pixels = Pixels([encoded[image["file_name"]] for image in images])
    if cache is not None:
        pixels = pixels.cached(cache, [image["file_name"] for image in images], max_side=max_side)
    people = _people({int(image["id"]): image for image in images}, truth, pixels, problems)
    if len(people) == 0:
        raise SourceError(f"{path} has no valid person. {' '.join(problems.sentences())}".rstrip())
    return people, problems.sentences()


def people_annotations(people: People) -> list[dict[str, Any]]:
    """Return the COCO annotation of each person of `read`, in their order."""
    rows = {int(number): row for row, number in enumerate(people.ids)}
    own = [annotation for annotation in people.truth["annotations"] if not annotation.get("iscrowd")]
    return sorted(own, key=lambda annotation: rows[annotation["image_id"]])


def split_off(people: People, *, part: float, seed: int) -> tuple[People, People]:
    """Split people by image into a training and a held-out part of at least one image."""
    count = max(1, round(part * len(people.names)))
    order = np.random.default_rng([seed, 2]).permutation(len(people.names))
    return people.select_images(order[count:]), people.select_images(order[:count])


def find_annotations(root: Path, *, split: str) -> Path | None:
    """Return the annotation file of a split, or None."""
    published = sorted((root / "annotations").glob("person_keypoints_*.json"))
    if named := [path for path in published if split in path.name]:
        return named[0]
    plain = [root / "annotations.json", root / "annotations.json.gz"]
    unnamed = [path for path in (*published, *plain) if path.is_file() and "val" not in path.name]
    return unnamed[0] if unnamed and split == "train" else None


def _load(path: Path) -> dict[str, Any]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES / 1e9:g} GB")
        truth = json.loads(data)
    except (OSError, EOFError, ValueError, RecursionError, zlib.error) as error:
        raise SourceError(f"Cannot read annotations from '{path}': {error}. Give a COCO keypoint file.") from error
    if not isinstance(truth, dict) or not all(isinstance(truth.get(key), list) for key in _IMAGE_KEYS):
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


def _checked_images(images: list[Any], problems: Problems) -> list[dict[str, Any]]:
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


def _people(images: dict[int, dict[str, Any]], truth: dict[str, Any], pixels: Pixels, problems: Problems) -> People:
    rows = {number: row for row, number in enumerate(images)}
    listed = {image.get("id") for image in truth["images"] if isinstance(image, dict)}
    persons: list[tuple[int, list[float], list[float], Any, bool]] = []
    annotations = []
    for annotation in truth["annotations"]:
        if not _has_image(annotation):
            problems.add("annotations lack an image_id, left out", str(annotation)[:60])
            continue
        name = annotation.get("id", "without id")
        if annotation.get("image_id") not in rows:
            if annotation.get("image_id") not in listed:
                problems.add("annotations are of an image that is not listed, left out", name)
            continue
        box, points = annotation.get("bbox"), annotation.get("keypoints", [0] * 3 * len(COCO))
        if not _numbers(box, 4) or box[2] <= 0 or box[3] <= 0:
            problems.add("annotations have a box without an area, left out", name)
        elif not _numbers(points, 3 * len(COCO)):
            problems.add(f"annotations have keypoints that are not {3 * len(COCO)} numbers, left out", name)
        elif not set(points[2::3]) <= {0, 1, 2}:
            problems.add("annotations have a visibility other than 0, 1 and 2, left out", name)
        elif not _numbers(annotation.get("keypoint_weights", [1.0] * len(COCO)), len(COCO)):
            problems.add(f"annotations have keypoint_weights that are not {len(COCO)} numbers, left out", name)
        else:
            visible = sum(v > 0 for v in points[2::3])
            if annotation.get("num_keypoints", visible) != visible:
                problems.add("annotations have another num_keypoints than visible keypoints, corrected", name)
                annotation = annotation | {"num_keypoints": visible}
            annotations.append(annotation)
            if not annotation.get("iscrowd"):
                weights = annotation.get("keypoint_weights", 1.0)
                true = annotation.get("label_source", "gt") == "gt"
                persons.append((rows[annotation["image_id"]], box, points, weights, true))
    persons.sort(key=lambda person: person[0])
    boxes = np.array([box for _, box, *_ in persons], dtype=np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    points = np.array([points for _, _, points, *_ in persons], dtype=np.float32).reshape(-1, len(COCO), 3)
    weights = (points[..., 2] > 0).astype(np.float32)
    for row, (*_, reliability, _) in zip(weights, persons, strict=True):
        row *= np.asarray(reliability, dtype=np.float32)
    sizes = np.array([(image["height"], image["width"]) for image in images.values()], dtype=np.int64).reshape(-1, 2)
    image_rows = np.array([person[0] for person in persons], dtype=np.int64)
    if len(image_rows):  # clip boxes to the image
        boxes = np.clip(boxes, 0, np.tile(sizes[image_rows][:, ::-1], 2)).astype(np.float32)
    return People(
        pixels=pixels,
        names=[image["file_name"] for image in images.values()],
        ids=np.array(list(images), dtype=np.int64),
        sizes=sizes,
        squashed=np.array([bool(image.get("squashed")) for image in images.values()], dtype=bool),
        image_rows=image_rows,
        boxes=boxes,
        keypoints=points[..., :2],
        weights=weights,
        true=np.array([person[-1] for person in persons], dtype=bool),
        truth={"images": list(images.values()), "annotations": annotations, "categories": truth.get("categories")},
    )


def _has_image(annotation: Any) -> bool:
    return isinstance(annotation, dict) and is_whole(annotation.get("image_id"))


def _numbers(values: Any, count: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == count
        and all(is_number(value) and np.isfinite(value) for value in values)
    )
