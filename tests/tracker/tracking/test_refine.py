"""Refined tracks: closer to the truth, gaps filled and marked, one id per person, no ghosts."""

from dataclasses import replace

import numpy as np
import pytest

from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.tracking.refine import RefineConfig, refine
from posetrack.tracker.tracking.tracker import PoseTracker
from posetrack.tracker.types import Poses, State, Tracks


def tracked(scene, *, smooth="none", keep=lambda time: True, noise=0.01, **frames):
    """Return the tracks of each frame; frames that are not kept have no observations."""
    tracker = PoseTracker(smooth=smooth)
    return [
        tracker.update(poses if keep(time) else Poses.empty(), time)
        for time, poses, _ in scene.frames(noise=noise, **frames)
    ]


def hidden(scene, start, end):
    visible = scene.visible & ~((scene.times >= start) & (scene.times < end))[:, None]
    return replace(scene, visible=visible)


def split(tracks, times, at, offset=10):
    """Change all ids from a time on."""
    return [replace(frame, ids=frame.ids + offset * (time >= at)) for frame, time in zip(tracks, times)]


def error(tracks, scene):
    found = np.array([frame.poses.keypoints[0] for frame in tracks])
    return np.sqrt(((found - scene.keypoints[:, 0]) ** 2).sum(-1).mean())


@pytest.mark.parametrize("times", [synthetic.regular(4, 30), synthetic.regular(4, 15), synthetic.irregular(4, 30)])
@pytest.mark.parametrize("speed", [0.0, 150.0, 600.0])
def test_it_is_nearer_to_the_truth_than_any_online_choice(times, speed):
    scene = synthetic.walking(times, speed=speed)
    refined = error(refine(times, tracked(scene)), scene)
    online = {name: error(tracked(scene, smooth=name), scene) for name in ("none", "kalman", "one-euro")}
    assert refined < 0.75 * min(online.values()) if speed else refined < 0.75 * online["kalman"], (refined, online)


