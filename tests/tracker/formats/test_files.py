"""Every format is read back as it was written, and what is no such file is refused in a sentence."""

import json

import numpy as np
import pytest

from posetrack.errors import OutputError, SourceError, UsageError
from posetrack.models.keypoints import COCO
from posetrack.models.skeletons import POSETRACK18
from posetrack.tracker.formats.files import find_sequences, read_trajectories, write_trajectories
from posetrack.tracker.formats.trajectories import from_columns, from_tracks, skeleton_of
from posetrack.tracker.output.table import CsvSink
from posetrack.tracker.tracking import fakes
from posetrack.tracker.tracking.tracker import PoseTracker
from posetrack.tracker.types import Frame


@pytest.fixture
def tracked():
    """Frames and tracks of a crossing pair; one keypoint is missing in one frame."""
    tracker, results = PoseTracker(), []
    for index, (time, poses, _) in enumerate(fakes.crossing(fakes.regular(4, 15)).frames(noise=0.01)):
        if index == 0:
            poses.keypoints[0, 9], poses.scores[0, 9] = np.nan, 0
        results.append((index, time, tracker.update(poses, time)))
    return results


@pytest.fixture
def table(tracked, tmp_path):
    with CsvSink(tmp_path / "pair.csv", skeleton=COCO) as sink:
        for index, time, tracks in tracked:
            sink.write(Frame(np.zeros((1, 1, 3), np.uint8), index, time), tracks)
    return tmp_path / "pair.csv"


def test_the_table_comes_back(tracked, table):
    wanted, people = from_tracks(tracked), read_trajectories(table)
    assert people.skeleton is COCO
    assert people.predicted.any()
    for name in ("frames", "ids", "predicted"):
        np.testing.assert_array_equal(getattr(people, name), getattr(wanted, name))
    for name in ("boxes", "keypoints"):
        np.testing.assert_allclose(getattr(people, name), getattr(wanted, name), atol=0.0051)  # two decimals
    np.testing.assert_allclose(people.times, wanted.times, atol=1e-6)
    assert np.isnan(people.keypoints[0, 9]).all() or np.isnan(people.keypoints[1, 9]).all()


def test_mot_comes_back(table):
    people = read_trajectories(table)
    target = table.with_suffix(".txt")
    write_trajectories(target, people)
    again = read_trajectories(target)
    assert target.read_text().startswith("1,1,")
    for name in ("frames", "ids"):
        np.testing.assert_array_equal(getattr(again, name), getattr(people, name))
    np.testing.assert_allclose(again.boxes, people.boxes, atol=0.011)
    np.testing.assert_allclose(again.box_scores, people.box_scores, atol=1e-4)


def test_mot_truth_bears_visibility_and_what_is_not_judged(tmp_path):
    truth = tmp_path / "gt.txt"
    truth.write_text("2,1,10,20,30,40,1,1,0.4\n1,1,10,20,30,40,1,1,1\n1,2,0,0,5,5,0,1,1\n1,3,0,0,5,5,1,8,1\n\n")
    people = read_trajectories(truth)
    assert people.frames.tolist() == [0, 0, 0, 1]
    assert people.boxes[0].tolist() == [10, 20, 40, 60]
    np.testing.assert_array_equal(people.box_scores, [1, np.nan, np.nan, 0.4])


def test_posetrack18_comes_back_with_the_keypoints_that_it_has(table):
    people = read_trajectories(table)
    target = table.with_suffix(".json")
    write_trajectories(target, people)
    again = read_trajectories(target)
    assert again.skeleton is POSETRACK18
    np.testing.assert_array_equal(again.ids, people.ids)
    np.testing.assert_allclose(again.boxes, people.boxes, atol=0.011)
    np.testing.assert_allclose(again.keypoints[:, 3:], people.keypoints[:, 3:], atol=0.011)
    np.testing.assert_allclose(again.scores[:, 5:], people.scores[:, 5:], atol=1e-4)
    assert np.isnan(again.keypoints[:, 1:3]).all()  # the head's top and bottom, which COCO has not
    document = json.loads(target.read_text())
    assert len(document["images"]) == people.frames.max() + 1
    assert len(document["annotations"][0]["keypoints"]) == 51


def test_posetrack18_truth_names_its_labelled_pictures(tmp_path):
    annotation = {"image_id": 1002, "track_id": 7, "keypoints": [10, 20, 1] + [0, 0, 0] * 15 + [30, 60, 1]}
    images = [{"id": 1002, "is_labeled": True}, {"id": 1001, "is_labeled": False}]
    file = tmp_path / "truth.json"
    file.write_text(json.dumps({"images": images, "annotations": [annotation]}))
    people = read_trajectories(file)
    assert people.frames.tolist() == people.labelled.tolist() == [1]
    assert people.boxes.tolist() == [[10, 20, 30, 60]]  # around the pose, for want of a bbox
    assert np.isfinite(people.keypoints[0, :, 0]).sum() == 2


def test_nobody_is_a_file_too(tmp_path):
    nobody = from_tracks([])
    for name in ("a.txt", "a.json"):
        write_trajectories(tmp_path / name, nobody)
        assert len(read_trajectories(tmp_path / name)) == 0


def test_unknown_keypoints_keep_their_names():
    assert skeleton_of(COCO.keypoints) is COCO
    assert skeleton_of(["tail", "paw"]).keypoints == ("tail", "paw")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "frame,time\n0,0\n", "no table of posetrack"),
        ("a.csv", "", "no table of posetrack"),
        ("a.txt", "0,1,2,3,4,5,1,-1,-1,-1\n", "row 1 is '0,1,2,3,4,5"),
        ("a.txt", "1,one,2,3,4,5\n", "no MOT file"),
        ("a.json", "[]", "no PoseTrack18 file"),
        ("a.json", '{"images": [], "annotations": [{}]}', "no PoseTrack18 file"),
    ],
)
def test_other_files_are_refused(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(SourceError, match=message):
        read_trajectories(tmp_path / name)


def test_a_broken_table_names_its_line(table):
    table.write_text("\n".join([*table.read_text().splitlines()[:3], "5,0.1,1"]) + "\n")
    with pytest.raises(SourceError, match="line 4: it has 3 of 60 cells"):
        read_trajectories(table)


def test_names_and_suffixes_are_checked(tmp_path):
    boxes = from_columns(skeleton_of([]), frames=[0], ids=[1], boxes=[[0, 0, 1, 1]])
    with pytest.raises(OutputError, match="only boxes"):
        write_trajectories(tmp_path / "a.json", boxes)
    with pytest.raises(UsageError, match="neither"):
        write_trajectories(tmp_path / "a.xml", boxes)
    with pytest.raises(UsageError, match="none of the formats"):
        read_trajectories(tmp_path / "a.xml")
    with pytest.raises(SourceError, match="no such file"):
        read_trajectories(tmp_path / "a.txt")


def test_the_files_of_a_folder_bear_their_videos_names(tmp_path):
    for name in ("a.csv", "a.csv.json", "b.csv", "c.partial.csv", "a.mp4", "x/gt/gt.txt", "y/gt/gt.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert list(find_sequences(str(tmp_path))) == ["a", "b"]
    assert list(find_sequences(str(tmp_path / "*/gt/gt.txt"))) == ["x", "y"]
    (tmp_path / "a.mot.txt").touch()
    assert list(find_sequences(str(tmp_path / "*.txt"))) == ["a"]
    with pytest.raises(UsageError, match="both of 'a'"):
        find_sequences(str(tmp_path))
    with pytest.raises(SourceError, match="holds no"):
        find_sequences(str(tmp_path / "*.mp4"))
