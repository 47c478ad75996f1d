"""Make frames of the images that a caller has, with their times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import InputError
from .flow import Frame
from .image import as_bgr


def as_frames(images: Sequence[Any], times: Any, *, last: tuple[int, float] | None) -> list[Frame]:
    """Return images as consecutive frames; all are checked before the first is returned.

    Args:
        images: each a `Frame`, or an image, see `image.as_bgr`.
        times: seconds of each image; None for frames, which have their own, and for the first image of a video.
        last: index and time of the frame before, in seconds; None at the start.

    Raises:
        InputError: an image is invalid, its time is missing, or the times run backwards.
    """
    if times is not None and (np.ndim(times) != 1 or len(times) != len(images)):
        raise InputError(f"The times are {times!r} for {len(images)} images; give one for each.")
    frames = []
    images = [image if isinstance(image, Frame) else as_bgr(image) for image in images]
    for number, image in enumerate(images):
        time = None if times is None else times[number]
        if isinstance(image, Frame):
            if time is not None:
                raise InputError(f"A Frame has its own time, {image.time} s. Leave time={time} out.")
        else:
            if last is not None and time is None:
                raise InputError(
                    "An image after another one needs its time. Give time=seconds (a list for several images), "
                    "or call reset() first if it is from another video."
                )
            image = Frame(image, 0 if last is None else last[0] + 1, 0.0 if time is None else time)
        if last is not None and image.time < last[1]:
            raise InputError(
                f"Timestamps run backwards, from {last[1]} s to {image.time} s. "
                "Call reset() before another video, or take a session() for each."
            )
        last = image.index, image.time
        frames.append(image)
    return frames
