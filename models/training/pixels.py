"""Where the pixels of a data set are: picture files, tar shards, or a cache of decoded pictures."""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import SourceError


@dataclass(frozen=True, slots=True)
class Place:
    """Bytes of an encoded picture: a whole file, or a part of a shard.

    Attributes:
        path: the file.
        offset: its first byte.
        size: bytes; -1 is all that follow.
    """

    path: Path
    offset: int = 0
    size: int = -1

    def read(self) -> bytes:
        """Return the encoded picture."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size)


@dataclass(frozen=True, slots=True)
class Pixels:
    """Callable `(row) -> (H, W, 3) BGR`: decodes the picture each time, or takes it out of a cache.

    Attributes:
        places: (P) of the encoded pictures.
        decoded: bytes of all decoded pictures, one after the other.
        spans: (P, 3) first byte, height and width of each there.
    """

    places: Sequence[Place]
    decoded: NDArray[np.uint8] | None = None
    spans: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, places: Sequence[Place]) -> Pixels:
        """Read encoded pictures."""
        return cls(places)

    def __call__(self, row: int) -> NDArray[np.uint8]:
        """Return one picture; what comes from a cache is read-only."""
        if self.decoded is None or self.spans is None:
            return decode(self.places[row])
        offset, height, width = self.spans[row]
        return self.decoded[offset : offset + height * width * 3].reshape(height, width, 3)

    def select(self, rows: NDArray[np.integer]) -> Pixels:
        """Return the pixels of some of the pictures."""
        spans = None if self.spans is None else self.spans[rows]
        return Pixels([self.places[i] for i in rows], self.decoded, spans)

    def cached(self, folder: Path, names: Sequence[str], *, max_side: int) -> Pixels:
        """Decode all pictures into one flat file, once, and read them from there.

        Args:
            folder: for `pixels.bin` and `index.json`; a cache that is there is never changed, since another run may
                be reading it.
            names: of the pictures, in their order.
            max_side: longer pictures are shrunk to this many pixels; about 0.3 MB each at 320.

        Raises:
            SourceError: the folder has a cache of other pictures.
        """
        index = folder / "index.json"
        if not index.exists():
            self._decode_all(folder, names, max_side)
        spans = json.loads(index.read_text(encoding="utf-8"))
        if unknown := [name for name in names if name not in spans]:
            raise SourceError(f"The cache {folder} is of other pictures: it lacks {unknown[0]}. Give another --cache.")
        decoded = np.memmap(folder / "pixels.bin", dtype=np.uint8, mode="r")
        return Pixels(self.places, decoded, np.array([spans[name] for name in names], dtype=np.int64))

    def _decode_all(self, folder: Path, names: Sequence[str], max_side: int) -> None:
        """Write the cache; it has its index, and so is one, only when it is complete."""
        folder.mkdir(parents=True, exist_ok=True)
        offset, spans = 0, {}
        own = f"{os.getpid()}.partial"  # several processes may begin at once
        with (folder / f"pixels.{own}").open("wb") as out:
            for name, place in zip(names, self.places, strict=True):
                image = _shrunk(decode(place), max_side)
                out.write(image.tobytes())
                spans[name] = (offset, *image.shape[:2])
                offset += image.size
        (folder / f"index.{own}").write_text(json.dumps(spans), encoding="utf-8")
        (folder / f"pixels.{own}").replace(folder / "pixels.bin")
        (folder / f"index.{own}").replace(folder / "index.json")


def decode(place: Place) -> NDArray[np.uint8]:
    """Decode a picture as it is stored, before the camera's orientation, which annotations know nothing of.

    Raises:
        SourceError: it is no picture.
    """
    data = np.frombuffer(place.read(), np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION) if len(data) else None
    if image is None:
        raise SourceError(f"Cannot decode a picture in '{place.path}' (byte {place.offset}). Fetch the data again.")
    return image  # type: ignore[return-value]


def find_pictures(
    root: Path, folder: str, names: Sequence[str], problem: Callable[[str, str], None]
) -> dict[str, Place]:
    """Return where pictures are, and report those that are missing or no pictures.

    Args:
        root: folder of the data set; its shards are `*.tar`.
        folder: name of a split, such as `train2017`, which may be a folder there or in `images/`.
        names: file names as annotated.
        problem: `(kind, name)` is called for every picture that cannot be used.
    """
    shards = _shard_places(root)
    folders = [f for f in (root / folder, root / "images" / folder, root / "images", root) if f.is_dir()]
    found = {}
    for name in names:
        place = shards.get(Path(name).name) or next((Place(f / name) for f in folders if (f / name).is_file()), None)
        if place is None:
            problem("pictures are missing, left out", name)
        elif not _is_picture(place):
            problem("pictures cannot be read, left out", name)
        else:
            found[name] = place
    return found


def _shard_places(root: Path) -> dict[str, Place]:
    places = {}
    for shard in sorted(root.glob("*.tar")):
        with tarfile.open(shard) as tar:
            for member in tar:
                if member.isfile():
                    places[Path(member.name).name] = Place(shard, member.offset_data, member.size)
    return places


def _is_picture(place: Place) -> bool:
    """Whether the header is that of a picture; decoding everything would take minutes."""
    with place.path.open("rb") as file:
        file.seek(place.offset)
        head = file.read(12)
    signatures = (b"\xff\xd8\xff", b"\x89PNG", b"BM", b"GIF8", b"II*\0", b"MM\0*")
    return head.startswith(signatures) or (head[:4] == b"RIFF" and head[8:] == b"WEBP")


def _shrunk(image: NDArray[np.uint8], max_side: int) -> NDArray[np.uint8]:
    scale = max_side / max(image.shape[:2])
    if scale >= 1:
        return image
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
