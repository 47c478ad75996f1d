import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

from posetrack.errors import OutputError, UsageError
from posetrack.tracker.video.decode.soundtrack import Sound
from posetrack.tracker.video.open import open_source
from posetrack.tracker.video.write import video as module
from posetrack.tracker.video.write.image import ImageWriter
from posetrack.tracker.video.write.video import VideoWriter
from posetrack.tracker.video.writer import open_writer


def fill(writer, make, times):
    for index, time in enumerate(times):
        writer.write(make.image(index, count=len(times)), time)


def at(path, begin=0.0):
    """The sound of a file whose clock says `begin` at time 0 of the images."""
    return Sound(path, SimpleNamespace(begin=begin, shifts=[]))


def sound(path):
    """First time, length in seconds and codec of each audio track."""
    with av.open(str(path)) as container:
        tracks = []
        for stream in container.streams.audio:
            container.seek(0)
            frames = [frame for frame in container.decode(stream) if frame.pts is not None]
            tracks.append((frames[0].time, frames[-1].time - frames[0].time, stream.codec_context.name))
    return tracks


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_irregular_times_come_back_to_the_millisecond(tmp_path, make, suffix):
    times = np.cumsum([0, 0.033, 0.1, 0.017, 0.4, 0.033, 0.5, 0.041, 0.3, 1 / 30, 2.5, 0.01])
    path = tmp_path / f"out{suffix}"
    with open_writer(path, size=(64, 48), fps=20) as writer:
        fill(writer, make, times)
        assert writer.partial.exists()
        assert not path.exists()
    frames = list(open_source(path))
    np.testing.assert_allclose([f.time for f in frames], times, atol=1e-3)
    places = [make.bar(make.image(i, count=len(times))) for i in range(len(times))]
    np.testing.assert_allclose([make.bar(f.image) for f in frames], places, atol=1)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_colours_come_back(tmp_path):
    image = np.zeros((48, 64, 3), np.uint8)
    image[:, :32], image[:, 32:] = (200, 60, 90), (30, 160, 220)
    with VideoWriter(tmp_path / "out.mp4", size=(64, 48)) as writer:
        for i in range(5):
            writer.write(image, i / 30)
    frame = list(open_source(writer.path))[-1]
    assert np.abs(frame.image[:, 4:28].mean((0, 1)) - (200, 60, 90)).max() < 4
    assert np.abs(frame.image[:, 36:60].mean((0, 1)) - (30, 160, 220)).max() < 4


def test_the_index_precedes_the_data(tmp_path, make):
    with VideoWriter(tmp_path / "out.mp4", size=(64, 48)) as writer:
        fill(writer, make, [0, 0.1, 0.2])
    data = writer.path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert b"moof" not in data


def test_times_that_do_not_advance_are_nudged(tmp_path, make):
    with VideoWriter(tmp_path / "out.mp4", size=(64, 48)) as writer:
        fill(writer, make, [7.0, 7.0, 6.9, 7.1])
    times = [f.time for f in open_source(writer.path)]
    np.testing.assert_allclose(times, [0, 0, 0, 0.1], atol=1e-3)
    assert np.all(np.diff(times) > 0)


def test_odd_sizes_are_padded_with_a_copy_of_the_edge(tmp_path):
    with VideoWriter(tmp_path / "out.mp4", size=(33, 31)) as writer:
        for i in range(3):
            writer.write(np.full((31, 33, 3), 200, np.uint8), i / 10)
    frame = next(open_source(writer.path))
    assert frame.image.shape == (32, 34, 3)
    assert frame.image.min() > 190


def test_another_size_is_fitted_with_bars(tmp_path):
    with VideoWriter(tmp_path / "out.mp4", size=(64, 48)) as writer:
        writer.write(np.full((48, 64, 3), 200, np.uint8), 0)
        writer.write(np.full((96, 64, 3), 200, np.uint8), 0.1)
    second = list(open_source(writer.path))[1].image
    assert second[:, 28:36].min() > 180
    assert max(second[:, :16].max(), second[:, -16:].max()) < 30


