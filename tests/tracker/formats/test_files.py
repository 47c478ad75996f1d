"""Every format is read back as it was written, and other files are refused with one sentence."""

import gc
import json
import tracemalloc
from dataclasses import replace
from pathlib import Path

import motions
import numpy as np
import pytest
from gaps import gappy

from posetrack.errors import OutputError, PosetrackError, SourceError, UsageError
from posetrack.models.geometry.keypoints import COCO
from posetrack.models.geometry.skeletons import BODY_25, POSETRACK18
from posetrack.tracker.features.calibration.measures import Calibration, Floor, Length
from posetrack.tracker.formats.files import find_sequences, read_recording, read_trajectories, write_recording
from posetrack.tracker.formats.recording import Recording, tracks_of
from posetrack.tracker.formats.registry import FORMATS
from posetrack.tracker.formats.trajectories import BOXES, from_tracks, skeleton_of
from posetrack.tracker.types import State, Tracks

READ = [name for name, format in FORMATS.items() if format.read]
LIBRARIES = {"parquet": ("pyarrow",), "sleap": ("h5py",), "dlc-h5": ("h5py", "pandas", "tables")}


def need(name):
    for library in LIBRARIES.get(name, ()):
        pytest.importorskip(library)


def together(files):
    """All people of several files."""
    return sorted((frame for file in files for frame in read_recording(file)), key=lambda frame: frame[0])


@pytest.mark.parametrize("name", READ)
def test_what_was_written_comes_back(name, recording, tmp_path):
    need(name)
    files = write_recording(tmp_path / f"out{FORMATS[name].suffix}", recording)
    again = from_tracks(together(files), skeleton=read_recording(files[0]).skeleton)
    expected = from_tracks(recording)
    skeleton = again.skeleton
    if name == "mmaction":  # predictions are left out, and what is between interpolated
        expected, again = (people[people.frames < 20] for people in (expected, again))
    np.testing.assert_array_equal(again.frames, expected.frames)
    np.testing.assert_array_equal(again.ids, expected.ids)
    shared = [k for k in COCO.keypoints if k in skeleton.keypoints]
    assert len(shared) == {"mot": 0, "posetrack18": 15}.get(name, 17)
    one, two = (people.in_skeleton(replace(COCO, keypoints=tuple(shared))) for people in (again, expected))
    np.testing.assert_allclose(one.keypoints, two.keypoints, atol=0.0051)  # two decimals; a missing one stays NaN
    if name != "trc":
        np.testing.assert_allclose(one.scores, two.scores, atol=5.1e-5)
    if name in ("table", "parquet", "mot", "posetrack18", "coco"):
        np.testing.assert_allclose(again.boxes, expected.boxes, atol=0.011)
        np.testing.assert_allclose(again.box_scores, expected.box_scores, atol=5.1e-5)
    if name in ("table", "long", "parquet", "trc", "mmaction"):
        np.testing.assert_allclose(again.times, expected.times, atol=1e-6)
    if name in ("table", "long", "parquet"):
        np.testing.assert_array_equal(again.predicted, expected.predicted)
        assert expected.predicted.any()
    assert not list(tmp_path.glob("*.partial*"))


@pytest.mark.parametrize("name", READ)
def test_a_recording_without_people_is_a_file_too(name, tmp_path):
    need(name)
    empty = Recording(COCO, lambda: [], Path("empty.csv"), size=(64, 48), fps=25.0, num_frames=3)
    target = tmp_path / f"out{FORMATS[name].suffix}"
    if name == "dlc-h5":  # a table without columns
        with pytest.raises(OutputError, match="has no people"):
            write_recording(target, empty)
        return
    for file in write_recording(target, empty):
        assert sum(len(tracks) for _, _, tracks in read_recording(file)) == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({*READ} - {"mmaction"}))  # whose sequences are whole
