"""The annotated video of a report: a small video, or still images of a long one."""

from __future__ import annotations

import shutil
from array import array
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import OutputError
from ..video.write.video import VideoWriter

MAX_BYTES = 12_000_000  # of the video, 16 MB in base64
SIDE = 960  # pixels of the longer side
CRF = 31  # of x264: limbs are sharp, at a third of the size of --save
MAX_STILLS = 90  # still images; one per second at first, then fewer
STILL_SIDE, STILL_QUALITY = 720, 78  # pixels of the longer side; JPEG quality


@dataclass(frozen=True, slots=True)
class Still:
    """A still image of the video.

    Attributes:
        time: seconds.
        uri: data URI of a JPEG.
    """

    time: float
    uri: str


class Clip:
    """Keep annotated images as a video while it is small, and a few of them as still images.

    Args:
        folder: for the video while it is made; removed at the end, and with what an earlier run left, at the start.
        fps: average rate; None if unknown.
        max_bytes: size above which the video is dropped.

    Attributes:
        start: time of the first image in seconds.
        size: (width, height) pixels of the first image before scaling; None without images.
        stills: still images in order, beginning with the first image.
        times: seconds of the video's images; empty without a video.
        video: contents of an MP4 file; None if it is too large, or a single image.
    """

    def __init__(self, folder: Path, *, fps: float | None = None, max_bytes: int = MAX_BYTES) -> None:
        self.start = 0.0
        self.size: tuple[int, int] | None = None
        self.stills: list[Still] = []
        self.times = array("d")
        self.video: bytes | None = None
        self._folder, self._fps, self._max = folder, fps, max_bytes
        self._every = 1.0  # seconds between still images
        self._writer: VideoWriter | None = None

    def __enter__(self) -> Self:
        shutil.rmtree(self._folder, ignore_errors=True)
        try:
            self._folder.mkdir()
        except OSError as error:
            raise OutputError(f"Cannot write '{self._folder}': {error.strerror}. Choose another folder.") from error
        return self

    def write(self, image: NDArray[np.uint8], time: float) -> None:
        """Add one image (H, W, 3), BGR, with its time in seconds."""
        if self.size is None:
            height, width = image.shape[:2]
            self.start, self.size = time, (width, height)
            scale = min(1.0, SIDE / max(width, height))
            size = max(2, round(width * scale)), max(2, round(height * scale))
            self._writer = VideoWriter(self._folder / "clip.mp4", size=size, fps=self._fps, crf=CRF)
        if not self.stills or time >= self.stills[-1].time + self._every:
            self._keep(image, time)
        if self._writer:
            self._writer.write(image, time)
            self.times.append(time)
            file = self._writer.partial  # does not exist before the first packet
            if file.exists() and file.stat().st_size > self._max:
                self._give_up()

    def moved(self, seconds: float) -> None:
        """Add seconds to all times."""
        self.start += seconds
        self.stills = [Still(still.time + seconds, still.uri) for still in self.stills]
        self.times = array("d", (time + seconds for time in self.times))

    def _keep(self, image: NDArray[np.uint8], time: float) -> None:
        self.stills.append(Still(time, jpeg_uri(image)))
        if len(self.stills) > MAX_STILLS:
            self.stills = self.stills[::2]
            self._every *= 2

    def _give_up(self) -> None:
        if self._writer:
            self._writer.discard()
        self._writer, self.times = None, array("d")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._writer:
                self._writer.close()
                if self._writer.frames_written > 1 and self._writer.path.stat().st_size <= self._max:
                    self.video = self._writer.path.read_bytes()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)


def jpeg_uri(image: NDArray[np.uint8]) -> str:
    """Return an image (H, W, 3), BGR, as the data URI of a small JPEG."""
    scale = min(1.0, STILL_SIDE / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, STILL_QUALITY])
    return data_uri("image/jpeg", data.tobytes())


def data_uri(kind: str, data: bytes) -> str:
    """Return data of a MIME type as a data URI."""
    return f"data:{kind};base64,{b64encode(data).decode()}"
