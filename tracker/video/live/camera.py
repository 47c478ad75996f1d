"""Read a webcam by OpenCV. Times are seconds of the monotonic clock at which each frame was grabbed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ....errors import SourceError

RETRIES = 5  # a camera that starts may miss a few frames; an unplugged one misses all


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppress OpenCV's log on stderr; the error that follows explains the failure."""
    logging = cv2.utils.logging
    level = logging.getLogLevel()
    logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(level)


class CameraReader:
    """Iterator of a webcam's frames.

    Attributes:
        fps: as stated by the driver; None if unknown.
        fps_guessed: always False.
        arrived: seconds of the monotonic clock at which the last image was grabbed.
    """

    frame_count: int | None = None
    duration: float | None = None
    live = True
    failed = 0
    damage: str | None = None
    arrived = 0.0

    def __init__(self, index: int, *, capture: Callable[[int], Any] | None = None) -> None:
        """Open camera `index`.

        Args:
            index: from 0.
            capture: opens the camera; `cv2.VideoCapture` if omitted.

        Raises:
            SourceError: there is no such camera, or another program uses it.
        """
        self.index = index
        with _quiet():
            self._capture = (capture or cv2.VideoCapture)(index)
            opened = self._capture.isOpened()
        if not opened:
            self._capture.release()
            raise SourceError(
                f"Cannot open camera {index} ({_present()}). Check that it is plugged in, that no other program uses "
                f"it and that you may read it, or give another index."
            )
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.fps, self.fps_guessed = fps if 0 < fps < 1000 else None, False

    def __iter__(self) -> CameraReader:
        return self

    def __next__(self) -> tuple[NDArray[np.uint8], float]:
        for _ in range(RETRIES):
            if self._capture.grab():
                self.arrived = time.monotonic()
                done, image = self._capture.retrieve()
                if done and image is not None and image.size:
                    return image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), self.arrived
            self.failed += 1
            time.sleep(0.02)
        raise SourceError(
            f"Camera {self.index} delivers no more frames. Check its cable and that no other program uses it."
        )

    def close(self) -> None:
        """Release the device."""
        self._capture.release()


def _present() -> str:
    """Return a list of the system's cameras as text."""
    devices = Path("/sys/class/video4linux")
    if not devices.is_dir():
        return "cameras of this system: none found" if Path("/sys").is_dir() else "tried this index only"
    return "cameras of this system: " + (", ".join(sorted(p.name[5:] for p in devices.glob("video*"))) or "none found")