def test_a_long_video_streams_in_constant_memory(name, tmp_path, monkeypatch):
    need(name)
    for module in ("sleap._BLOCK", "deeplabcut._BLOCK", "individuals._FRAMES", "parquet._ROWS"):
        monkeypatch.setattr(f"posetrack.tracker.formats.{module}", 32)
    skeleton = skeleton_of(["nose", "tail"] if name != "openpose" else BODY_25.keypoints)
    one = np.ones((1, len(skeleton)))
    person = tracks_of([1], np.stack([one, one], axis=-1), one)

    def peak(length, read):
        source = Recording(skeleton, lambda: ((i, i / 25, person) for i in range(length)), Path("long.csv"), fps=25.0)
        target = tmp_path / f"out{length}{FORMATS[name].suffix}"
        gc.collect()
        tracemalloc.start()
        if read:
            (target,) = tmp_path.glob(f"out{length}[._]*")
            assert sum(1 for _ in read_recording(target)) == length
        else:
            write_recording(target, source)
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return taken

    in_any_order = ("mot", "posetrack18", "coco", "openpose")  # are read as a whole, or their names are
    for read in (False,) if name in in_any_order else (False, True):
        (_, short, long) = (peak(length, read) for length in (40, 100, 400))  # the first one imports
        assert long < short + 400 * 300  # bytes, for names of files; a frame's tracks take several times more


def test_states_and_times_are_kept_in_any_table(recording, tmp_path):
    index, _, tracks = next(iter(recording))
    states = (State.INTERPOLATED, State.PREDICTED)
    frames = [(index, 1.25, Tracks(tracks.ids, tracks.poses, tracks.velocities, states))]
    for name in ("a.csv", "a.long.csv"):
        (file,) = write_recording(tmp_path / name, replace(recording, read=lambda: frames))
        ((_, time, again),) = read_recording(file)
        assert (time, again.states) == (1.25, states)


def test_truth_of_mot_bears_visibility_and_what_is_not_judged(tmp_path):
    truth = tmp_path / "gt.txt"
    truth.write_text("2,1,10,20,30,40,1,1,0.4\n1,1,10,20,30,40,1,1,1\n1,2,0,0,5,5,0,1,1\n1,3,0,0,5,5,1,8,1\n\n")
    people = read_trajectories(truth)
    assert people.frames.tolist() == [0, 0, 0, 1]
    assert people.boxes[0].tolist() == [10, 20, 40, 60]
    np.testing.assert_allclose(people.box_scores, [1, np.nan, np.nan, 0.4])


def test_posetrack18_has_its_own_keypoints_and_all_images(recording, tmp_path):
    (target,) = write_recording(tmp_path / "out.json", recording)
    again = read_trajectories(target)
    assert again.skeleton is POSETRACK18
    assert np.isnan(again.keypoints[:, 1:3]).all()  # the head's top and bottom, which COCO has not
    document = json.loads(target.read_text())
    assert len(document["images"]) == again.frames.max() + 1
    assert len(document["annotations"][0]["keypoints"]) == 51


def test_posetrack18_truth_names_its_labelled_images(tmp_path):
    annotation = {"image_id": 1002, "track_id": 7, "keypoints": [10, 20, 1] + [0, 0, 0] * 15 + [30, 60, 1]}
    images = [{"id": 1002, "is_labeled": True}, {"id": 1001, "is_labeled": False}]
    file = tmp_path / "truth.json"
    file.write_text(json.dumps({"images": images, "annotations": [annotation]}))
    people = read_trajectories(file)
    assert people.frames.tolist() == people.labelled == [1]
    assert people.boxes.tolist() == [[10, 20, 30, 60]]  # around the pose, for want of a bbox
    assert np.isfinite(people.keypoints[0, :, 0]).sum() == 2


def test_openpose_has_a_file_for_every_frame_and_the_middles(recording, tmp_path):
    frames = [frame for frame in recording if frame[0] in (2, 4)]
    (folder,) = write_recording(tmp_path / "out", replace(recording, read=lambda: frames, num_frames=7), to="openpose")
    names = [f"pair_{i:012d}_keypoints.json" for i in range(7)]
    assert sorted(file.name for file in folder.iterdir()) == names
    people = [json.loads((folder / name).read_text())["people"] for name in names]
    assert [len(each) for each in people] == [0, 0, 2, 0, 2, 0, 0]
    points = np.array(people[2][0]["pose_keypoints_2d"]).reshape(25, 3)
    right, left = (BODY_25.keypoints.index(f"{side}_shoulder") for side in ("right", "left"))
    np.testing.assert_allclose(points[1, :2], points[[right, left], :2].mean(0), atol=1e-3)
    assert (points[19:] == 0).all()  # feet, which COCO has not
    assert people[2][0]["person_id"] == [1]


