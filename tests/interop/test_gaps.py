"""Gaps, absent people and unknown keypoints in the programs that our files are for; skipped where one is absent."""

import numpy as np
import pytest
from gaps import ABSENT, FPS, FRAMES, UNKNOWN, gappy

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.features.calibration.measures import Calibration
from posetrack.tracker.features.events.detector import EventDetector
from posetrack.tracker.features.extraction.stream import ActionFeatures
from posetrack.tracker.formats.files import read_recording, write_recording
from posetrack.tracker.output.actions import ActionSink
from posetrack.tracker.output.motion import MotionFiles

# The programs load libraries whose warnings are not about our files.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def expected():
    """Keypoints (F, 2 people, K, 2), NaN where missing."""
    keypoints = np.full((FRAMES, 2, len(COCO), 2), np.nan)
    for index, _, tracks in gappy():
        keypoints[index, tracks.ids - 1] = tracks.poses.keypoints
    for person, absent in ABSENT.items():
        assert np.isnan(keypoints[list(absent), person - 1]).all()
    assert np.isnan(keypoints[:, 1, UNKNOWN]).all()
    return keypoints


@pytest.mark.parametrize(
    ("suffix", "program"), [(".dlc.csv", "DeepLabCut"), (".dlc.h5", "DeepLabCut"), (".sleap.h5", "SLEAP")]
)
def test_movement_has_every_frame_and_nothing_where_nothing_was(suffix, program, expected, tmp_path):
    load = pytest.importorskip("movement.io.load", reason="needs movement")
    (file,) = write_recording(tmp_path / f"out{suffix}", gappy())
    poses = load.load_dataset(file, source_software=program, fps=FPS)
    position = poses.position.transpose("time", "individuals", "keypoints", "space")
    assert position.shape == expected.shape
    np.testing.assert_allclose(position, expected, atol=0.006)
    confidence = poses.confidence.transpose("time", "individuals", "keypoints")
    assert not (np.nan_to_num(confidence) > 0)[np.isnan(expected).any(-1)].any()


@pytest.mark.parametrize("name", ["a.csv", "a.h5"])
def test_what_movement_writes_for_deeplabcut_is_read(name, expected, tmp_path):
    load = pytest.importorskip("movement.io.load", reason="needs movement")
    save = pytest.importorskip("movement.io.save_poses", reason="needs movement")
    (file,) = write_recording(tmp_path / "out.dlc.csv", gappy())
    save.to_dlc_file(load.load_dataset(file, source_software="DeepLabCut", fps=FPS), tmp_path / name, False)
    same(read_recording(tmp_path / name), expected)


def same(recording, expected):
    found = np.full_like(expected, np.nan)
    for index, _, tracks in recording:
        found[index, tracks.ids - 1] = tracks.poses.keypoints
    np.testing.assert_allclose(found, expected, atol=0.006)


def test_sleap_io_has_the_people_of_each_frame(expected, tmp_path):
    sleap = pytest.importorskip("sleap_io", reason="needs sleap-io")
    (file,) = write_recording(tmp_path / "out.sleap.h5", gappy())
    found = np.full_like(expected, np.nan)
    for frame in sleap.load_analysis_h5(str(file)):
        for instance in frame.instances:
            found[frame.frame_idx, int(instance.track.name.removeprefix("person")) - 1] = instance.numpy()
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_what_sleap_io_writes_is_read(expected, tmp_path):
    sleap = pytest.importorskip("sleap_io", reason="needs sleap-io")
    (file,) = write_recording(tmp_path / "out.sleap.h5", gappy())
    sleap.save_analysis_h5(sleap.load_analysis_h5(str(file)), str(tmp_path / "again.h5"))
    same(read_recording(tmp_path / "again.h5"), expected)