@pytest.mark.parametrize(
    ("name", "codec", "suffix"),
    [
        ("a.mp4", "aac", ".mp4"),
        ("a.mkv", "aac", ".mp4"),
        ("a.ts", "aac", ".mov"),
        ("a.mkv", "pcm_s16le", ".mp4"),
        ("a.mp4", "aac", ".mkv"),
    ],
)
def test_sound_is_kept(tmp_path, make, name, codec, suffix):
    source = make.encode(tmp_path / name, [i / 10 for i in range(30)], audio=(codec, 3.0))
    with (
        open_source(source) as frames,
        VideoWriter(tmp_path / f"out{suffix}", size=(64, 48), fps=10, sound=frames.sound) as w,
    ):
        for frame in frames:
            w.write(frame.image, frame.time)
    ((start, length, name),) = sound(w.path)
    assert name == "aac"
    assert start == pytest.approx(0, abs=0.1)
    assert length == pytest.approx(3, abs=0.15)
    assert len(list(open_source(w.path))) == 30


def test_sound_is_cut_with_the_images_and_keeps_its_place(tmp_path, make):
    source = make.encode(tmp_path / "a.mkv", [0.5 + i / 10 for i in range(40)], audio=("pcm_s16le", 3.0))
    # The images begin 0.5 s after the sound, so the sound ends 2.5 s into them.
    with VideoWriter(tmp_path / "out.mp4", size=(64, 48), fps=10, sound=at(source, 0.5)) as writer:
        for frame in open_source(source, start=2.0):
            writer.write(frame.image, frame.time)
    ((start, length, _),) = sound(writer.path)
    assert start == pytest.approx(0, abs=0.15)
    assert length == pytest.approx(0.5, abs=0.15)
    with VideoWriter(tmp_path / "short.mp4", size=(64, 48), fps=10, sound=at(source, 0.5)) as writer:
        for frame in open_source(source, end=1.0):
            writer.write(frame.image, frame.time)
    ((_, length, _),) = sound(writer.path)
    assert length == pytest.approx(1.0, abs=0.15)


def test_a_source_without_sound_or_no_longer_there_is_no_error(tmp_path, make, video):
    for name in (video, tmp_path / "gone.mp4"):
        with VideoWriter(tmp_path / "out.mp4", size=(64, 48), sound=at(name), overwrite=True) as writer:
            fill(writer, make, [0, 0.1])
        assert sound(writer.path) == []


def test_an_error_leaves_a_playable_partial_file(tmp_path, make):
    def interrupted(writer):
        fill(writer, make, [i / 10 for i in range(30)])
        raise KeyboardInterrupt

    writer = VideoWriter(tmp_path / "out.mp4", size=(64, 48), fps=10)
    with pytest.raises(KeyboardInterrupt), writer:
        interrupted(writer)
    assert not writer.path.exists()
    assert writer.partial.name == "out.partial.mp4"
    assert len(list(open_source(writer.partial))) == 30


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_a_killed_process_leaves_a_playable_partial_file(tmp_path):
    code = """
import os, signal, sys, numpy as np
from posetrack.tracker.video.write.video import VideoWriter
writer = VideoWriter(sys.argv[1], size=(64, 48), fps=10)
for i in range(150):
    writer.write(np.full((48, 64, 3), i, np.uint8), i / 10)
os.kill(os.getpid(), signal.SIGKILL)
"""
    root = Path(module.__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "out.mp4"], cwd=root)
    assert done.returncode == -signal.SIGKILL
    assert len(list(open_source(tmp_path / "out.partial.mp4"))) >= 100


