"""What is missing from a file is said, also in formats in which FFmpeg reads on, or stops, without an error."""

import logging
from fractions import Fraction

import numpy as np
import pytest

from posetrack.tracker.video.decode.whole import has_hole
from posetrack.tracker.video.open import open_source

KINDS = {
    "mkv": {"codec": "mjpeg", "pix_fmt": "yuvj420p", "container_options": {"cluster_time_limit": "500"}},
    "avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "wmv": {"codec": "wmv2"},
    "flv": {"codec": "flv1"},
    "ts": {},
    "gif": {"codec": "gif", "pix_fmt": "rgb8"},
    "hevc": {"codec": "libx265", "options": {"x265-params": "log-level=none:keyint=20"}},
    "y4m": {"codec": "wrapped_avframe", "format": "yuv4mpegpipe"},
    "mp4": {"container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "mov": {},
    "mpg": {"codec": "mpeg2video"},
    "ivf": {"codec": "libvpx", "options": {"deadline": "realtime", "cpu-used": "8"}},
    "mjpeg": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
}
HOLES = ("mkv", "wmv", "flv", "ts", "gif", "hevc", "avi", "mjpeg")
SMALL_HOLES = ("mov", "ivf", "mpg")
CUTS = ("gif", "y4m", "mp4", "mkv", "avi", "ivf", "mjpeg", "flv", "wmv", "ts")


def encoded(path, times, make):
    """Encode a video of the kind of its suffix."""
    words = KINDS[path.suffix[1:]]

    def tune(stream):
        stream.codec_context.options = words.get("options", {})
        stream.codec_context.time_base, stream.codec_context.thread_count = Fraction(1, 25), 1

    words = {word: value for word, value in words.items() if word != "options"}
    return make.encode(path, times, rate=25, size=(160, 120), tune=tune, **words)


@pytest.fixture
def whole(request, make, tmp_path, caplog):
    """A file of a kind, of which nothing is to be said."""
    kind = request.param
    path = encoded(tmp_path / f"a.{kind}", np.arange(100) / 25, make)
    with caplog.at_level(logging.WARNING, "posetrack"):
        frames = [frame.index for frame in open_source(path)]
    assert frames == list(range(100))
    assert [record for record in caplog.records if "frame rate" not in record.message] == []
    return path


@pytest.mark.parametrize("whole", HOLES, indirect=True)
def test_a_hole_in_the_middle_is_announced(whole, caplog):
    data = bytearray(whole.read_bytes())
    middle, size = len(data) // 2, len(data) // 5
    data[middle : middle + size] = bytes(size)
    whole.write_bytes(data)
    source = open_source(whole)
    frames = list(source)
    assert 10 < len(frames) < 100
    assert "is damaged" in caplog.text or f"{source.frames_failed} frames are missing" in caplog.text
    if whole.suffix in (".mkv", ".wmv", ".flv", ".ts"):  # with times, and read on after the hole
        assert len(frames) + source.frames_failed == pytest.approx(100, abs=1)
        assert [frame.index for frame in frames] == pytest.approx([25 * frame.time for frame in frames], abs=0.1)


@pytest.mark.parametrize("whole", SMALL_HOLES, indirect=True)
def test_a_hole_that_the_decoder_conceals_is_announced(whole, caplog):
    data = bytearray(whole.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 80] = bytes(80)
    whole.write_bytes(data)
    list(open_source(whole))
    assert "is damaged" in caplog.text or "missing" in caplog.text


@pytest.mark.parametrize("whole", CUTS, indirect=True)
def test_a_missing_end_is_announced(whole, caplog):
    data = whole.read_bytes()
    whole.write_bytes(data[:-600])
    with open_source(whole) as source:
        assert len(list(source)) >= 90
    assert ("missing or overwritten" if whole.suffix == ".mkv" else "it cannot be read after") in caplog.text


@pytest.mark.parametrize("suffix", ["mkv", "wmv", "avi"])
def test_single_frames_that_an_encoder_left_out_are_no_damage(suffix, make, tmp_path, caplog):
    times = np.delete(np.arange(100) / 25, [40, 41, 42, 60, 61])
    path = encoded(tmp_path / f"a.{suffix}", times, make)
    assert [frame.index for frame in open_source(path)] == list(range(95))
    assert not caplog.records


@pytest.mark.parametrize("zeros", [0, 1, 50])
def test_zeros_within_a_unit_are_a_hole_and_stuffing_between_units_is_none(zeros):
    """A stream may have any number of zeros before the next unit and at its end."""
    unit = b"\0\0\1\x65\0\0\3\1" + bytes(range(1, 256))
    assert not has_hole(unit + bytes(zeros) + unit + bytes(zeros), most=8)
    assert has_hole(unit + bytes(9 + zeros) + unit[9:], most=8)


def test_a_header_that_does_not_know_its_size_is_no_damage(make, tmp_path, caplog):
    path = encoded(tmp_path / "a.avi", np.arange(20) / 25, make)
    data = bytearray(path.read_bytes())
    data[4:8] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert len(list(open_source(path))) == 20
    assert not caplog.records
