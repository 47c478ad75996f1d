"""What other programs write where nothing is does not become a person or a keypoint."""

import json
import pickle

import numpy as np
import pytest

from posetrack.errors import SourceError
from posetrack.tracker.formats.files import read_recording, read_trajectories, write_recording

K = 17
BODY = [[10.0 + k, 20.0 + 2 * k, 0.9] for k in range(K)]


def body(**changes):
    """Keypoints (17, 3), of which those named k0, k1, ... are something else."""
    points = np.array(BODY)
    for name, value in changes.items():
        points[int(name[1:])] = value
    return points


HOLES = body(k0=(0, 0, 0), k1=(0, 0, 0.5), k2=(50, 60, 0), k3=(50, 60, -1))
EMPTY = np.zeros((K, 3))


def coco(tmp_path):
    people = [
        {"image_id": 0, "track_id": 3, "keypoints": HOLES.ravel().tolist(), "bbox": [10, 20, 30, 40]},
        {"image_id": 0, "track_id": -1, "keypoints": body().ravel().tolist(), "bbox": [10, 20, 30, 40]},
        {"image_id": 0, "track_id": None, "keypoints": body().ravel().tolist(), "bbox": [10, 20, 30, 40]},
        {"image_id": 0, "track_id": 4, "keypoints": EMPTY.ravel().tolist(), "bbox": [0, 0, 0, 0]},
    ]
    (tmp_path / "a.json").write_text(json.dumps(people))
    return tmp_path / "a.json"


def posetrack18(tmp_path):
    people = json.loads(coco(tmp_path).read_text())
    for person in people:
        points = np.array(person["keypoints"]).reshape(K, 3)
        person["scores"] = points[:, 2].tolist()
        person["keypoints"] = np.where([True, True, False], points, 1.0 * (points[:, 2:] != 0)).ravel().tolist()
    category = {"keypoints": [f"k{k}" for k in range(K)]}
    text = json.dumps({"images": [{"id": 0}], "annotations": people, "categories": [category]})
    (tmp_path / "a.json").write_text(text)
    return tmp_path / "a.json"


def openpose(tmp_path):
    def wide(points):
        return np.concatenate([points, np.zeros((25 - K, 3))]).ravel().tolist()

    people = [
        {"person_id": [3], "pose_keypoints_2d": wide(HOLES)},
        {"person_id": [-1], "pose_keypoints_2d": wide(EMPTY)},
    ]
    (tmp_path / "a_000_keypoints.json").write_text(json.dumps({"people": people}))
    return tmp_path


def deeplabcut(tmp_path):
    people, parts = ("person3", "person4"), [f"k{k}" for k in range(K)]
    heads = [("scorer", "individuals", "bodyparts", "coords")]
    heads += [("me", person, part, coord) for person in people for part in parts for coord in ("x", "y", "likelihood")]
    numbers = ["0", *map(str, np.concatenate([HOLES, EMPTY]).ravel().tolist())]
    (tmp_path / "a.csv").write_text("\n".join(",".join(row) for row in [*zip(*heads), numbers]))
    return tmp_path / "a.csv"


def sleap(tmp_path):
    h5py = pytest.importorskip("h5py", reason="needs h5py")
    points = np.stack([HOLES, EMPTY])[..., None]  # (P, K, 3, F)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["tracks"] = points[:, :, :2].transpose(0, 2, 1, 3)
        file["point_scores"] = points[:, :, 2]
        file["track_names"] = np.array(["person3", "person4"], "S")
        file["node_names"] = np.array([f"k{k}" for k in range(K)], "S")
    return tmp_path / "a.h5"


def mmaction(tmp_path):
    points = np.stack([EMPTY, EMPTY, HOLES])[:, None]  # (M, T, V, 3)
    sequence = {"img_shape": (48, 64), "keypoint": points[..., :2], "keypoint_score": points[..., 2]}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps([sequence]))
    return tmp_path / "a.pkl"


