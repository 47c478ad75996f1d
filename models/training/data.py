"""The annotated people of a dataset as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import SourceError
from ..geometry.keypoints import COCO
from .annotation_file import (
    IMAGE_KEYS,
    NO_POINTS,
    Problems,
    checked_annotation,
    checked_images,
    find_annotations,
    load_annotations,
)
from .pixels import Pixels, find_images


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
            | {key: [e for e in self.truth[key] if e[name] in ids] for key, name in IMAGE_KEYS.items()},
        )

    def select(self, rows: NDArray[np.bool_] | NDArray[np.integer]) -> People:
        """Return some of the people, with all images, by a mask (N,) or by ascending, perhaps repeated, rows."""
        arrays = {name: getattr(self, name)[rows] for name in ("image_rows", "boxes", "keypoints", "weights", "true")}
        return replace(self, **arrays)


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
    truth = load_annotations(path)
    problems = Problems()
    images = checked_images(truth["images"], problems)
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


def _people(images: dict[int, dict[str, Any]], truth: dict[str, Any], pixels: Pixels, problems: Problems) -> People:
    rows = {number: row for row, number in enumerate(images)}
    listed = {image.get("id") for image in truth["images"] if isinstance(image, dict)}
    checked = (checked_annotation(annotation, images, listed, problems) for annotation in truth["annotations"])
    annotations = [annotation for annotation in checked if annotation]
    persons = sorted(
        (annotation for annotation in annotations if not annotation.get("iscrowd")),
        key=lambda annotation: rows[annotation["image_id"]],
    )
    boxes = np.array([person["bbox"] for person in persons], dtype=np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    listed_points = [person.get("keypoints", NO_POINTS) for person in persons]
    points = np.array(listed_points, dtype=np.float32).reshape(-1, len(COCO), 3)
    weights = (points[..., 2] > 0).astype(np.float32)
    for row, person in zip(weights, persons, strict=True):
        row *= np.asarray(person.get("keypoint_weights", 1.0), dtype=np.float32)
    sizes = np.array([(image["height"], image["width"]) for image in images.values()], dtype=np.int64).reshape(-1, 2)
    image_rows = np.array([rows[person["image_id"]] for person in persons], dtype=np.int64)
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
        true=np.array([person.get("label_source", "gt") == "gt" for person in persons], dtype=bool),
        truth={"images": list(images.values()), "annotations": annotations, "categories": truth.get("categories")},
    )