def test_points_labelled_by_hand_in_sleap_are_read(tmp_path):
    sleap = pytest.importorskip("sleap_io", reason="needs sleap-io")
    skeleton = sleap.Skeleton(["nose", "tail"])
    instance = sleap.Instance.from_numpy(np.array([[10.0, 20.0], [np.nan, np.nan]]), skeleton=skeleton)
    instance.track = sleap.Track("person4")
    frame = sleap.LabeledFrame(video=sleap.Video("a.mp4"), frame_idx=3, instances=[instance])
    sleap.save_analysis_h5(sleap.Labels([frame]), str(tmp_path / "a.h5"))
    ((index, _, tracks),) = read_recording(tmp_path / "a.h5")
    assert (index, tracks.ids.tolist()) == (3, [4])
    np.testing.assert_array_equal(tracks.poses.keypoints[0], [[10, 20], [np.nan, np.nan]])


@pytest.mark.parametrize("scale", [200.0, None], ids=["metres", "pixels"])
def test_opensim_reads_markers_with_gaps(scale, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # it writes a log file where it runs
    opensim = pytest.importorskip("opensim", reason="needs opensim")
    files = write_recording(tmp_path / "out.trc", gappy(), calibration=Calibration(scale=scale))
    assert len(files) == 2
    for person, file in enumerate(files):
        table = opensim.TimeSeriesTableVec3(str(file))
        stay = sorted(set(range(FRAMES)) - ABSENT[person + 1])
        frames = range(stay[0], stay[-1] + 1)
        assert list(table.getColumnLabels()) == list(COCO.keypoints)
        np.testing.assert_allclose(table.getIndependentColumn(), np.array(frames) / FPS, atol=1e-6)
        rows = [table.getRowAtIndex(row) for row in range(table.getNumRows())]
        markers = np.array([[row.getElt(0, k).to_numpy() for k in range(len(COCO))] for row in rows])
        found = markers[..., :2] * (1, -1) * (scale or 1)
        np.testing.assert_allclose(found, expected[list(frames), person], atol=0.006)
        assert opensim.MarkerData(str(file)).getNumFrames() == len(frames)


def test_coco_tools_take_results_with_absent_people(tmp_path):
    tools = pytest.importorskip("pycocotools.coco", reason="needs pycocotools")
    (file,) = write_recording(tmp_path / "out.coco.json", gappy())
    truth = tools.COCO()
    truth.dataset = {"images": [{"id": n} for n in range(FRAMES)], "annotations": [], "categories": [{"id": 1}]}
    truth.createIndex()
    results = truth.loadRes(str(file))
    for frame in range(FRAMES):
        people = {result["track_id"] for result in results.loadAnns(results.getAnnIds(imgIds=[frame]))}
        assert people == {person for person, absent in ABSENT.items() if frame not in absent}


def test_pandas_reads_the_tables(expected, tmp_path):
    pandas = pytest.importorskip("pandas", reason="needs pandas")
    (file,) = write_recording(tmp_path / "out.csv", gappy())
    table = pandas.read_csv(file)
    assert np.isnan(table[table.track_id == 2].right_ankle_x).all()
    (file,) = write_recording(tmp_path / "out.long.csv", gappy())
    table = pandas.read_csv(file)
    assert (table.x.isna() == table.score.isna()).all()
    assert table.x.notna().sum() == np.isfinite(expected).all(-1).sum()


def test_opensim_reads_motions_to_their_end(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    opensim = pytest.importorskip("opensim", reason="needs opensim")
    actions = ActionFeatures(view="right")
    files = MotionFiles(tmp_path / "out.mot", actions)
    with ActionSink(actions, EventDetector(actions), files) as sink:
        for index, time, tracks in gappy().timed():
            sink.write_rows(index, time, tracks)
    for file in files.save():
        rows = len(file.read_text().partition("endheader\n")[2].splitlines()) - 1
        motion = opensim.Storage(str(file))
        assert motion.isInDegrees()
        assert motion.getSize() == opensim.TimeSeriesTable(str(file)).getNumRows() == rows > 20
