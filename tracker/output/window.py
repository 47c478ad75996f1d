"""A window on the screen, for `--show`."""

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

QUIT_KEYS = (ord("q"), ord("Q"), 27)  # 27 is Esc
FITTING = (1280, 720)  # a larger picture opens scaled down to this; the user may resize the window
PROBE_SECONDS = 20


class Window:
    """Show pictures until the user presses q or Esc, or closes the window; `closed` then tells the loop to end.

    Raises:
        OutputError: where there is no screen to show them on.
    """

    def __init__(self, title: str = "posetrack") -> None:
        check_display()
        self.title = title
        self.closed = False
        self._opened = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._destroy()

    def write(self, image: NDArray[np.uint8], time: float) -> None:
        """Show one picture (H, W, 3), BGR; nothing once the window is closed."""
        if self.closed:
            return
        try:
            if not self._opened:
                self._open(image.shape[1], image.shape[0])
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
            cv2.waitKey(1)  # the closing is drawn by the event loop
        except cv2.error:
            pass  # the user's click has destroyed it already


def check_display() -> None:
    """Find out whether a window can be opened, before anything tries.

    On Linux the Qt inside of OpenCV aborts the whole process when it finds no screen, also where DISPLAY is set but
    nobody answers there (a stale ssh session, a container), so a child process tries it first.

    Raises:
        OutputError: when it cannot.
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
        raise _no_display("OpenCV could not open one (a display that does not answer, or opencv-python-headless)")


def _no_display(reason: str) -> OutputError:
    return OutputError(
        f"Cannot show a window, no display: {reason}. "
        "Use --save out.mp4 instead of --show, or run it where there is a screen."
    )
