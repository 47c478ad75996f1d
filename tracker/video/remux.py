"""Finish a video: copy its packets into a file that starts fast, beside the sound of the source."""

from __future__ import annotations

import errno
import heapq
import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from .container import moving_pictures
from .opening import open_media

log = logging.getLogger("posetrack")

# Codecs that every player takes in MP4 and QuickTime files; others are encoded again.
COPIED = frozenset({"aac", "mp3", "ac3", "eac3", "alac"})
AAC_RATES = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000})  # that players take

_DISK = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO, errno.EROFS})


def remux(
    video: Path, target: Path, *, audio_from: Path | None, start: float, length: float, comment: str = ""
) -> None:
    """Copy a video without encoding it again, and add the sound that belongs to it.

    Args:
        video: file with one video stream that begins at 0.
        target: file to write; its suffix is the format.
        audio_from: file with the sound, and with the video stream that `start` speaks of.
        start: seconds of that stream where `video` begins.
        length: seconds of sound to keep.
        comment: for the file's metadata.

    Raises:
        av.FFmpegError, OSError: the target cannot be written.
    """
    sound = _open_sound(audio_from)
    try:
        if sound is not None:
            try:
                return _copy(video, target, sound, start=start, length=length, comment=comment)
            except (av.FFmpegError, ValueError) as error:
                if getattr(error, "errno", None) in _DISK:
                    raise
                why = getattr(error, "strerror", None) or str(error)
                log.warning("The sound of '%s' is left out: it cannot be copied (%s).", audio_from, why)
        return _copy(video, target, None, start=start, length=length, comment=comment)
    finally:
        if sound is not None:
            sound.close()


def _open_sound(path: Path | None) -> Any:
    """Open a file that has sound; None if there is none."""
    if path is None:
        return None
    try:
        container = open_media(f"file:{path}")
    except (av.FFmpegError, OSError):
        return None
    if any(stream.codec_context is not None for stream in container.streams.audio):
        return container
    container.close()
    return None


def _copy(video: Path, target: Path, sound: Any, *, start: float, length: float, comment: str) -> None:
    options = {} if target.suffix.lower() == ".mkv" else {"movflags": "+faststart"}
    with av.open(f"file:{video}") as pictures, av.open(f"file:{target}", "w", container_options=options) as out:
        if comment:
            out.metadata["comment"] = comment
        source = pictures.streams.video[0]
        stream = out.add_stream_from_template(source)
        queues = [_pictures(pictures, source, stream)]
        if sound is not None:
            shown = moving_pictures(sound)
            begin = float(shown[0].start_time * shown[0].time_base) if shown and shown[0].start_time else 0.0
            queues.append(_sound(sound, out, begin=begin + start, length=length))
        for packet in heapq.merge(*queues, key=lambda packet: packet.dts * packet.time_base):
            out.mux(packet)


def _pictures(container: Any, source: Any, target: Any) -> Iterator[av.Packet]:
    for packet in container.demux(source):
        if packet.dts is not None:  # the last one is empty, for the decoder
            packet.stream = target
            yield packet


def _sound(container: Any, out: Any, *, begin: float, length: float) -> Iterator[av.Packet]:
    """Give the tracks to the output at once, and return their packets shifted by -begin and cut to length (seconds)."""
    sources = [stream for stream in container.streams.audio if stream.codec_context is not None]
    targets = {stream.index: _track(stream, out) for stream in sources}
    return _packets(container, sources, targets, begin=begin, length=length)


def _packets(
    container: Any, sources: list[Any], targets: dict[int, Any], *, begin: float, length: float
) -> Iterator[av.Packet]:
    if begin > 1:
        container.seek(int((begin - 1) * av.time_base))
    for packet in container.demux(*sources):
        target = targets[packet.stream.index]
        if packet.stream.codec_context.name in COPIED:
            if packet.dts is not None and _shift(packet, begin, length, early=packet.duration or 0):
                packet.stream = target
                yield packet
            continue
        for frame in packet.decode():
            if _shift(frame, begin, length):
                yield from target.encode(frame)
        if packet.dts is None:
            yield from target.encode(None)


def _track(source: Any, out: Any) -> Any:
    """Add a track to the output: the same codec, or AAC."""
    if source.codec_context.name in COPIED:
        return out.add_stream_from_template(source)
    rate = source.codec_context.sample_rate
    layout = "mono" if source.codec_context.channels == 1 else "stereo"
    return out.add_stream("aac", rate=rate if rate in AAC_RATES else 48000, layout=layout)


def _shift(item: Any, begin: float, length: float, *, early: int = 0) -> bool:
    """Count a packet's or frame's time from `begin` and say whether it lies within the length.

    Args:
        item: packet or frame.
        begin: seconds.
        length: seconds.
        early: ticks that it may begin before; a decoder needs the packet that leads in.
    """
    base: Fraction = item.time_base
    if item.pts is None or base is None:
        return False
    ticks = round(begin / base)
    item.pts -= ticks
    if getattr(item, "dts", None) is not None:
        item.dts -= ticks
    return -early <= item.pts < length / base
