"""A command that writes files ends with their names."""

from pathlib import Path

import pytest
from gaps import gappy

from posetrack.tracker.cli import main
from posetrack.tracker.formats.files import write_recording


@pytest.mark.parametrize(
    ("words", "files"),
    [
        ("convert pair.csv --out pair.txt", ["pair.txt"]),
        ("convert pair.csv --out pair.trc", ["pair_person1.trc", "pair_person2.trc"]),
        ("features pair.csv --out a.csv --events e.csv", ["a.csv", "e.csv"]),
        ("report pair.csv --out a.html", ["a.html"]),
        ("plot pair.csv --out a.png", ["a.png"]),
        ("summary features.csv --out s.csv", ["s.csv"]),
        ("compare features.csv copy.csv --out c.csv", ["c.csv"]),
    ],
    ids=str,
)
def test_the_last_words_are_the_files(words, files, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_recording("pair.csv", gappy())
    if "features.csv" in words:
        for name in ("features.csv", "copy.csv"):
            assert main(["features", "pair.csv", "--out", name]) == 0
        capsys.readouterr()
    assert main(words.split()) == 0
    assert capsys.readouterr().out.split() == files
    assert all(Path(file).stat().st_size for file in files)


@pytest.mark.parametrize(
    "words",
    [
        "eval --images . --annotations people.json --json people.json",
        "eval --images . --annotations people.json --results link.json",
        "eval --images . --annotations people.json --boxes boxes.json --json boxes.json",
        "eval-tracking --truth pair.csv --result pair.csv --json pair.csv",
        "eval-tracking --truth . --result . --json ./pair.csv",
        "label --data . --teacher bundled --out annotations.json",
        "models convert weights.safetensors --out weights.safetensors",
        "models info weights.safetensors --json here/weights.safetensors",
        "attention --image image.png --out image.png",
    ],
)
def test_no_result_replaces_a_file_that_is_read(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_recording("pair.csv", gappy())
    people = '{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": []}'
    for name in ("people.json", "annotations.json", "boxes.json", "weights.safetensors", "image.png"):
        Path(name).write_text(people)
    Path("link.json").hardlink_to("people.json")
    Path("here").symlink_to(".")
    before = {path: path.read_bytes() for path in Path().iterdir() if path.is_file()}
    assert main([*words.split(), "--overwrite"]) == 2
    assert "is read by this command" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in Path().iterdir() if path.is_file()} == before
