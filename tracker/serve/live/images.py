"""Decode an image that a client sent."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ....errors import InputError
from ....image import decode as decode_image

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = 40_000_000  # a photograph of 8000 x 5000; 120 MB decoded


def decode(data: bytes) -> NDArray[np.uint8]:
    """Return an image as (H, W, 3) BGR uint8, upright by its EXIF orientation.

    Raises:
        InputError: it is of another format, damaged or too large; the size is checked before it is decoded.
    """
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as header:
            width, height = header.size
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        width, height = MAX_PIXELS, MAX_PIXELS  # far more than allowed
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        raise InputError(f"{len(data)} bytes are not an image. Send {', '.join(FORMATS)}.") from None
    if width * height > MAX_PIXELS:
        raise InputError(f"The image is too large. Send at most {MAX_PIXELS:,} pixels.")
    try:
        return decode_image(data)
    except ValueError:
        raise InputError("The image is damaged. Save it again.") from None
