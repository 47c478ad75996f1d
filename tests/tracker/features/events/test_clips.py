"""The bundled networks count what a drawn person does in a video."""

import mannequin
import motions
import pytest

import posetrack
from posetrack.tracker.evaluation.synthetic import regular
from posetrack.tracker.features.movement.balance import jumps
from posetrack.tracker.features.movement.passage import Passages

STAND = motions.stand(1)


def followed(tmp_path, parts, *, yaw, view, blend=1.0, fps=15):
    """Return the counts and the passages of the person whom posetrack finds."""
    path = tmp_path / "clip.mp4"
    times = regular(sum(part[0] + blend for part in parts) + 0.5, fps)
    mannequin.clip(path, mannequin.placed(motions.perform(parts, times, yaw=yaw, blend=blend)), view=view, fps=fps)
    actions = posetrack.ActionFeatures()
    detector, passages, ended = posetrack.EventDetector(actions), Passages(), []
    names = []
    done = [row for frame, tracks in posetrack.track(path) for row in actions.update(frame.index, frame.time, tracks)]
    for row in done + actions.finish():
        names += [event.event for event in detector.update(row)]
        ended += passages.take(row)
    return names, ended + passages.finish()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "part", "yaw", "view", "blend", "count"),
    [
        ("squat", motions.squats(2), 0, "right", 1.0, 2),
        ("jumping_jack", motions.jumping_jacks(3), 90, "front", 1.0, 3),
        ("curl", motions.curls(2), 0, "right", 1.0, 2),
        ("sit_to_stand", motions.chair_stands(2), 180, "left", 1.5, 2),
    ],
)
def test_repetitions_of_a_drawn_person_are_counted(tmp_path, name, part, yaw, view, blend, count):
    names, _ = followed(tmp_path, [STAND, part, STAND], yaw=yaw, view=view, blend=blend)
    assert names == [name] * count


@pytest.mark.slow
def test_the_jump_of_a_drawn_person_has_its_height(tmp_path):
    _, passages = followed(
        tmp_path, [motions.stand(2), motions.jump(flight=0.5)], yaw=0, view="right", blend=0.4, fps=25
    )
    (one,) = (jump for passage in passages for jump in jumps(passage))
    assert one.height == pytest.approx(9.81 * 0.5**2 / 8, abs=one.uncertainty)
