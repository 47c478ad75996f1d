"""Features of scenes whose truth is known: speeds in three units, views, postures, symmetry, gaps and memory."""

import numpy as np
import pytest

from posetrack.errors import UsageError
from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.features.calibration.measures import Calibration
from posetrack.tracker.features.extraction.stream import ActionFeatures
from posetrack.tracker.features.kinematics.points import points
from posetrack.tracker.features.kinematics.posture import POSTURES
from posetrack.tracker.types import Poses, State, Tracks


def tracks(poses, ids, state=State.MEASURED):
    return Tracks(ids, poses, np.zeros((len(ids), 2)), (state,) * len(ids))


def featured(frames, **options):
    """Return the features of (time, poses, ids)."""
    features = ActionFeatures(**options)
    done = []
    for index, (time, poses, ids) in enumerate(frames):
        done += features.update(index, time, tracks(poses, ids))
    return done + features.finish()


def seen(scene, keypoints):
    """Yield (time, poses, ids) of a scene with other keypoints (T, 1, 17, 2)."""
    for time, boxes, pose in zip(scene.times, scene.boxes, keypoints):
        yield time, Poses(boxes, pose, np.full((1, 17), 0.9)), [1]


def column(done, name):
    return np.array([frame[name][0] for frame in done])


def test_a_walk_at_a_variable_rate_has_its_speed_in_every_unit_and_no_acceleration():
    scene = synthetic.walking(synthetic.irregular(3, 30), speed=150)
    done = featured(scene.frames(), calibration=Calibration(person_height=1.8))
    assert [frame.frame for frame in done] == list(range(len(scene.times)))
    inner = done[2:-2]
    height = column(inner, "height_px")
    np.testing.assert_allclose(column(inner, "nose_speed_px_s"), 150, atol=0.5)
    np.testing.assert_allclose(column(inner, "nose_acceleration_px_s2"), 0, atol=20)
    np.testing.assert_allclose(column(inner, "com_speed_px_s"), 150, atol=3)
    np.testing.assert_allclose(column(inner, "nose_speed_bh_s"), 150 / height, atol=0.01)
    np.testing.assert_allclose(column(inner, "nose_speed_m_s"), 150 / height * 1.8, atol=0.01)
    for frame in (*done[:2], *done[-2:]):
        assert np.isnan(frame["nose_speed_px_s"]).all()


def test_a_scale_counts_in_metres_and_both_calibrations_are_refused():
    done = featured(synthetic.walking(synthetic.regular(1, 30), speed=150).frames(), calibration=Calibration(scale=100))
    np.testing.assert_allclose(column(done[2:-2], "nose_speed_m_s"), 1.5, atol=0.01)
    assert not any(name.endswith("_m_s") for name in ActionFeatures().columns)
    with pytest.raises(UsageError, match="Give one of them"):
        Calibration(scale=100, person_height=1.8)


def test_the_joint_that_swings_has_the_speed_and_acceleration_of_its_sine():
    times = synthetic.irregular(3, 60)
    scene = synthetic.standing(times)
    hz, reach = 1.5, 40
    keypoints = scene.keypoints.copy()
    keypoints[:, 0, COCO.keypoints.index("left_wrist"), 0] += reach * np.sin(2 * np.pi * hz * times)
    done = featured(seen(scene, keypoints))
    inner = slice(10, -10)
    speed, acceleration = (column(done, f"left_wrist_{name}")[inner] for name in ("speed_px_s", "acceleration_px_s2"))
    turn = 2 * np.pi * hz
    np.testing.assert_allclose(speed, reach * turn * abs(np.cos(turn * times[inner])), atol=0.03 * reach * turn)
    np.testing.assert_allclose(
        acceleration, reach * turn**2 * abs(np.sin(turn * times[inner])), atol=0.2 * reach * turn**2
    )


def test_the_angular_velocity_is_the_slope_of_the_angle_over_the_wrap():
    times = synthetic.irregular(2, 60)
    scene = synthetic.standing(times)
    keypoints = scene.keypoints.copy()
    elbow = keypoints[:, 0, COCO.keypoints.index("left_elbow")]
    turning = np.radians(200 * times)  # degrees a second, anticlockwise: past 180 in the first second
    keypoints[:, 0, COCO.keypoints.index("left_wrist")] = elbow + 40 * np.stack(
        [np.cos(turning), -np.sin(turning)], axis=-1
    )
    frames = list(seen(scene, keypoints))
    for view, sign in (("right", 1), ("left", -1)):
        done = featured(frames, view=view)
        np.testing.assert_allclose(column(done, "left_forearm_deg_s")[4:-4], sign * 200, atol=3)
        np.testing.assert_allclose(column(done, "left_elbow_deg_s")[4:-4], sign * 200, atol=3)


def test_predicted_and_doubtful_keypoints_count_for_nothing():
    scene = synthetic.standing(synthetic.regular(0.5, 30))
    features = ActionFeatures()
    done = []
    for index, (time, poses, ids) in enumerate(scene.frames()):
        state = State.PREDICTED if index == 7 else State.MEASURED
        poses.scores[0, COCO.keypoints.index("left_knee")] = 0.1
        done += features.update(index, time, tracks(poses, ids, state))
    done += features.finish()
    assert np.isnan(done[7].values).all()
    assert done[7].views == done[7].postures == ("",)
    assert np.isnan(column(done, "left_knee_deg")).all()
    assert np.isfinite(np.delete(column(done, "right_knee_deg"), 7)).all()


