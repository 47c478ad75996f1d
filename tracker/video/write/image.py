"""Write an image."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ....errors import OutputError
from ...partial import PartialFile, Transaction
from .mark import marked


def write_image(path: Path, image: NDArray[np.uint8], *, results: Transaction | None = None) -> None:
    """Write an image (H, W, 3), BGR uint8, atomically, in the format of the suffix.

    Raises:
        OutputError: the image cannot be encoded or written.
    """
    done, data = cv2.imencode(path.suffix, image)
    if not done:
        raise OutputError(f"Cannot encode '{path}': OpenCV refused an image of shape {image.shape}. Try .png.")
    with PartialFile(path, overwrite=True, results=results) as file:
        file.write(marked(data.tobytes(), path.suffix))