@pytest.mark.parametrize("write", [coco, posetrack18, openpose, deeplabcut, sleap, mmaction], ids=lambda f: f.__name__)
def test_only_who_is_there_is_read(write, tmp_path):
    people = read_trajectories(write(tmp_path))
    assert people.ids.tolist() == [3]
    known = np.isfinite(people.keypoints[0]).all(-1)
    assert known[:K].tolist() == [False] * 4 + [True] * (K - 4)
    assert not known[K:].any()
    np.testing.assert_array_equal(people.scores[0] > 0, known)


def test_boxes_of_mot_without_an_id_or_a_size(tmp_path):
    (tmp_path / "a.txt").write_text("1,2,10,20,30,40,0.9,-1,-1,-1\n1,-1,10,20,30,40,0.9\n1,3,0,0,0,0,0.9\n")
    assert read_trajectories(tmp_path / "a.txt").ids.tolist() == [2]


def test_markers_at_the_origin_are_missing(tmp_path):
    head = (
        "PathFileType\t4\t(X/Y/Z)\ta.trc\nDataRate\tUnits\n10\tpx\nFrame#\tTime\tnose\t\t\ttail\t\t\n\t\tX1\tY1\tZ1\n"
    )
    (tmp_path / "a.trc").write_text(head + "0\t0\t1\t2\t0\t0\t0\t0\n1\t0.1\t0\t0\t0\t0\t0\t0\n")
    people = read_trajectories(tmp_path / "a.trc")
    assert people.frames.tolist() == [0]
    assert np.isnan(people.keypoints[0]).all(-1).tolist() == [False, True]


@pytest.mark.parametrize("name", ["a.txt", "a.json"])
def test_detections_are_no_tracks(name, tmp_path):
    person = {"image_id": 1, "keypoints": body().ravel().tolist(), "score": 0.9}
    (tmp_path / name).write_text("1,-1,10,20,30,40,0.9\n" if name == "a.txt" else json.dumps([person]))
    with pytest.raises(SourceError, match=r"without IDs: detections, not tracks\. Give a tracker's result"):
        read_trajectories(tmp_path / name)


def from_zero(path, people):
    """Write people 0 and 1, as programs that count IDs from 0 do, in the format of the suffix."""
    points = body().ravel().tolist()
    if path.suffix == ".openpose":
        path.mkdir()
        wide = [*points, *[0.0] * (75 - len(points))]
        found = [{"person_id": [person], "pose_keypoints_2d": wide} for person in people]
        (path / "a_000_keypoints.json").write_text(json.dumps({"people": [*found, {"pose_keypoints_2d": []}]}))
    elif path.suffix == ".txt":
        path.write_text("".join(f"1,{person},10,20,30,40,1,-1,-1,-1\n" for person in people))
    elif path.suffix == ".csv":
        names = [f"track_{person}" for person in people for _ in range(3)]
        rows = [["scorer", *["x"] * 6], ["individuals", *names], ["bodyparts", *["nose"] * 6]]
        rows.append(["coords", *["x", "y", "likelihood"] * 2])
        path.write_text("\n".join(",".join(map(str, row)) for row in [*rows, [0, 10, 20, 0.9, 30, 40, 0.9]]))
    else:
        found = [{"image_id": 0, "track_id": person, "keypoints": points, "bbox": [1, 2, 3, 4]} for person in people]
        category = {"keypoints": [f"k{k}" for k in range(K)]}
        whole = {"images": [{"id": 0}], "annotations": found, "categories": [category]}
        path.write_text(json.dumps(found if path.name.endswith(".coco.json") else whole))
    return path


@pytest.mark.parametrize("name", ["a.coco.json", "a.json", "a.openpose", "a.txt", "a.dlc.csv"])
@pytest.mark.parametrize("people", [(0, 1), (1, 2)])
def test_ids_that_count_from_zero_are_one_higher_and_can_be_written(name, people, tmp_path):
    recording = read_recording(from_zero(tmp_path / name, people), fps=10.0)
    ((_, _, tracks),) = recording
    assert tracks.ids.tolist() == [1, 2]
    if len(recording.skeleton):
        write_recording(tmp_path / "own.csv", recording)
        assert [tracks.ids.tolist() for _, _, tracks in read_recording(tmp_path / "own.csv")] == [[1, 2]]