def test_openpose_with_18_keypoints_and_no_ids(tmp_path):
    points = [value for i in range(18) for value in (i + 1, 2 * i + 1, 0.5)]
    people = [{"person_id": [-1], "pose_keypoints_2d": points}] * 2
    (tmp_path / "clip_000000000012_keypoints.json").write_text(json.dumps({"people": people}))
    ((index, _, tracks),) = read_recording(tmp_path)
    assert (index, tracks.ids.tolist()) == (12, [1, 2])
    assert tracks.poses.keypoints[0, BODY_25.keypoints.index("right_hip")].tolist() == [9, 17]
    assert np.isnan(tracks.poses.keypoints[0, BODY_25.keypoints.index("mid_hip")]).all()


def test_metres_of_opensim(recording, tmp_path):
    first, _ = write_recording(tmp_path / "out.trc", recording, calibration=Calibration(scale=200.0))
    head = [line.split("\t") for line in first.read_text().splitlines()[:6]]
    assert head[0][-1] == "out_person1.trc"
    assert dict(zip(head[1], head[2]))["Units"] == "m"
    assert head[3][:3] == ["Frame#", "Time", "nose"]
    _, _, tracks = next(iter(recording))
    x, y = tracks.poses.keypoints[0, 0]
    np.testing.assert_allclose([float(cell) for cell in head[5][2:5]], [x / 200, -y / 200, 0], atol=1e-5)
    with pytest.raises(UsageError, match=r"is in m\. Add --scale"):
        read_recording(first)
    _, _, again = next(iter(read_recording(first, scale=200.0)))
    np.testing.assert_allclose(again.poses.keypoints[0, 0], [x, y], atol=0.002)


FLOOR, HALF_METRE = Floor((10, 400), (610, 370), 0.0), Length((10, 400), (110, 400), 0.5)
ON_FLOOR = Calibration(lengths=(HALF_METRE,), floor=FLOOR)


def test_markers_are_in_metres_along_the_floor_and_above_it(recording, tmp_path):
    first, *_ = write_recording(tmp_path / "out.trc", recording, calibration=ON_FLOOR)
    _, _, again = next(iter(read_recording(first, scale=200.0)))
    _, _, tracks = next(iter(recording))
    np.testing.assert_allclose(again.poses.keypoints[0], FLOOR.level(tracks.poses.keypoints[0]), atol=0.01)


@pytest.mark.parametrize("calibration", [Calibration(), ON_FLOOR], ids=["pixels", "metres"])
def test_c3d_holds_the_markers_of_each_person(calibration, tmp_path):
    ezc3d = pytest.importorskip("ezc3d")
    recording = gappy()
    files = write_recording(tmp_path / "out.c3d", recording, calibration=calibration)
    assert [file.name for file in files] == ["out_person1.c3d", "out_person2.c3d"]
    people = from_tracks(recording)
    for person, file in enumerate(files, start=1):
        found = ezc3d.c3d(str(file))
        rows = people[people.ids == person]
        point = found["parameters"]["POINT"]
        assert point["LABELS"]["value"] == list(COCO.keypoints)
        assert point["UNITS"]["value"] == ["mm" if calibration.metric else "px"]
        assert point["RATE"]["value"][0] == pytest.approx(15)
        assert found["header"]["points"]["first_frame"] == rows.frames[0]
        expected = np.full((rows.frames[-1] - rows.frames[0] + 1, 17, 2), np.nan)
        level = FLOOR.level(rows.keypoints) / 200 * 1000 if calibration.metric else rows.keypoints
        expected[rows.frames - rows.frames[0]] = level * (1, -1)
        np.testing.assert_allclose(found["data"]["points"][:2].T, expected, atol=0.01, rtol=1e-5)
        missing = np.isnan(expected).any(-1).T
        assert missing.any()
        assert ((found["data"]["meta_points"]["residuals"][0] < 0) == missing).all()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_a_full_disk_leaves_no_result_of_any_format(name, share, tmp_path, full_disk):
    for module in FORMATS[name].needs:
        pytest.importorskip(module, reason=f"needs {module}")
    for folder in ("whole", "full"):
        (tmp_path / folder).mkdir()
    path = Path(f"out{FORMATS[name].suffix}")
    write_recording(tmp_path / "whole" / path, gappy(), to=name)
    sizes = [file.stat().st_size for file in (tmp_path / "whole").rglob("*") if file.is_file()]
    with full_disk(int(share * max(sizes))), pytest.raises(OutputError) as error:
        write_recording(tmp_path / "full" / path, gappy(), to=name)
    assert str(error.value).startswith(f"Cannot write '{tmp_path / 'full' / path}'")
    assert "tmp-" not in str(error.value)
    assert not list((tmp_path / "full").iterdir())