def test_poses_that_are_predicted_in_between_leave_the_speeds_of_the_others():
    scene = synthetic.walking(synthetic.regular(2, 30), speed=150)
    features = ActionFeatures()
    done = []
    for index, (time, poses, ids) in enumerate(scene.frames()):
        done += features.update(index, time, tracks(poses, ids, State.PREDICTED if index % 4 else State.MEASURED))
    done += features.finish()
    speeds = column(done, "nose_speed_px_s")
    np.testing.assert_allclose(speeds[8:-8:4], 150, atol=0.5)
    assert np.isnan(speeds[1::4]).all()


def test_a_row_is_output_when_its_window_is_complete_and_people_are_forgotten():
    scene = synthetic.standing(synthetic.regular(1, 100))
    features = ActionFeatures()
    late = []
    for index, (time, poses, _) in enumerate(scene.frames()):
        late += [time - frame.time for frame in features.update(index, time, tracks(poses, [index + 1]))]
    assert max(late) < 0.16
    for step in range(8):
        features.update(100 + step, 20.0 + step, Tracks.empty())
    assert not features._bodies._people
    assert not features._asymmetry._past
    assert len(features._window._moments) < 8


def test_the_rows_do_not_depend_on_others_nor_on_their_order():
    scene = synthetic.crowd(synthetic.irregular(1, 30), count=3)
    together = featured(scene.frames())
    turned = featured((time, poses[::-1], ids[::-1]) for time, poses, ids in scene.frames())
    for a, b in zip(together, turned):
        np.testing.assert_allclose(a.values, b.values[::-1], atol=1e-6)


@pytest.mark.parametrize(("turn", "view"), [(0, "front"), (60, "right"), (90, "right"), (180, "back"), (270, "left")])
def test_the_view_follows_the_body(turn, view):
    yaw = np.radians(turn)
    upright = synthetic.standing([0.0]).keypoints[0, 0].astype(float)
    middle = upright[:, 0].mean()
    ahead = np.zeros(17)
    ahead[0] = 12  # the nose before the ears
    upright[:, 0] = middle + (upright[:, 0] - middle) * np.cos(yaw) + ahead * np.sin(yaw)
    pose = Poses([[0, 0, 1, 1]], upright[None], np.full((1, 17), 0.9))
    done = featured((index / 30, pose, [1]) for index in range(10))
    assert {frame.views for frame in done} == {(view,)}


SHAPES = {  # x and y of shoulders, hips, knees and ankles from the side
    "standing": [(0, -80), (0, 0), (0, 68), (0, 136)],
    "sitting": [(0, -80), (0, 0), (66, 8), (66, 76)],
    "lying": [(-80, 0), (0, 0), (68, 0), (136, 0)],
    "bending": [(78, -5), (0, 0), (0, 68), (0, 136)],
}


@pytest.mark.parametrize("posture", POSTURES)
def test_typical_bodies_have_their_posture(posture):
    pose = np.full((17, 2), np.nan)
    for name, place in zip(("shoulder", "hip", "knee", "ankle"), SHAPES[posture]):
        for side in ("left", "right"):
            pose[COCO.keypoints.index(f"{side}_{name}")] = np.add(place, 300)
    done = featured((index / 30, Poses([[0, 0, 1, 1]], pose[None], np.full((1, 17), 0.9)), [1]) for index in range(3))
    assert done[1].postures == (posture,)
    assert done[1]["posture_confidence"][0] > 0.6


def test_the_centre_of_mass_of_a_standing_body_is_below_its_navel():
    upright = points(synthetic.standing([0.0]).keypoints[0], COCO)
    from posetrack.tracker.features.kinematics.body import MASSES, centre_of_mass

    assert sum(mass for mass, *_ in MASSES.values()) == pytest.approx(1.0)
    centre, seen = centre_of_mass(upright)
    assert seen == pytest.approx(1.0)
    shoulder, hip = (upright[0, 2 * row, 1] for row in (0, 3))
    assert shoulder < centre[0, 1] < hip + 5


def test_asymmetry_is_zero_for_equal_ranges_and_says_who_moves_more():
    times = synthetic.regular(3, 30)
    scene = synthetic.standing(times)
    for left, right, expected in ((30, 30, 0), (40, 20, 67), (20, 40, -67)):
        keypoints = scene.keypoints.copy()
        for side, reach in (("left", left), ("right", right)):
            swing = (1 if side == "left" else -1) * np.radians(45 + reach * np.sin(2 * np.pi * times))
            elbow = keypoints[:, 0, COCO.keypoints.index(f"{side}_elbow")]
            hand = elbow + 40 * np.stack([np.sin(swing), np.cos(swing)], axis=-1)
            keypoints[:, 0, COCO.keypoints.index(f"{side}_wrist")] = hand
        done = featured(seen(scene, keypoints))
        assert column(done, "elbow_asymmetry_pct")[-1] == pytest.approx(expected, abs=2)
        assert np.isnan(column(done, "knee_asymmetry_pct")).all()
