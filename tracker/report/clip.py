"""The annotated video of a report: small enough for a page, or, of a long one, key frames."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from ..video.writer import VideoWriter

MAX_BYTES = 12_000_000  # of the video, 16 MB in base64
SIDE = 960  # pixels of the longer side
CRF = 31  # of x264: limbs are still sharp, and a third of the bytes of what --save writes
MAX_PICTURES = 90  # key frames; at first one a second, then as many as fit
PICTURE_SIDE, PICTURE_QUALITY = 720, 78


@dataclass(frozen=True, slots=True)
class Picture:
    """A key frame.

    Attributes:
        time: seconds.
        uri: of a JPEG, with its data.
    """

    time: float
    uri: str


class Clip:
    """Take annotated pictures and keep a video while it is small, and a few of the pictures in any case.

    Args:
        fps: average rate; None where unknown.
        max_bytes: a longer video is given up.

    Attributes:
        start: seconds of the first picture.
        size: (width, height) pixels of the first picture, before it was made smaller; None without any.
        pictures: key frames in order, the first picture being one.
        video: of type video/mp4; None where it is too long, or no video.
    """

    def __init__(self, *, fps: float | None = None, max_bytes: int = MAX_BYTES) -> None:
        self.start = 0.0
        self.size: tuple[int, int] | None = None
        self.pictures: list[Picture] = []
        self.video: bytes | None = None
        self._fps, self._max = fps, max_bytes
        self._every = 1.0  # seconds between key frames
        self._writer: VideoWriter | None = None

    def __enter__(self) -> Self:
        self._folder = TemporaryDirectory(prefix="posetrack-")
        return self

    def write(self, image: NDArray[np.uint8], time: float) -> None:
        """Take one picture (H, W, 3), BGR, and its time in seconds."""
        if self.size is None:
            height, width = image.shape[:2]
            self.start, self.size = time, (width, height)
            scale = min(1.0, SIDE / max(width, height))
            size = max(2, round(width * scale)), max(2, round(height * scale))
            self._writer = VideoWriter(Path(self._folder.name) / "clip.mp4", size=size, fps=self._fps, crf=CRF)
        if not self.pictures or time >= self.pictures[-1].time + self._every:
            self._keep(image, time)
        if self._writer:
            self._writer.write(image, time)
            file = self._writer.partial  # is not there before the encoder gives its first packet
            if file.exists() and file.stat().st_size > self._max:
                self._give_up()

    def moved(self, seconds: float) -> None:
        """Count time from another origin: what was at 0 is at `seconds`."""
        self.start += seconds
        self.pictures = [Picture(picture.time + seconds, picture.uri) for picture in self.pictures]

    def _keep(self, image: NDArray[np.uint8], time: float) -> None:
        self.pictures.append(Picture(time, jpeg_uri(image)))
        if len(self.pictures) > MAX_PICTURES:
            self.pictures = self.pictures[::2]
            self._every *= 2

    def _give_up(self) -> None:
        writer, self._writer = self._writer, None
        if writer:
            writer.close()
            writer.path.unlink(missing_ok=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._writer:
                self._writer.close()
                if self._writer.frames_written > 1 and self._writer.path.stat().st_size <= self._max:
                    self.video = self._writer.path.read_bytes()
        finally:
            self._folder.cleanup()


def jpeg_uri(image: NDArray[np.uint8]) -> str:
    """Return a picture (H, W, 3), BGR, as the URI of a small JPEG."""
    scale = min(1.0, PICTURE_SIDE / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, PICTURE_QUALITY])
    return data_uri("image/jpeg", data.tobytes())


def data_uri(kind: str, data: bytes) -> str:
    """Return data of a MIME type as a URI that needs no file."""
    return f"data:{kind};base64,{b64encode(data).decode()}"
