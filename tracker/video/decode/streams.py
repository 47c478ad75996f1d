"""Select the video stream of a file, and find its frame rate."""

from __future__ import annotations

import logging
import math
from typing import Any

import av
from av.format import Flags

from ....errors import SourceError

log = logging.getLogger("posetrack")

DEFAULT_FPS = 25.0  # assumed if no rate is stated, as in FFmpeg
BACK, AHEAD = 0.1, 10.0  # seconds; larger clock steps are joints of two files
TICKS = 1000  # per second: such a rate is that of a clock, of raw streams with a variable rate or of raw DV


def video_streams(container: Any) -> list[Any]:
    """Return the video streams that can be decoded and are not cover images of music."""
    cover = av.stream.Disposition.attached_pic
    videos = container.streams.video
    return [stream for stream in videos if stream.codec_context is not None and not stream.disposition & cover]


def choose_stream(container: Any, *, name: str, index: int | None) -> Any:
    """Return the requested video stream, or FFmpeg's choice; several streams are logged.

    Args:
        container: an open PyAV container.
        name: name in messages.
        index: of the stream in the container; None for FFmpeg's choice.

    Raises:
        SourceError: there is no such stream, or none that can be decoded.
    """
    streams = video_streams(container)
    if not streams:
        raise SourceError(f"'{name}' has no video that can be decoded. Give a file or stream with video.")
    listed = ", ".join(map(_describe, streams))
    if index is not None:
        for stream in streams:
            if stream.index == index:
                return stream
        raise SourceError(f"'{name}' has no video stream {index}. It has {listed}; give --stream one of these numbers.")
    best = container.streams.best("video")
    chosen = best if best in streams else streams[0]
    if len(streams) > 1:
        log.info("'%s' has several video streams: %s. --stream %d is read.", name, listed, chosen.index)
    return chosen


def _describe(stream: Any) -> str:
    default = ", default" if stream.disposition & av.stream.Disposition.default else ""
    return f"{stream.index} ({stream.width} x {stream.height}{default})"


def may_be_joined(container: Any) -> bool:
    """Return whether files of this format may be concatenated, so that their clock may jump."""
    return bool(container.format.flags & Flags.ts_discont.value)


def longest_gap(container: Any) -> float | None:
    """Return the longest step in seconds of a clock that is no joint of two files; None if there are no joints.

    Matroska files that are concatenated are read on, too, but a long gap in one is a gap.
    """
    if may_be_joined(container):
        return AHEAD
    return math.inf if "matroska" in container.format.name else None


def is_joint(before: float, now: float, *, gap: float = AHEAD) -> bool:
    """Return whether a step of a clock, in seconds, is a jump by FFmpeg's limits."""
    return now < before - BACK or now > before + gap


class Rate:
    """Frame rate of a stream, and its origin.

    Attributes:
        fps: average frames per second; None if unknown.
        counted: frame n is shown at n / fps, because the stream has no times or a rate was given.
        guessed: whether the rate is an assumption.
        timeless: whether the stream is raw, without times.
    """

    def __init__(self, container: Any, stream: Any, *, given: float | None) -> None:
        """Read the rate of a stream, unless one is given."""
        self.timeless = timeless = bool(container.format.flags & Flags.no_timestamps.value)
        # For raw streams, FFmpeg's average is its default of 25; the decoder has the rate of the bitstream.
        stated = stream.codec_context.framerate if timeless else stream.average_rate
        if stated and stated >= TICKS:
            stated = None
        rate = stated or (DEFAULT_FPS if timeless else stream.guessed_rate)
        self.fps = given or (float(rate) if rate else None)
        self.counted = given is not None or timeless
        self.guessed = given is None and timeless and not stated
