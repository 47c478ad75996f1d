"""Read an image of any depth and channel count as upright BGR uint8."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import SourceError
from ....image import decode


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read an image as (H, W, 3) BGR uint8, upright by its EXIF orientation, without transparency.

    Raises:
        SourceError: the file is missing or is not an image.
    """
    try:
        data = np.fromfile(path, np.uint8)  # cv2.imread cannot open every file name on every system
    except OSError as error:
        raise SourceError(f"Cannot read '{path}': {error.strerror}. Check the path and its permissions.") from error
    try:
        return decode(data)
    except ValueError as error:
        raise SourceError(f"Cannot read '{path}': the file {error}. Save it again as a JPEG or PNG.") from None


class ImageReader:
    """An image as a source of a single frame at time 0."""

    fps: float | None = None
    fps_guessed = False
    frame_count: int | None = 1
    number = 0
    duration: float | None = None
    live = False
    failed = 0
    damage: str | None = None

    def __init__(self, image: NDArray[np.uint8]) -> None:
        """Hold an image (H, W, 3), BGR uint8."""
        self._image: Any = image

    def __iter__(self) -> ImageReader:
        return self

    def __next__(self) -> tuple[NDArray[np.uint8], float]:
        if self._image is None:
            raise StopIteration
        image, self._image = self._image, None
        return image, 0.0

    def close(self) -> None:
        """Release the image."""
