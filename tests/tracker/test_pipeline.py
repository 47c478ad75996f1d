"""The line from pixels to people, with the bundled networks, on frames of every kind."""

import numpy as np
import pytest

from posetrack import Detections, Frame, Pipeline, Poses, load_pipeline
from posetrack.errors import DeviceError, UsageError
from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.perception.pose import load_pose_estimator


@pytest.fixture(scope="module")
def pipeline():
    return load_pipeline(device="cpu", offline=True)


@pytest.fixture(scope="module")
def people(walking_clip):
    import av

    with av.open(str(walking_clip)) as video:
        return next(video.decode(video=0)).to_ndarray(format="bgr24")


class Boxes:
    """A detector that gives the same boxes for every image."""

    name, sha256 = "boxes", ""

    def __init__(self, boxes):
        self.boxes = np.asarray(boxes, dtype=np.float32).reshape(-1, 4)

    def __call__(self, frame):
        return Detections(self.boxes, np.ones(len(self.boxes)))


def test_people_are_found_at_once_and_stand_on_their_keypoints(pipeline, people):
    pipeline.reset()
    tracks = pipeline(Frame(people, 0, 0.0))
    assert len(tracks) >= 1
    poses = tracks.poses
    sure = poses.scores > 0.5
    assert sure.any()
    margin = 0.2 * (poses.boxes[:, 2:] - poses.boxes[:, :2])[:, None]
    low, high = poses.boxes[:, None, :2] - margin, poses.boxes[:, None, 2:] + margin
    inside = ((poses.keypoints >= low) & (poses.keypoints <= high)).all(-1)
    assert inside[sure].mean() > 0.9


def test_the_head_is_above_the_feet(pipeline, people):
    pipeline.reset()
    poses = pipeline(Frame(people, 0, 0.0)).poses
    standing = np.minimum(poses.scores[:, 0], poses.scores[:, 15:].max(1)) > 0.3
    assert standing.any()
    assert (poses.keypoints[standing, 0, 1] < np.nanmax(poses.keypoints[standing, 15:, 1], axis=1)).all()


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (37, 53), (481, 333), (30, 2000)])
@pytest.mark.parametrize("level", [0, 127, 255])
def test_a_frame_without_people_has_no_tracks(pipeline, shape, level):
    pipeline.reset()
    tracks = pipeline(Frame(np.full((*shape, 3), level, np.uint8), 0, 0.0))
    assert len(tracks) == 0
    assert tracks.poses.keypoints.shape == (0, 17, 2)


def test_sixty_people_are_one_batch(people):
    estimator = load_pose_estimator(device="cpu")
    batches = []
    network = estimator.network
    estimator.network = lambda images: batches.append(len(images)) or network(images)
    x, y = np.meshgrid(np.arange(10) * 60.0, np.arange(6) * 75.0)
    corners = np.stack([x.ravel(), y.ravel()], axis=1)
    crowd = Pipeline(Boxes(np.concatenate([corners, corners + np.array([50, 100])], axis=1)), estimator)
    tracks = crowd(Frame(people, 0, 0.0))
    assert batches == [60]
    assert len(tracks) == 60
    assert len(set(tracks.ids.tolist())) == 60


def test_a_box_beyond_the_image_is_no_trouble(people):
    crowd = Pipeline(Boxes([[-500, -500, -400, -300], [5000, 10, 5100, 200]]), load_pose_estimator(device="cpu"))
    assert len(crowd(Frame(people, 0, 0.0))) == 2


def test_the_mirrored_crop_changes_the_pose_only_a_little(people):
    boxes = load_pipeline(device="cpu", offline=True).detector(Frame(people, 0, 0.0))
    plain = load_pose_estimator(device="cpu")(Frame(people, 0, 0.0), boxes)
    flipped = load_pose_estimator(device="cpu", flip=True)(Frame(people, 0, 0.0), boxes)
    height = (boxes.boxes[:, 3] - boxes.boxes[:, 1])[:, None]
    sure = np.minimum(plain.scores, flipped.scores) > 0.5
    distance = np.linalg.norm(plain.keypoints - flipped.keypoints, axis=-1) / height
    assert np.median(distance[sure]) < 0.03


def test_images_of_another_size_begin_anew():
    from posetrack.models.geometry.keypoints import COCO
    from posetrack.tracker.types import Poses

    class Middle:
        name, sha256, skeleton = "middle", "", COCO

        def __call__(self, frame, detections):
            n = len(detections)
            return Poses(detections.boxes, np.full((n, 17, 2), 30.0), np.ones((n, 17)), detections.scores)

    line = Pipeline(Boxes([[10, 10, 50, 90]]), Middle())
    sizes = [(100, 100)] * 3 + [(100, 120)] * 3
    ids = [line(Frame(np.zeros((*size, 3), np.uint8), i, i / 30)).ids.tolist() for i, size in enumerate(sizes)]
    assert ids == [[1]] * 3 + [[2]] * 3