def test_a_full_disk_is_a_sentence_with_the_frames_that_play(tmp_path, make, full_disk):
    with (
        full_disk(20_000),
        pytest.raises(OutputError, match="File too large") as caught,
        VideoWriter(tmp_path / "out.mp4", size=(64, 48), fps=10) as writer,
    ):
        fill(writer, make, [i / 10 for i in range(200)])
    assert [file.name for file in tmp_path.iterdir()] == ["out.partial.mp4"]
    frames = len(list(open_source(writer.partial)))
    assert frames > 0
    assert f" {frames} frames can be played from" in str(caught.value)


def test_a_disk_that_fills_at_any_byte_leaves_no_broken_video_under_its_name(tmp_path, make, full_disk):
    path = tmp_path / "out.mp4"
    with VideoWriter(path, size=(64, 48), fps=10) as writer:
        fill(writer, make, [i / 10 for i in range(20)])
    for size in range(500, path.stat().st_size, 700):
        with full_disk(size), pytest.raises(OutputError), VideoWriter(path, size=(64, 48), fps=10, overwrite=True) as w:
            fill(w, make, [i / 10 for i in range(20)])
        assert len(list(open_source(path))) == 20


def test_a_second_writer_of_the_same_file_is_refused(tmp_path, make):
    with VideoWriter(tmp_path / "out.mp4", size=(64, 48)) as writer:
        with pytest.raises(OutputError, match="another run is writing"):
            VideoWriter(tmp_path / "out.mp4", size=(64, 48))
        fill(writer, make, [0, 0.1])
    assert [file.name for file in tmp_path.iterdir()] == ["out.mp4"]


def test_a_disk_that_fills_while_finishing_keeps_the_partial_file(tmp_path, make, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module, "remux", full)
    writer = VideoWriter(tmp_path / "out.mp4", size=(64, 48))
    with pytest.raises(OutputError, match=r"No space left on device.* 30 frames can be played from"), writer:
        fill(writer, make, [i / 10 for i in range(30)])
    assert len(list(open_source(writer.partial))) == 30
    assert [p.name for p in tmp_path.iterdir()] == ["out.partial.mp4"]


def test_an_existing_file_is_kept_by_default(tmp_path, make):
    path = tmp_path / "new" / "out.mp4"
    for overwrite in (False, True):
        with VideoWriter(path, size=(64, 48), overwrite=overwrite) as writer:
            fill(writer, make, [0, 0.1])
    with pytest.raises(OutputError, match="--overwrite"):
        VideoWriter(path, size=(64, 48))
    path.with_suffix(".png").touch()
    with pytest.raises(OutputError, match="--overwrite"):
        ImageWriter(path.with_suffix(".png"))
    with pytest.raises(OutputError, match="source itself"):
        VideoWriter(path, size=(64, 48), sound=at(path), overwrite=True)


def test_a_place_that_cannot_be_written_is_refused_at_once(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Cannot write"):
        VideoWriter(tmp_path / "file" / "out.mp4", size=(64, 48))
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        VideoWriter(tmp_path / "folder.mp4", size=(64, 48))


def test_no_frame_leaves_no_file(tmp_path):
    with VideoWriter(tmp_path / "out.mp4", size=(64, 48)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_writing_after_the_close_is_refused(tmp_path, make):
    with VideoWriter(tmp_path / "out.mp4", size=(64, 48)) as writer:
        fill(writer, make, [0])
    with pytest.raises(OutputError, match="closed"):
        fill(writer, make, [1])
    writer.close()


@pytest.mark.parametrize("name", ["out.png", "größe.jpg", "out.jpeg"])
def test_a_image_is_written_whole(tmp_path, make, name):
    with open_writer(tmp_path / name, size=(64, 48)) as writer:
        writer.write(make.image(3), 0.0)
        with pytest.raises(OutputError, match="holds one image"):
            writer.write(make.image(3), 0.0)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert np.abs(next(open_source(writer.path)).image.astype(int) - make.image(3)).mean() < 10


def test_an_unknown_suffix_names_the_known_ones(tmp_path):
    with pytest.raises(UsageError, match=r"\.mp4 \.mov \.mkv \.png \.jpg"):
        open_writer(tmp_path / "out.webm", size=(64, 48))
