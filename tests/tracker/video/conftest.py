"""Short generated videos: 64 x 48 pixels, each frame identified by the position of a bright bar."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest


def image(index, *, size=(64, 48), count=20):
    """A dark image whose bright bar moves to the right from frame to frame."""
    width, height = size
    image = np.full((height, width, 3), 40, np.uint8)
    left = index * (width - 8) // max(1, count - 1)
    image[:, left : left + 8] = (60, 220, 180)
    return image


def bar(image):
    """Centre of the bright bar, in pixels."""
    return float(np.flatnonzero(image[..., 1].mean(0) > 130).mean())


def encode(
    path,
    times,
    *,
    size=(64, 48),
    codec="libx264",
    pix_fmt="yuv420p",
    rate=10,
    rotation=None,
    audio=None,
    tune=None,
    **kw,
):
    """Write a video with these presentation times (seconds), and audio = (codec, seconds) beside it; tune(stream)."""
    with av.open(str(path), "w", **kw) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        stream.codec_context.time_base = Fraction(1, 1000 if codec == "mpeg4" else 90000)
        stream.codec_context.gop_size = 5
        if rotation is not None:
            stream.set_display_rotation(rotation)
        if tune is not None:
            tune(stream)
        track = container.add_stream(audio[0], rate=16000, layout="mono") if audio else None
        container.start_encoding()
        for index, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(image(index, size=size, count=len(times)), format="bgr24")
            frame = frame.reformat(format=pix_fmt)
            frame.time_base = stream.codec_context.time_base
            frame.pts = round(time / frame.time_base)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if track is not None:
            for start in range(0, int(audio[1] * 16000), 1024):
                wave = (8000 * np.sin(np.arange(start, start + 1024) / 16000 * 2 * np.pi * 440)).astype(np.int16)
                sound = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
                sound.sample_rate, sound.pts, sound.time_base = 16000, start, Fraction(1, 16000)
                container.mux(track.encode(sound))
            container.mux(track.encode(None))
    return Path(path)


@pytest.fixture
def video(tmp_path):
    """20 frames at 10 fps."""
    return encode(tmp_path / "clip.mp4", [i / 10 for i in range(20)])


@pytest.fixture
def make():
    """The encoder of test videos, and the image and the bar's place that go with it."""

    class Make:
        encode, image, bar = staticmethod(encode), staticmethod(image), staticmethod(bar)

    return Make
