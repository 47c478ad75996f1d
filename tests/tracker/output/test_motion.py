"""Motions for OpenSim: the angles of people who are seen from the side, with the names and signs of its models."""

import motions
import numpy as np
import pytest

from posetrack.errors import OutputError, SourceError
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.features.calibration.measures import Calibration, Floor
from posetrack.tracker.features.events.detector import EventDetector
from posetrack.tracker.features.extraction.stream import ActionFeatures
from posetrack.tracker.output.actions import ActionSink
from posetrack.tracker.output.motion import MotionFiles
from posetrack.tracker.types import State, Tracks

TIMES = synthetic.regular(3, 30)


def written(path, *, yaw=0.0, lost=range(0), calibration=None):
    """Write the motions of one person and return them, with the features as the truth."""
    actions = ActionFeatures(calibration=calibration or Calibration())
    files = MotionFiles(path, actions)
    done = []

    class Keep:
        def take(self, tracks, features, events):
            done.append(features)

    with ActionSink(actions, EventDetector(actions), files, Keep()) as sink:
        for index, time, poses in motions.perform([motions.squats(1)], TIMES, yaw=yaw).frames():
            state = State.PREDICTED if index in lost else State.MEASURED
            sink.write_rows(index, time, Tracks(np.array([3]), poses, np.zeros((1, 2)), (state,)))
    return files.save(), done


def read(path):
    head, _, body = path.read_text().partition("endheader\n")
    names, *rows = (line.split("\t") for line in body.splitlines())
    facts = dict(line.split("=") for line in head.splitlines() if "=" in line)
    assert facts == {"version": "1", "nRows": str(len(rows)), "nColumns": str(len(names)), "inDegrees": "yes"}
    return dict(zip(names, np.array(rows, float).T))


@pytest.mark.parametrize("yaw", [0.0, 180.0])
def test_the_coordinates_are_the_angles(yaw, tmp_path):
    (file,), done = written(tmp_path / "a.mot", yaw=yaw)
    assert file.name == "a_person3.mot"
    found = read(file)
    assert "ankle_angle_r" not in found  # COCO has no feet
    np.testing.assert_allclose(found["time"], TIMES, atol=1e-6)
    for coordinate, column, sign in (
        ("knee_angle_r", "right_knee_deg", 1),
        ("hip_flexion_l", "left_hip_deg", 1),
        ("arm_flex_r", "right_shoulder_deg", 1),
        ("elbow_flex_l", "left_elbow_deg", 1),
        ("pelvis_tilt", "trunk_inclination_deg", -1),
    ):
        truth = [sign * frame[column][0] for frame in done]
        np.testing.assert_allclose(found[coordinate], truth, atol=1e-5, err_msg=coordinate)
    assert found["knee_angle_r"].max() > 80
    assert found["pelvis_tilt"].min() < -20  # leaning forwards is negative


def test_the_pelvis_moves_forwards_above_the_floor(tmp_path):
    scene = motions.perform([motions.squats(1)], TIMES)
    bottom = scene.keypoints[0, :, 1].max() + 8
    calibration = Calibration(scale=220 / 1.8, floor=Floor((0, bottom), (200, bottom), 0.0))
    (file,), _ = written(tmp_path / "a.mot", calibration=calibration)
    found = read(file)
    assert found["pelvis_ty"].max() == pytest.approx(0.53 * 1.8, abs=0.06)  # Winter 2009, figure 4.1
    assert found["pelvis_ty"].min() < 0.75 * found["pelvis_ty"].max()
    assert np.ptp(found["pelvis_tx"]) < 0.6


def test_a_short_gap_is_bridged_and_the_frames_of_a_long_one_are_left_out(tmp_path):
    (file,), _ = written(tmp_path / "a.mot", lost=[*range(10, 14), *range(40, 65)])
    found = read(file)
    np.testing.assert_allclose(found["time"], [*TIMES[:40], *TIMES[65:]], atol=1e-6)
    assert all(np.isfinite(column).all() for column in found.values())  # OpenSim stops reading at the first nan


def test_people_seen_from_the_front_have_no_motion(tmp_path):
    with pytest.raises(SourceError, match="people seen from the side"):
        written(tmp_path / "a.mot", yaw=90.0)


def test_a_taken_name_is_refused(tmp_path):
    (tmp_path / "a_person3.mot").write_text("mine")
    with pytest.raises(OutputError, match="add --overwrite"):
        written(tmp_path / "a.mot")
