"""Write an image."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ....errors import OutputError
from .mark import marked


def write_image(path: Path, image: NDArray[np.uint8]) -> None:
    """Write an image (H, W, 3), BGR uint8, atomically, in the format of the suffix.

    Raises:
        OutputError: the image cannot be encoded or written.
    """
    done, data = cv2.imencode(path.suffix, image)
    if not done:
        raise OutputError(f"Cannot encode '{path}': OpenCV refused an image of shape {image.shape}. Try .png.")
    whole = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        whole.write_bytes(marked(data.tobytes(), path.suffix))
        whole.replace(path)
    except OSError as error:
        whole.unlink(missing_ok=True)
        why = error.strerror or str(error)
        raise OutputError(f"Cannot write '{path}': {why}. Free some space or choose another folder.") from error
