"""People in COCO layout for training: pictures decoded once into one flat file, annotations as arrays."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture's place in the cache and its people.

    Attributes:
        offset: first byte in the cache.
        shape: (height, width).
        squashed: whether its true aspect ratio is unknown.
        boxes: (P, 4) xyxy pixels.
        keypoints: (P, K, 2) pixels.
        weights: (P, K) in [0, 1], how far each keypoint is to be trusted; 0 means unknown.
    """

    offset: int
    shape: tuple[int, int]
    squashed: bool
    boxes: NDArray[np.float32]
    keypoints: NDArray[np.float32]
    weights: NDArray[np.float32]


class CocoPeople:
    """All pictures of a data set with their people.

    Args:
        root: folder with `annotations.json` or `.json.gz`, and the pictures as files or in `*.tar` shards.
        cache: folder for the decoded pictures (about 0.3 MB each at 320 pixels).
        max_side: pictures are shrunk to at most this many pixels on the longer side.
    """

    def __init__(self, root: Path, *, cache: Path, max_side: int = 320) -> None:
        annotations = _read_annotations(root)
        index = cache / "index.json"
        if not index.exists():
            _decode_all(root, annotations["images"], cache, max_side)
        places = json.loads(index.read_text())
        self._pixels = np.memmap(cache / "pixels.bin", dtype=np.uint8, mode="r")
        people: dict[int, list[dict]] = {image["id"]: [] for image in annotations["images"]}
        for annotation in annotations["annotations"]:
            if not annotation.get("iscrowd"):
                people[annotation["image_id"]].append(annotation)
        self.pictures = [
            _picture(image, people[image["id"]], places[image["file_name"]]) for image in annotations["images"]
        ]

    def pixels(self, picture: Picture) -> NDArray[np.uint8]:
        """Return a read-only view (H, W, 3) BGR of one picture."""
        height, width = picture.shape
        return self._pixels[picture.offset : picture.offset + height * width * 3].reshape(height, width, 3)


def _read_annotations(root: Path) -> dict:
    plain, packed = root / "annotations.json", root / "annotations.json.gz"
    if plain.exists():
        return json.loads(plain.read_text())
    if packed.exists():
        return json.loads(gzip.decompress(packed.read_bytes()))
    raise FileNotFoundError(
        f"{root} holds no annotations.json and no annotations.json.gz; point to a COCO-style folder."
    )


def _encoded_images(root: Path) -> Iterator[tuple[str, bytes]]:
    for shard in sorted(root.glob("*.tar")):
        with tarfile.open(shard) as tar:
            for member in tar:
                if (file := tar.extractfile(member)) is not None:
                    yield Path(member.name).name, file.read()
    for path in sorted((root / "images").glob("*")):
        yield path.name, path.read_bytes()


def _decode_all(root: Path, images: list[dict], cache: Path, max_side: int) -> None:
    wanted = {image["file_name"] for image in images}
    places: dict[str, tuple[int, int, int]] = {}
    cache.mkdir(parents=True, exist_ok=True)
    offset = 0
    with io.BufferedWriter(io.FileIO(cache / "pixels.bin", "w")) as out:
        for name, data in _encoded_images(root):
            if name not in wanted:
                continue
            pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            if pixels is None:
                raise ValueError(f"{name} in {root} is not a readable picture; remove it or its annotation.")
            scale = max_side / max(pixels.shape)
            if scale < 1:
                pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            out.write(pixels.tobytes())
            places[name] = (offset, *pixels.shape[:2])
            offset += pixels.size
    if missing := sorted(wanted - places.keys()):
        raise ValueError(f"{len(missing)} pictures named by the annotations are missing in {root}: {missing[:5]}.")
    (cache / "index.json").write_text(json.dumps(places))


def _picture(image: dict, people: list[dict], place: tuple[int, int, int]) -> Picture:
    offset, height, width = place
    scale = np.array([width / image["width"], height / image["height"]], dtype=np.float32)
    boxes = np.array([person["bbox"] for person in people], dtype=np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    points = np.array([person["keypoints"] for person in people], dtype=np.float32)
    points = points.reshape(len(people), -1, 3) if people else np.zeros((0, 17, 3), dtype=np.float32)
    weights = (points[..., 2] > 0).astype(np.float32)
    for row, person in zip(weights, people, strict=True):
        row *= np.asarray(person.get("keypoint_weights", 1.0), dtype=np.float32)
    return Picture(
        offset=offset,
        shape=(height, width),
        squashed=bool(image.get("squashed")),
        boxes=boxes * np.tile(scale, 2),
        keypoints=points[..., :2] * scale,
        weights=weights,
    )
