"""Faces are hidden regardless of the keypoints, and nothing else is changed."""

import numpy as np
import pytest

from posetrack.models.geometry.keypoints import COCO
from posetrack.models.geometry.skeletons import AIC, DATASETS
from posetrack.tracker.output.privacy import BlurFaces, only_skeletons
from posetrack.tracker.types import Frame, Poses, State, Tracks

NOISE = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)
BODY = {  # of a standing person 300 high, whose box begins at 0, 0
    "nose": (50, 22),
    "left_eye": (56, 16),
    "right_eye": (44, 16),
    "left_ear": (63, 19),
    "right_ear": (37, 19),
    "left_shoulder": (80, 55),
    "right_shoulder": (20, 55),
    "left_hip": (68, 150),
    "right_hip": (32, 150),
}


def image(time=0.0):
    return Frame(NOISE, 0, time)


def person(x=200, y=100, *, scores=None, identity=1, others=None, state=State.MEASURED):
    """Tracks with one person whose box begins at (x, y)."""
    points = np.full((1, len(COCO), 2), np.nan)
    values = np.zeros((1, len(COCO)))
    for name, place in BODY.items():
        k = COCO.keypoints.index(name)
        points[0, k] = np.add(place, (x, y))
        values[0, k] = (scores or {}).get(name, (scores or {}).get("all", 0.9))
    poses = Poses([[x, y, x + 100, y + 300]], points, values)
    return Tracks([identity], poses, np.zeros((1, 2)), (state,), others)


def hidden(frame):
    """Mask (H, W) of what is changed."""
    return (frame.image != NOISE).any(-1)


def detail(frame, x, y, size=15):
    """How much of the noise is left around a point."""
    return frame.image[y - size : y + size, x - size : x + size].astype(float).std()


def no_people():
    return Tracks.empty()


def test_the_head_is_hidden_and_the_body_is_not():
    frame = BlurFaces(COCO)(image(), person())
    mask = hidden(frame)
    assert mask[100:138, 232:268].all()
    assert mask[170:].sum() == 0
    assert mask.sum() < 0.3 * 100 * 300
    assert detail(frame, 250, 118) < 0.25 * NOISE.std()
    assert (image().image == NOISE).all()  # the given image stays as it is


@pytest.mark.parametrize("scores", [{"all": 0.05}, {"all": 0.2}, {"all": 0.0}])
def test_the_upper_part_of_the_box_is_hidden_where_keypoints_are_not_sure(scores):
    mask = hidden(BlurFaces(COCO)(image(), person(scores=scores)))
    assert mask[102:140, 222:278].all()
    assert mask[250:].sum() == 0


def test_a_box_without_a_pose_is_hidden_above():
    tracks = person()
    tracks.poses.keypoints[:] = np.nan
    tracks.poses.scores[:] = 0
    mask = hidden(BlurFaces(COCO)(image(), tracks))
    assert mask[105:140, 220:280].all()


def test_a_head_that_is_not_seen_is_where_the_trunk_points():
    scores = dict.fromkeys(("nose", "left_eye", "right_eye", "left_ear", "right_ear"), 0.02)
    mask = hidden(BlurFaces(COCO)(image(), person(scores=scores)))
    assert mask[102:130, 230:270].all()


def test_a_head_outside_of_the_image_is_left_alone():
    scores = dict.fromkeys(("nose", "left_eye", "right_eye", "left_ear", "right_ear"), 0.02)
    assert hidden(BlurFaces(COCO)(image(), person(y=-90, scores=scores))).sum() == 0
    assert hidden(BlurFaces(COCO)(image(), person(y=-120))).sum() == 0
    assert hidden(BlurFaces(COCO)(image(), person(y=-20))).sum() > 0  # a part of it is to be seen


def test_who_is_lost_stays_hidden_for_a_moment():
    blur = BlurFaces(COCO)
    before = hidden(blur(image(1.0), person()))
    assert (hidden(blur(image(1.4), no_people())) == before).all()
    assert hidden(blur(image(1.6), no_people())).sum() == 0


def test_a_glimpse_of_one_keypoint_does_not_uncover_the_head():
    blur = BlurFaces(COCO)
    close = person()
    close.poses.keypoints[0, :5] = 2.5 * (close.poses.keypoints[0, :5] - (250, 120)) + (250, 120)
    large = hidden(blur(image(0.0), close))
    scores = dict.fromkeys(("left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder"), 0.01)
    small = hidden(BlurFaces(COCO)(image(0.04), person(scores=scores)))
    kept = hidden(blur(image(0.04), person(scores=scores)))
    assert small.sum() < 0.7 * large.sum()
    assert kept.sum() > 0.6 * large.sum()


def test_who_is_not_known_yet_is_hidden_by_their_box():
    mask = hidden(BlurFaces(COCO)(image(), Tracks([], Poses.empty(), np.zeros((0, 2)), (), [[300, 100, 400, 400]])))
    assert mask[105:145, 315:385].all()
    assert mask[300:].sum() == 0


def test_a_lying_person_without_keypoints_is_hidden_as_a_whole():
    others = [[100, 300, 400, 400]]
    mask = hidden(BlurFaces(COCO)(image(), Tracks([], Poses.empty(), np.zeros((0, 2)), (), others)))
    assert mask[310:390, 130:370].all()


def test_two_people_at_the_border_of_the_image():
    one, two = person(x=-60, y=430), person(x=600, y=-10)
    poses = Poses(
        *(np.concatenate([getattr(t.poses, f) for t in (one, two)]) for f in ("boxes", "keypoints", "scores"))
    )
    mask = hidden(BlurFaces(COCO)(image(), Tracks([1, 2], poses, np.zeros((2, 2)), (State.MEASURED,) * 2)))
    assert mask[435:, :5].any()
    assert mask[:25, 632:].all()


@pytest.mark.parametrize("skeleton", DATASETS.values(), ids=lambda skeleton: skeleton.name)
def test_every_skeleton_has_a_head(skeleton):
    n = len(skeleton)
    points = np.linspace([20, 10], [80, 290], n)[None] + (200, 100)
    tracks = Tracks(
        [1], Poses([[200, 100, 300, 400]], points, np.full((1, n), 0.9)), np.zeros((1, 2)), (State.MEASURED,)
    )
    assert hidden(BlurFaces(skeleton)(image(), tracks)).any()


def test_the_head_of_a_skeleton_with_top_and_neck():
    points = np.full((1, len(AIC), 2), np.nan)
    for name, place in (("head_top", (250, 102)), ("neck", (250, 145))):
        points[0, AIC.keypoints.index(name)] = place
    scores = np.where(np.isnan(points[..., 0]), 0, 0.9)
    tracks = Tracks([1], Poses([[200, 100, 300, 400]], points, scores), np.zeros((1, 2)), (State.MEASURED,))
    assert hidden(BlurFaces(AIC)(image(), tracks))[105:140, 235:265].all()


def test_nothing_of_the_image_is_left_of_skeletons_only():
    frame = only_skeletons(image(), person())
    assert frame.image.shape == NOISE.shape
    assert not frame.image.any()
    assert NOISE.any()
