"""A file of pictures as a source: animations and stacks as videos, of others the main picture."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ....errors import SourceError
from ..decode.streams import DEFAULT_FPS
from .contents import UNREADABLE, Contents, boxed, look, opened
from .image import ImageReader, read_image
from .reader import Load, PicturesReader

log = logging.getLogger("posetrack")

_VIDEO = re.compile(rb"\0\0\0[\x14-\x40]ftyp(mp4|isom|qt  )")  # behind the picture in a phone's moving photograph


def open_pictures(
    path: Path, *, fps: float | None, start: float | None, end: float | None
) -> ImageReader | PicturesReader:
    """Open a file of pictures; what of it is left out is logged.

    Args:
        path: for which `contents.is_picture` holds.
        fps: frames a second of a video, in place of its own times.
        start: seconds; frames of a video before it are left out.
        end: seconds; frames of a video from it on are left out.

    Raises:
        SourceError: it holds no picture that can be read.
    """
    contents = look(path)
    if contents.moving:
        return _video(path, contents, fps=fps, start=start, end=end)
    image = _main(path) if boxed(path) else read_image(path)
    if contents.count > 1:
        log.warning("'%s' holds %d pictures: the main one is used, the others are left out.", path, contents.count)
    elif path.suffix.lower() in (".jpg", ".jpeg") and _VIDEO.search(path.read_bytes()):
        log.warning("'%s' holds a picture and a video: the picture is used, the video is left out.", path)
    return ImageReader(image)


def _video(path: Path, contents: Contents, *, fps: float | None, start: float | None, end: float | None) -> Any:
    durations, damage = contents.durations, None
    guessed = fps is None and durations is None
    if guessed:
        log.warning("'%s' states no frame rate: %g a second are assumed. Give --fps.", path, DEFAULT_FPS)
    count = contents.count if durations is None else len(durations)
    if count < contents.count:
        damage = f"{count} of its {contents.count} pictures can be read"
    if fps is not None or durations is None:
        fps = fps or DEFAULT_FPS
        times, whole = [k / fps for k in range(count)], count / fps
    else:
        ends = np.cumsum(durations).tolist()
        times, whole = [0.0, *ends[:-1]][:count], ends[-1] if ends else 0.0
    load, close = _frames(path, contents.skipped)
    words: Any = {"duration": whole, "fps": fps, "guessed": guessed, "damage": damage, "close": close}
    return PicturesReader(load, times, start=start, end=end, **words)


def _frames(path: Path, skipped: int) -> tuple[Load, Callable[[], object]]:
    """Return what reads frame k of an animation or stack, and what closes it."""
    image = Image.open(path)

    def load(k: int) -> NDArray[np.uint8]:
        try:
            image.seek(k + skipped)
            return _bgr(image)
        except UNREADABLE as error:
            raise SourceError(f"Cannot read picture {k} of '{path}': {error}.") from error

    return load, image.close


def _main(path: Path) -> NDArray[np.uint8]:
    with opened(path) as image:
        return _bgr(image)


def _bgr(image: Any) -> NDArray[np.uint8]:
    """Return (H, W, 3) BGR uint8, upright; transparency is left out."""
    if image.mode.startswith("I;16"):
        grey: Any = cv2.cvtColor((np.asarray(image) >> 8).astype(np.uint8), cv2.COLOR_GRAY2BGR)
        return grey
    return np.ascontiguousarray(np.asarray(ImageOps.exif_transpose(image).convert("RGB"))[..., ::-1])
