"""A long video in segments: the tracks are those of a run from the beginning to the end."""

import tempfile
from dataclasses import dataclass

import numpy as np
import pytest

from posetrack.errors import PosetrackError, SourceError
from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.batch.segments import LENGTH, Observe, Segment, observing, segments_of, split
from posetrack.tracker.batch.worker import Died, Finished, Ready
from posetrack.tracker.cli import main
from posetrack.tracker.config.source import Source
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.loop import track_frames
from posetrack.tracker.perception.schedule import Schedule
from posetrack.tracker.pipeline import Pipeline
from posetrack.tracker.types import Detections, Poses
from posetrack.tracker.video.open import open_source
from posetrack.tracker.video.sample import make_sample
from posetrack.tracker.video.write.video import VideoWriter

FPS, SECONDS = 10, 48


class Scene:
    """Networks that see a pair cross again and again; between two times they are away long enough to be new people."""

    name, sha256, network, skeleton = "scene", "", None, COCO

    def __init__(self):
        lap = [poses for _, poses, _ in synthetic.crossing(synthetic.regular(8, FPS)).frames(noise=0.01)]
        lap += [Poses.empty()] * (5 * FPS)
        self.frames = [lap[index % len(lap)] for index in range(FPS * SECONDS)]

    def __call__(self, frame, detections=None):
        poses = self.frames[frame.index]
        if detections is None:
            return Detections(poses.boxes, poses.box_scores)
        if not len(poses):  # a track is followed to where no one is
            missing = np.full((len(detections), len(COCO), 2), np.nan)
            return Poses(detections.boxes, missing, np.zeros(missing.shape[:2]), detections.scores)
        return poses[[int(np.abs(poses.boxes - box).sum(1).argmin()) for box in detections.boxes]]


def pipeline(schedule=None):
    scene = Scene()
    return Pipeline(scene, scene, schedule=schedule, recover=False)


