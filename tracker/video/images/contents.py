"""What a file of pictures holds: one, several of which one counts, or an animation or stack, which is a video."""

from __future__ import annotations

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

ANIMATIONS = frozenset({"WEBP", "PNG", "AVIF", "GIF"})  # formats whose pictures have durations
BRIEFEST, USUAL = 0.010, 0.100  # seconds; browsers show a picture of 10 ms or less for 100 ms
AVIF = frozenset({b"avif", b"avis"})
HEIF = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1"})
PARTIAL_PAGE = 0b101  # of TIFF's NewSubfileType: a smaller copy, or a mask
UNREADABLE = (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file of pictures holds.

    Attributes:
        count: pictures.
        moving: they are one video.
        durations: seconds of each that can be read; None where the file states none.
        skipped: pictures before the video, for programs that know no animation.
    """

    count: int = 1
    moving: bool = False
    durations: tuple[float, ...] | None = None
    skipped: int = 0


def is_picture(path: Path) -> bool:
    """Tell by the name, and of photographs in an MP4-like box by that, whether a file is one of pictures."""
    return path.suffix.lower() in IMAGE_SUFFIXES or boxed(path) != ""


def is_moving(path: Path) -> bool:
    """Tell whether a file of pictures is a video; one that cannot be read is not."""
    try:
        return look(path, timed=False).moving
    except SourceError:
        return False


def boxed(path: Path) -> str:
    """Return "avif" or "heif" for photographs whose file is built like an MP4, of which FFmpeg shows one tile."""
    if not path.is_file():  # a pipe is read once
        return ""
    with path.open("rb") as file:
        head = file.read(64)
    if head[4:8] != b"ftyp" or head[8:12] not in AVIF | HEIF:
        return ""
    size = int.from_bytes(head[:4], "big")
    brands = {head[k : k + 4] for k in range(8, min(size, len(head)), 4)}
    return "avif" if brands & AVIF else "heif"


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a file of pictures with Pillow.

    Raises:
        SourceError: Pillow cannot read it.
    """
    if boxed(path) == "heif":
        _learn_heif(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about sizes and tags that are odd
            with Image.open(path) as image:
                yield image
    except UNREADABLE as error:
        why = str(error).rstrip(".") or type(error).__name__
        raise SourceError(f"Cannot read '{path}': {why}. Save it again as a JPEG or PNG.") from error


def _learn_heif(path: Path) -> None:
    try:
        import pillow_heif
    except ImportError:
        raise SourceError(
            f"'{path}' is a HEIC photograph, which takes the package pillow-heif. "
            f"Run pip install 'posetrack[heic]', or save it as a JPEG."
        ) from None
    pillow_heif.register_heif_opener()


def look(path: Path, *, timed: bool = True) -> Contents:
    """See what a file holds.

    Args:
        path: for which `is_picture` holds.
        timed: find the durations, for which most formats must be decoded.

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
        # OpenCV reads kinds of TIFF that Pillow does not; what it makes of other files is seen when they are read
        tiff = path.suffix.lower() in (".tif", ".tiff")
        return Contents(max(1, cv2.imcount(str(path))) if tiff else 1)


def _durations(image: Any, frames: range) -> tuple[float, ...]:
    """Return the seconds of the pictures up to the first that cannot be read."""
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
    """Tell whether all pages are pictures of one size whose values have a known white."""
    sizes = set()
    for k in range(count):
        image.seek(k)
        if image.tag_v2.get(254, 0) & PARTIAL_PAGE or image.mode in ("I", "F"):
            return False
        sizes.add(image.size)
    return len(sizes) == 1
