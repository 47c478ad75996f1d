"""Which of a file's video streams is read, and when each of its frames is shown."""

from __future__ import annotations

import logging
from typing import Any

import av
from av.format import Flags

from ....errors import SourceError

log = logging.getLogger("posetrack")

DEFAULT_FPS = 25.0  # where nothing states a rate, as FFmpeg does
BACK, AHEAD = 0.1, 10.0  # seconds; a greater step of a clock is a joint of two files
TICKS = 1000  # a second: where a raw stream states so many frames, they are the ticks of an encoder with variable rate


def moving_pictures(container: Any) -> list[Any]:
    """List the video streams that can be decoded and are not the cover of a music file."""
    cover = av.stream.Disposition.attached_pic
    videos = container.streams.video
    return [stream for stream in videos if stream.codec_context is not None and not stream.disposition & cover]


def choose_stream(container: Any, *, name: str, index: int | None) -> Any:
    """Take the video stream that was asked for, or else the one that FFmpeg would, and log where there are several.

    Args:
        container: an open PyAV container.
        name: what messages call it.
        index: of the stream in the container; None for FFmpeg's choice.

    Raises:
        SourceError: there is no such stream, or none that can be decoded.
    """
    streams = moving_pictures(container)
    if not streams:
        raise SourceError(f"'{name}' has no video that can be decoded. Give a file or stream with pictures in it.")
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
    """Tell whether files of this format are joined end to end, so that their clock may jump."""
    return bool(container.format.flags & Flags.ts_discont.value)


def is_joint(before: float, now: float) -> bool:
    """Tell whether a clock that stood at `before` seconds and now is at `now` has jumped, by FFmpeg's own limits."""
    return now < before - BACK or now > before + AHEAD


class Rate:
    """Frames a second of a stream, and where that number comes from.

    Attributes:
        fps: average frames a second; None if unknown.
        counted: frame n is shown at n / fps, because the stream carries no times or a rate was asked for.
        guessed: nothing in the stream says so.
    """

    def __init__(self, container: Any, stream: Any, *, asked: float | None) -> None:
        """Read the rate of a stream, unless one is asked for."""
        timeless = bool(container.format.flags & Flags.no_timestamps.value)
        # Of a raw stream, FFmpeg's average is its own default of 25; what the bitstream says is the decoder's.
        stated = stream.codec_context.framerate if timeless else stream.average_rate
        if timeless and stated and stated >= TICKS:
            stated = None
        rate = stated or (DEFAULT_FPS if timeless else stream.guessed_rate)
        self.fps = asked or (float(rate) if rate else None)
        self.counted = asked is not None or timeless
        self.guessed = asked is None and timeless and not stated
