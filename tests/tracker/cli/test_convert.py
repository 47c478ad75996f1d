"""`posetrack convert` from one suffix to another, and what it says to a wrong request."""

import json

import pytest

from posetrack.tracker.cli import main
from posetrack.tracker.formats.files import read_recording, write_recording


@pytest.fixture
def table(recording, tmp_path):
    (file,) = write_recording(tmp_path / "pair.csv", recording)
    facts = {"size": {"width": 640, "height": 480}, "fps": 15.0, "frames": {"read": 60}}
    (tmp_path / "pair.csv.json").write_text(json.dumps(facts))
    return file


def convert(source, out, *words):
    return main(["convert", str(source), "--out", str(out), *map(str, words)])


def test_there_and_back(table, tmp_path, capsys):
    assert convert(table, tmp_path / "a.coco.json") == 0
    assert convert(tmp_path / "a.coco.json", tmp_path / "b.csv", "--fps", 15) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "a.coco.json"), str(tmp_path / "b.csv")]
    one, other = (list(read_recording(path)) for path in (table, tmp_path / "b.csv"))
    assert [frame[2].ids.tolist() for frame in one] == [frame[2].ids.tolist() for frame in other]
    assert [frame[1] for frame in one] == pytest.approx([frame[1] for frame in other], abs=1e-5)


def test_a_name_goes_before_the_suffix(table, tmp_path):
    assert convert(table, tmp_path / "poses", "--to", "openpose") == 0
    assert len(list((tmp_path / "poses").iterdir())) == 60
    assert convert(tmp_path / "poses", tmp_path / "a.txt") == 0


def test_metres_there_and_back(table, tmp_path, capsys):
    assert convert(table, tmp_path / "a.trc", "--scale", 200) == 0
    files = capsys.readouterr().out.split()
    assert files == [str(tmp_path / f"a_person{i}.trc") for i in (1, 2)]
    assert convert(files[1], tmp_path / "b.csv", "--scale", 200) == 0
    assert {person for _, _, tracks in read_recording(tmp_path / "b.csv") for person in tracks.ids.tolist()} == {2}


def test_skeletons_take_their_options(table, tmp_path):
    assert convert(table, tmp_path / "a.pkl", "--rate", 30, "--max-gap", 2, "--label", 7) == 0
    assert convert(tmp_path / "a.pkl", tmp_path / "b.csv") == 0


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("nowhere.csv", "a.txt"), 1, "no such file"),
        (("pair.csv", "a.xml"), 2, "unknown suffix"),
        (("dance.mp4", "a.csv"), 2, "of a video, write a table first: posetrack VIDEO --csv FILE."),
        (("pair.csv", "a.txt", "--to", "motion"), 2, "no format 'motion'"),
        (("pair.csv", "a.txt", "--rate", "20"), 2, "--rate has no effect on MOT Challenge boxes"),
        (("pair.csv", "a.pkl", "--rate", "0"), 2, "--rate is 0.0"),
        (("pair.csv", "a.pkl", "--max-gap", "-1"), 2, "max_gap is -1.0"),
        (("pair.csv", "a.pkl", "--size", "big"), 2, "--size is 'big'"),
        (("pair.csv", "pair.csv", "--overwrite"), 2, "is read by this command"),
        (("pair.csv", "pair.csv.json"), 1, "--overwrite"),
    ],
)
def test_a_wrong_request_is_one_sentence(words, code, sentence, table, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert convert(*words) == code
    message = capsys.readouterr().err
    assert sentence in message
    assert message.startswith("posetrack: ")
    assert message.count("\n") == 1
