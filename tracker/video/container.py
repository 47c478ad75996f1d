"""Frames of a video file or stream, by PyAV: the stream's own timestamps, upright, BGR, whatever was recorded."""

from __future__ import annotations

import errno
import re
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from ...errors import SourceError
from .opening import open_media

DEFAULT_FPS = 25.0  # steps over frames that carry no timestamp where the stream announces no rate, as FFmpeg does
TOLERANCE = 5e-4  # seconds; Matroska rounds timestamps to the millisecond
# Without these, colours come out 1 to 2 levels too dark each way (measured); an older PyAV does not know them.
EXACT = (
    Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
    if hasattr(Interpolation, "FULL_CHR_H_INT")
    else None
)
TEXT_FORMATS = {"tty", "subviewer", "srt", "webvtt"}  # FFmpeg would render a text file as a video of its characters


class ContainerReader:
    """Frames of a video file or stream in the order of presentation.

    Attributes:
        fps: average rate; None if unknown.
        duration: seconds of the whole video; None if unknown.
        frame_count: estimate for the part between start and end; None if unknown.
        live: the stream does not wait for its reader.
        failed: frames that could not be decoded.
        damage: what is wrong with the file, known at its end; None if nothing is.
        arrived: seconds of the monotonic clock when the last picture was there to be decoded.
    """

    def __init__(
        self, address: str | Path, *, name: str, start: float | None, end: float | None, timeout: float
    ) -> None:
        """Open the container and find its video stream.

        Args:
            address: a path, or a URL.
            name: what messages call it, without credentials.
            start: seconds; frames before it are left out.
            end: seconds; frames from it on are left out, but for a live stream's, whose clock is not the run's.
            timeout: seconds that opening and each read of a URL may take.

        Raises:
            SourceError: it cannot be opened or holds no video.
        """
        self.name, self.failed = name, 0
        self._reformatter = VideoReformatter()  # keeps its tables from frame to frame
        self.damage: str | None = None
        self.arrived = 0.0
        self._remote = isinstance(address, str)
        self._start, self._end, self._timeout = start, end, timeout
        self._container = self._open(address)
        try:
            self._stream = self._find_stream()
        except SourceError:
            self._container.close()
            raise
        stream, container = self._stream, self._container
        rate = stream.average_rate or stream.guessed_rate
        self.fps = float(rate) if rate else None
        self._announced = _announced(stream, container)
        whole = container.duration / av.time_base if container.duration else None
        self.duration = self._announced or whole
        sizeless = (container.size or 0) <= 0 or "hls" in container.format.name
        self.live = self._remote and self.duration is None and sizeless
        self.frame_count = self._count()
        # A multipart MJPEG stream carries no timestamps: FFmpeg counts 25 a second whatever the camera does.
        self._wall_clock = self.live and "mpjpeg" in container.format.name
        stream.thread_type = "SLICE" if self.live else "AUTO"  # threads over frames delay each frame

    def _open(self, address: str | Path) -> Any:
        options = {"rtsp_transport": "tcp"} if self._remote and str(address).lower().startswith("rtsp") else {}
        wait = self._timeout if self._remote else None
        target = str(address) if self._remote else f"file:{address}"
        try:
            return open_media(target, options=options, timeout=wait)
        except (av.FFmpegError, OSError, ValueError) as error:
            # Raised from None: the text of the error holds the address, and so the password.
            raise SourceError(self._why_closed(address, error)) from None

    def _why_closed(self, address: str | Path, error: Exception) -> str:
        why = getattr(error, "strerror", None) or type(error).__name__
        if self._remote:
            if isinstance(error, av.error.ExitError | av.error.TimeoutError | TimeoutError):
                why = f"no answer within {self._timeout:g} s"
            return f"Cannot open '{self.name}': {why}. Check the address and the network, or raise the timeout."
        if isinstance(error, av.error.EOFError):
            return f"Cannot open '{self.name}': it ends before its first frame. Copy or record it again."
        with Path(address).open("rb") as file:
            is_mp4 = file.read(12)[4:8] == b"ftyp"
        if is_mp4:
            return (
                f"Cannot open '{self.name}': its index (moov) is missing, so the recording was cut before its end. "
                f"Repair it with a tool such as untrunc, or record it again."
            )
        return f"Cannot open '{self.name}': it is not a video ({why}). Check it with a player, or convert it to MP4."

    def _find_stream(self) -> Any:
        if self._container.format.name in TEXT_FORMATS:
            raise SourceError(f"'{self.name}' is a text file, not a video. Give a video, a picture or a stream.")
        for stream in moving_pictures(self._container):
            if stream.codec_context is not None:
                return stream
        raise SourceError(f"'{self.name}' has no video that can be decoded. Give a file or stream with pictures in it.")

    def _count(self) -> int | None:
        whole = self._stream.frames or (round(self.duration * self.fps) if self.duration and self.fps else None)
        if whole is None or not self.duration or not self.fps or (self._start is None and self._end is None):
            return whole
        span = min(self._end or self.duration, self.duration) - (self._start or 0.0)
        return max(0, min(whole, round(span * self.fps)))

    def __iter__(self) -> Iterator[tuple[NDArray[np.uint8], float]]:
        """Yield (image (H, W, 3) BGR uint8, seconds).

        Raises:
            SourceError: the connection to a stream is lost.
        """
        last = 0.0
        for frame, last in self._from_start():
            if self._start is not None and last < self._start - TOLERANCE:
                continue
            if self._end is not None and not self.live and last >= self._end - TOLERANCE:
                return
            yield upright(frame, self._reformatter), last
        step = 1 / (self.fps or DEFAULT_FPS)
        if self.damage is None and self._announced and last + step < self._announced - max(0.5, 2 * step):
            self.damage = f"it ends at {last + step:.2f} s of the {self._announced:.2f} s that it announces"

    def _from_start(self) -> Iterator[tuple[av.VideoFrame, float]]:
        """Yield frames from a keyframe at or before the start; from the beginning where seeking misses it."""
        stream, start = self._stream, self._start
        if not start or self.live:
            yield from self._timed()
            return
        origin = stream.start_time or 0
        try:
            self._container.seek(int(start / stream.time_base) + origin, stream=stream)
            first = next(timed := self._timed(), None)
        except av.FFmpegError:
            first = None
        if first is None or first[1] > start + TOLERANCE:
            self.failed = 0
            self._container.seek(origin, stream=stream)
            yield from self._timed()
        else:
            yield first
            yield from timed

    def _timed(self) -> Iterator[tuple[av.VideoFrame, float]]:
        """Yield frames with strictly increasing seconds since the stream's first presentation."""
        stream = self._stream
        base = stream.time_base or Fraction(1, 90000)
        origin = None if self.live else stream.start_time
        step, last = 1 / (self.fps or DEFAULT_FPS), None
        for frame in self._decode():
            pts = frame.pts if frame.pts is not None else frame.dts
            if self._wall_clock:
                seconds = self.arrived
            elif pts is None:
                seconds = 0.0 if last is None else last + step
            else:
                origin = pts if origin is None else origin
                seconds = float((pts - origin) * base)
            if last is not None and seconds <= last:
                seconds = last + step
            last = seconds
            yield frame, seconds

    def _decode(self) -> Iterator[av.VideoFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError as error:
                why = error.strerror or type(error).__name__
                closed = self.live and error.errno == errno.EIO  # FFmpeg's word when the server hangs up
                if self._remote and not closed:
                    raise SourceError(f"Lost '{self.name}': {why}. Check the network and start again.") from None
                self.damage = "the server closed it" if closed else f"it cannot be read to its end ({why})"
                packet = None
            if packet is None:
                return
            self.arrived = time.monotonic()
            try:
                frames = packet.decode()
            except av.FFmpegError:
                self.failed += 1
                continue
            for frame in frames:
                if frame.is_corrupt:
                    self.failed += 1
                else:
                    yield frame

    def close(self) -> None:
        """Close the file or connection."""
        self._container.close()


def moving_pictures(container: Any) -> list[Any]:
    """List the video streams that are not the cover of a music file."""
    cover = av.stream.Disposition.attached_pic
    return [stream for stream in container.streams.video if not stream.disposition & cover]


def _announced(stream: Any, container: Any) -> float | None:
    """Return the seconds of video that the header announces; None if it says so only for all streams together."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    match = re.fullmatch(r"(\d+):(\d+):([\d.]+)", stream.metadata.get("DURATION", ""))  # Matroska's tag
    if match:
        return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])
    return container.duration / av.time_base if container.duration and len(container.streams) == 1 else None


def upright(frame: av.VideoFrame, reformatter: VideoReformatter) -> NDArray[np.uint8]:
    """Convert to (H, W, 3) BGR uint8 and apply the display matrix, turns and mirrors alike.

    The matrix sends stored pixels to displayed ones, x' = a x + c y, y' = b x + d y (libavutil/display.h).
    """
    # by planes: the same values as to bgr24, which FFmpeg computes pixel by pixel, in a third of the time
    planar: Any = reformatter.reformat(frame, format="gbrp", interpolation=EXACT)
    green, blue, red = (
        np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:, : frame.width] for plane in planar.planes
    )
    image: Any = cv2.merge([blue, green, red])
    side = frame.side_data.get("DISPLAYMATRIX")
    if side is None:
        return image
    a, b, _, c, d = np.frombuffer(bytes(side), np.int32)[:5].tolist()
    if abs(b) > abs(a):
        image, a, d = cv2.transpose(image), c, b
    if a < 0 or d < 0:
        image = cv2.flip(image, -1 if a < 0 and d < 0 else 1 if a < 0 else 0)
    return image
