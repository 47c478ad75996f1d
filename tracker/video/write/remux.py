"""Finish a video: copy its packets into a file that starts fast, beside the sound of the source."""

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
    """Copy a video without encoding it again, and add the sound that belongs to it.

    Args:
        video: file with one video stream that begins at 0.
        target: file to write; its suffix is the format.
        sound: what belongs to the pictures.
        start: seconds of the pictures' time where `video` begins.
        length: seconds of sound to keep.
        comment: for the file's metadata.

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
    with av.open(f"file:{video}") as pictures, av.open(f"file:{target}", "w", container_options=options) as out:
        if comment:
            out.metadata["comment"] = comment
        source = pictures.streams.video[0]
        stream = out.add_stream_from_template(source)
        queues = [_pictures(pictures, source, stream)]
        if sound is not None:
            queues.append(sound(out))
        for packet in heapq.merge(*queues, key=lambda packet: packet.dts * packet.time_base):
            out.mux(packet)


def _pictures(container: Any, source: Any, target: Any) -> Iterator[av.Packet]:
    for packet in container.demux(source):
        if packet.dts is not None:  # the last one is empty, for the decoder
            packet.stream = target
            yield packet