@pytest.mark.parametrize("fps", [10, 30, 60])
@pytest.mark.parametrize("noise", [0.002, 0.01])
def test_at_rest_it_is_calmer_than_the_live_filter(noise, fps):
    scene = synthetic.standing(synthetic.regular(4, fps))
    raw, live = (tracked(scene, noise=noise, smooth=smooth) for smooth in ("none", "one-euro"))
    paths = [
        np.array([frame.poses.keypoints[0] for frame in frames[fps // 2 :]])  # the filter settles
        for frames in (raw, live, refine(scene.times, raw))
    ]
    before, online, after = (np.diff(path, 2, axis=0).std() for path in paths)
    assert after < min(before / 16, online)


def test_who_starts_and_stops_at_once_is_not_smoothed_away():
    scene = synthetic.standing(times := synthetic.regular(4, 30))
    distance = 200 * np.clip(times - 1.5, 0, 1)  # pixels, of a person 200 pixels in height
    moved = replace(scene, keypoints=scene.keypoints + distance[:, None, None, None] * [1, 0])
    raw = tracked(replace(moved, boxes=scene.boxes + distance[:, None, None] * [1, 0, 1, 0]), noise=0.002)
    refined = np.array([frame.poses.keypoints[0] for frame in refine(times, raw)])
    assert np.abs(refined - moved.keypoints[:, 0]).max() < 8


def test_a_gap_is_interpolated_and_marked():
    scene = hidden(synthetic.walking(synthetic.regular(4, 30)), 1.5, 2.2)
    refined = refine(scene.times, tracked(scene))
    gap = (scene.times >= 1.5) & (scene.times < 2.2)
    for frame, between, truth in zip(refined, gap, scene.boxes[:, 0]):
        assert frame.ids.tolist() == [1]
        assert frame.states == ((State.INTERPOLATED if between else State.MEASURED),)
        assert np.abs(frame.poses.boxes[0] - truth).max() < 10
        assert np.isfinite(frame.poses.keypoints).all()
        assert (frame.poses.scores > 0).all()


def test_a_long_gap_stays_empty_and_predictions_are_gone():
    scene = hidden(synthetic.walking(synthetic.regular(5, 30), speed=60), 1.0, 2.5)
    refined = refine(scene.times, tracked(scene))
    there = [len(frame) == 1 for frame in refined]
    assert there == scene.visible[:, 0].tolist()
    assert {state for frame in refined for state in frame.states} == {State.MEASURED}


def test_a_missing_keypoint_is_filled_for_a_while_only():
    scene, tracker, raw = synthetic.walking(synthetic.regular(4, 30)), PoseTracker(smooth="none"), []
    for time, poses, _ in scene.frames():
        keypoints, scores = poses.keypoints.copy(), poses.scores.copy()
        for k, (start, end) in {9: (1.0, 1.5), 10: (1.0, 3.0)}.items():
            if start <= time < end:
                keypoints[:, k], scores[:, k] = np.nan, 0
        raw.append(tracker.update(Poses(poses.boxes, keypoints, scores), time))
    refined = refine(scene.times, raw)
    known = np.array([np.isfinite(frame.poses.keypoints[0, :, 0]) for frame in refined])
    assert known[:, 9].all()
    assert (known[:, 10] == ((scene.times < 1) | (scene.times >= 3))).all()
    assert ((np.array([frame.poses.scores[0] for frame in refined]) > 0) == known).all()


@pytest.mark.parametrize("away", [0.0, 0.8, 1.6])
def test_two_tracklets_of_one_walker_are_joined(away):
    scene = hidden(synthetic.walking(synthetic.regular(5, 30)), 2.0, 2.0 + away)
    raw = split(tracked(scene), scene.times, 2.0 + away - 1e-6)
    assert {int(i) for frame in raw for i in frame.ids} == {1, 11}
    assert {int(i) for frame in refine(scene.times, raw) for i in frame.ids} == {1}


def test_two_people_are_not_joined():
    times = synthetic.regular(5, 30)
    places = {"elsewhere": [[400, 240], [900, 240]], "taller": [[400, 240], [400, 240]]}
    for name, starts in places.items():
        heights = [200, 300 if name == "taller" else 200]
        scene = synthetic.people(times, starts=starts, velocities=[[0, 0], [0, 0]], heights=heights)
        visible = np.stack([times < 2, times >= 2.5], axis=1)
        raw = split(tracked(replace(scene, visible=visible)), times, 2.4)
        assert len({int(i) for frame in refine(times, raw) for i in frame.ids}) == 2, name


def test_no_tracklets_are_joined_across_a_cut():
    """A person at the place of another person in the previous shot is a different person."""
    scene, tracker, raw = synthetic.standing(synthetic.regular(2, 30)), PoseTracker(smooth="none"), []
    for time, poses, _ in scene.frames(noise=0.01):
        if time == 1:
            tracker.cut()
        raw.append(tracker.update(poses, time))
    refined = refine(scene.times, raw)
    assert [frame.ids.tolist() for frame in refined] == [[1]] * 30 + [[2]] * 30
    assert [i for i, frame in enumerate(refined) if frame.new_scene] == [0, 30]
    assert {
        int(i) for frame in refine(scene.times, [replace(frame, new_scene=False) for frame in raw]) for i in frame.ids
    } == {1}


@pytest.mark.parametrize("frames", [1, 2, 4])
@pytest.mark.parametrize("speed", [0.0, 150.0])
def test_outliers_leave_no_trace(frames, speed):
    """Wrists that are taken for one another, and an ankle that is somewhere else."""
    scene, tracker, raw = synthetic.walking(synthetic.regular(3, 30), speed=speed), PoseTracker(smooth="none"), []
    for time, poses, _ in scene.frames(noise=0.01):
        keypoints = poses.keypoints.copy()
        if 1 <= time < 1 + (frames - 0.5) / 30:
            keypoints[0, [9, 10]] = keypoints[0, [10, 9]]
            keypoints[0, 15] += (60, -80)
        raw.append(tracker.update(replace(poses, keypoints=keypoints), time))
    off = [
        np.linalg.norm(frame.poses.keypoints[0] - truth, axis=-1)
        for frame, truth in zip(refine(scene.times, raw), scene.keypoints[:, 0])
    ]
    assert np.max(off) < 8  # pixels, of a height of 200


def test_what_jumps_and_stays_is_accepted():
    scene, tracker, raw = synthetic.standing(synthetic.regular(3, 30)), PoseTracker(smooth="none"), []
    for time, poses, _ in scene.frames(noise=0.01):
        keypoints = poses.keypoints.copy()
        keypoints[0, 9] += (60 * (time >= 1.5), 0)
        raw.append(tracker.update(replace(poses, keypoints=keypoints), time))
    wrist = (
        np.array([frame.poses.keypoints[0, 9, 0] for frame in refine(scene.times, raw)]) - scene.keypoints[:, 0, 9, 0]
    )
    assert np.abs(wrist[:40]).max() < 8
    assert np.abs(wrist[50:] - 60).max() < 8


def test_ambiguous_tracklets_are_not_joined():
    times = synthetic.regular(5, 30)
    scene = synthetic.people(times, starts=[[400, 240], [370, 240], [430, 240]], velocities=np.zeros((3, 2)))
    visible = np.stack([times < 2, times >= 2.5, times >= 2.5], axis=1)
    raw = split(tracked(replace(scene, visible=visible)), times, 2.4)
    raw_ids = {int(i) for frame in raw for i in frame.ids}
    assert {int(i) for frame in refine(times, raw) for i in frame.ids} == raw_ids


def test_ghosts_are_left_out_and_short_videos_are_not():
    def ghostly(score):
        box, points = [[10.0, 10, 60, 160]], np.full((1, 17, 2), 50.0)
        poses = Poses(box, points, np.full((1, 17), 0.4), [score])
        return Tracks([5], poses, np.zeros((1, 2)), (State.MEASURED,))

    times = np.arange(60) / 30
    empty = [Tracks.empty() for _ in times]
    for score, left in ((0.3, 0), (0.9, 4)):
        raw = empty[:20] + [ghostly(score)] * 4 + empty[24:]
        assert sum(map(len, refine(times, raw))) == left
    assert [len(frame) for frame in refine([0.0], [ghostly(0.3)])] == [1]


def test_no_people_and_no_frames():
    assert [len(frame) for frame in refine([0.0, 0.1], [Tracks.empty()] * 2)] == [0, 0]
    assert refine([], []) == []
    with pytest.raises(ValueError, match="1 times for 2 frames"):
        refine([0.0], [Tracks.empty()] * 2)


def test_people_come_in_the_order_of_their_ids():
    scene = synthetic.crowd(synthetic.regular(2, 15), count=6)
    for frame in refine(scene.times, tracked(scene, misses=0.1), config=RefineConfig(gap_seconds=0.5)):
        assert (np.diff(frame.ids) > 0).all()
        assert len(frame.states) == len(frame)


@pytest.mark.parametrize("sign", [-1, 1], ids=["leaves", "enters"])
def test_a_box_ends_at_the_border_of_the_image(sign):
    """The edge that the border cuts off stops at once."""
    times, tracker = synthetic.regular(2, 25), PoseTracker(smooth="none")
    left = 200 + 400 * np.arange(len(times))[::-sign] / 25  # pixels, of a box 120 wide in an image 400 wide
    boxes = np.stack([left, 0 * left + 50, left + 120, 0 * left + 350], axis=-1).clip(0, 400)
    poses = [
        Poses(box[None], np.full((1, 17, 2), np.nan), np.zeros((1, 17)), np.ones(1))
        for box in boxes
        if box[2] - box[0] > 30
    ]
    raw = [tracker.update(each, time, size=(400, 400)) for each, time in zip(poses, times)]
    refined = refine(times[: len(raw)], raw, size=(400, 400))
    away = [np.abs(after.boxes - before.boxes).max() for before, after in zip(raw, refined)]
    assert max(away) < 6  # pixels; without the size of the image 10
