"""Frames that are spared the networks: fewer calls, the same people, the same table however it is computed."""

import av
import numpy as np
import pytest

from posetrack import Detections, Frame, Pipeline, Poses, PoseTracker, load_pipeline
from posetrack.models.geometry.boxes import iou
from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.formats.table import CsvSink
from posetrack.tracker.loop import loop
from posetrack.tracker.output.sinks import Sinks
from posetrack.tracker.perception.activity import Activity
from posetrack.tracker.perception.schedule import FrameMode, Schedule
from posetrack.tracker.types import State
from posetrack.tracker.video.open import open_source
from posetrack.tracker.video.sample import make_sample

FPS = 30
WALK = synthetic.fitted(
    synthetic.people(synthetic.regular(3, FPS), starts=[[100, 240], [400, 240]], velocities=[[60, 0], [0, 30]]), 10
)
COMES = 50  # the frame in which the second one appears


class Watcher:
    """A detector and a pose network that know the truth, and are asked for no more than they are."""

    name, sha256, network, skeleton = "truth", "", None, COCO

    def __init__(self, scene=WALK, comes=0):
        self.scene, self.comes, self.detections, self.crops = scene, comes, [], []

    def there(self, index):
        return list(range(len(self.scene.ids))) if index >= self.comes else [0]

    def detect(self, frame):
        self.detections.append(frame.index)
        boxes = self.scene.boxes[frame.index, self.there(frame.index)]
        return Detections(boxes, np.full(len(boxes), 0.9))

    def estimate(self, frame, people):
        """Describe the person nearest to the centre of each box."""
        self.crops.append(frame.index)
        truth = self.scene.boxes[frame.index]
        middles = [(boxes[:, None, :2] + boxes[:, None, 2:]) / 2 for boxes in (people.boxes, truth)]
        who = np.linalg.norm(middles[0] - middles[1].swapaxes(0, 1), axis=-1).argmin(1) if len(people) else []
        keypoints = self.scene.keypoints[frame.index][np.asarray(who, dtype=int)]
        return Poses(people.boxes, keypoints, np.full(keypoints.shape[:2], 0.9), people.scores)

    def frames(self):
        for index, time in enumerate(self.scene.times):
            image = np.full((480, 640, 3), 90, np.uint8)
            for left, top, right, bottom in self.scene.boxes[index, self.there(index)].astype(int):
                image[max(top, 0) : bottom, max(left, 0) : right] = 200
            yield Frame(image, index, float(time))


class Part:
    """One callable of a watcher, with what a pipeline asks of its parts."""

    name, sha256, network, skeleton = "truth", "", None, COCO

    def __init__(self, call):
        self.call = call

    def __call__(self, *words):
        return self.call(*words)


def watch(schedule, **scene):
    watcher = Watcher(**scene)
    pipeline = Pipeline(Part(watcher.detect), Part(watcher.estimate), schedule=schedule, activity=Activity())
    return watcher, [pipeline(frame) for frame in watcher.frames()], pipeline


def test_a_followed_box_follows_the_arms():
    scene = synthetic.raised_arms(synthetic.regular(3, FPS))
    _, tracks, _ = watch(Schedule(15, 1), scene=scene)
    overlap = np.array([iou(people.boxes, boxes)[0, 0] for people, boxes in zip(tracks, scene.boxes)])
    assert overlap.min() > 0.7
    assert overlap.mean() > 0.95


def test_every_fifth_frame_is_detected_and_all_are_measured():
    watcher, tracks, pipeline = watch(Schedule(5, 1))
    assert watcher.detections == list(range(0, 90, 5))
    assert watcher.crops == list(range(90))
    assert all(state is State.MEASURED for people in tracks for state in people.states)
    assert pipeline.modes == {FrameMode.DETECT: 18, FrameMode.FOLLOW: 72}


@pytest.mark.parametrize("schedule", [Schedule(5, 1), Schedule(6, 2), Schedule("auto", 1), Schedule("auto", "auto")])
def test_people_are_where_they_are_with_every_look(schedule):
    _, full, _ = watch(Schedule())
    _, less, _ = watch(schedule)
    heights = WALK.boxes[0, :, 3] - WALK.boxes[0, :, 1]
    for a, b in zip(full, less):
        assert a.ids.tolist() == b.ids.tolist()
        apart = np.linalg.norm(a.poses.keypoints - b.poses.keypoints, axis=-1) / heights[:, None]
        assert np.percentile(apart, 95) < 0.03
        assert b.poses.boxes == pytest.approx(a.poses.boxes, abs=0.1 * heights.max())


