"""Metres and the floor: as Sports2D counts them, and as a pinhole camera with a known place sees them."""

import json
import math
from pathlib import Path

import motions
import numpy as np
import pytest

from posetrack.errors import SourceError, UsageError
from posetrack.models.geometry.keypoints import COCO, Skeleton
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.features.calibration.floor import estimate_floor
from posetrack.tracker.features.calibration.measures import Calibration, Floor, Length, parse_floor, parse_lengths
from posetrack.tracker.features.calibration.scale import scales
from posetrack.tracker.features.extraction.stream import ActionFeatures
from posetrack.tracker.types import Poses, State, Tracks

SPORTS2D = json.loads((Path(__file__).parents[3] / "data" / "sports2d_metres.json").read_text())


def tracked(poses):
    return Tracks(np.array([1]), poses, np.zeros((1, 2)), (State.MEASURED,))


def featured(motion, calibration, *, turn=None):
    """Return the features of a motion, turned in the image by a floor's angle around its start."""
    actions = ActionFeatures(calibration=calibration, view="right")
    done = []
    for index, time, poses in motion.frames():
        points = turn.tilt(poses.keypoints) if turn else poses.keypoints
        done += actions.update(index, time, tracked(Poses(poses.boxes, points, poses.scores)))
    return done + actions.finish()


def column(done, name):
    return np.array([frame[name][0] for frame in done])


@pytest.mark.parametrize("scene", SPORTS2D["scenes"])
def test_positions_in_metres_are_those_of_sports2d(scene):
    (x, y), slope = scene["origin"], -math.tan(scene["angle"])
    floor = Floor((x, y), (x + 100, y + 100 * slope), 0.0)
    found = floor.level(np.array(scene["points"])) / scene["px_per_m"] * (1, -1)
    np.testing.assert_allclose(found, scene["metres"], atol=2e-6)


def test_the_floor_under_a_walk_is_that_of_sports2d():
    walk = SPORTS2D["walk"]
    feet = Skeleton(
        "feet",
        ("left_shoulder", "right_shoulder", "left_hip", "right_hip", "left_big_toe", "right_big_toe"),
        limbs=(),
        flip_pairs=(),
        sigmas=(0.1,) * 6,
    )
    left, right = (np.array(walk["toes"][side]) for side in ("left", "right"))
    tall = walk["px_per_frame"] * walk["rate"] / 0.6  # at which the limit of the speed is the same
    trunk = np.array([[0, -0.6], [0, -0.6], [0, -0.312], [0, -0.312]]) * tall

    def frames():
        for index, toes in enumerate(zip(left, right)):
            pose = np.concatenate([trunk + np.mean(toes, axis=0), toes])
            poses = Poses([[0, 0, 1, 1]], pose[None], np.ones((1, 6)))
            yield index, index / walk["rate"], tracked(poses)

    floor = estimate_floor(frames(), feet)
    assert math.radians(floor.angle) == pytest.approx(walk["angle"], abs=1e-3)
    start = np.array(floor.start)
    assert start[1] + start[0] * math.tan(walk["angle"]) == pytest.approx(walk["origin"], abs=0.5)
    assert abs(floor.angle - 3) < 3 * floor.uncertainty + 0.05


def test_a_floor_is_estimated_from_ankles_and_refused_where_no_one_walks():
    times = synthetic.regular(6, 30)
    walk = motions.perform([motions.walk(10)], times, speed=0.8)
    floor = estimate_floor(((i, t, tracked(poses)) for i, t, poses in walk.frames(noise=0.005)), COCO)
    soles = walk.keypoints[:, [15, 16], 1].max() + 0.0
    assert abs(floor.angle) < 0.5
    assert floor.start[1] == pytest.approx(soles + 0.039 * 220, abs=5)
    still = motions.perform([motions.stand(3)], times)
    with pytest.raises(SourceError, match="--floor x1,y1,x2,y2"):
        estimate_floor(((i, t, tracked(poses)) for i, t, poses in still.frames()), COCO)


