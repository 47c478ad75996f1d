"""Files of several images: animations and stacks are videos; of other files the main image is read."""

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
from .contents import UNREADABLE, Contents, boxed, is_joined, opened, read_contents
from .image import ImageReader, read_image
from .reader import ImagesReader, Load

log = logging.getLogger("posetrack")

_VIDEO = re.compile(rb"\0\0\0[\x14-\x40]ftyp(mp4|isom|qt  )")  # follows the image in motion photographs of phones


def open_images(path: Path, *, fps: float | None, start: float | None, end: float | None) -> ImageReader | ImagesReader:
    """Open an image file; images that are not used are logged.

    Args:
        path: a file for which `is_image` is true.
        fps: frames per second that replace the times of a video.
        start: seconds; earlier frames of a video are omitted.
        end: seconds; frames of a video from it on are omitted.

    Raises:
        SourceError: it contains no readable image.
    """
    contents = read_contents(path)
    if is_joined(path):
        log.warning("'%s' contains several images: the first is used, the others are left out.", path)
    if contents.moving:
        return _video(path, contents, fps=fps, start=start, end=end)
    image = _main(path)
    if contents.count > 1:
        log.warning("'%s' holds %d images: the main one is used, the others are left out.", path, contents.count)
    elif path.suffix.lower() in (".jpg", ".jpeg") and _VIDEO.search(path.read_bytes()):
        log.warning("'%s' holds an image and a video: the image is used, the video is left out.", path)
    return ImageReader(image)


def _video(
    path: Path, contents: Contents, *, fps: float | None, start: float | None, end: float | None
) -> ImagesReader:
    durations, damage = contents.durations, None
    guessed = fps is None and durations is None
    if guessed:
        log.warning("'%s' states no frame rate: %g fps is assumed. Give --fps.", path, DEFAULT_FPS)
    count = contents.count if durations is None else len(durations)
    if count < contents.count:
        damage = f"{count} of its {contents.count} images can be read"
    if fps is not None or durations is None:
        fps = fps or DEFAULT_FPS
        times, whole = [k / fps for k in range(count)], count / fps
    else:
        ends = np.cumsum(durations).tolist()
        times, whole = [0.0, *ends[:-1]][:count], ends[-1] if ends else 0.0
    load, close = _frames(path, contents.skipped)
    return ImagesReader(
        load, times, duration=whole, fps=fps, guessed=guessed, damage=damage, close=close, start=start, end=end
    )


def _frames(path: Path, skipped: int) -> tuple[Load, Callable[[], object]]:
    """Return a function that reads frame k of an animation or stack, and one that closes the file."""
    image = Image.open(path)

    def load(k: int) -> NDArray[np.uint8]:
        try:
            image.seek(k + skipped)
            return _bgr(image)
        except UNREADABLE as error:
            raise SourceError(f"Cannot read image {k} of '{path}': {error}.") from error

    return load, image.close


def read_main(path: Path) -> tuple[NDArray[np.uint8], int]:
    """Return the main image of a file, (H, W, 3) BGR uint8, and the number of images in it.

    Raises:
        SourceError: it contains no readable image.
    """
    return _main(path), read_contents(path, timed=False).count


def _main(path: Path) -> NDArray[np.uint8]:
    if not boxed(path):
        return read_image(path)
    with opened(path) as image:
        return _bgr(image)


def _bgr(image: Any) -> NDArray[np.uint8]:
    """Return (H, W, 3) BGR uint8, upright, without transparency."""
    if image.mode.startswith("I;16"):
        grey: Any = cv2.cvtColor((np.asarray(image) >> 8).astype(np.uint8), cv2.COLOR_GRAY2BGR)
        return grey
    return np.ascontiguousarray(np.asarray(ImageOps.exif_transpose(image).convert("RGB"))[..., ::-1])
