"""Contents of an image file: one image, several, or an animation or stack, which is a video."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
from PIL import Image, UnidentifiedImageError

from ....errors import SourceError
from ..address import IMAGE_SUFFIXES
from ..decode.whole import repeats

ANIMATIONS = frozenset({"WEBP", "PNG", "AVIF", "GIF"})  # formats with a duration per image
BRIEFEST, USUAL = 0.010, 0.100  # seconds; browsers show an image of 10 ms or less for 100 ms
AVIF = frozenset({b"avif", b"avis"})
HEIF = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1"})
PNG, RIFF = b"\x89PNG\r\n\x1a\n", b"RIFF"  # first bytes; WebP is a RIFF of a stated size
PARTIAL_PAGE = 0b101  # of TIFF's NewSubfileType: a smaller copy, or a mask
UNREADABLE = (  # what Pillow raises for damaged files: a TypeError for TIFF, a RuntimeError for AVIF
    *(UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError),
    *(TypeError, RuntimeError, LookupError, struct.error),
)


@dataclass(frozen=True, slots=True)
class Contents:
    """Contents of an image file.

    Attributes:
        count: number of images.
        moving: whether they are one video.
        durations: seconds of each readable image; None if the file states none.
        skipped: images before the video, for programs without support for animations.
    """

    count: int = 1
    moving: bool = False
    durations: tuple[float, ...] | None = None
    skipped: int = 0


def is_image(path: Path) -> bool:
    """Return whether a file contains images, by its suffix or, for AVIF and HEIF, by its header."""
    return path.suffix.lower() in IMAGE_SUFFIXES or boxed(path) != ""


def is_moving(path: Path) -> bool:
    """Return whether an image file is a video; False if it cannot be read."""
    try:
        return read_contents(path, timed=False).moving
    except SourceError:
        return False


def boxed(path: Path) -> str:
    """Return "avif" or "heif" for photographs in the container format of MP4, of which FFmpeg shows one tile."""
    with path.open("rb") as file:
        head = file.read(64)
    if head[4:8] != b"ftyp" or head[8:12] not in AVIF | HEIF:
        return ""
    size = int.from_bytes(head[:4], "big")
    brands = {head[k : k + 4] for k in range(8, min(size, len(head)), 4)}
    return "avif" if brands & AVIF else "heif"


def is_joined(path: Path) -> bool:
    """Return whether another PNG or WebP follows in a file, which no program reads."""
    with path.open("rb") as file:
        head = file.read(8)
    if head == PNG:
        return repeats(path)
    return head[:4] == RIFF and 8 + int.from_bytes(head[4:], "little") + 1 < path.stat().st_size


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open an image file with Pillow.

    Raises:
        SourceError: Pillow cannot read it.
    """
    if boxed(path) == "heif":
        _register_heif(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about unusual sizes and tags
            with Image.open(path) as image:
                yield image
    except UNREADABLE as error:
        why = str(error).rstrip(".") or type(error).__name__
        raise SourceError(f"Cannot read '{path}': {why}. Save it again as a JPEG or PNG.") from error


def _register_heif(path: Path) -> None:
    try:
        import pillow_heif
    except ImportError:
        raise SourceError(
            f"'{path}' is a HEIC photograph, which requires the package pillow-heif. "
            f"Run pip install 'posetrack[heic]', or save it as a JPEG."
        ) from None
    pillow_heif.register_heif_opener()


def read_contents(path: Path, *, timed: bool = True) -> Contents:
    """Read the contents of an image file.

    Args:
        path: a file for which `is_image` is true.
        timed: whether to read the durations, for which most formats must be decoded.

    Raises:
        SourceError: a HEIC photograph cannot be read.
    """
    try:
        with opened(path) as image:
            count = getattr(image, "n_frames", 1)
            if count > 1 and image.format == "TIFF":
                return Contents(count, moving=_is_stack(image, count))
            if count < 2 or image.format not in ANIMATIONS:
                return Contents(count)
            skipped = int(getattr(image, "default_image", False))
            durations = _durations(image, range(skipped, count)) if timed else None
            return Contents(count - skipped, moving=count - skipped > 1, durations=durations, skipped=skipped)
    except SourceError:
        if boxed(path):
            raise
        # OpenCV reads some TIFF files that Pillow does not; other files are tried when they are read
        tiff = path.suffix.lower() in (".tif", ".tiff")
        return Contents(max(1, cv2.imcount(str(path))) if tiff else 1)


def _durations(image: Any, frames: range) -> tuple[float, ...]:
    """Return the seconds of each image up to the first unreadable one."""
    found: list[float] = []
    for k in frames:
        try:
            image.seek(k)
            image.load()
        except UNREADABLE:
            break
        seconds = float(image.info.get("duration") or 0) / 1000
        found.append(seconds if seconds > BRIEFEST else USUAL)
    return tuple(found)


def _is_stack(image: Any, count: int) -> bool:
    """Return whether all pages are images of one size, with a known white level."""
    sizes = set()
    for k in range(count):
        image.seek(k)
        if image.tag_v2.get(254, 0) & PARTIAL_PAGE or image.mode in ("I", "F"):
            return False
        sizes.add(image.size)
    return len(sizes) == 1