def test_levelled_points_return_to_the_image():
    floor = parse_floor("900,380,100,420")
    points = np.random.default_rng(0).uniform(0, 1000, (7, 3, 2))
    np.testing.assert_allclose(floor.tilt(floor.level(points)), points, atol=1e-9)
    assert floor.start == (100, 420)
    assert floor.angle == pytest.approx(math.degrees(math.atan(40 / 800)))
    np.testing.assert_allclose(floor.level(np.array(floor.end)), [math.hypot(800, 40), 0], atol=1e-9)


def test_a_tilted_camera_changes_no_angle_once_the_floor_is_given():
    motion = motions.perform([motions.squats(1)], synthetic.regular(3, 30))
    floor = Floor((100, 400), (900, 330), 0.0)
    level, tilted = featured(motion, Calibration()), featured(motion, Calibration(floor=floor), turn=floor)
    wrong = featured(motion, Calibration(), turn=floor)
    for name in (
        "trunk_inclination_deg",
        "left_shank_deg",
        "left_knee_deg",
        "thigh_drop",
        "trunk_rise",
        "descent_bh_s",
    ):
        np.testing.assert_allclose(column(tilted, name), column(level, name), atol=1e-3, err_msg=name)
    assert abs(column(wrong, "trunk_inclination_deg") - column(level, "trunk_inclination_deg")).min() > 4
    places = np.stack([column(tilted, "com_x"), column(tilted, "com_y")], axis=-1)
    np.testing.assert_allclose(floor.level(places)[:, 1], column(level, "com_y"), atol=1e-3)


def test_heights_above_the_floor_are_in_metres():
    motion = motions.perform([motions.stand(1)], synthetic.regular(1, 30))
    bottom = motion.keypoints[0, :, 1].max()
    scene = Calibration(lengths=(Length((0, bottom), (220, bottom), 1.8),), floor=Floor((0, bottom), (220, bottom), 0))
    done = featured(motion, scene)
    height = (bottom - column(done, "com_y")) / 220 * 1.8
    np.testing.assert_allclose(column(done, "com_height_m"), height, atol=1e-9)
    np.testing.assert_allclose(column(done, "com_x_m"), column(done, "com_x") / 220 * 1.8, atol=1e-9)
    np.testing.assert_allclose(column(done, "px_per_m"), 220 / 1.8)
    np.testing.assert_allclose(column(done, "metre_sd_pct"), 100 * math.sqrt(2) / 220)
    assert "com_height_m" not in ActionFeatures(calibration=Calibration(scale=100)).columns


FOCAL, CAMERA_HEIGHT, PITCH = 1200.0, 1.6, math.radians(12)


def seen(x, y, z):
    """Return where a point is in the image, and pixels per metre there; metres to the right, above the floor, ahead."""
    y = CAMERA_HEIGHT - y
    down, ahead = y * math.cos(PITCH) - z * math.sin(PITCH), y * math.sin(PITCH) + z * math.cos(PITCH)
    return 960 + FOCAL * x / ahead, 540 + FOCAL * down / ahead, FOCAL / ahead


def test_between_two_lengths_on_the_floor_the_scale_is_that_of_a_tilted_pinhole_camera():
    lengths = tuple(Length(seen(-1, 0, z)[:2], seen(1, 0, z)[:2], 2.0) for z in (4.0, 9.0))
    calibration = Calibration(lengths=lengths)
    places = [seen(0.5, 0, z) for z in (3.0, 4.0, 6.5, 9.0, 14.0)]
    feet, truth = (np.array([place[i] for place in places]) for i in (1, 2))
    found, doubt = scales(calibration, np.full(5, np.nan), feet)
    np.testing.assert_allclose(found, truth, rtol=1e-9)
    assert doubt[1] == pytest.approx(lengths[0].uncertainty)
    assert doubt[4] > doubt[3] > doubt[1]
    horizon = 540 - FOCAL * math.tan(PITCH)
    assert np.isnan(scales(calibration, np.full(1, np.nan), np.array([horizon - 5]))[0]).all()


