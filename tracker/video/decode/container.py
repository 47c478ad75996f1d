"""Read a video file or stream by PyAV: upright BGR images with the stream's own timestamps."""

from __future__ import annotations

import errno
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from ....errors import SourceError, UsageError
from .clock import Clock, hides_order
from .display import Display
from .interlace import Timed, deinterlaced
from .media import open_media
from .numbers import LEAKY, FrameNumbers, packets_before
from .streams import DEFAULT_FPS, Rate, choose_stream, may_be_joined
from .whole import has_gap, has_hole, is_cut, is_joined, most_zeros, unread

log = logging.getLogger("posetrack")

TOLERANCE = 5e-4  # seconds; Matroska rounds timestamps to the millisecond
SILENT = ("h264", "hevc")  # whose decoders leave out without an error what refers to lost frames
LARGE = 2**26  # pixels of a frame above which the decoder's threads share one; 8K has half as many
_OVERWRITTEN = "a part of it is missing or overwritten"
TEXT_FORMATS = {"tty", "subviewer", "srt", "webvtt"}  # FFmpeg would render the text as a video


class ContainerReader:
    """Iterator of the frames of a video file or stream in presentation order.

    Attributes:
        fps: average rate; None if unknown.
        fps_guessed: whether the rate is an assumption.
        duration: seconds of the whole video; None if unknown.
        frame_count: estimate for the part between start and end; None if unknown.
        live: whether the stream does not wait for its reader.
        failed: frames that are missing or could not be decoded.
        damage: description of damage, known at the end of the file; None if there is none.
        number: of the last image in the source; lost frames and frames before the start count.
        clock: presentation times.
        arrived: seconds of the monotonic clock at which the last image could be decoded.
    """

    def __init__(
        self,
        address: str | Path,
        *,
        name: str,
        stream: int | None = None,
        fps: float | None = None,
        start: float | None,
        end: float | None,
        timeout: float,
    ) -> None:
        """Open the container and find its video stream.

        Args:
            address: a path, or a URL.
            name: name in messages, without credentials.
            stream: index of the video stream; None for the one that FFmpeg selects.
            fps: frames per second that replace the stream's times; None keeps them.
            start: seconds; earlier frames are omitted.
            end: seconds; frames from it on are omitted, except of live streams, whose clock is not the run's.
            timeout: seconds that opening and each read of a URL may take.

        Raises:
            SourceError: it cannot be opened or has no such video.
            UsageError: a rate is given for a live stream.
        """
        self.name, self.failed, self.number = name, 0, 0
        self._end_of_packets = self._packets = 0  # bytes; number
        self._truncated = False  # the last packet
        self.damage: str | None = None
        self.arrived = 0.0
        self._remote = isinstance(address, str)
        self._start, self._end, self._timeout = start, end, timeout
        self._address, self._container = address, self._open(address)
        try:
            self._describe(stream, fps)
        except BaseException:
            self._container.close()
            raise

    def _describe(self, index: int | None, fps: float | None) -> None:
        """Select the stream and read its header."""
        container = self._container
        if container.format.name in TEXT_FORMATS:
            raise SourceError(f"'{self.name}' is a text file, not a video. Give a video, an image or a stream.")
        if isinstance(self._address, Path) and is_joined(self._address, container.format.name):
            log.warning("'%s' contains several videos: the first is used, the others are left out.", self.name)
        self._stream = stream = choose_stream(container, name=self.name, index=index)
        self._numbers, self._sought = self._count_from(0), False
        self._rate = rate = Rate(container, stream, given=fps)
        self.fps, self.fps_guessed = rate.fps, rate.guessed
        self._display = Display(stream, name=self.name)
        self._announced = _announced(stream, container)
        whole = container.duration / av.time_base if container.duration else None
        self.duration = self._announced or whole
        sizeless = (container.size or 0) <= 0 or "hls" in container.format.name
        self.live = self._remote and self.duration is None and sizeless
        if self.live and fps is not None:
            raise UsageError(f"'{self.name}' is live and has its own times. Leave the rate of {fps:g} fps out.")
        if fps is not None and container.streams.audio:
            log.info("'%s': its sound does not fit the rate of %g fps and is left out of a video.", self.name, fps)
        if fps and self._announced:
            self._announced = self.duration = (stream.frames / fps) or None
        self.clock = Clock(container, stream, rate, live=self.live)
        self.frame_count = self._count()
        if self.fps_guessed and not self.live:
            log.warning("'%s' states no frame rate: %g fps is assumed. Give --fps.", self.name, self.fps)
        self._most_zeros = most_zeros(stream.codec_context.name, stream.width * stream.height)
        self._thread()

    def _open(self, address: str | Path) -> Any:
        options = {"rtsp_transport": "tcp"} if self._remote and str(address).lower().startswith("rtsp") else {}
        wait = self._timeout if self._remote else None
        target = str(address) if self._remote else f"file:{address}"
        try:
            return open_media(target, options=options, timeout=wait)
        except (av.FFmpegError, OSError, ValueError) as error:
            # Raised from None: the text of the error holds the address, and so the password.
            raise SourceError(self._why_closed(address, error)) from None

    def _reason(self, error: Exception) -> str:
        """Return what FFmpeg says; a wait that was too long ends by the exit that its caller requests."""
        if self._remote and isinstance(error, av.error.ExitError | av.error.TimeoutError | TimeoutError):
            return f"no answer within {self._timeout:g} s"
        return getattr(error, "strerror", None) or type(error).__name__

    def _why_closed(self, address: str | Path, error: Exception) -> str:
        why = self._reason(error)
        if self._remote:
            if isinstance(error, av.error.ProtocolNotFoundError):
                return (
                    f"Cannot open '{self.name}': FFmpeg does not read such addresses. Track them with the command "
                    f"posetrack, which fetches files of buckets, or copy them to this machine; see docs/buckets.md."
                )
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
        for frame, last, number in deinterlaced(self._from_start(), name=self.name):
            self.number = number
            if self._start is not None and last < self._start - TOLERANCE:
                continue
            if self._end is not None and not self.live and last >= self._end - TOLERANCE:
                return
            yield self._display(frame), last
        self.damage = self.damage or self._missing_rest(last)

    def _missing_rest(self, last: float) -> str | None:
        """Describe the end that is missing after the last frame, at seconds; None if none is."""
        step = 1 / (self.fps or DEFAULT_FPS)
        end, whole = last + step, self._announced and self._announced - self.clock.late
        if whole and end < whole - max(0.5, 2 * step):
            return f"it ends at {end:.2f} s of the {whole:.2f} s that it announces"
        path, format = self._address, self._container.format.name
        if isinstance(path, Path):
            if self._truncated or is_cut(path, format, end=self._end_of_packets):
                return f"it cannot be read after {end:.2f} s"
            if has_gap(path, format):
                return _OVERWRITTEN
        if self._start is None and (missing := unread(self._stream, self._packets)):
            return f"{missing} of the {missing + self._packets} frames in its index are missing"
        return None

    def _from_start(self) -> Iterator[Timed]:
        """Yield frames from a keyframe at or before the start; from the beginning if seeking fails."""
        stream, start = self._stream, self._start
        if not start or self.live or not self._can_seek():
            yield from self._timed()
            return
        origin = stream.start_time or 0
        try:
            self._container.seek(int(start / stream.time_base) + origin, stream=stream)
            self._sought = True  # the position is known at the first packet
            first = next(timed := self._timed(), None)
        except av.FFmpegError:
            first = None
        if first is None or first.seconds > start + TOLERANCE:
            self._restart()
            yield from self._timed()
        else:
            yield first
            yield from timed

    def _count_from(self, first: int) -> FrameNumbers:
        base = self._stream.time_base
        tick = float(base) if base and may_be_joined(self._container) else None
        return FrameNumbers(first, leaky=LEAKY.get(self._container.format.name), tick=tick)

    def _restart(self) -> None:
        """Reopen at the first packet; in a transport stream a seek misses it."""
        index = self._stream.index
        self._container.close()
        self._container = self._open(self._address)
        self._stream = self._container.streams[index]
        self._thread()
        self.failed, self._numbers, self._sought = 0, self._count_from(0), False

    def _thread(self) -> None:
        """Choose the decoder's threads: those over frames delay each frame, and each holds one."""
        large = self._stream.width * self._stream.height > LARGE
        self._stream.thread_type = "SLICE" if self.live or large else "AUTO"

    def _can_seek(self) -> bool:
        """Return whether the times of this file are reliable enough to seek."""
        if hides_order(self._container, self._stream):
            return False
        return not self._rate.counted and self._stream.start_time is not None and not may_be_joined(self._container)

    def _timed(self) -> Iterator[Timed]:
        """Yield frames with strictly increasing seconds since the stream's first presentation."""
        self.clock = clock = Clock(self._container, self._stream, self._rate, live=self.live)
        interlaced = False  # perhaps two packets for each frame
        for count, frame in enumerate(self._decode()):
            seconds = clock(frame, number=count + self.failed, arrived=self.arrived)
            timed = Timed(frame, seconds, self._numbers.number(frame.pts))
            self.failed = max(self.failed, self._numbers.skipped)
            interlaced = interlaced or frame.interlaced_frame
            yield timed
        if self._rate.timeless and self._stream.codec_context.name in SILENT and not interlaced:
            self.failed += self._numbers.pending

    def _decode(self) -> Iterator[av.VideoFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError as error:
                why = self._reason(error)
                closed = self.live and error.errno == errno.EIO  # FFmpeg's error if the server closes the connection
                if self._remote and not closed:
                    raise SourceError(f"Lost '{self.name}': {why}. Check the network and start again.") from None
                self.damage = "the server closed it" if closed else f"it cannot be read to its end ({why})"
                packet = None
            if packet is None:
                return
            self.arrived = time.monotonic()
            if self._sought:
                self._sought = False
                with self._open(self._address) as whole:
                    self._numbers = self._count_from(packets_before(whole.streams[self._stream.index], packet))
            self._numbers.packet(packet)
            if packet.size:
                self._end_of_packets = (packet.pos or 0) + packet.size
                self._packets += 1
                self._truncated = packet.is_corrupt and not may_be_joined(self._container)
                if self._most_zeros and not self._remote and has_hole(bytes(packet), most=self._most_zeros):
                    self.damage = _OVERWRITTEN
            try:
                frames = packet.decode()
            except av.FFmpegError:
                self.failed += 1
                self._numbers.lost()
                continue
            for frame in frames:
                if frame.is_corrupt or self._numbers.is_late(frame.pts):
                    self.failed += 1
                    self._numbers.lost()
                else:
                    yield frame

    def close(self) -> None:
        """Close the file or connection."""
        self._container.close()


def _announced(stream: Any, container: Any) -> float | None:
    """Return the seconds of video that the header announces; None if it states only that of all streams together."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    match = re.fullmatch(r"(\d+):(\d+):([\d.]+)", stream.metadata.get("DURATION", ""))  # Matroska's tag
    if match:
        end = int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])
        return end - float((stream.start_time or 0) * stream.time_base)
    return container.duration / av.time_base if container.duration and len(container.streams) == 1 else None