def test_a_format_of_files_for_each_person_says_that_there_is_none(tmp_path, caplog):
    empty = replace(gappy(), read=lambda: [])
    assert write_recording(tmp_path / "out.trc", empty) == []
    assert "has no people" in caplog.text


@pytest.mark.parametrize("value", [-0.5, 1.2, 87.3])
def test_confidences_beyond_0_to_1_are_bounded_with_a_sentence(value, tmp_path, caplog):
    (path, *_) = write_recording(tmp_path / "a.csv", gappy())
    header, *rows = (line.split(",") for line in path.read_text().splitlines())
    for cells in rows:
        cells[4] = cells[11] = str(value)  # of the person and of a keypoint
    path.write_text("\n".join(map(",".join, [header, *rows])))
    recording = read_recording(path)
    for _ in range(2):
        poses, *_ = [tracks.poses for _, _, tracks in recording if len(tracks)]  # of all frames
        assert poses.box_scores[0] == poses.scores[0, 0] == np.clip(value, 0, 1)
    assert caplog.text.count(f"has the confidence {value:g} in frame 3: all outside 0 to 1 count as 0 or 1.") == 1
    assert caplog.text.count("count as 0 or 1") == 1  # not once per frame


def test_c3d_is_not_read(tmp_path):
    (tmp_path / "a.c3d").write_bytes(b"\x02P" + bytes(600))
    with pytest.raises(UsageError, match="C3D markers, which can be written but not read"):
        read_recording(tmp_path / "a.c3d")


def test_markers_of_a_person_of_known_height_have_that_height(tmp_path):
    walk = motions.perform([motions.stand(1)], np.arange(15) / 15)
    people = [(i, t, tracks_of([1], p.keypoints, p.scores)) for i, t, p in walk.frames()]
    recording = Recording(COCO, lambda: people, Path("walk.csv"), fps=15.0)
    (file,) = write_recording(tmp_path / "out.trc", recording, calibration=Calibration(person_height=1.8))
    _, _, again = next(iter(read_recording(file, scale=1.0)))
    points, pixels = again.poses.keypoints[0], walk.keypoints[0]
    assert np.ptp(points[:, 1]) == pytest.approx(np.ptp(pixels[:, 1]) / 220 * 1.8, rel=0.05)


def test_markers_have_no_scale_by_depth(recording, tmp_path):
    lengths = Length((0, 400), (100, 400), 1.0), Length((0, 200), (50, 200), 1.0)
    with pytest.raises(UsageError, match="markers lie in one plane"):
        write_recording(tmp_path / "out.trc", recording, calibration=Calibration(lengths=lengths))


def test_deeplabcuts_hdf5_reports_when_it_is_full(tmp_path):
    need("dlc-h5")
    crowd = tracks_of(np.arange(1, 81), np.ones((80, 17, 2)), np.ones((80, 17)))
    with pytest.raises(OutputError, match=r"cannot hold the columns of 80 people\. Write \.dlc\.csv"):
        write_recording(tmp_path / "a.dlc.h5", Recording(COCO, lambda: [(0, 0.0, crowd)], Path("crowd.csv")))
    assert not list(tmp_path.iterdir())
    (file,) = write_recording(tmp_path / "a.dlc.csv", Recording(COCO, lambda: [(0, 0.0, crowd)], Path("crowd.csv")))
    ((_, _, again),) = read_recording(file)
    assert again.ids.tolist() == list(range(1, 81))