def single_stage(schedule, **scene):
    """Watch the scene with an estimator that finds all people itself."""
    watcher = Watcher(**scene)
    whole = Part(lambda frame: watcher.estimate(frame, watcher.detect(frame)))
    pipeline = Pipeline(None, whole, schedule=schedule, activity=Activity())
    return watcher, [pipeline(frame) for frame in watcher.frames()], pipeline


@pytest.mark.parametrize("schedule", [Schedule(), Schedule(2, 2), Schedule("auto", "auto")])
def test_a_single_stage_network_finds_the_same_people(schedule):
    _, full, _ = watch(Schedule())
    _, single, pipeline = single_stage(schedule)
    heights = WALK.boxes[0, :, 3] - WALK.boxes[0, :, 1]
    assert FrameMode.FOLLOW not in pipeline.modes
    for a, b in zip(full, single):
        assert a.ids.tolist() == b.ids.tolist()
        apart = np.linalg.norm(a.poses.keypoints - b.poses.keypoints, axis=-1) / heights[:, None]
        assert np.percentile(apart, 95) < 0.03


def test_auto_spares_a_single_stage_network_and_finds_someone_new():
    watcher, tracks, pipeline = single_stage(Schedule("auto", "auto"), comes=COMES)
    assert watcher.detections == watcher.crops
    assert len(watcher.crops) < 75
    assert pipeline.modes[FrameMode.PREDICT] == 90 - len(watcher.crops)
    assert next(i for i, people in enumerate(tracks) if len(people) == 2) <= COMES + 4


def test_auto_spares_the_detector():
    watcher, _, _ = watch(Schedule("auto", "auto"))
    assert len(watcher.detections) < 25
    assert len(watcher.crops) < 75


def test_someone_new_is_found_at_the_next_detection():
    _, tracks, _ = watch(Schedule(10, 1), comes=COMES + 1)
    assert next(i for i, people in enumerate(tracks) if len(people) == 2) <= COMES + 11


def test_auto_finds_someone_new_within_its_limits():
    _, tracks, _ = watch(Schedule("auto", 1), comes=COMES)
    assert next(i for i, people in enumerate(tracks) if len(people) == 2) <= COMES + 4  # a tenth of a second


def test_who_leaves_the_crop_is_lost_and_looked_for():
    """A box does not confirm itself: without a detector that agrees, no one stays measured for long."""
    scene = synthetic.people(WALK.times, starts=[[100, 240], [300, 240]], velocities=[[0, 0], [0, 0]])
    scene.keypoints[40:, 0] += 5000  # gone, at once
    scene.boxes[40:, 0] += 5000
    _, tracks, _ = watch(Schedule("auto", 1), scene=scene)
    assert tracks[39].ids.tolist() == [1, 2]
    assert all(1 not in people.ids or people.states[0] is State.PREDICTED for people in tracks[40:])
    assert tracks[60].ids.tolist() == [2]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_sample(tmp_path_factory.mktemp("clips") / "people.mp4", seconds=2, fps=24)


@pytest.mark.slow
@pytest.mark.parametrize("every", [(3, 1), (4, 2), ("auto", "auto")])
def test_a_file_gives_the_same_table_with_and_without_threads(every, clip, tmp_path):
    pipeline = load_pipeline(device="cpu", offline=True, detect_every=every[0], pose_every=every[1])
    tables = []
    for threads in (False, True):
        pipeline.reset()
        pipeline.tracker = PoseTracker()
        path = tmp_path / f"{threads}.csv"
        with open_source(clip) as frames, Sinks(CsvSink(path, skeleton=COCO)) as sinks:
            loop(frames, pipeline, sinks, lambda people: None, threads=threads)
        tables.append(path.read_bytes())
    assert tables[0] == tables[1]
    assert tables[0].count(b"\n") > 40


@pytest.mark.slow
def test_people_of_photographs_keep_their_ids_until_the_cut(clip):
    with av.open(str(clip)) as video:
        images = [frame.to_ndarray(format="bgr24") for frame in video.decode(video=0)]
    found = {}
    for every in ((1, 1), ("auto", "auto")):
        pipeline = load_pipeline(device="cpu", offline=True, detect_every=every[0], pose_every=every[1])
        found[every] = [pipeline(Frame(image, i, i / 24)) for i, image in enumerate(images)]
        assert [i for i, people in enumerate(found[every]) if people.new_scene] == [0, 24]
    full, less = ([set(people.ids.tolist()) for people in run] for run in found.values())
    assert less[0]
    assert less[23] & less[0]  # one shot
    assert not less[24] & less[23]  # another
    assert np.mean([len(a) == len(b) for a, b in zip(full, less)]) > 0.8  # who is doubtful may be overlooked
