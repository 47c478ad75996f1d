"""The commands that read a keypoint table use the rows of the people who were asked for."""

import json

import pytest
from commands import rows

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.cli import main
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.formats.files import read_recording
from posetrack.tracker.formats.table import CsvSink
from posetrack.tracker.tracking.selection import Selection
from posetrack.tracker.types import State, Tracks

FRAMES = 90


@pytest.fixture
def table(tmp_path):
    """Person 1 is in every frame; person 2 passes her and is gone after two of three seconds."""
    path = tmp_path / "pair.csv"
    scene = synthetic.crossing(synthetic.regular(3, 30))
    with CsvSink(path, skeleton=COCO) as sink:
        for index, (time, poses, ids) in enumerate(scene.frames()):
            tracks = Tracks(ids, poses, [[0, 0]] * len(ids), (State.MEASURED,) * len(ids))
            sink.write_rows(index, time, tracks if index < 60 else tracks[tracks.ids == 1])
    return path


def ids(path):
    return [tracks.ids.tolist() for _, _, tracks in read_recording(path)]


@pytest.mark.parametrize(
    "words",
    [
        "--person 2",
        "--person longest",
        "--person largest",
        "--min-length 2.5",
        "--roi 0,0,420,2000",
        "--person longest --roi 0,0,420,2000",
    ],
)
def test_a_part_of_a_table_has_the_people_whom_a_run_would_have_written(table, tmp_path, words):
    _, times, whole = zip(*read_recording(table))
    words = words.split()
    asked = {name[2:].replace("-", "_"): value for name, value in zip(words[::2], words[1::2])}
    select = Selection.parse(asked.get("person"), min_length=float(asked.get("min_length", 0)), roi=asked.get("roi"))
    expected = [tracks.ids.tolist() for tracks in select.choose(times, whole)]
    assert main(["convert", str(table), "--out", str(tmp_path / "part.csv"), *words]) == 0
    assert ids(tmp_path / "part.csv") == [people for people in expected if people]
    assert ids(tmp_path / "part.csv") != ids(table)


def test_a_part_of_a_table_keeps_the_metadata_of_its_run(table, tmp_path, capsys):
    (tmp_path / "pair.csv.json").write_text('{"complete": true}')
    out = tmp_path / "one.csv"
    assert main(["convert", str(table), "--out", str(out), "--person", "1"]) == 0
    assert capsys.readouterr().out.split() == [str(out), f"{out}.json"]
    assert (tmp_path / "one.csv.json").read_text() == '{"complete": true}'
    assert main(["convert", str(table), "--out", str(tmp_path / "boxes.txt")]) == 0
    assert not (tmp_path / "boxes.txt.json").exists()


def test_a_part_and_its_metadata_appear_together_or_not_at_all(table, tmp_path, full_disk, capsys):
    (tmp_path / "pair.csv.json").write_text(json.dumps({"notes": "x" * 2_000_000}))
    with full_disk(1_000_000):
        assert main(["convert", str(table), "--out", str(tmp_path / "one.csv"), "--person", "1"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "one.csv").exists()
    assert not (tmp_path / "one.csv.json").exists()


def test_features_are_those_of_one_person(table, tmp_path):
    x1, y1, x2, y2 = next(iter(read_recording(table)))[2].boxes[1]
    words = ["--person", f"{(x1 + x2) / 2},{(y1 + y2) / 2}@0"]
    assert main(["features", str(table), "--out", str(tmp_path / "f.csv"), *words]) == 0
    assert {row["track_id"] for row in rows(tmp_path / "f.csv")} == {"2"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--person", "9"], "No person had the id 9; the ids went up to 2."),
        (["--person", "0,0@1"], "No person is at 0,0 at 1 s. People there: 1 at "),
        (["--person", "0,0@60"], "the frames cover 0 to 2.96667 s."),
        (["--person", "me"], "person is 'me'; give largest, longest, an id, or x,y@t"),
        (["--min-length", "-1"], "min_length is -1.0"),
        (["--roi", "1,2"], "roi is '1,2'"),
    ],
)
def test_who_is_not_there_is_said_before_anything_is_written(table, tmp_path, capsys, words, sentence):
    assert main(["convert", str(table), "--out", str(tmp_path / "part.txt"), *words]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "part.txt").exists()


def test_a_length_in_seconds_needs_times(table, tmp_path, capsys):
    assert main(["convert", str(table), "--out", str(tmp_path / "boxes.txt")]) == 0
    words = ["convert", str(tmp_path / "boxes.txt"), "--out", str(tmp_path / "long.txt"), "--min-length", "2.5"]
    assert main(words) == 2
    assert "Add --fps" in capsys.readouterr().err
    assert main([*words, "--fps", "30"]) == 0
    assert ids(tmp_path / "long.txt") == [[1]] * FRAMES


def test_a_figure_of_selected_people_is_that_of_their_rows(table, tmp_path):
    words, part = ("--person", "longest"), tmp_path / "part.csv"
    figures = tmp_path / "selected.png", tmp_path / "part.png"
    assert main(["convert", str(table), "--out", str(part), *words]) == 0
    for source, out, selection in zip((table, part), figures, (words, ())):
        assert main(["plot", str(source), "--out", str(out), "--kind", "path", *selection]) == 0
    selected, expected = (figure.read_bytes() for figure in figures)
    assert selected == expected
