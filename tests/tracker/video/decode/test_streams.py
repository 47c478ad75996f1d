import logging
from fractions import Fraction

import av
import numpy as np
import pytest

from posetrack.errors import SourceError, UsageError
from posetrack.tracker.video.open import open_source


def two_streams(path, make, *, default):
    """Write a preview of 32 x 24 and an image of 64 x 48 pixels; one of them is the default, by its index."""
    sizes = [(32, 24), (64, 48)]
    with av.open(str(path), "w") as container:
        streams = []
        for index, size in enumerate(sizes):
            stream = container.add_stream("mpeg4", rate=10)
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            stream.disposition = av.stream.Disposition.default if index == default else av.stream.Disposition(0)
            streams.append(stream)
        for index in range(5):
            for stream, size in zip(streams, sizes):
                frame = av.VideoFrame.from_ndarray(make.image(index, size=size), format="bgr24")
                frame.pts, frame.time_base = index, Fraction(1, 10)
                container.mux(stream.encode(frame.reformat(format="yuv420p")))
        for stream in streams:
            container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_the_default_stream_is_read_and_the_others_are_named(tmp_path, make, caplog, suffix):
    caplog.set_level(logging.INFO, "posetrack")
    for default, size in enumerate([(32, 24), (64, 48)]):
        with open_source(two_streams(tmp_path / f"{default}{suffix}", make, default=default)) as frames:
            assert frames.size == size
    assert "several video streams: 0 (32 x 24), 1 (64 x 48, default). --stream 1 is read." in caplog.text


def test_a_stream_is_chosen_by_its_index(tmp_path, make):
    path = two_streams(tmp_path / "a.mp4", make, default=1)
    assert [open_source(path, stream=index).size for index in (0, 1)] == [(32, 24), (64, 48)]
    with pytest.raises(SourceError, match=r"no video stream 2. It has 0 \(32 x 24\), 1 \(64 x 48, default\)"):
        open_source(path, stream=2)


def test_a_camera_has_neither_streams_nor_another_rate():
    for words in ({"stream": 0}, {"fps": 30.0}):
        with pytest.raises(UsageError, match="Leave stream and fps out"):
            open_source(0, **words)


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(video, fps):
    with pytest.raises(UsageError, match="frames per second"):
        open_source(video, fps=fps)


def test_a_rate_that_is_given_takes_the_place_of_the_files_times(video):
    with open_source(video, fps=4.0, start=1.0, end=2.0) as frames:
        assert (frames.fps, frames.fps_guessed) == (4.0, False)
        np.testing.assert_allclose([frame.time for frame in frames], [1.0, 1.25, 1.5, 1.75])


def raw(path, make, codec, *, base=30):
    """Write 12 frames at 30 fps, in an encoder's clock of `base` ticks a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, base)
        for index in range(12):
            frame = av.VideoFrame.from_ndarray(make.image(index), format="bgr24").reformat(format="yuv420p")
            frame.pts, frame.time_base = index * base // 30, Fraction(1, base)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(("name", "codec"), [("a.h264", "libx264"), ("a.m4v", "mpeg4"), ("a.m2v", "mpeg2video")])
def test_a_raw_stream_runs_at_the_rate_that_it_states(tmp_path, make, caplog, name, codec):
    path = raw(tmp_path / name, make, codec)
    with open_source(path) as frames:
        assert (frames.fps, frames.fps_guessed) == (30.0, False)
        np.testing.assert_allclose([frame.time for frame in frames], np.arange(12) / 30)
    assert not caplog.records


def test_the_clock_of_an_encoder_is_no_rate(tmp_path, make, caplog):
    with open_source(raw(tmp_path / "a.h264", make, "libx264", base=90000)) as frames:
        assert (frames.fps, frames.fps_guessed) == (25.0, True)
    assert "Give --fps" in caplog.text


def test_a_rate_that_is_guessed_is_announced_and_can_be_given(tmp_path, make, caplog):
    words = {"codec": "mjpeg", "pix_fmt": "yuvj420p", "format": "mjpeg"}
    path = make.encode(tmp_path / "a.mjpeg", [i / 5 for i in range(10)], rate=5, **words)
    with open_source(path) as frames:
        assert (frames.fps, frames.fps_guessed) == (25.0, True)
    assert "states no frame rate: 25 fps is assumed. Give --fps." in caplog.text
    caplog.clear()
    with open_source(path, fps=5) as frames:
        assert (frames.fps, frames.fps_guessed) == (5.0, False)
        np.testing.assert_allclose([frame.time for frame in frames], np.arange(10) / 5)
    assert not caplog.records


def test_the_clock_of_a_container_is_no_rate(tmp_path):
    """FFmpeg gives 60000 frames per second for raw DV, which is the clock of its times."""
    with av.open(str(tmp_path / "a.dv"), "w") as container:
        stream = container.add_stream("dvvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = 720, 576, "yuv420p"
        for light in range(4):
            grey = np.full((576, 720, 3), 50 * light, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="bgr24").reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    with open_source(tmp_path / "a.dv") as frames:
        assert (frames.fps, frames.frame_count) == (25, 4)
        np.testing.assert_allclose([frame.time for frame in frames], np.arange(4) / 25, atol=1e-3)