@dataclass
class Here:
    """One worker, in this process."""

    pipeline: Pipeline
    result: object = None  # instead of the task's
    closed: bool = False

    def start(self):
        self.messages = [Ready(())]
        return 0

    def give(self, worker, task):
        made = self.result or task(self.pipeline, lambda: None)
        self.messages.append(made if isinstance(made, Died) else Finished(made))

    def wait(self):
        while self.messages:
            yield 0, self.messages.pop(0)

    def close(self):
        self.closed = True


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Grey images; what is in them is up to the networks."""
    path = tmp_path_factory.mktemp("video") / "long.mp4"
    with VideoWriter(path, size=(640, 480), fps=FPS) as writer:
        for index in range(FPS * SECONDS):
            writer.write(np.full((480, 640, 3), 100, np.uint8), index / FPS)
    return path


def tracks_of(video, pipeline, observed=None):
    with open_source(video) as frames, track_frames(frames, pipeline, observed=observed) as people:
        return list(people)


def in_segments(video, workers, segments):
    with (
        open_source(video) as frames,
        observing(frames, video, Source(), segments, workers, count=2) as observed,
        track_frames(frames, workers.pipeline.session(), observed=observed) as people,
    ):
        return list(people)


def test_segments_cover_the_video_once():
    segments = split(5.0, 200.0, last=None, length=60, overlap=6)
    assert segments == [Segment(5, 5, 65), Segment(59, 65, 125), Segment(119, 125, None)]
    assert split(0.0, 40.0, last=40.0, length=60, overlap=6) == [Segment(0, 0, 40)]
    assert split(0.0, 0.0, last=None) == [Segment(0, 0, None)]


@pytest.mark.slow
def test_the_tracks_are_those_of_the_whole(video):
    workers = Here(pipeline())
    whole = tracks_of(video, pipeline())
    parts = in_segments(video, workers, split(0, SECONDS, last=None, length=12, overlap=6))
    assert workers.closed
    assert len(whole) == len(parts) == FPS * SECONDS
    assert max(max(tracks.ids, default=0) for _, tracks in whole) > 2  # ids go on across the borders
    for (frame, expected), (same, found) in zip(whole, parts):
        assert (frame.index, frame.time) == (same.index, same.time)
        np.testing.assert_array_equal(found.ids, expected.ids)
        np.testing.assert_array_equal(found.states, expected.states)
        np.testing.assert_array_equal(found.keypoints, expected.keypoints)


@pytest.mark.slow
def test_people_appear_at_another_detection_if_frames_are_skipped(video):
    """The frames with a detection differ where no one is followed across a border."""
    whole = tracks_of(video, pipeline(Schedule(detect_every=3)))
    workers = Here(pipeline(Schedule(detect_every=3)))
    parts = in_segments(video, workers, split(0, SECONDS, last=None, length=12, overlap=6))
    others = [frame.index for (frame, a), (_, b) in zip(whole, parts) if set(a.ids) != set(b.ids)]
    assert len(others) <= 4 * 3  # at most an interval of detections for each coming
    assert set().union(*(tracks.ids for _, tracks in whole)) == set().union(*(tracks.ids for _, tracks in parts))


def test_an_observation_of_a_segment_begins_where_the_last_one_ends(video):
    segments = split(0, SECONDS, last=None, length=12, overlap=6)
    times = [each.time for part in segments for each in Observe(video, part, Source())(pipeline(), lambda: None)]
    np.testing.assert_allclose(times, np.arange(FPS * SECONDS) / FPS, atol=1e-3)


def test_a_video_whose_middle_has_other_frames_is_refused(video):
    segments = split(0, SECONDS, last=None, length=12, overlap=6)
    first = Observe(video, segments[0], Source())(pipeline(), lambda: None)
    with pytest.raises(SourceError, match=r"has no frame at 12\.000 s when it is read from its middle"):
        in_segments(video, Here(pipeline(), result=first), segments)


@pytest.mark.parametrize(
    ("result", "message"),
    [(SourceError("It is damaged."), "It is damaged"), (Died("was ill"), "Segment 1 .* the last one was ill")],
)
def test_a_segment_that_fails_ends_the_run(video, result, message):
    workers = Here(pipeline(), result=result)
    with pytest.raises(PosetrackError, match=message):
        in_segments(video, workers, split(0, SECONDS, last=None, length=12, overlap=6))
    assert workers.closed


def test_a_run_that_stops_early_ends_its_workers(video):
    workers = Here(pipeline())
    with (
        open_source(video) as frames,
        observing(frames, video, Source(), split(0, SECONDS, last=None, length=12), workers, count=1) as observed,
    ):
        observed(next(frames))
    assert workers.closed


def test_only_long_videos_with_times_of_their_own_are_split(video, walking_clip):
    with open_source(video) as frames:
        assert len(segments_of(frames, Source())) == 1
        assert len(segments_of(frames, Source(fps=5.0))) == 1
        frames.duration = 3.2 * LENGTH
        assert len(segments_of(frames, Source())) == 3
        assert segments_of(frames, Source(start=10.0, end=2.0 * LENGTH))[-1].end == 2.0 * LENGTH


@pytest.fixture
def short(monkeypatch):
    """The temporary folder has a short name, as the sockets of Ray need it."""
    with tempfile.TemporaryDirectory(prefix="pt", ignore_cleanup_errors=True) as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        monkeypatch.setenv("TMPDIR", folder)
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_a_long_video_gives_the_same_table_with_two_processes_and_from_a_store_with_ray(tmp_path, monkeypatch):
    sources = []

    def noted(frames, source, *words, **more):
        sources.append(str(source))
        return observing(frames, source, *words, **more)

    monkeypatch.setattr("posetrack.tracker.batch.track.observing", noted)
    video = make_sample(tmp_path / "long.mp4", seconds=1.6 * LENGTH, fps=1)
    ways = [(video, "--jobs", 1), (video, "--jobs", 2), (f"local://{video}", "--engine", "ray", "--jobs", 2)]
    tables = []
    for words in ways:
        table = tmp_path / f"{len(tables)}.csv"
        assert main([*map(str, words), "--csv", str(table), "--offline", "--device", "cpu"]) == 0
        tables.append(table.read_bytes())
    assert tables[0] == tables[1] == tables[2]
    assert tables[0].count(b"\n") > 100
    assert sources == [str(video), f"local://{video}"]
