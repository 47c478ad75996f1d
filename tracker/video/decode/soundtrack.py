"""Copy the sound of a source, packet by packet, in the time of its frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av

from .media import open_media
from .streams import is_joint, longest_gap, may_be_joined

# Codecs that all players support in MP4 and QuickTime files; others are re-encoded.
COPIED = frozenset({"aac", "mp3", "ac3", "eac3", "alac"})
AAC_RATES = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000})  # that players support

TICK = Fraction(1, 1_000_000)  # seconds; finer than any sample, so that shifted times keep their precision
STEP = 125  # minimum number of ticks between packets; an MP4 has a minimum, 1/8000 s


class FrameClock(Protocol):
    """Relation of a file's clock to the time of its frames.

    Attributes:
        begin: seconds of the file's clock at time 0 of the frames.
        shifts: seconds added to the time of the frames at each joint of the file, in the order of reading.
    """

    begin: float
    shifts: list[float]


@dataclass(frozen=True, slots=True)
class Sound:
    """File with the sound of a video, and the clock of its frames, which is complete when they are read."""

    path: Path
    clock: FrameClock


def open_sound(sound: Sound | None) -> Any:
    """Open a file that has sound; None if there is none."""
    if sound is None:
        return None
    try:
        container = open_media(f"file:{sound.path}")
    except (av.FFmpegError, OSError):
        return None
    if any(stream.codec_context is not None for stream in container.streams.audio):
        return container
    container.close()
    return None


def sound_packets(container: Any, out: Any, *, clock: FrameClock, start: float, length: float) -> Iterator[av.Packet]:
    """Add the sound tracks to the output at once, and return their packets within the time of the video.

    Args:
        container: the open source file.
        out: the open output file.
        clock: of the frames.
        start: time of the frames in seconds where the output begins.
        length: of the output in seconds.
    """
    sources = [stream for stream in container.streams.audio if stream.codec_context is not None]
    tracks = {stream.index: _Track(stream, container, out, clock, start, length) for stream in sources}
    return _packets(container, sources, tracks, begin=clock.begin + start)


def _packets(container: Any, sources: list[Any], tracks: dict[int, _Track], *, begin: float) -> Iterator[av.Packet]:
    if begin > 1 and not may_be_joined(container):
        container.seek(int((begin - 1) * av.time_base))
    for packet in container.demux(*sources):
        yield from tracks[packet.stream.index].take(packet)


class _Track:
    """Copy or encode one sound track, with increasing times."""

    def __init__(self, source: Any, container: Any, out: Any, clock: FrameClock, start: float, length: float) -> None:
        codec = source.codec_context
        self._copies = codec.name in COPIED
        if self._copies:
            self._target = out.add_stream_from_template(source)
        else:
            rate = codec.sample_rate if codec.sample_rate in AAC_RATES else 48000
            self._target = out.add_stream("aac", rate=rate, layout="mono" if codec.channels == 1 else "stereo")
        self._gap = longest_gap(container)
        self._shifts, self._length = iter(clock.shifts), length
        self._offset = -clock.begin - start  # seconds from the file's clock to the output's
        self._end: float | None = None  # of the last item, seconds of the output
        self._joint = False
        self._last: int | None = None  # ticks of the last packet
        # Matroska has no edit list: a packet before time 0 would delay the video.
        self._leads = "matroska" not in out.format.name

    def take(self, packet: av.Packet) -> Iterator[av.Packet]:
        """Yield the packets for one packet of the source; the last, empty one flushes the encoder."""
        if self._copies:
            if packet.dts is not None and self._place(packet, early=self._leads):
                packet.dts = packet.pts
                yield self._ordered(packet)
            return
        for frame in packet.decode():
            if self._place(frame):
                yield from map(self._ordered, self._target.encode(frame))
        if packet.dts is None:
            yield from map(self._ordered, self._target.encode(None))

    def _place(self, item: Any, *, early: bool = False) -> bool:
        """Move a packet or frame to the output's clock; return whether it is within the output.

        With `early`, it may begin before 0, because decoders need the preceding packet.
        """
        if item.pts is None or item.time_base is None:
            return False
        heard = isinstance(item, av.AudioFrame)
        lasts = float(item.samples / item.sample_rate if heard else (item.duration or 0) * item.time_base)
        time = float(item.pts * item.time_base) + self._offset
        if self._gap and self._end is not None and is_joint(self._end, time, gap=self._gap):
            shift = next(self._shifts, self._end - time)
            self._offset, time, self._joint = self._offset + shift, time + shift, True
        if self._joint and self._end is not None and time < self._end - lasts / 2:
            return False  # the sound of the previous part is longer than its video
        self._end, self._joint = time + lasts, False
        item.pts, item.time_base = round(time / TICK), TICK
        return (-lasts if early else 0) <= time < self._length

    def _ordered(self, packet: av.Packet) -> av.Packet:
        packet.stream = self._target
        ticks = round(packet.dts * packet.time_base / TICK)
        if self._last is not None and ticks < self._last + STEP:
            ticks = self._last + STEP
            packet.pts = packet.dts = ticks
            packet.time_base = TICK
        self._last = ticks
        return packet
