"""The loop writes the same results in parallel and in sequence, also after errors."""

import threading
import time
import traceback

import numpy as np
import pytest

from posetrack import Detections, Pipeline, Poses, load_pipeline
from posetrack.errors import ModelError, OutputError
from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.formats.table import CsvSink
from posetrack.tracker.loop import loop
from posetrack.tracker.output.sinks import Sinks
from posetrack.tracker.perception.schedule import Schedule
from posetrack.tracker.types import Frame
from posetrack.tracker.video.open import open_source

both = pytest.mark.parametrize("threads", [True, False])


class Frames:
    """A source of images in memory, which may be live and may fail."""

    def __init__(self, count, *, live=False, error=None):
        self.count, self.live, self.error, self.given, self.closed = count, live, error, 0, False

    def __iter__(self):
        return self

    def __next__(self):
        if self.closed or self.given == self.count:
            raise self.error or StopIteration
        self.given += 1
        index = self.given - 1
        return Frame(np.full((9, 12, 3), index % 256, np.uint8), index, index / 30)

    def close(self):
        self.closed = True


class Boxes:
    name, sha256, network = "boxes", "", None
    fails_at = None

    def __call__(self, frame):
        if frame.index == self.fails_at:
            raise ModelError("The detector broke.")
        return Detections([[10, 10, 60, 80]], [0.9])


class Middle:
    """Every keypoint is where the box and the image say."""

    name, sha256, network, skeleton = "middle", "", None, COCO

    def __call__(self, frame, detections):
        place = detections.boxes.mean() + frame.image.mean() % 5
        keypoints = np.full((len(detections), 17, 2), place)
        return Poses(detections.boxes, keypoints, np.ones((len(detections), 17)), detections.scores)


class Seen:
    """A sink that keeps the frames' numbers and their people's ids."""

    closed = False
    fails_at = None

    def __init__(self):
        self.rows = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def write(self, frame, tracks):
        if frame.index == self.fails_at:
            raise OutputError("The disk is full.")
        self.rows.append((frame.index, tracks.ids.tolist(), float(tracks.poses.keypoints.sum())))


def run(frames, *, threads, seen=None, detector=None, step=lambda people: None):
    seen = seen or Seen()
    with Sinks(seen) as sinks:
        loop(frames, Pipeline(detector or Boxes(), Middle()), sinks, step, threads=threads)
    return seen.rows


def alive():
    return [thread for thread in threading.enumerate() if thread.name.startswith("posetrack-")]


@pytest.mark.slow
def test_the_table_of_a_video_is_the_same_to_the_last_byte(walking_clip, tmp_path):
    tables = []
    for threads, streams in ((False, 1), (True, 1), (True, 2)):
        pipeline = load_pipeline(device="cpu", offline=True, streams=streams)
        path = tmp_path / f"{threads}-{streams}.csv"
        with open_source(walking_clip) as frames, Sinks(CsvSink(path, skeleton=COCO)) as sinks:
            loop(frames, pipeline, sinks, lambda people: None, threads=threads)
        tables.append(path.read_bytes())
        assert frames.frames_read == 10
        assert {"read", "detect", "pose", "track"} <= set(pipeline.timings.stages)
    assert tables[0] == tables[1] == tables[2]
    assert tables[0].count(b"\n") > 10


def test_every_frame_of_a_file_is_written_in_order():
    rows = run(Frames(200), threads=True)
    assert [row[0] for row in rows] == list(range(200))
    assert rows == run(Frames(200), threads=False)


def test_poses_of_several_frames_at_once_come_in_order():
    meet, over = threading.Barrier(2, timeout=60), [threading.Event() for _ in range(30)]

    class Pairs(Middle):
        """The first one of two frames gets its pose after the second one."""

        def __call__(self, frame, detections):
            pair, second = divmod(frame.index, 2)
            meet.wait()  # two are here at once
            if not second:
                assert over[pair].wait(60)
            poses = super().__call__(frame, detections)
            if second:
                over[pair].set()
            return poses

    rows = Seen()
    with Sinks(rows) as sinks:
        loop(Frames(60), Pipeline(Boxes(), Pairs(), streams=2), sinks, lambda people: None)
    assert rows.rows == run(Frames(60), threads=False)


