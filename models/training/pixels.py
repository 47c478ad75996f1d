"""Read the images of a dataset: from image files, tar shards, or a cache of decoded images."""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import SourceError
from ...image import decode as decode_image

CHUNK = 256  # images decoded at once for a cache


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """Location of an encoded image: a file, or a part of a shard.

    Attributes:
        path: the file.
        offset: of its first byte.
        size: bytes; -1 for the rest of the file.
    """

    path: Path
    offset: int = 0
    size: int = -1

    def read(self) -> bytes:
        """Return the encoded image."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size)


@dataclass(frozen=True, slots=True)
class Pixels:
    """Callable `(row) -> (H, W, 3) BGR`: decodes an image on each access, or reads it from a cache.

    Attributes:
        encoded: (P) images.
        decoded: bytes of all decoded images, concatenated.
        spans: (P, 3) first byte, height and width of each in `decoded`.
    """

    encoded: Sequence[EncodedImage]
    decoded: NDArray[np.uint8] | None = None
    spans: NDArray[np.int64] | None = None

    def __call__(self, row: int) -> NDArray[np.uint8]:
        """Return an image; read-only if it comes from a cache."""
        if self.decoded is None or self.spans is None:
            return decode(self.encoded[row])
        offset, height, width = self.spans[row]
        return self.decoded[offset : offset + height * width * 3].reshape(height, width, 3)

    def select(self, rows: NDArray[np.integer]) -> Pixels:
        """Return the pixels of some of the images."""
        spans = None if self.spans is None else self.spans[rows]
        return Pixels([self.encoded[i] for i in rows], self.decoded, spans)

    def cached(self, folder: Path, names: Sequence[str], *, max_side: int) -> Pixels:
        """Decode all images into one flat file, once, and read them from there.

        Args:
            folder: for `pixels.bin` and `index.json`; an existing cache is never changed, since another run may
                be reading it.
            names: of the images, in order.
            max_side: images are downscaled to this longer side, pixels; about 0.3 MB each at 320.

        Raises:
            SourceError: the folder has a cache of other images.
        """
        index = folder / "index.json"
        if not index.exists():
            self._decode_all(folder, names, max_side)
        spans = json.loads(index.read_text(encoding="utf-8"))
        if unknown := [name for name in names if name not in spans]:
            raise SourceError(f"The cache {folder} is of other images: it lacks {unknown[0]}. Give another --cache.")
        decoded = np.memmap(folder / "pixels.bin", dtype=np.uint8, mode="r")
        return Pixels(self.encoded, decoded, np.array([spans[name] for name in names], dtype=np.int64))

    def _decode_all(self, folder: Path, names: Sequence[str], max_side: int) -> None:
        """Write the cache; its index appears only when it is complete."""
        folder.mkdir(parents=True, exist_ok=True)
        offset, spans = 0, {}
        own = f"{os.getpid()}.partial"  # several processes may start at once
        with (folder / f"pixels.{own}").open("wb") as out, ThreadPoolExecutor() as threads:
            for start in range(0, len(names), CHUNK):  # OpenCV decodes in parallel; chunks bound the memory
                chunk = slice(start, start + CHUNK)
                images = threads.map(lambda source: _downscaled(decode(source), max_side), self.encoded[chunk])
                for name, image in zip(names[chunk], images, strict=True):
                    out.write(image.tobytes())
                    spans[name] = (offset, *image.shape[:2])
                    offset += image.size
        (folder / f"index.{own}").write_text(json.dumps(spans), encoding="utf-8")
        (folder / f"pixels.{own}").replace(folder / "pixels.bin")
        (folder / f"index.{own}").replace(folder / "index.json")


def decode(source: EncodedImage) -> NDArray[np.uint8]:
    """Decode an image as stored, ignoring the EXIF orientation, as annotations do.

    Raises:
        SourceError: the data is not an image.
    """
    try:
        return decode_image(source.read(), upright=False)
    except ValueError as error:
        place = f"the image in '{source.path}' (byte {source.offset})"
        raise SourceError(f"Cannot decode {place}: it {error}. Download the data again.") from None


def find_images(
    root: Path, folder: str, names: Sequence[str], problem: Callable[[str, str], None]
) -> dict[str, EncodedImage]:
    """Return the locations of images by name, and report those that are missing or unreadable.

    Args:
        root: folder of the dataset; its shards are `*.tar`.
        folder: name of a split, such as `train2017`, which may be a folder in it or in `images/`.
        names: file names as annotated.
        problem: called with `(kind, name)` for every image that cannot be used.
    """
    shards = _shard_images(root)
    folders = [f for f in (root / folder, root / "images" / folder, root / "images", root) if f.is_dir()]
    images = {}
    for name in names:
        files = (EncodedImage(f / name) for f in folders if (f / name).is_file())
        image = shards.get(Path(name).name) or next(files, None)
        if image is None:
            problem("images are missing, left out", name)
        elif not _is_image(image):
            problem("images cannot be read, left out", name)
        else:
            images[name] = image
    return images


def _shard_images(root: Path) -> dict[str, EncodedImage]:
    images = {}
    for shard in sorted(root.glob("*.tar")):
        try:
            with tarfile.open(shard) as tar:
                for member in tar:
                    if member.isfile():
                        images[Path(member.name).name] = EncodedImage(shard, member.offset_data, member.size)
        except tarfile.TarError as error:
            raise SourceError(
                f"Cannot read '{shard}': it is not an intact tar file. Download the data again."
            ) from error
    return images


def _is_image(source: EncodedImage) -> bool:
    """Return whether the header is that of an image; decoding all images would take minutes."""
    with source.path.open("rb") as file:
        file.seek(source.offset)
        head = file.read(12)
    signatures = (b"\xff\xd8\xff", b"\x89PNG", b"BM", b"GIF8", b"II*\0", b"MM\0*")
    return head.startswith(signatures) or (head[:4] == b"RIFF" and head[8:] == b"WEBP")


def _downscaled(image: NDArray[np.uint8], max_side: int) -> NDArray[np.uint8]:
    scale = max_side / max(image.shape[:2])
    if scale >= 1:
        return image
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
