"""The live window of `--show`."""

from __future__ import annotations

import os
import subprocess
import sys
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import OutputError
from ..timings import FrameRate
from ..types.image import as_bgr
from .overlay import draw_fps

QUIT_KEYS = (ord("q"), ord("Q"), 27)  # 27 is Esc
FITTING = (1280, 720)  # larger images open scaled down to this; the window can be resized
PROBE_SECONDS = 20


class Window:
    """Show images until the user presses q or Esc or closes the window.

    Args:
        title: of the window.
        show_fps: draw the rate at which images arrive.

    Attributes:
        closed: whether the user closed the window, which ends the run.

    Raises:
        OutputError: there is no display.
    """

    def __init__(self, title: str = "posetrack", *, show_fps: bool = True) -> None:
        check_display()
        self.title = title
        self._rate = FrameRate() if show_fps else None
        self.closed = False
        self._opened = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._destroy()

    def write(self, image: NDArray[np.uint8], time: float) -> None:
        """Show one image, (H, W, 3) BGR uint8 or another kind that `Frame` takes; nothing after the window was closed.

        Raises:
            InputError: the image is invalid.
        """
        if self.closed:
            return
        image = as_bgr(image)
        try:
            if not self._opened:
                self._open(image.shape[1], image.shape[0])
            fps = self._rate.tick() if self._rate else None
            if fps is not None:
                image = image.copy()  # other outputs get it without the rate
                draw_fps(image, fps)
            cv2.imshow(self.title, image)
            key = cv2.waitKey(1) & 0xFF
            self.closed = key in QUIT_KEYS or cv2.getWindowProperty(self.title, cv2.WND_PROP_VISIBLE) < 1
        except cv2.error as error:
            raise _no_display("this OpenCV cannot open windows") from error
        if self.closed:
            self._destroy()

    def _open(self, width: int, height: int) -> None:
        cv2.namedWindow(self.title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        scale = min(1.0, FITTING[0] / width, FITTING[1] / height)
        cv2.resizeWindow(self.title, max(1, round(width * scale)), max(1, round(height * scale)))
        self._opened = True

    def _destroy(self) -> None:
        if not self._opened:
            return
        self._opened = False
        try:
            cv2.destroyWindow(self.title)
            cv2.waitKey(1)  # the event loop closes the window
        except cv2.error:
            pass  # the user has already closed it


def check_display() -> None:
    """Check that a window can be opened.

    On Linux, OpenCV's Qt aborts the process if there is no display, even if DISPLAY is set but does not respond (a
    stale ssh session, a container). A child process therefore tries first.

    Raises:
        OutputError: a window cannot be opened.
    """
    if not sys.platform.startswith("linux"):
        return
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise _no_display("neither DISPLAY nor WAYLAND_DISPLAY is set")
    trial = "import cv2; cv2.namedWindow('posetrack'); cv2.destroyAllWindows()"
    try:
        answer = subprocess.run([sys.executable, "-c", trial], capture_output=True, timeout=PROBE_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _no_display(f"the display did not answer within {PROBE_SECONDS} s") from error
    if answer.returncode:
        raise _no_display("OpenCV could not open one (no answer from the display, or opencv-python-headless)")


def _no_display(reason: str) -> OutputError:
    return OutputError(
        f"Cannot show a window, no display: {reason}. "
        "Add --save out.mp4 or --csv out.csv instead of a window, or run it where there is a display."
    )
