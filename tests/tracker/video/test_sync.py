"""Images and sound of written videos compared with what was drawn and played, by PyAV's times."""

import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from posetrack.tracker.video import writer as module
from posetrack.tracker.video.open import open_source
from posetrack.tracker.video.writer import open_writer

RATE = 48000


def record(path, *, fps=10, audio="aac", codec="libx264", at=1.0, seconds=2.0, late=0.0, options=None, **kw):
    """Write a video that flashes and beeps at the same moment; its images begin `late` seconds after the sound."""
    with av.open(str(path), "w", **kw) as container:
        stream = container.add_stream(codec, rate=fps, options=options or {})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        track = container.add_stream(audio, rate=RATE, layout="mono") if audio else None
        container.start_encoding()
        for index in range(round((seconds - late) * fps)):
            light = 230 if abs(index / fps + late - at) < 0.5 / fps else 20
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), light, np.uint8), format="bgr24")
            frame.pts, frame.time_base = index + round(late * fps), Fraction(1, fps)
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode(None))
        if track is not None:
            time = np.arange(round(seconds * RATE)) / RATE
            wave = np.where(time >= at, 20000 * np.sin(2 * np.pi * 1000 * time), 0).astype(np.int16)
            for first in range(0, len(wave), 960):
                sound = av.AudioFrame.from_ndarray(wave[None, first : first + 960], format="s16", layout="mono")
                sound.sample_rate, sound.pts, sound.time_base = RATE, first, Fraction(1, RATE)
                container.mux(track.encode(sound))
            container.mux(track.encode(None))
    return Path(path)


def images(path):
    """Seconds of all images, and of those that flash, by the container's own times."""
    with av.open(str(path)) as container:
        frames = [(frame.time, frame.to_ndarray(format="gray").mean() > 120) for frame in container.decode(video=0)]
    return [time for time, _ in frames], [time for time, flashes in frames if flashes]


def beeps(path):
    """Seconds of the container's time at which a tone begins after silence."""
    with av.open(str(path)) as container:
        parts = [(frame.time, frame.sample_rate, frame.to_ndarray()[0]) for frame in container.decode(audio=0)]
    times = np.concatenate([time + np.arange(len(wave)) / rate for time, rate, wave in parts])
    waves = np.concatenate([wave.astype(float) / (1 if wave.dtype.kind == "f" else 32768) for _, _, wave in parts])
    loud = times[np.abs(waves) > 0.1]
    return loud[np.diff(loud, prepend=-1.0) > 0.2]


def copy(source, target, **words):
    """Write the frames of a source as the tracker does, and return their times."""
    times = []
    with (
        open_source(source, **words) as frames,
        open_writer(target, size=frames.size, fps=frames.fps, sound=frames.sound) as writer,
    ):
        for frame in frames:
            writer.write(frame.image, frame.time)
            times.append(frame.time)
    return times


SOURCES = {
    "a.mp4": {},
    "slow.mp4": {"fps": 5},
    "late.mp4": {"late": 0.4},
    "pcm.mkv": {"audio": "pcm_s16le"},
    "late.mkv": {"audio": "pcm_s16le", "late": 0.4},
    "a.ts": {},
    "mp2.ts": {"audio": "mp2"},
    "a.avi": {"codec": "mpeg4", "audio": "pcm_s16le"},
}


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("name", SOURCES)
def test_a_flash_and_a_tone_stay_together(tmp_path, name, suffix):
    source = record(tmp_path / name, **SOURCES[name])
    times = copy(source, target := tmp_path / f"out{suffix}")
    shown, (flash,) = images(target)
    np.testing.assert_allclose(shown, times, atol=1.1e-3)
    assert shown[0] == 0
    (beep,) = beeps(target)
    assert beep - flash == pytest.approx(0, abs=0.005)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_a_cut_keeps_them_together(tmp_path, suffix):
    source = record(tmp_path / "a.mp4", seconds=3.0)
    copy(source, target := tmp_path / f"out{suffix}", start=0.45, end=2.0)
    shown, (flash,) = images(target)
    assert (shown[0], flash) == (0, pytest.approx(0.5, abs=1e-3))
    assert beeps(target)[0] == pytest.approx(flash, abs=0.005)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_a_silent_video_begins_at_zero_and_nothing_is_reordered(tmp_path, make, suffix):
    times = np.cumsum([7.0, 0.1, 0.4, 0.03, 2.5, 0.1])
    with open_writer(tmp_path / f"out{suffix}", size=(64, 48), fps=10) as writer:
        for index, time in enumerate(times):
            writer.write(make.image(index), time)
    options = {} if suffix == ".mkv" else {"ignore_editlist": "1"}  # as players do that know none
    with av.open(str(writer.path), options=options) as container:
        packets = [packet for packet in container.demux(video=0) if packet.dts is not None]
    assert [packet.pts for packet in packets] == [packet.dts for packet in packets]
    np.testing.assert_allclose([float(p.pts * p.time_base) for p in packets], times - 7, atol=1.1e-3)


@pytest.mark.parametrize(("audio", "suffix"), [("aac", ".ts"), ("mp2", ".ts"), ("aac", ".mkv"), ("pcm_s16le", ".mkv")])
def test_joined_files_go_on_in_image_and_sound(tmp_path, caplog, audio, suffix):
    parts = [
        record(tmp_path / f"{at}{suffix}", at=at, seconds=seconds, audio=audio) for at, seconds in [(0.5, 2), (1, 3)]
    ]
    joined = tmp_path / f"joined{suffix}"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    times = copy(joined, target := tmp_path / "out.mp4")
    np.testing.assert_allclose(times, np.arange(50) / 10, atol=1e-3)
    shown, flashes = images(target)
    np.testing.assert_allclose(shown, times, atol=1e-3)
    np.testing.assert_allclose(flashes, [0.5, 3.0], atol=1e-3)
    np.testing.assert_allclose(beeps(target), flashes, atol=0.005)
    assert not caplog.records
    assert copy(joined, tmp_path / "part.mp4", start=2.5)[0] == pytest.approx(2.5)


