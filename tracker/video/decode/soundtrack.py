"""The sound of a source, packet by packet on the clock of the pictures that were taken from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av

from .media import open_media
from .streams import is_joint, may_be_joined

# Codecs that every player takes in MP4 and QuickTime files; others are encoded again.
COPIED = frozenset({"aac", "mp3", "ac3", "eac3", "alac"})
AAC_RATES = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000})  # that players take

TICK = Fraction(1, 1_000_000)  # seconds; finer than any sample, so that times do not lose by being moved
STEP = 125  # ticks between packets that claim the same time; an MP4 wants them apart by one of its own, 1/8000 s


class PicturesClock(Protocol):
    """How a file's clock runs beside that of the pictures taken from it.

    Attributes:
        begin: seconds of the file's clock at time 0 of the pictures.
        shifts: seconds that the pictures' clock gained at each joint of the file, as they are read.
    """

    begin: float
    shifts: list[float]


@dataclass(frozen=True, slots=True)
class Sound:
    """The file with a video's sound, and the clock of its pictures, which runs while they are read."""

    path: Path
    clock: PicturesClock


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


def sound_packets(
    container: Any, out: Any, *, clock: PicturesClock, start: float, length: float
) -> Iterator[av.Packet]:
    """Give the tracks to the output at once, and return their packets, cut to the pictures.

    Args:
        container: the open file with the sound.
        out: the file that is written.
        clock: of the pictures.
        start: seconds of the pictures' time where the output begins.
        length: seconds of the output.
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
    """One track: it copies or encodes, and holds its times in order."""

    def __init__(
        self, source: Any, container: Any, out: Any, clock: PicturesClock, start: float, length: float
    ) -> None:
        codec = source.codec_context
        self._copies = codec.name in COPIED
        if self._copies:
            self._target = out.add_stream_from_template(source)
        else:
            rate = codec.sample_rate if codec.sample_rate in AAC_RATES else 48000
            self._target = out.add_stream("aac", rate=rate, layout="mono" if codec.channels == 1 else "stereo")
        self._joinable = may_be_joined(container)
        self._shifts, self._length = iter(clock.shifts), length
        self._offset = -clock.begin - start  # seconds from the file's clock to the output's
        self._end: float | None = None  # seconds of the output where the last item ended
        self._joint = False
        self._last: int | None = None  # ticks of the last packet
        # Matroska has no edit list: a packet that leads in would come first and move the pictures behind it.
        self._leads = "matroska" not in out.format.name

    def take(self, packet: av.Packet) -> Iterator[av.Packet]:
        """Give what comes of one packet of the source; of the last, empty one what the encoder still holds."""
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
        """Move a packet or frame to the output's clock; say whether it belongs there.

        One may begin before 0 where `early`: a decoder needs what leads in.
        """
        if item.pts is None or item.time_base is None:
            return False
        heard = isinstance(item, av.AudioFrame)
        lasts = float(item.samples / item.sample_rate if heard else (item.duration or 0) * item.time_base)
        time = float(item.pts * item.time_base) + self._offset
        if self._joinable and self._end is not None and is_joint(self._end, time):
            shift = next(self._shifts, self._end - time)
            self._offset, time, self._joint = self._offset + shift, time + shift, True
        if self._joint and self._end is not None and time < self._end - lasts / 2:
            return False  # the part before goes on for longer than its pictures
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