def test_the_stated_uncertainty_is_the_spread_of_many_readings():
    rng = np.random.default_rng(1)
    corners = np.array([[100, 500], [180, 505], [90, 900], [330, 905]], float)
    feet = np.array([620.0])

    def scale(points):
        a, b, c, d = map(tuple, points.tolist())
        return scales(Calibration(lengths=(Length(a, b, 1.0), Length(c, d, 1.0))), np.full(1, np.nan), feet)

    read = [scale(corners + rng.normal(0, 1, corners.shape))[0][0] for _ in range(2000)]
    assert np.std(read) / np.mean(read) == pytest.approx(scale(corners)[1][0], rel=0.1)


def test_a_person_who_nears_the_camera_has_the_scale_of_their_place():
    times = synthetic.regular(3, 30)
    lengths = tuple(Length(seen(-1, 0, z)[:2], seen(1, 0, z)[:2], 2.0) for z in (4.0, 9.0))
    still = motions.perform([motions.stand(1)], times[:1]).keypoints[0]
    ankle = still[:, 1].max()
    body = (still - [still[15, 0], ankle]) / (ankle - still[0, 1]) * (1.6, -1.6) + (0, 0.07)  # ankles 7 cm high
    actions = ActionFeatures(calibration=Calibration(lengths=lengths), view="right")
    done = []
    for index, time in enumerate(times):
        pose = np.array([seen(x + 1.2 * time - 2, y, 8.0 - time)[:2] for x, y in body])
        done += actions.update(index, time, tracked(Poses([[0, 0, 1, 1]], pose[None], np.ones((1, 17)))))
    truth = [seen(0, 0, 8.0 - frame.time)[2] for frame in done]
    assert truth[-1] > 1.4 * truth[0]
    np.testing.assert_allclose(column(done, "px_per_m"), truth, rtol=0.06)  # the place of the feet lags by 0.3 s


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2,3", "give two points"),
        ("0,0,5,0,1", "at least 10 pixels apart"),
        ("0,0,50,0,-1", "give two points"),
        ("0,0,50,0,1;0,9,50,9,1;0,99,50,99,1", "has 3 lengths"),
        ("a,0,50,0,1", "give two points"),
    ],
)
def test_a_wrong_length_is_refused(text, message):
    with pytest.raises(UsageError, match=message):
        parse_lengths(text)


@pytest.mark.parametrize("text", ["1,2,3", "0,0,5,5", "0,0,10,90", "auto", "0,0,nan,0", "3,3,3,3"])
def test_a_wrong_floor_is_refused(text):
    with pytest.raises(UsageError, match="two points of a line on the floor"):
        parse_floor(text)


def test_two_lengths_at_one_depth_are_refused():
    with pytest.raises(UsageError, match="same depth, 500 and 504"):
        Calibration(lengths=parse_lengths("0,500,90,500,1;200,504,290,504,1"))


def speeds():
    """Return our speeds, those of Sports2D and the true ones (T, 3) of three points, metres per second."""
    facts = SPORTS2D["speeds"]
    names = tuple(facts["points"])
    skeleton = Skeleton("three", names, limbs=(), flip_pairs=(), sigmas=(0.1,) * 3)
    actions = ActionFeatures(skeleton=skeleton, calibration=Calibration(scale=facts["px_per_m"]))
    places = np.stack([facts["points"][name]["points"] for name in names], axis=1)  # (T, 3, 2)
    done = []
    for index, pose in enumerate(places):
        done += actions.update(
            index, index / facts["rate"], tracked(Poses([[0, 0, 1, 1]], pose[None], np.ones((1, 3))))
        )
    done += actions.finish()
    ours = np.stack([column(done, f"{name}_speed_m_s") for name in names], axis=1)
    others = (np.stack([facts["points"][name][who] for name in names], axis=1) for who in ("sports2d", "truth"))
    return ours[5:-5], *(other[5:-5] for other in others)


def rms(errors):
    return np.sqrt(np.mean(errors**2))


def test_speeds_are_as_near_to_the_truth_as_those_of_sports2d():
    ours, sports2d, truth = speeds()
    assert np.isfinite(ours).all()
    assert rms(ours - truth) < 1.2 * rms(sports2d - truth)
    assert rms(ours - sports2d) < 0.1
    assert np.median(truth) > 1
