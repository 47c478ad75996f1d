"""What is missing from a file is said, also in formats in which FFmpeg reads on, or stops, without an error."""

import logging

import numpy as np
import pytest

from posetrack.tracker.video.open import open_source

KINDS = {
    "mkv": {"codec": "mjpeg", "pix_fmt": "yuvj420p", "container_options": {"cluster_time_limit": "500"}},
    "wmv": {"codec": "wmv2"},
    "flv": {"codec": "flv1"},
    "ts": {},
    "gif": {"codec": "gif", "pix_fmt": "rgb8"},
    "hevc": {"codec": "libx265", "options": {"x265-params": "log-level=none:keyint=20"}},
    "y4m": {"codec": "wrapped_avframe", "format": "yuv4mpegpipe"},
    "mp4": {"container_options": {"movflags": "frag_keyframe+empty_moov"}},
}
HOLES, CUTS = ("mkv", "wmv", "flv", "ts", "gif", "hevc"), ("gif", "y4m", "mp4")


def encoded(path, times, make):
    """Encode a video of the kind of its suffix."""
    words = KINDS[path.suffix[1:]]

    def tune(stream):
        stream.options = words.get("options", {})

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
    assert not caplog.records
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


@pytest.mark.parametrize("whole", CUTS, indirect=True)
def test_a_missing_end_is_announced(whole, caplog):
    data = whole.read_bytes()
    whole.write_bytes(data[:-600])
    with open_source(whole) as source:
        assert len(list(source)) >= 90
    assert "it cannot be read after" in caplog.text


@pytest.mark.parametrize("suffix", ["mkv", "wmv"])
def test_single_frames_that_an_encoder_left_out_are_no_damage(suffix, make, tmp_path, caplog):
    times = np.delete(np.arange(100) / 25, [40, 41, 42, 60, 61])
    path = encoded(tmp_path / f"a.{suffix}", times, make)
    assert [frame.index for frame in open_source(path)] == list(range(95))
    assert not caplog.records