def test_coco_results_are_taken_by_its_tools(recording, tmp_path):
    from faster_coco_eval import COCO as Truth

    (file,) = write_recording(tmp_path / "out.coco.json", recording)
    _, _, tracks = next(iter(recording))
    truth = Truth({"images": [{"id": i} for i in range(60)], "annotations": [], "categories": [{"id": 1}]})
    assert truth.loadRes(str(file)).getAnnIds(imgIds=[0])
    assert len(json.loads(file.read_text())) == sum(len(each) for _, _, each in recording)
    assert len(tracks) == 2


@pytest.mark.parametrize("name", ["table", "long", "parquet", "trc", "mmaction"])
def test_times_are_asked_for_where_a_format_needs_them(name, recording, tmp_path):
    need(name)
    (boxless,) = write_recording(tmp_path / "a.coco.json", recording)
    source = replace(read_recording(boxless), size=(640, 480))
    with pytest.raises(UsageError, match="Add --fps"):
        write_recording(tmp_path / f"out{FORMATS[name].suffix}", source)
    assert write_recording(tmp_path / f"out{FORMATS[name].suffix}", replace(source, fps=15.0))


def test_the_sidecar_states_size_and_rate(recording, tmp_path):
    (table,) = write_recording(tmp_path / "a.csv", recording)
    assert read_recording(table).size is None
    facts = {"size": {"width": 640, "height": 480}, "fps": 25.0, "frames": {"read": 9, "last": 98}}
    (tmp_path / "a.csv.json").write_text(json.dumps(facts))
    again = read_recording(table)
    assert (again.size, again.fps, again.num_frames) == ((640, 480), 25.0, 99)
    assert read_recording(table, fps=30).fps == 30


def test_unknown_keypoints_keep_their_names():
    assert skeleton_of(COCO.keypoints) is COCO
    assert skeleton_of(["tail", "paw"]).keypoints == ("tail", "paw")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "frame,time\n0,0\n", "not a table of posetrack"),
        ("a.csv", "", "not a table of posetrack"),
        ("a.csv", "frame,time_s,track_id,state,keypoint,x,y,score\n0,0,1,up,nose,1,1,1\n", "not a long table"),
        ("a.csv", "frame,time_s,track_id,state,keypoint,x,y,score\n0,0,1,measured,nose,1,1\n", "line 2: it has 7 of 8"),
        ("a.csv", "scorer,x,x\nbodyparts,nose,nose\ncoords,x,y\n0,1,1\n", "needs x, y and likelihood"),
        (
            "a.csv",
            "scorer,x,x,x\nbodyparts,a,a,a\ncoords,x,y,likelihood\n0,1,b,1\n",
            "line 4: a value is 'b', not a num",
        ),
        ("a.txt", "0,1,2,3,4,5,1,-1,-1,-1\n", "row 1 is '0,1,2,3,4,5"),
        ("a.txt", "1,one,2,3,4,5\n", "not a MOT file"),
        ("a.json", "{}", "not a PoseTrack18 file"),
        ("a.json", '{"images": [], "annotations": [{}]}', "not a PoseTrack18 file"),
        ("a.json", '[{"image_id": 0, "keypoints": [1, 2, 3]}]', "people without IDs: detections, not tracks"),
        ("a.json", "[1,", "not a COCO results file"),
        ("a.trc", "nothing\n", "not a marker file"),
        ("a.parquet", "nothing\n", "not a Parquet file"),
        ("a.h5", "nothing\n", "Cannot read"),
        ("a.pkl", "nothing\n", "not a pickle of skeletons"),
        ("a.parquet/x.txt", "", "contains no .*_keypoints.json"),
        ("a.openpose/x_0_keypoints.json", "[]", "not a file of OpenPose"),
    ],
)
def test_other_files_are_refused(tmp_path, name, text, message):
    need({".parquet": "parquet", ".h5": "sleap"}.get(Path(name).suffix))
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    with pytest.raises(SourceError, match=message) as caught:
        list(read_recording(tmp_path / name.split("/")[0]))
    assert "\n" not in str(caught.value)


