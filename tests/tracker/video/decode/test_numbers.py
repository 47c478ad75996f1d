"""The number of a frame is that of the source, also after lost, dropped or skipped frames."""

import time

import av
import numpy as np
import pytest
from cameras import Camera

from posetrack.tracker.video.live.camera import CameraReader
from posetrack.tracker.video.open import open_source
from posetrack.tracker.video.source import Source

STEADY = [i / 10 for i in range(40)]
VARIABLE = np.cumsum([0, *np.random.default_rng(0).uniform(0.02, 0.3, 39)]).round(3).tolist()


def damage(path, which):
    """Fill the packets of these numbers, in the order of the file, with rubbish."""
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size and packet.pos]
    data = bytearray(path.read_bytes())
    for place, size in (places[number] for number in which):
        data[place + 4 : place + size] = b"\xff" * (size - 4)
    path.write_bytes(data)


def truth(path):
    """Presentation times in seconds of an undamaged file, whose places are the numbers of its frames."""
    return [frame.time for frame in open_source(path)]


def check(frames, times):
    for frame in frames:
        assert frame.time == pytest.approx(times[frame.index], abs=2e-3), frame.index


@pytest.mark.parametrize(
    ("suffix", "times"),
    [("mp4", STEADY), ("mkv", STEADY), ("mov", STEADY), ("ts", STEADY), ("mp4", VARIABLE), ("mkv", VARIABLE)],
)
def test_damaged_packets_leave_the_numbers_of_the_others(suffix, times, make, tmp_path):
    path = make.encode(tmp_path / f"a.{suffix}", times)
    whole = truth(path)
    damage(path, [11, 12, 13, 27, 39])
    source = open_source(path)
    frames = list(source)
    assert len(frames) < 40
    check(frames, whole)
    assert len({frame.index for frame in frames}) == len(frames)


@pytest.mark.parametrize("times", [STEADY, VARIABLE], ids=["steady", "variable"])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("start", [0.05, 1.05, 2.0])
def test_a_start_leaves_the_numbers(start, suffix, times, make, tmp_path):
    path = make.encode(tmp_path / f"a.{suffix}", times)
    whole = truth(path)
    frames = list(open_source(path, start=start))
    assert frames[0].index == next(n for n, seconds in enumerate(whole) if seconds >= start - 5e-4)
    assert [frame.index for frame in frames] == list(range(frames[0].index, len(whole)))
    check(frames, whole)


def test_frames_that_the_camera_never_made_are_not_lost(make, tmp_path):
    times = [*STEADY[:10], *STEADY[20:]]
    assert [frame.index for frame in open_source(make.encode(tmp_path / "a.mp4", times))] == list(range(30))


def test_damage_in_a_file_without_timestamps_counts_as_a_frame(make, tmp_path):
    path = make.encode(tmp_path / "a.mjpeg", STEADY, codec="mjpeg", pix_fmt="yuvj420p", format="mjpeg")
    assert [frame.index for frame in open_source(path)] == list(range(40))


def test_dropped_frames_of_a_live_source_are_counted():
    with Source(CameraReader(0, capture=lambda _: Camera(pace=0.002)), name="camera 0") as source:
        frames = []
        for pause in (0, 0.05, 0, 0.1, 0):
            frames.append(next(source))
            time.sleep(pause)
    assert source.frames_dropped
    first = int(frames[0].image[0, 0, 0])
    assert [frame.index for frame in frames] == [int(frame.image[0, 0, 0]) - first for frame in frames]


def test_frames_that_a_camera_made_while_it_was_lost_are_counted():
    cameras = iter([Camera(count=6, pace=0.002), Camera(pace=0.002)])
    reader, other = (CameraReader(0, capture=lambda _, camera=camera: camera) for camera in cameras)
    with Source(reader, name="camera 0", reopen=lambda: other, reconnect=5.0) as source:
        frames = []
        while not source.gaps or frames[-1].time < source.gaps[0].end:
            frames.append(next(source))
    before, after = frames[-2:]
    lost = source.gaps[0].end - source.gaps[0].start
    assert after.index - before.index >= round(30 * lost) > 1


def test_tables_that_are_written_a_second_time_keep_the_numbers(make, tmp_path):
    from posetrack.models.geometry.keypoints import COCO
    from posetrack.tracker.formats.table import CsvSink
    from posetrack.tracker.output.two_pass import TwoPassSinks
    from posetrack.tracker.timings import Timings
    from posetrack.tracker.types import Poses, State, Tracks

    one = Tracks(
        [1], Poses(np.zeros((1, 4)), np.ones((1, 17, 2)), np.ones((1, 17))), np.zeros((1, 2)), (State.MEASURED,)
    )
    path = make.encode(tmp_path / "a.mp4", STEADY)
    table = CsvSink(tmp_path / "a.csv", skeleton=COCO)
    with TwoPassSinks(None, [table], revise=lambda times, tracks: list(tracks), timings=Timings()) as sinks:
        for frame in open_source(path, start=3.0):
            sinks.write(frame, one)
        sinks.second_pass(iter([]), lambda _: None)
    rows = (tmp_path / "a.csv").read_text().splitlines()[1:]
    assert [int(row.split(",")[0]) for row in rows] == list(range(30, 40))