@both
def test_an_error_in_a_pose_comes_after_the_frames_before_it(threads):
    class Breaks(Middle):
        def __call__(self, frame, detections):
            if frame.index == 7:
                raise ModelError("The pose network broke.")
            return super().__call__(frame, detections)

    seen = Seen()
    with pytest.raises(ModelError, match=r"The pose network broke\."), Sinks(seen) as sinks:
        loop(Frames(20), Pipeline(Boxes(), Breaks(), streams=2), sinks, lambda people: None, threads=threads)
    assert [row[0] for row in seen.rows] == list(range(7))
    assert not alive()


@both
def test_an_error_in_a_network_comes_after_the_frames_before_it(threads):
    seen, detector = Seen(), Boxes()
    detector.fails_at = 7
    with pytest.raises(ModelError, match=r"The detector broke\.") as caught:
        run(Frames(20), threads=threads, seen=seen, detector=detector)
    assert [row[0] for row in seen.rows] == list(range(7))
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "__call__"
    assert not alive()


@both
def test_an_error_of_the_source_comes_after_its_last_frame(threads):
    seen = Seen()
    with pytest.raises(OSError, match="cable"):
        run(Frames(5, error=OSError("cable")), threads=threads, seen=seen)
    assert [row[0] for row in seen.rows] == list(range(5))


@both
def test_an_error_of_a_sink_ends_the_run(threads):
    seen = Seen()
    seen.fails_at = 3
    with pytest.raises(OutputError, match=r"The disk is full\."):
        run(Frames(20), threads=threads, seen=seen)
    assert [row[0] for row in seen.rows] == [0, 1, 2]
    assert not alive()


@both
@pytest.mark.parametrize("live", [True, False])
def test_ctrl_c_ends_a_live_source_well_and_leaves_a_file_unfinished(live, threads):
    frames, seen = Frames(10**4, live=live), Seen()

    def step(people):
        if len(seen.rows) == 4:
            raise KeyboardInterrupt

    if live:
        run(frames, threads=threads, seen=seen, step=step)
    else:
        with pytest.raises(KeyboardInterrupt):
            run(frames, threads=threads, seen=seen, step=step)
    assert len(seen.rows) == 4
    assert frames.closed == live
    assert not alive()


@both
def test_a_closed_window_ends_a_live_source(threads):
    frames, seen = Frames(10**4, live=True), Seen()
    seen.closed = True
    run(frames, threads=threads, seen=seen)
    assert len(seen.rows) == 1


def test_a_slow_network_builds_up_no_lag_on_a_live_source():
    """What is written is at most three frames of the network old, however long the run."""

    class Slow(Middle):
        def __call__(self, frame, detections):
            time.sleep(0.01)
            return super().__call__(frame, detections)

    camera, ages = Frames(10**9, live=True), []

    class Ages(Seen):
        def write(self, frame, tracks):
            ages.append(camera.given - frame.index - 1)
            if len(ages) == 20:
                raise KeyboardInterrupt

    with Sinks(Ages()) as sinks:
        loop(camera, Pipeline(Boxes(), Slow()), sinks, lambda people: None)
    assert max(ages) <= 3  # one in each of the two other stages, and one that is being read


@both
def test_the_pace_is_set_in_the_thread_that_tracks_before_each_frame(threads):
    class Camera(Frames):
        @property
        def frames_dropped(self):
            return 7

    calls = []

    class Watched(Middle):
        def __call__(self, frame, detections):
            calls.append(("frame", threading.get_ident()))
            return super().__call__(frame, detections)

    pipeline = Pipeline(Boxes(), Watched(), schedule=Schedule("auto", 1))
    with Sinks(Seen()) as sinks:
        pace = lambda dropped: calls.append((dropped, threading.get_ident()))  # noqa: E731
        loop(Camera(5, live=True), pipeline, sinks, lambda people: None, threads=threads, pace=pace)
    assert [what for what, _ in calls] == [7, "frame"] * 5
    (thread,) = {thread for _, thread in calls}
    assert (thread == threading.get_ident()) != threads
