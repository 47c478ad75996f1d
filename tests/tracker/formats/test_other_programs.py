"""What is written for `movement` and `sleap-io` is what they read."""

import numpy as np
import pytest

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.formats.files import read_recording, write_recording

# Both read with libraries whose warnings are not about our files.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def expected(recording):
    """Keypoints (F, 2 people, K, 2) and scores (F, 2, K), NaN where missing."""
    keypoints = np.full((60, 2, len(COCO), 2), np.nan)
    scores = np.full(keypoints.shape[:3], np.nan)
    for index, _, tracks in recording:
        there = np.isfinite(tracks.poses.keypoints).all(-1)
        keypoints[index, tracks.ids - 1] = tracks.poses.keypoints
        scores[index, tracks.ids - 1] = np.where(there, tracks.poses.scores, np.nan)
    return keypoints, scores


@pytest.mark.parametrize(
    ("suffix", "program"), [(".dlc.csv", "DeepLabCut"), (".dlc.h5", "DeepLabCut"), (".sleap.h5", "SLEAP")]
)
def test_movement_loads_it(suffix, program, recording, expected, tmp_path):
    load = pytest.importorskip("movement.io.load", reason="needs movement")
    (file,) = write_recording(tmp_path / f"out{suffix}", recording)
    poses = load.load_dataset(file, source_software=program, fps=15)
    assert poses.individuals.values.tolist() == ["person1", "person2"]
    assert poses.keypoints.values.tolist() == list(COCO.keypoints)
    keypoints, scores = expected
    position = poses.position.transpose("time", "individuals", "keypoints", "space")
    np.testing.assert_allclose(position, keypoints, atol=0.006)
    np.testing.assert_allclose(poses.confidence.transpose("time", "individuals", "keypoints"), scores, atol=1e-4)


@pytest.mark.parametrize("suffix", [".csv", ".h5"])
def test_what_movement_writes_for_deeplabcut_is_read(suffix, recording, expected, tmp_path):
    load = pytest.importorskip("movement.io.load", reason="needs movement")
    save = pytest.importorskip("movement.io.save_poses", reason="needs movement")
    (file,) = write_recording(tmp_path / "out.dlc.csv", recording)
    poses = load.load_dataset(file, source_software="DeepLabCut", fps=15)
    save.to_dlc_file(poses, tmp_path / f"again{suffix}", split_individuals=False)
    for index, _, tracks in read_recording(tmp_path / f"again{suffix}"):
        there = tracks.ids - 1
        np.testing.assert_allclose(tracks.poses.keypoints, expected[0][index, there], atol=0.006)
    assert index == 59


def test_sleap_io_loads_it(recording, expected, tmp_path):
    sleap = pytest.importorskip("sleap_io", reason="needs sleap_io")
    (file,) = write_recording(tmp_path / "out.sleap.h5", recording)
    labels = sleap.load_analysis_h5(str(file))
    assert [track.name for track in labels.tracks] == ["person1", "person2"]
    assert labels.skeletons[0].node_names == list(COCO.keypoints)
    assert len(labels.skeletons[0].edges) == len(COCO.limbs)
    seen = 0
    for frame in labels:
        for instance in frame.instances:
            person = int(instance.track.name.removeprefix("person")) - 1
            np.testing.assert_allclose(instance.numpy(), expected[0][frame.frame_idx, person], atol=1e-3)
            seen += 1
    assert seen == np.isfinite(expected[0]).any((2, 3)).sum()


def test_what_sleap_io_writes_is_read(recording, expected, tmp_path):
    sleap = pytest.importorskip("sleap_io", reason="needs sleap_io")
    (file,) = write_recording(tmp_path / "out.sleap.h5", recording)
    sleap.save_analysis_h5(sleap.load_analysis_h5(str(file)), str(tmp_path / "again.h5"))
    for index, _, tracks in read_recording(tmp_path / "again.h5"):
        np.testing.assert_allclose(tracks.poses.keypoints, expected[0][index, tracks.ids - 1], atol=1e-3)
    assert index == 59
