"""Finish a video: copy its packets and the sound of the source to the final file."""

from __future__ import annotations

import errno
import heapq
import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import av

from ..decode.soundtrack import Sound, open_sound, sound_packets

log = logging.getLogger("posetrack")

_DISK = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO, errno.EROFS})


def remux(video: Path, target: Path, *, sound: Sound | None, start: float, length: float, comment: str = "") -> None:
    """Copy a video without re-encoding, and add the sound of its source.

    Args:
        video: file with one video stream that begins at 0.
        target: file to write; its suffix is the format.
        sound: of the source; None if there is none.
        start: time of the source in seconds where `video` begins.
        length: seconds of sound to keep.
        comment: metadata of the file.

    Raises:
        av.FFmpegError, OSError: the target cannot be written.
    """
    opened = open_sound(sound)
    try:
        if sound is not None and opened is not None:
            try:
                tracks = partial(sound_packets, opened, clock=sound.clock, start=start, length=length)
                return _copy(video, target, tracks, comment=comment)
            except (av.FFmpegError, ValueError) as error:
                if getattr(error, "errno", None) in _DISK:
                    raise
                why = getattr(error, "strerror", None) or str(error)
                log.warning("The sound of '%s' is left out: it cannot be copied (%s).", sound.path, why)
        return _copy(video, target, None, comment=comment)
    finally:
        if opened is not None:
            opened.close()


def _copy(video: Path, target: Path, sound: Callable[[Any], Iterator[av.Packet]] | None, *, comment: str) -> None:
    options = {} if target.suffix.lower() == ".mkv" else {"movflags": "+faststart"}
    with av.open(f"file:{video}") as container, av.open(f"file:{target}", "w", container_options=options) as out:
        if comment:
            out.metadata["comment"] = comment
        source = container.streams.video[0]
        stream = out.add_stream_from_template(source)
        queues = [_video_packets(container, source, stream)]
        if sound is not None:
            queues.append(sound(out))
        for packet in heapq.merge(*queues, key=lambda packet: packet.dts * packet.time_base):
            out.mux(packet)


def _video_packets(container: Any, source: Any, target: Any) -> Iterator[av.Packet]:
    for packet in container.demux(source):
        if packet.dts is not None:  # the last packet is empty and flushes a decoder
            packet.stream = target
            yield packet
