"""Write an annotated image."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from ....errors import OutputError
from ...partial import PartialFile, Transaction, check_target
from ...types.image import as_bgr
from .mark import marked


class ImageWriter:
    """Write one image atomically on close.

    Attributes:
        path: of the image.
        frames_written: 0 or 1.
    """

    def __init__(self, path: str | Path, *, overwrite: bool = False, results: Transaction | None = None) -> None:
        """Check the target; `results` gives the file its name, None gives it at the close.

        Raises:
            OutputError: the file exists, or its folder cannot be written to.
        """
        self.path, self.frames_written, self._results = Path(path), 0, results
        self._image: NDArray[np.uint8] | None = None
        check_target(self.path, overwrite=overwrite)

    def write(self, image: NDArray[np.uint8], time: float) -> None:
        """Keep the image, (H, W, 3) BGR uint8 or another kind that `Frame` takes; its time is ignored.

        Raises:
            InputError: the image is invalid.
            OutputError: it is the second one.
        """
        if self.frames_written:
            raise OutputError(f"'{self.path}' holds one image, and the source has more. Write to .mp4 instead.")
        self._image, self.frames_written = as_bgr(image), 1

    def close(self) -> None:
        """Write the file; may be called twice.

        Raises:
            OutputError: it cannot be written.
        """
        image, self._image = self._image, None
        if image is not None:
            write_image(self.path, image, results=self._results)

    def __enter__(self) -> ImageWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()


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
