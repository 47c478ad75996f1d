import numpy as np
import pytest
from commands import rows

from posetrack.errors import OutputError
from posetrack.models.geometry.keypoints import COCO, Skeleton
from posetrack.tracker.formats.table import CsvSink, columns, read_table
from posetrack.tracker.types import Frame, Poses, State, Tracks

PAIR = Skeleton(name="pair", keypoints=("head", "foot"), limbs=((0, 1),), flip_pairs=(), sigmas=(0.05, 0.05))
IMAGE = np.zeros((4, 4, 3), dtype=np.uint8)


def test_header_of_the_coco_skeleton(tmp_path):
    with CsvSink(tmp_path / "out.csv", skeleton=COCO):
        pass
    header = (tmp_path / "out.csv").read_text()
    assert header == (
        "frame,time_s,track_id,state,score,x1,y1,x2,y2,"
        "nose_x,nose_y,nose_score,left_eye_x,left_eye_y,left_eye_score,right_eye_x,right_eye_y,right_eye_score,"
        "left_ear_x,left_ear_y,left_ear_score,right_ear_x,right_ear_y,right_ear_score,"
        "left_shoulder_x,left_shoulder_y,left_shoulder_score,right_shoulder_x,right_shoulder_y,right_shoulder_score,"
        "left_elbow_x,left_elbow_y,left_elbow_score,right_elbow_x,right_elbow_y,right_elbow_score,"
        "left_wrist_x,left_wrist_y,left_wrist_score,right_wrist_x,right_wrist_y,right_wrist_score,"
        "left_hip_x,left_hip_y,left_hip_score,right_hip_x,right_hip_y,right_hip_score,"
        "left_knee_x,left_knee_y,left_knee_score,right_knee_x,right_knee_y,right_knee_score,"
        "left_ankle_x,left_ankle_y,left_ankle_score,right_ankle_x,right_ankle_y,right_ankle_score\n"
    )


def test_golden_rows(tmp_path):
    poses = Poses(
        [[1, 2, 30.456, 40], [-0.001, 5, 6, 7]],
        [[[10.5, 20.25], [np.nan, np.nan]], [[1919.99, 0], [3, 4]]],
        [[0.98765, 0], [1, 0.5]],
        [0.875, 0.3],
    )
    tracks = Tracks([3, 12], poses, np.zeros((2, 2)), (State.MEASURED, State.PREDICTED))
    with CsvSink(tmp_path / "out.csv", skeleton=PAIR) as sink:
        sink.write(Frame(IMAGE, 0, 0.0), Tracks.empty(2))
        sink.write(Frame(IMAGE, 7, 7 / 30), tracks)
    assert (tmp_path / "out.csv").read_text() == (
        "frame,time_s,track_id,state,score,x1,y1,x2,y2,head_x,head_y,head_score,foot_x,foot_y,foot_score\n"
        "7,0.233333,3,measured,0.8750,1.00,2.00,30.46,40.00,10.50,20.25,0.9876,,,\n"
        "7,0.233333,12,predicted,0.3000,0.00,5.00,6.00,7.00,1919.99,0.00,1.0000,3.00,4.00,0.5000\n"
    )


@pytest.mark.parametrize("missing", [(np.nan, np.nan), (np.nan, 5), (np.inf, 5), (5, -np.inf)])
def test_a_missing_keypoint_is_three_empty_cells(tmp_path, missing):
    tracks = Tracks([1], Poses([[0, 0, 9, 9]], [[missing, (1, 2)]], [[0.4, 0.9]]), [[0, 0]], (State.MEASURED,))
    with CsvSink(tmp_path / "out.csv", skeleton=PAIR) as sink:
        sink.write(Frame(IMAGE, 0, 0.0), tracks)
    (row,) = rows(sink.path)
    assert [row[f"head_{part}"] for part in ("x", "y", "score")] == ["", "", ""]
    assert row["foot_x"] == "1.00"


def test_low_scores_are_kept(tmp_path):
    tracks = Tracks([1], Poses([[0, 0, 9, 9]], [[(5, 6), (1, 2)]], [[0.0, 0.01]]), [[0, 0]], (State.MEASURED,))
    with CsvSink(tmp_path / "out.csv", skeleton=PAIR) as sink:
        sink.write(Frame(IMAGE, 0, 0.0), tracks)
    (row,) = rows(sink.path)
    assert (row["head_x"], row["head_score"], row["foot_score"]) == ("5.00", "0.0000", "0.0100")


def test_a_crash_leaves_whole_rows_under_the_partial_name(tmp_path, frame_of, people):
    sink = CsvSink(tmp_path / "out.csv", skeleton=COCO)

    def run():
        with sink:
            sink.write(frame_of(0), people(3))
            assert len(rows(sink.partial)) == 3  # there already, before the file is closed
            raise RuntimeError("camera died")

    with pytest.raises(RuntimeError, match=r"camera died"):
        run()
    assert not sink.path.exists()
    assert [row["track_id"] for row in rows(sink.partial)] == ["1", "2", "3"]


def test_overwriting_has_to_be_asked_for(tmp_path, frame_of, people):
    path = tmp_path / "out.csv"
    path.write_text("precious")
    with pytest.raises(OutputError, match=r"--overwrite"):
        CsvSink(path, skeleton=COCO)
    with CsvSink(path, skeleton=COCO, overwrite=True) as sink:
        sink.write(frame_of(), people(2))
    assert len(rows(path)) == 2


def test_a_full_disk_is_a_sentence(tmp_path, full_disk):
    with (
        full_disk(20),
        pytest.raises(OutputError, match=r"Cannot write .*File too large"),
        CsvSink(tmp_path / "out.csv", skeleton=PAIR),
    ):
        pass


def test_poses_of_another_skeleton_are_refused(tmp_path, frame_of, people):
    with (
        pytest.raises(ValueError, match=r"17 keypoints and the table 2"),
        CsvSink(tmp_path / "out.csv", skeleton=PAIR) as sink,
    ):
        sink.write(frame_of(), people(1))


def test_every_column_is_explained():
    assert len(columns(COCO)) == 9 + 3 * 17
    assert all(columns(COCO).values())


def test_the_states_of_keypoints_are_written_and_read_back(tmp_path):
    poses = Poses([[0, 0, 9, 9]], [[[1, 2], [np.nan, np.nan]]], [[0.9, 0]])
    tracks = Tracks([1], poses, [[0, 0]], (State.MEASURED,), keypoint_states=[[1, 0]])
    path = tmp_path / "out.csv"
    with CsvSink(path, skeleton=PAIR, states=True) as sink:
        sink.write(Frame(IMAGE, 0, 0.0), tracks)
    (row,) = rows(path)
    assert list(row)[-2:] == ["head_state", "foot_state"]
    assert list(row) == list(columns(PAIR, states=True))
    assert (row["state"], row["head_state"], row["foot_state"]) == ("measured", "predicted", "")
    ((_, _, again),) = read_table(path).timed()
    assert again.keypoint_states.tolist() == [[1, 0]]