def test_a_broken_table_names_its_line(recording, tmp_path):
    (table,) = write_recording(tmp_path / "pair.csv", recording)
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines[:3], "5,0.1,1"]) + "\n")
    with pytest.raises(SourceError, match="line 4: it has 3 of 60 cells"):
        read_trajectories(table)
    table.write_text("\n".join([lines[0], lines[-1], lines[1]]) + "\n")
    with pytest.raises(SourceError, match=r"has frame 0 after frame 59\. Sort it"):
        read_trajectories(table)


def test_names_and_suffixes_are_checked(recording, tmp_path):
    boxes = replace(recording, skeleton=BOXES)
    with pytest.raises(OutputError, match="only boxes"):
        write_recording(tmp_path / "a.json", boxes)
    with pytest.raises(UsageError, match=r"unknown suffix\. Choose one of \.csv"):
        write_recording(tmp_path / "a.xml", recording)
    with pytest.raises(UsageError, match=r"no format 'xml'\. Choose one of table"):
        write_recording(tmp_path / "a.csv", recording, to="xml")
    with pytest.raises(UsageError, match=r"--label has no effect on COCO results. Leave it out; it is for mmaction"):
        write_recording(tmp_path / "a.coco.json", recording, label=3)
    with pytest.raises(UsageError, match="unknown suffix"):
        read_trajectories(tmp_path / "a.xml")
    with pytest.raises(SourceError, match="no such file"):
        read_trajectories(tmp_path / "a.txt")
    with pytest.raises(UsageError, match="--size WIDTHxHEIGHT"):
        write_recording(tmp_path / "a.pkl", replace(recording, size=None))


@pytest.mark.parametrize("name", ["a.csv", "a.openpose", "a.trc"])
def test_results_are_replaced_only_where_asked(name, recording, tmp_path):
    before = write_recording(tmp_path / name, recording)
    with pytest.raises(OutputError, match="--overwrite"):
        write_recording(tmp_path / name, recording)
    _, _, tracks = next(iter(recording))
    fewer = replace(recording, read=lambda: [(0, 0.0, tracks[:1])])
    after = write_recording(tmp_path / name, fewer, overwrite=True)
    assert set(after) <= set(before)
    assert sum(len(each) for file in after for _, _, each in read_recording(file)) == 1
    assert set(tmp_path.iterdir()) == set(after)


def test_a_folder_with_other_files_is_never_replaced(recording, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("precious")
    with pytest.raises(OutputError, match=r"not empty\. Give another name"):
        write_recording(tmp_path / "out", recording, to="openpose", overwrite=True)
    assert (tmp_path / "out" / "thesis.txt").read_text() == "precious"


def test_a_source_is_never_written_over(recording, tmp_path):
    (table,) = write_recording(tmp_path / "a.csv", recording)
    with pytest.raises(UsageError, match="is read by this command"):
        write_recording(table, read_recording(table), overwrite=True)


def test_a_missing_library_is_a_sentence(recording, tmp_path, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr("posetrack.installation.import_module", missing)
    with pytest.raises(PosetrackError, match=r"Parquet needs pyarrow. Install it: pip install 'posetrack\[formats\]'"):
        write_recording(tmp_path / "a.parquet", recording)
    assert not list(tmp_path.iterdir())


def test_the_files_of_a_folder_bear_their_videos_names(tmp_path):
    for name in ("a.csv", "a.csv.json", "b.csv", "c.partial.csv", "a.mp4", "x/gt/gt.txt", "y/gt/gt.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert list(find_sequences(str(tmp_path))) == ["a", "b"]
    assert list(find_sequences(str(tmp_path / "*/gt/gt.txt"))) == ["x", "y"]
    (tmp_path / "a.mot.txt").touch()
    assert list(find_sequences(str(tmp_path / "*.txt"))) == ["a"]
    with pytest.raises(UsageError, match="both belong to 'a'"):
        find_sequences(str(tmp_path))
    with pytest.raises(SourceError, match="contains no"):
        find_sequences(str(tmp_path / "*.mp4"))
