"""Formats that number frames have the source's numbers, with empty rows where nothing is, and a bound on them."""

import json
from dataclasses import replace

import numpy as np
import pytest
from gaps import ABSENT, FRAMES, gappy

from posetrack.errors import SourceError
from posetrack.models.keypoints import COCO
from posetrack.tracker.formats.files import read_recording, read_trajectories, write_recording
from posetrack.tracker.formats.recording import tracks_of
from posetrack.tracker.formats.registry import FORMATS
from posetrack.tracker.formats.trajectories import from_tracks

NEEDS = {"parquet": ("pyarrow",), "sleap": ("h5py",), "dlc-h5": ("h5py", "pandas", "tables")}
NUMBERED = ("table", "long", "parquet", "posetrack18", "coco", "openpose", "dlc", "dlc-h5", "sleap", "trc")
EVERY_FRAME = ("posetrack18", "openpose", "dlc", "dlc-h5", "sleap", "trc")


def written(name, recording, tmp_path):
    for module in NEEDS.get(name, ()):
        pytest.importorskip(module, reason=f"needs {module}")
    return write_recording(tmp_path / f"a{FORMATS[name].suffix}", recording)


@pytest.mark.parametrize("name", NUMBERED)
def test_gaps_absences_and_unknown_keypoints_come_back(name, tmp_path):
    files = written(name, gappy(), tmp_path)
    for person, absent in ABSENT.items():
        found = [people[people.ids == person] for people in map(read_trajectories, files)]
        (mine,) = (people for people in found if len(people))
        assert mine.frames.tolist() == [frame for frame in range(FRAMES) if frame not in absent]
        truth = from_tracks(gappy())
        truth = truth[truth.ids == person]
        mine = mine.in_skeleton(
            replace(COCO, keypoints=tuple(k for k in COCO.keypoints if k in mine.skeleton.keypoints))
        )
        theirs = truth.in_skeleton(mine.skeleton)
        np.testing.assert_allclose(mine.keypoints, theirs.keypoints, atol=0.0051)
        assert ((mine.scores > 0) == np.isfinite(mine.keypoints).all(-1)).all()


@pytest.mark.parametrize("name", EVERY_FRAME)
def test_a_frame_of_a_wrong_number_does_not_fill_the_disk(name, tmp_path):
    frames = [*gappy(), (4_000_000_000, 1e9, next(iter(gappy()))[2])]
    with pytest.raises(SourceError, match=r"people in \d+ of 4000000001 frames, .* such as \.csv"):
        written(name, replace(gappy(), read=lambda: frames, num_frames=None), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["table", "long", "parquet", "coco", "mot"])
def test_formats_without_empty_frames_take_any_number(name, tmp_path):
    frames = [(4_000_000_000, 1e9, next(iter(gappy()))[2])]
    (file,) = written(name, replace(gappy(), read=lambda: frames), tmp_path)
    assert [index for index, _, _ in read_recording(file)] == [4_000_000_000]


def test_times_of_markers_ascend_over_gaps_of_a_varying_rate(tmp_path):
    _, _, tracks = next(iter(gappy()))
    seconds = {0: 0.0, 1: 0.3, 5: 0.35, 6: 0.9}
    frames = [
        (index, time, tracks_of([1], tracks.poses.keypoints[:1], tracks.poses.scores[:1]))
        for index, time in seconds.items()
    ]
    (file,) = write_recording(tmp_path / "a.trc", replace(gappy(), read=lambda: frames))
    rows = [line.split("\t") for line in file.read_text().splitlines()[5:]]
    times = [float(row[1]) for row in rows]
    assert [int(row[0]) for row in rows] == list(range(7))
    assert all(np.diff(times) > 0)
    assert {index: times[index] for index in seconds} == seconds
    assert {len(row) for row in rows} == {2 + 3 * len(COCO) + 1}  # also where the last markers are empty


def test_frames_after_a_start_leave_empty_ones_before_them(tmp_path):
    late = [frame for frame in gappy() if frame[0] >= 40]
    (file,) = write_recording(tmp_path / "a.dlc.csv", replace(gappy(), read=lambda: late))
    rows = file.read_text().splitlines()[4:]
    assert [int(row.split(",")[0]) for row in rows] == list(range(FRAMES))
    assert not any(rows[10].split(",")[1:])
    (folder,) = write_recording(tmp_path / "a.openpose", replace(gappy(), read=lambda: late))
    people = [json.loads(file.read_text())["people"] for file in sorted(folder.iterdir())]
    assert [bool(each) for each in people] == [n >= 40 and n not in ABSENT[1] & ABSENT[2] for n in range(FRAMES)]
