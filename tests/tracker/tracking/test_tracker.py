"""What the pose tracker promises, on scenes whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from posetrack.models.geometry.boxes import iou
from posetrack.models.geometry.keypoints import Skeleton
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.tracking.config import CALIBRATED, LATENCIES
from posetrack.tracker.tracking.tracker import PoseTracker
from posetrack.tracker.types import Poses, State, Tracks


def run(scene, tracker=None, **frames):
    """Return the tracks of every frame."""
    tracker = tracker or PoseTracker()
    return [tracker.update(poses, time) for time, poses, _ in scene.frames(**frames)]


def ids_of(scene, **frames):
    """Return, for every true person, the ids that a tracker gives to where the person was seen."""
    tracker, ids = PoseTracker(), {int(person): [] for person in scene.ids}
    for boxes, (time, poses, seen) in zip(scene.boxes, scene.frames(**frames)):
        tracks = tracker.update(poses, time)
        rows = np.flatnonzero([state is State.MEASURED for state in tracks.states])
        assert len(rows) <= len(seen)
        for person in seen if len(rows) == len(seen) else ():
            distance = np.abs(tracks.poses.boxes[rows] - boxes[person - 1]).sum(-1)
            ids[int(person)].append(int(tracks.ids[rows][distance.argmin()]))
    return ids


def keypoints_of(results):
    return np.array([tracks.poses.keypoints[0] for tracks in results])


def assert_same(a: Tracks, b: Tracks):
    assert a.ids.tolist() == b.ids.tolist()
    assert a.states == b.states
    np.testing.assert_allclose(a.poses.boxes, b.poses.boxes)
    np.testing.assert_allclose(a.poses.keypoints, b.poses.keypoints)
    np.testing.assert_allclose(a.poses.scores, b.poses.scores)


def test_the_order_of_the_poses_does_not_matter():
    scene = synthetic.crowd(synthetic.regular(2, 15), count=9)
    rng = np.random.default_rng(5)
    straight, shuffled = PoseTracker(), PoseTracker()
    for time, poses, _ in scene.frames(noise=0.01, misses=0.1):
        assert_same(straight.update(poses, time), shuffled.update(poses[rng.permutation(len(poses))], time))


def test_the_first_frame_shows_people_at_once():
    scene = synthetic.crowd([0.0], count=3)
    (tracks,) = run(scene)
    assert tracks.ids.tolist() == [1, 2, 3]
    assert set(tracks.states) == {State.MEASURED}
    np.testing.assert_allclose(np.sort(tracks.poses.boxes, axis=0), np.sort(scene.boxes[0], axis=0), atol=1e-3)


@pytest.mark.parametrize(
    ("score", "options", "expected"),
    [
        (0.95, {}, [0, 1, 1]),
        (0.5, {}, [0, 1, 1]),
        (0.36, {}, [0, 0, 1]),
        (0.3, {}, [0, 0, 0]),
        (0.7, CALIBRATED, [0, 1, 1]),
        (0.5, CALIBRATED, [0, 0, 0]),
    ],
)
def test_later_the_less_sure_must_be_seen_more_often(score, options, expected):
    tracker = PoseTracker(**options)
    tracker.update(Poses.empty(), 0.0)
    frames = synthetic.walking(synthetic.regular(0.1, 30)).frames()
    shown = [len(tracker.update(replace(poses, box_scores=[score]), 1 + time)) for time, poses, _ in frames]
    assert shown == expected


def shown(box_score, keypoint_score, *, scores=None, missing=False):
    """Return the number of people in each of 30 frames of a detection that stays."""
    tracker, counts = PoseTracker(), []
    for frame, (time, poses, _) in enumerate(synthetic.standing(synthetic.regular(1, 30)).frames(noise=0.01)):
        score = keypoint_score if scores is None else scores[frame % len(scores)]
        points = np.full_like(poses.keypoints, np.nan) if missing else poses.keypoints
        poses = Poses(poses.boxes, points, np.full((1, 17), score), [box_score])
        counts.append(len(tracker.update(poses, time)))
    return counts


@pytest.mark.parametrize(("box_score", "keypoint_score"), [(0.4, 0.3), (0.6, 0.2), (0.8, 0.1), (0.35, 0.42)])
def test_a_thing_that_stays_never_becomes_a_person(box_score, keypoint_score):
    assert set(shown(box_score, keypoint_score)) == {0}


@pytest.mark.parametrize(("box_score", "keypoint_score"), [(0.4, 0.6), (0.6, 0.5), (0.9, 0.3), (0.4, 0.95)])
def test_a_person_with_a_doubtful_box_or_pose_is_shown_within_three_frames(box_score, keypoint_score):
    assert shown(box_score, keypoint_score)[2:] == [1] * 28


def test_one_good_frame_among_bad_ones_makes_no_person():
    assert set(shown(0.5, None, scores=[0.1, 0.1, 0.9])) == {0}


def test_a_person_who_comes_into_view_is_shown_then():
    scores = [0.1] * 10 + [0.9] * 20
    counts = shown(0.5, None, scores=scores)
    assert counts == [0] * 11 + [1] * 19


def test_half_a_body_is_a_person():
    scores = np.where(np.arange(17) < 7, 0.9, 0.05)  # at a webcam
    tracker = PoseTracker()
    (time, poses, _), *_ = synthetic.standing([0.0]).frames()
    assert len(tracker.update(Poses(poses.boxes, poses.keypoints, scores[None], [0.6]), time)) == 1


def test_without_keypoints_the_box_decides():
    assert shown(0.5, 0.0, missing=True) == [1] * 30


def test_a_box_that_the_user_gives_is_a_person():
    assert shown(1.0, 0.05) == [1] * 30


def test_a_thing_does_not_keep_the_detector_running():
    tracker = PoseTracker()
    for time, poses, _ in synthetic.standing(synthetic.regular(0.5, 30)).frames():
        tracker.update(Poses(poses.boxes, poses.keypoints, np.full((1, 17), 0.1), [0.5]), time)
        assert not tracker.has_tentative


@pytest.mark.parametrize("missed", [1, 2, 3, 4])
def test_who_turns_back_unseen_keeps_their_id(missed):
    """The filter predicts that they run on, but people are near their last position after a short time."""
    times = synthetic.regular(2, 30)
    centres = np.stack([600 - 400 * np.hypot(times - 1, 0.05), np.full(len(times), 300.0)], axis=-1)[:, None]
    scene = synthetic.bodies(times, centres, heights=[220], moving=[True])
    turning = (scene.times >= 1) & (scene.times < 1 + (missed - 0.5) / 30)
    scene = replace(scene, visible=scene.visible & ~turning[:, None])
    assert {int(i) for tracks in run(scene) for i in tracks.ids} == {1}


def test_no_people_in_the_image():
    tracker = PoseTracker()
    for frame in range(5):
        assert len(tracker.update(Poses.empty(), frame / 30)) == 0


@pytest.mark.parametrize(("fps", "noise"), [(10, 0.0), (30, 0.01), (60, 0.01)])
def test_an_id_survives_an_occlusion(fps, noise):
    scene = synthetic.occlusion(synthetic.regular(4, fps), hidden=(1.5, 2.5))
    assert set(ids_of(scene, noise=noise)[1]) == {1}
    results = run(scene, noise=noise)
    hidden = [tracks for time, tracks in zip(scene.times, results) if 1.5 <= time < 2.5]
    assert set(hidden[0].states) == {State.PREDICTED}
    assert len(hidden[-1]) == 0  # a prediction is shown for a short time only


def test_an_id_does_not_survive_a_long_absence_and_is_not_used_again():
    scene = synthetic.occlusion(synthetic.regular(9, 15), hidden=(1.5, 7.5), speed=30)
    assert ids_of(scene)[1][-1] == 2


def test_predictions_fade_and_stay_near_the_truth():
    scene = synthetic.occlusion(synthetic.regular(3, 30), hidden=(2.0, 3.0))
    results = run(scene)
    predicted = [(i, tracks) for i, tracks in enumerate(results) if State.PREDICTED in tracks.states]
    assert 0.2 <= len(predicted) / 30 <= 0.31
    scores = [float(tracks.poses.scores.mean()) for _, tracks in predicted]
    assert (np.diff(scores) < 0).all()
    for i, tracks in predicted:
        assert np.abs(tracks.poses.boxes[0] - scene.boxes[i, 0]).max() < 10  # pixels, of a height of 200
        assert np.abs(tracks.poses.keypoints[0] - scene.keypoints[i, 0]).max() < 40


@pytest.mark.parametrize("seed", range(3))
def test_people_who_cross_keep_their_ids(seed):
    scene = synthetic.crossing(synthetic.regular(4, 30))
    ids = ids_of(scene, noise=0.01, misses=0.05, seed=seed)
    assert len(set(ids[1])) == len(set(ids[2])) == 1
    assert set(ids[1]) != set(ids[2])


def test_sixty_people_keep_their_ids():
    scene = synthetic.crowd(synthetic.regular(2, 15), count=60)
    ids = ids_of(scene, noise=0.01, misses=0.1)
    assert all(len(set(ids[person])) == 1 for person in ids)
    assert len({ids[person][0] for person in ids}) == 60


def test_the_frame_rate_does_not_matter():
    grids = {"30": synthetic.regular(4, 30), "60": synthetic.regular(4, 60), "irregular": synthetic.irregular(4, 30)}
    paths = {}
    for name, times in grids.items():
        results = run(synthetic.walking(times))
        centres = np.array([tracks.poses.boxes[0].reshape(2, 2).mean(0) for tracks in results])
        ankle = keypoints_of(results)[:, 15, 0]
        at = np.linspace(1, 3.8, 50)
        paths[name] = np.stack([np.interp(at, times, path) for path in (centres[:, 0], ankle)])
    assert np.abs(paths["30"] - paths["60"]).max() < 4  # pixels, of a height of 200
    assert np.abs(paths["30"] - paths["irregular"]).max() < 6


def test_velocity_is_in_pixels_per_second():
    for fps in (15, 60):
        assert run(synthetic.walking(synthetic.regular(2, fps)))[-1].velocities[0] == pytest.approx([150, 0], abs=3)


@pytest.mark.parametrize("fps", [30, 60])
def test_at_rest_keypoints_spread_a_quarter(fps):
    scene = synthetic.standing(synthetic.regular(5, fps))
    trackers = PoseTracker(smooth="none"), PoseTracker(smooth="one-euro")
    raw, smooth = (keypoints_of(run(scene, tracker, noise=0.01))[fps:] for tracker in trackers)
    assert (smooth - scene.keypoints[fps:, 0]).std() < (raw - scene.keypoints[fps:, 0]).std() / 4
    assert np.diff(smooth, 2, axis=0).std() < np.diff(raw, 2, axis=0).std() / 16


@pytest.mark.parametrize("name", LATENCIES)
@pytest.mark.parametrize(("speed", "bound"), [(150, 12), (600, 4)])
def test_lag_in_motion_is_as_documented(name, speed, bound):
    scene = synthetic.walking(synthetic.regular(4, 30), speed=speed)
    smooth = keypoints_of(run(scene, PoseTracker(smooth=name), noise=0.01))[..., 0]  # (T, K)
    lags = np.arange(-0.02, 0.1, 0.001)
    late = [[np.interp(scene.times - lag, scene.times, path) for path in scene.keypoints[:, 0, :, 0].T] for lag in lags]
    errors = ((np.moveaxis(late, 2, 1) - smooth) ** 2)[:, 30:].mean((1, 2))
    assert abs(1000 * lags[errors.argmin()]) <= min(LATENCIES[name] + 2, bound)


def test_without_smoothing_keypoints_are_where_they_were_measured():
    tracker = PoseTracker(smooth="none")
    for time, poses, _ in synthetic.walking(synthetic.regular(1, 30)).frames(noise=0.01):
        shown = tracker.update(poses, time).poses.keypoints
        np.testing.assert_array_equal(shown, poses.keypoints)
    assert np.isfinite(tracker.update(Poses.empty(), 1.1).poses.keypoints).all()


def test_a_missing_keypoint_coasts_and_then_is_missing():
    tracker = PoseTracker()
    seen = []
    for time, poses, _ in synthetic.walking(synthetic.regular(2, 30)).frames():
        keypoints, scores = poses.keypoints.copy(), poses.scores.copy()
        keypoints[:, 9], scores[:, 9] = np.nan, 0
        hide = time >= 1
        tracks = tracker.update(Poses(poses.boxes, keypoints, scores) if hide else poses, time)
        seen.append((time, tracks.poses.keypoints[0, 9], tracks.poses.scores[0, 9]))
        assert tracks.states == (State.MEASURED,)
        assert np.isfinite(np.delete(tracks.poses.keypoints[0], 9, axis=0)).all()
    for time, position, score in seen:
        missing = time > 29 / 30 + tracker.config.predicted_seconds + 1e-6
        assert np.isnan(position).all() == missing
        assert (score == 0) == missing


def test_all_keypoints_missing():
    tracker = PoseTracker()
    box, nothing = [[10, 10, 60, 160]], np.full((1, 17, 2), np.nan)
    for frame in range(10):
        tracks = tracker.update(Poses(box, nothing, np.zeros((1, 17))), frame / 30)
    assert tracks.ids.tolist() == [1]
    assert np.isnan(tracks.poses.keypoints).all()
    assert (tracks.poses.scores == 0).all()


def test_two_poses_on_one_person_are_one_track():
    scene = synthetic.crossing(synthetic.regular(1, 30))
    tracker = PoseTracker()
    for time, poses, _ in scene.frames(noise=0.005):
        tracks = tracker.update(poses[np.array([0, 1, 1, 0])], time)
    assert tracks.ids.tolist() == [1, 2]


def test_weak_poses_continue_tracks_but_begin_none():
    def weak(poses):
        return Poses(poses.boxes, poses.keypoints, poses.scores, np.full(len(poses), 0.2))

    frames = list(synthetic.walking(synthetic.regular(2, 30)).frames())
    tracker = PoseTracker()
    assert not any(len(tracker.update(weak(poses), time)) for time, poses, _ in frames)
    tracker = PoseTracker()
    results = [tracker.update(poses if time < 1 else weak(poses), time) for time, poses, _ in frames]
    assert all(tracks.ids.tolist() == [1] and tracks.states == (State.MEASURED,) for tracks in results)


def test_impossible_boxes_are_left_out():
    boxes = [[0, 0, 50, 100], [0, 0, np.nan, 5], [9, 9, 3, 3], [5, 5, 5, 5]]
    assert len(PoseTracker().update(Poses(boxes, np.zeros((4, 17, 2)), np.ones((4, 17))), 0.0)) == 1


def test_ids_belong_to_the_instance_go_on_at_a_cut_and_begin_anew_for_another_video():
    scene = synthetic.walking(synthetic.regular(0.5, 30))
    tracker = PoseTracker()
    assert run(scene, tracker)[-1].ids.tolist() == [1]
    assert run(scene)[-1].ids.tolist() == [1]
    tracker.cut()
    assert run(scene, tracker)[-1].ids.tolist() == [2]
    tracker.reset()
    assert run(scene, tracker)[-1].ids.tolist() == [1]


def test_time_may_stand_still_but_not_run_backwards():
    ((_, poses, _),) = synthetic.walking([0.0]).frames()
    tracker = PoseTracker()
    for _ in range(3):
        tracks = tracker.update(poses, 1.0)
    assert tracks.ids.tolist() == [1]
    assert np.isfinite(tracks.poses.keypoints).all()
    with pytest.raises(ValueError, match="backwards"):
        tracker.update(poses, 0.5)


def test_invalid_input_is_refused():
    with pytest.raises(TypeError, match="'high_score'"):
        PoseTracker(hig_score=3)
    with pytest.raises(ValueError, match="none, kalman, one-euro"):
        PoseTracker(smooth="medium")
    with pytest.raises(ValueError, match="17"):
        PoseTracker().update(Poses.empty(21), 0.0)


def test_other_skeletons():
    hand = Skeleton("pair", ("left", "right"), ((0, 1),), ((0, 1),), (0.05, 0.05))
    poses = Poses([[0, 0, 50, 50]], [[[10, 10], [40, 40]]], [[1, 1]])
    assert PoseTracker(skeleton=hand).update(poses, 0.0).poses.keypoints.shape == (1, 2, 2)


def test_who_vanishes_may_come_out_where_they_went_in():
    scene = synthetic.walking(synthetic.regular(1, 30))
    tracker = PoseTracker()
    frames = list(scene.frames())
    for time, poses, _ in frames:
        tracker.update(poses, time)
    for step in range(30):
        tracker.update(Poses.empty(), 1 + step / 30)
    assert tracker.update(frames[-1][1], 2.0).ids.tolist() == [1]


@pytest.mark.slow
def test_memory_does_not_grow_with_those_who_left():
    rng, size = np.random.default_rng(0), np.array([40, 100])
    tracker = PoseTracker()
    for frame in range(1500):
        if frame % 5 == 0:  # three others take the place of three people
            corners = rng.uniform(0, 20000, (3, 2))
            keypoints = corners[:, None] + rng.uniform(0, size, (3, 17, 2))
        boxes = np.concatenate([corners, corners + size], axis=-1)
        tracks = tracker.update(Poses(boxes, keypoints, np.ones((3, 17))), frame / 10)
        assert len(tracker._people.ids) <= 3 * (tracker.config.lost_seconds / 0.5 + 2)
    assert tracks.ids.max() > 800


def box_only(boxes, scores=None, features=None):
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    return Poses(boxes, np.full((len(boxes), 17, 2), np.nan), np.zeros((len(boxes), 17)), scores, features)


def clothes(*colours):
    """Return the appearance of people whose six parts have these colours, numbers below 8."""
    return np.repeat(np.eye(8)[list(colours)][:, None], 6, axis=1)


def test_a_pole_hides_one_side_after_the_other_and_the_box_stays_whole():
    tracker = PoseTracker()
    for frame in range(60):
        left, right = 100 + 6.0 * frame, 180 + 6.0 * frame  # the pole stands from 300 to 340
        sides = [(left, min(right, 300)), (max(left, 340), right)]
        left_seen, right_seen = max(sides, key=lambda side: side[1] - side[0])
        tracks = tracker.update(box_only([[left_seen, 50, right_seen, 250]]), frame / 25)
        assert tracks.ids.tolist() == [1]
        assert tracks.poses.boxes[0] == pytest.approx([left, 50, right, 250], abs=22)


BODY = np.stack(np.meshgrid([0.2, 0.5, 0.8], np.linspace(0.08, 0.92, 6)), axis=-1).reshape(-1, 2)[:17]


def bodies(whole, found, seen):
    """Return people with keypoints all over their whole boxes; those that are not seen have a low confidence."""
    whole = np.array(whole, dtype=np.float64)
    keypoints = whole[:, None, :2] + BODY * (whole[:, 2:] - whole[:, :2])[:, None]
    return Poses(np.array(found), keypoints, np.where([seen(points) for points in keypoints], 0.9, 0.1))


def test_a_nearer_person_hides_one_side_after_the_other_and_the_box_stays_whole():
    tracker, front = PoseTracker(), (300.0, 60.0, 335.0, 270.0)
    for frame in range(60):
        left, right = 100 + 6.0 * frame, 180 + 6.0 * frame
        sides = [(left, min(right, 300)), (max(left, 335), right)]
        start, end = max(sides, key=lambda side: side[1] - side[0])
        whole, found = [(left, 50, right, 250), front], [(start, 50, end, 250), front]
        poses = bodies(whole, found, lambda points: (points[:, 0] < 300) | (points[:, 0] > 335) | (points[:, 1] > 252))
        tracks = tracker.update(poses, frame / 25)
        assert tracks.ids.tolist() == [1, 2]
        assert iou(tracks.boxes, np.array(whole)).max(0) == pytest.approx([1, 1], abs=0.05)


@pytest.mark.parametrize("front", [None, (170.0, 60.0, 260.0, 270.0), (150.0, 140.0, 260.0, 270.0)])
def test_the_box_follows_a_person_who_crouches_alone_or_behind_someone(front):
    tracker = PoseTracker()
    for frame in range(40):
        top = 50 + np.clip(9.0 * (frame - 15), 0, 90)
        people = [(100, top, 180, 250), *([front] if front else [])]
        tracks = tracker.update(bodies(people, people, lambda points: points[:, 0] > 0), frame / 25)
    box = tracks.boxes[iou(tracks.boxes, np.array(people[:1]))[:, 0].argmax()]
    assert box == pytest.approx([100, top, 180, 250], abs=10)


def test_the_box_follows_the_arms():
    scene = synthetic.raised_arms(synthetic.regular(4, 30))
    boxes = np.array([tracks.boxes[0] for tracks in run(scene, noise=0.005)])
    overlap = np.array([iou(box[None], true)[0, 0] for box, true in zip(boxes, scene.boxes)])
    assert overlap.min() > 0.7
    assert overlap.mean() > 0.95


def test_the_box_of_a_person_at_rest_is_calmer_than_the_detections():
    scene = synthetic.standing(synthetic.regular(4, 30))
    found = np.array([poses.boxes[0] for _, poses, _ in scene.frames(noise=0.005)])
    boxes = np.array([tracks.boxes[0] for tracks in run(scene, noise=0.005)])
    assert boxes.std(0).max() < 0.9 * found.std(0).min()
    assert np.diff(boxes, axis=0).std() < 0.7 * np.diff(found, axis=0).std()


def test_parts_of_a_person_begin_no_track():
    tracker = PoseTracker()
    for frame in range(20):
        tracks = tracker.update(box_only([[0, 0, 80, 200], [0, 100, 80, 200]], [0.9, 0.45]), frame / 25)
    assert tracks.ids.tolist() == [1]


def test_the_upper_half_of_a_person_begins_no_track_however_sure_the_detector_is():
    tracker = PoseTracker()
    for frame in range(20):
        others = [[100.0, 20, 160, 180], [110, 90, 150, 205]]  # people behind and in front
        tracks = tracker.update(box_only([[100, 50, 160, 200], [102, 51, 159, 120], *others], [0.9] * 4), frame / 25)
    assert tracks.ids.tolist() == [1, 2, 3]


def test_half_a_person_with_the_pose_of_the_whole_begins_no_track():
    """A detector sees the whole person with little confidence, and the upper half with much."""
    whole, half = np.array([100.0, 50, 160, 230]), np.array([100.0, 50, 160, 140])
    pose, tracker = np.random.default_rng(0).uniform([105, 55], [155, 130], (17, 2)), PoseTracker()
    for frame in range(20):
        scores = [0.9, 0.8] if frame < 10 else [0.2, 0.7]
        poses = Poses(np.array([whole, half]), np.array([pose, pose + 1]), np.full((2, 17), 0.9), np.array(scores))
        tracks = tracker.update(poses, frame / 25)
    assert tracks.ids.tolist() == [1]


def test_a_panning_camera_keeps_all_ids():
    def ids(motion):
        tracker, seen = PoseTracker(), []
        for frame in range(30):
            shift = 60.0 * frame if frame < 15 else 60.0 * (29 - frame)  # back and forth, a width a frame
            step = (60.0 if frame < 15 else -60.0) if frame else 0.0
            boxes = [[100 + 90 * i + shift, 50, 160 + 90 * i + shift, 200] for i in range(4)]
            matrix = np.array([[1, 0, step if frame != 15 else 0], [0, 1, 0]])
            tracks = tracker.update(box_only(boxes), frame / 25, motion=matrix if motion else None)
            seen.append(tuple(tracks.ids[np.argsort(tracks.poses.boxes[:, 0])]))
        return set(seen)

    assert ids(motion=True) == {(1, 2, 3, 4)}
    assert ids(motion=False) != {(1, 2, 3, 4)}


def test_people_are_reidentified_by_appearance():
    red, blue = 0, 1

    def ids(first, second):
        tracker = PoseTracker()
        for frame in range(10):
            tracker.update(box_only([[100, 50, 160, 200]], features=clothes(first)), frame / 25)
        for frame in range(10, 30):
            tracker.update(Poses.empty(), frame / 25)
        for frame in range(30, 33):
            tracks = tracker.update(box_only([[110, 50, 170, 200]], features=clothes(second)), frame / 25)
        return tracks.ids.tolist()

    assert ids(red, red) == [1]
    assert ids(red, blue) == [2]


@pytest.mark.parametrize("fps", [10, 25])
@pytest.mark.parametrize("edge", ["left", "right"])
@pytest.mark.parametrize("wait", [-0.4, -0.2, 0.0, 0.2])  # seconds from the last sight of one to the first of the other
def test_who_enters_where_another_leaves_is_someone_else(edge, wait, fps):
    tracker, width = PoseTracker(), 640
    wardrobe = np.repeat([[[0.9, 0.44]], [[0.1, 0.99]]], 6, axis=1)  # not so different that geometry counts for nothing
    for frame in range(3 * fps):
        time, boxes, looks = frame / fps, [], []
        for look, right in enumerate((250 - 150 * time, 150 * (time - 250 / 150 - wait))):  # pixels; 60 wide
            if right > 12:
                boxes.append([max(right - 60, 0), 50, right, 200])
                looks.append(look)
        if len(boxes) == 2:  # the nearer one hides the other
            boxes, looks = boxes[1:], looks[1:]
        if edge == "right":
            boxes = [[width - box[2], box[1], width - box[0], box[3]] for box in boxes]
        poses = box_only(boxes, features=wardrobe[looks]) if boxes else Poses.empty()
        tracks = tracker.update(poses, time, size=(360, width))
    assert tracks.ids.tolist() == [2]


def test_who_leaves_the_image_is_not_who_enters_there():
    tracker = PoseTracker()
    for frame in range(40):  # out to the left, at 8 pixels a frame
        box = np.clip([100 - 8.0 * frame, 50, 160 - 8.0 * frame, 200], 0, None)
        poses = box_only([box]) if box[2] > 8 else Poses.empty()
        tracks = tracker.update(poses, frame / 25, size=(360, 640))
        assert (tracks.poses.boxes >= 0).all()
    for frame in range(40, 50):
        box = [0, 50, 8.0 * (frame - 36), 200]
        tracks = tracker.update(box_only([box]), frame / 25, size=(360, 640))
    assert tracks.ids.tolist() == [2]


@pytest.mark.parametrize(("beside", "score", "people"), [(0.3, 0.45, 1), (0.3, 0.6, 2), (0.6, 0.45, 2)])
def test_a_box_mostly_inside_another_ones_needs_a_higher_score_to_begin_a_track(beside, score, people):
    rng, person = np.random.default_rng(0), np.array([100.0, 100, 200, 400])
    other = person + np.array([100 * beside, 0, 100 * beside, -10])  # 1 - beside of it lies inside the person's box
    poses = rng.uniform(size=(2, 17, 2)) * [100, 290] + np.stack([person[:2], other[:2]])[:, None]
    found = Poses(np.stack([person, other]), poses, np.full((2, 17), 0.8), np.array([0.9, score]))
    tracker = PoseTracker()
    for frame in range(10):
        tracks = tracker.update(found, frame / 30)
    assert len(tracks) == people