def test_another_rate_leaves_the_sound_out(tmp_path):
    copy(record(tmp_path / "a.mp4"), target := tmp_path / "out.mp4", fps=20)
    with av.open(str(target)) as container:
        assert not container.streams.audio


CONTAINERS = {
    "a.mp4": {"options": {"bf": "3", "b-pyramid": "normal"}},
    "noedit.mp4": {"options": {"bf": "3"}, "container_options": {"use_editlist": "0"}},
    "negative.mov": {"options": {"bf": "3"}, "container_options": {"movflags": "negative_cts_offsets"}},
    "fragments.mp4": {"options": {"bf": "3"}, "container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "a.mkv": {"options": {"bf": "3"}},
    "a.ts": {"options": {"bf": "3"}},
    "a.mpg": {"codec": "mpeg2video", "options": {"bf": "2"}, "fps": 25},
    "a.flv": {"options": {"bf": "3"}},
    "a.webm": {"codec": "libvpx", "fps": 10},
    "a.avi": {"options": {"bf": "3", "b-pyramid": "normal"}},
    "b.avi": {"codec": "mpeg4", "options": {"bf": "2"}},
    "a.asf": {"options": {"bf": "3", "b-pyramid": "normal"}},
    "a.h264": {"options": {"bf": "3"}},
    "a.m2v": {"codec": "mpeg2video", "options": {"bf": "2"}, "fps": 25},
    "a.m4v": {"codec": "mpeg4", "options": {"bf": "2"}, "format": "m4v"},
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_times_are_those_of_the_images_in_every_container(tmp_path, name):
    words = {"fps": 10, "audio": None} | CONTAINERS[name]
    source = record(tmp_path / name, **words)
    with open_source(source) as opened:
        frames = list(opened)
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(len(frames)) / words["fps"], atol=1.1e-3)
    assert len(frames) == 2 * words["fps"]
    (flash,) = [frame.time for frame in frames if frame.image.mean() > 120]
    assert flash == pytest.approx(1.0, abs=1.1e-3)
    with open_source(source, start=0.8) as opened:
        late = list(opened)
    assert [frame.time for frame in late] == pytest.approx([f.time for f in frames if f.time > 0.8 - 1e-3], abs=1.1e-3)


@pytest.mark.parametrize(
    ("name", "words"), [("a.mkv", {}), ("a.avi", {"codec": "mpeg4", "options": {"bf": "2"}, "audio": "pcm_s16le"})]
)
def test_a_video_that_begins_late_is_not_damaged(tmp_path, caplog, name, words):
    list(open_source(record(tmp_path / name, late=1.0, at=1.5, seconds=3.0, **words)))
    assert not caplog.records


@pytest.mark.parametrize(
    ("suffix", "codec"), [("mp4", "libx264"), ("mov", "libx264"), ("flv", "flv1"), ("wmv", "wmv2"), ("ivf", "libvpx")]
)
def test_of_videos_joined_to_one_file_the_first_is_read_with_a_sentence(tmp_path, caplog, make, suffix, codec):
    whole = make.encode(tmp_path / f"whole.{suffix}", [k / 10 for k in range(10)], codec=codec)
    assert len(list(open_source(whole))) == 10
    assert not caplog.records
    joined = tmp_path / f"joined.{suffix}"
    joined.write_bytes(2 * whole.read_bytes())
    assert len(list(open_source(joined))) == 10
    assert "contains several videos: the first is used, the others are left out." in caplog.text


def test_a_cut_gif_is_read_with_a_sentence(tmp_path, caplog, make):
    whole = make.encode(tmp_path / "whole.gif", [k / 10 for k in range(10)], codec="gif", pix_fmt="rgb8")
    whole.write_bytes(whole.read_bytes() + b"\0\0")  # padding
    assert len(list(open_source(whole))) == 10
    assert not caplog.records
    (tmp_path / "cut.gif").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with open_source(tmp_path / "cut.gif") as frames:
        assert 0 < len(list(frames)) < 10
        assert frames.damage.startswith("it cannot be read after")
    assert "What could be read was used." in caplog.text


def test_fragments_of_one_mp4_are_one_video(tmp_path, caplog):
    list(open_source(record(tmp_path / "b.mp4", container_options={"movflags": "frag_keyframe+empty_moov"})))
    assert not caplog.records


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
@pytest.mark.parametrize(("fps", "count"), [(30, 40), (0.25, 3)])
def test_a_kill_loses_no_frame_but_the_last(tmp_path, fps, count):
    code = f"""
import os, signal, sys, numpy as np
from posetrack.tracker.video.write.video import VideoWriter
writer = VideoWriter(sys.argv[1], size=(64, 48), fps={fps})
for i in range({count}):
    writer.write(np.full((48, 64, 3), i, np.uint8), i / {fps})
os.kill(os.getpid(), signal.SIGKILL)
"""
    root = Path(module.__file__).parents[2]
    subprocess.run([sys.executable, "-c", code, tmp_path / "out.mp4"], cwd=root)
    times = [frame.time for frame in open_source(tmp_path / "out.partial.mp4")]
    np.testing.assert_allclose(times, np.arange(len(times)) / fps, atol=1e-3)
    assert len(times) >= count - 1
