"""A camera of the server: read, tracked and shown to every viewer, in its own thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from ....errors import PosetrackError
from ...output.privacy import BlurFaces
from ...timings import FrameRate
from ...types import Frame
from ...video.open import open_source
from ...video.source import Source
from ..live.answer import Answer
from ..live.engine import Engine
from ..web.metrics import Metrics
from .latest import Latest
from .setup import Setup

RECONNECT = 24 * 3600.0  # seconds in which a lost source is tried
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0  # seconds between attempts to open a source for the first time
SILENT = 2.0  # seconds without a frame after which a source counts as lost
WIDEST = 960  # pixels of an image that is sent
QUALITY = 80  # of its JPEG


class CameraState(StrEnum):
    """What a camera does."""

    STARTING = "starting"
    RUNNING = "running"
    LOST = "lost"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class View:
    """One tracked frame.

    Attributes:
        answer: its people, in pixels of the source.
        jpeg: the image, at most `WIDEST` pixels wide; empty while there is no viewer.
    """

    answer: Answer
    jpeg: bytes


class Camera:
    """A source of the server.

    Attributes:
        setup: source, name, blurring and marks; may be replaced.
        viewers: number of clients that need images.
        error: a sentence, while the source cannot be opened.

    Args:
        setup: see above.
        engine: tracks.
        latest: takes every frame.
        metrics: counts.
    """

    def __init__(self, setup: Setup, *, engine: Engine, latest: Latest[View], metrics: Metrics) -> None:
        self.setup, self.viewers, self.error = setup, 0, ""
        self.latest = latest
        self.frames, self.dropped = 0, 0
        self._engine, self._metrics = engine, metrics
        self._blur = BlurFaces(engine.pipeline.estimator.skeleton)
        self._rate = FrameRate()
        self._fps = 0.0
        self._last = -np.inf  # monotonic seconds of the newest frame
        self._busy = False  # whether a frame waits for its turn, which is long on a slow machine
        self._ended = False
        self._stop = threading.Event()
        self._opened: Source | None = None
        self._thread = threading.Thread(target=self._work, name="posetrack-camera", daemon=True)
        self._thread.start()

    @property
    def state(self) -> CameraState:
        """What the camera does now."""
        if self._ended:
            return CameraState.ENDED
        if self._busy or time.monotonic() - self._last < SILENT:
            return CameraState.RUNNING
        return CameraState.LOST if self.frames or self.error else CameraState.STARTING

    @property
    def fps(self) -> float:
        """Frames tracked per second."""
        return self._fps if self.state is CameraState.RUNNING else 0.0

    def stop(self) -> None:
        """Ask the thread to end; viewers end at once."""
        self._stop.set()
        self.latest.end()
        if self._opened and self._opened.live:
            self._opened.close()

    def join(self) -> None:
        """Wait for the thread, which ends after the frame in progress."""
        self._thread.join(5.0)

    def _work(self) -> None:
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            try:
                with open_source(self.setup.source, reconnect=RECONNECT) as source:
                    self._opened, self.error, pause = source, "", FIRST_PAUSE
                    self._follow(source)
                    self._ended = not source.live
            except PosetrackError as error:
                self.error = str(error)
            self._opened = None
            if self._ended:
                break
            self._stop.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        self.latest.end()

    def _follow(self, source: Source) -> None:
        """Track a source until it ends."""
        session, before = self._engine.session(), self.dropped
        for frame in source if source.live else self._paced(source):
            if self._stop.is_set():
                return
            started = time.monotonic()
            self._busy = True
            try:
                answer = session.submit(frame, self.setup.scene).result()
            finally:
                self._busy = False
            self._metrics.track.labels("camera").observe(time.monotonic() - (frame.captured or started))
            self._metrics.frames.labels("camera").inc()
            if source.live:
                self._count_dropped(before + source.frames_dropped)
            self.frames += 1
            self._fps, self._last = self._rate.tick() or 0.0, time.monotonic()
            self.latest.put(View(answer, self._image(frame, answer) if self.viewers else b""))

    def _paced(self, source: Source) -> Iterator[Frame]:
        """Yield the frames of a file in its own time; frames that come too late are dropped, as those of a camera."""
        start: float | None = None  # of the file's time, after the first frame: the networks take long for it
        for frame in source:
            wait = 0.0 if start is None else start + frame.time - time.monotonic()
            if wait < -1.0 / (source.fps or 30.0):
                self._count_dropped(self.dropped + 1)
                continue
            if self._stop.wait(max(0.0, wait)):
                return
            yield replace(frame, captured=time.monotonic())
            start = time.monotonic() - frame.time if start is None else start

    def _count_dropped(self, total: int) -> None:
        self._metrics.dropped.labels("camera").inc(total - self.dropped)
        self.dropped = total

    def _image(self, frame: Frame, answer: Answer) -> bytes:
        image = self._blur(frame, answer.tracks).image if self.setup.blur_faces else frame.image
        return _jpeg(image)


def _jpeg(image: NDArray[np.uint8]) -> bytes:
    height, width = image.shape[:2]
    if width > WIDEST:
        image = np.asarray(
            cv2.resize(image, (WIDEST, round(height * WIDEST / width)), interpolation=cv2.INTER_AREA), np.uint8
        )
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1])