def test_two_pipelines_count_their_own_ids(people):
    for _ in range(2):
        tracks = load_pipeline(device="cpu", offline=True)(Frame(people, 0, 0.0))
        assert tracks.ids[0] == 1


def test_a_device_that_is_not_there_is_never_replaced(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(DeviceError, match="'cuda:0' was requested"):
        load_pipeline(device="cuda:0", offline=True)
    with pytest.raises(UsageError, match="not known"):
        load_pipeline(device="gpu", offline=True)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("name", ["transpose-r-a3", "potr-deit-s16"])
def test_networks_of_every_family_take_their_place_in_the_line(name, flip, people):
    """Predictions land in their crops under all conventions, except for rare Newton steps on noise."""
    import torch

    from posetrack.models.weights.card import PoseCard
    from posetrack.models.weights.variants import ZOO
    from posetrack.tracker.perception.pose import TopDownPoseEstimator
    from posetrack.tracker.perception.runtimes.pytorch import TorchRuntime

    torch.manual_seed(0)
    network = ZOO[name].build()
    card = PoseCard(input_size=network.input_size, processing=network.processing.name)
    boxes = Detections(np.array([[100.0, 50, 250, 350], [300, 20, 380, 200]]), np.ones(2))
    poses = TopDownPoseEstimator(TorchRuntime(network), card, flip=flip)(Frame(people, 0, 0.0), boxes)
    assert poses.keypoints.shape == (2, 17, 2)
    centers = (boxes.boxes[:, :2] + boxes.boxes[:, 2:]) / 2
    found = ~np.isnan(poses.keypoints[..., 0])
    assert found.any()
    assert (np.abs(poses.keypoints - centers[:, None])[found] <= 0.63 * 300 + 2).mean() > 0.8


def test_a_hard_cut_hands_no_id_over():
    boxes = Boxes([[10, 10, 60, 110]])
    motions = iter([np.eye(2, 3), None, np.eye(2, 3)])

    class Camera:
        def __call__(self, frame, detections):
            return next(motions)

    pipeline = Pipeline(boxes, load_pose_estimator(device="cpu"), camera=Camera())
    image = np.zeros((120, 160, 3), dtype=np.uint8)
    assert [pipeline(Frame(image, i, i / 25)).ids.tolist() for i in range(3)] == [[1], [2], [2]]


def test_a_newcomer_is_among_the_others_until_they_have_an_id():
    boxes = Boxes([[20, 20, 80, 200]])

    def estimate(frame, detections):
        n = len(detections)
        middles = (detections.boxes[:, None, :2] + detections.boxes[:, None, 2:]) / 2
        return Poses(detections.boxes, np.repeat(middles, 17, axis=1), np.full((n, 17), 0.9), detections.scores)

    estimate.skeleton = COCO
    line = Pipeline(boxes, estimate)
    image = np.zeros((240, 320, 3), np.uint8)
    seen = [line(Frame(image, 0, 0.0))]
    boxes.boxes = np.array([[20, 20, 80, 200], [200, 20, 260, 200]], np.float32)
    seen += [line(Frame(image, index, index / 25)) for index in (1, 2)]
    assert [tracks.ids.tolist() for tracks in seen] == [[1], [1], [1, 2]]
    assert [tracks.others.tolist() for tracks in seen] == [[], [[200, 20, 260, 200]], []]


def test_sessions_in_threads_give_what_each_gives_alone(pipeline, people):
    from concurrent.futures import ThreadPoolExecutor

    height, width = people.shape[:2]
    smaller = np.ascontiguousarray(people[: height - height // 4, : width - width // 4])
    videos = [people, np.ascontiguousarray(people[:, ::-1]), smaller]

    def follow(image):
        session = pipeline.session()
        return [session(Frame(image, index, index / 10)) for index in range(3)]

    alone = [follow(video) for video in videos]
    with ThreadPoolExecutor(len(videos)) as threads:
        together = list(threads.map(follow, videos))
    for first, second in zip(alone, together):
        for one, other in zip(first, second):
            assert one.ids.tolist() == other.ids.tolist()
            np.testing.assert_allclose(one.keypoints, other.keypoints, atol=1e-2)
    assert any(len(tracks) for video in alone for tracks in video)
