"""The results of a run: complete and together under their names, or none."""

import json

import pytest

from posetrack.errors import OutputError
from posetrack.tracker.cli import main
from posetrack.tracker.run import single

RESULTS = ("out.mp4", "out.csv", "f.csv")


@pytest.fixture
def track(walking_clip, tmp_path):
    """Track the clip into a video and two tables, and return the exit code."""

    def track(*more):
        save, csv, features = (str(tmp_path / name) for name in RESULTS)
        words = ("--save", save, "--csv", csv, "--features", features, "--end", "0.5", "--offline", "--device", "cpu")
        return main([str(walking_clip), "--quiet", *words, *more])

    return track


def names(folder):
    return {path.name for path in folder.iterdir()}


COMPLETE = {*RESULTS, "out.csv.json", "f.csv.json"}
PARTIAL = {"out.partial.mp4", "out.partial.csv", "out.partial.csv.json", "f.partial.csv", "f.partial.csv.json"}


def test_all_results_appear_together(track, tmp_path, monkeypatch):
    seen = []
    loop = single.loop
    monkeypatch.setattr(single, "loop", lambda *args, **words: (seen.append(names(tmp_path)), loop(*args, **words)))
    assert track() == 0
    assert seen == [PARTIAL]
    assert names(tmp_path) == COMPLETE


def test_the_sidecars_say_from_the_start_that_the_run_is_not_complete(track, tmp_path, monkeypatch, caplog):
    seen = []

    def killed(*args, **words):
        seen.extend(json.loads(path.read_text())["complete"] for path in tmp_path.glob("*.json"))
        raise KeyboardInterrupt

    monkeypatch.setattr(single, "loop", killed)
    assert track() == 1
    assert seen == [False, False]
    assert all(f"'{path}'" in caplog.text for path in tmp_path.iterdir() if path.suffix != ".json")


def test_a_failure_in_the_last_moment_leaves_no_result_under_its_name(track, tmp_path, monkeypatch, capsys):
    write = single.write_sidecar

    def fail(csv, facts, **words):
        if facts.complete:
            raise OutputError("The disk is gone. Bring it back.")
        return write(csv, facts, **words)

    with monkeypatch.context() as patch:
        patch.setattr(single, "write_sidecar", fail)
        assert track() == 1
    assert "The disk is gone" in capsys.readouterr().err
    assert names(tmp_path) == PARTIAL
    assert track() == 0
    assert names(tmp_path) == COMPLETE | {name.replace(".partial", ".1.partial") for name in PARTIAL}


@pytest.mark.parametrize("size", [200, 3_000, 20_000])
def test_a_full_disk_is_reported_by_the_first_error_and_leaves_no_result(track, tmp_path, capsys, full_disk, size):
    with full_disk(size):
        assert track() == 1
    message = capsys.readouterr().err
    assert message.count("posetrack: Cannot write") == 1
    assert "File too large" in message
    assert not COMPLETE & names(tmp_path)


def test_a_second_run_with_the_same_results_is_refused(track, tmp_path, monkeypatch, capsys):
    codes = []
    loop = single.loop

    def second(*args, **words):
        monkeypatch.setattr(single, "loop", loop)
        codes.append(track())
        loop(*args, **words)

    monkeypatch.setattr(single, "loop", second)
    codes.append(track())
    assert codes == [1, 0]
    assert "another run is writing" in capsys.readouterr().err
    assert names(tmp_path) == COMPLETE


def test_no_result_replaces_a_file_that_is_read(walking_clip, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip.mp4").write_bytes(walking_clip.read_bytes())
    (tmp_path / "boxes.txt").write_text("1,-1,10,20,30,40,0.9\n")
    (tmp_path / "recipe.toml").write_text("conf = 0.3\n")
    (tmp_path / "table.csv").write_text("frame,time_s,track_id,left_knee_deg\n0,0,1,9\n1,1,1,9\n")
    (tmp_path / "other.csv").write_bytes((tmp_path / "table.csv").read_bytes())
    (tmp_path / "link.mp4").symlink_to("clip.mp4")
    (tmp_path / "link").symlink_to(".")
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    for words in (
        ["clip.mp4", "--save", "link.mp4"],
        ["link.mp4", "--save", "link/clip.mp4"],
        ["clip.mp4", "--detector", "boxes.txt", "--csv", "link/boxes.txt"],
        ["clip.mp4", "--config", "recipe.toml", "--features", "./recipe.toml"],
        ["summary", "table.csv", "--out", "link/table.csv"],
        ["compare", "table.csv", "other.csv", "--out", "other.csv"],
        ["features", "table.csv", "--out", "table.csv"],
    ):
        assert main([*words, "--overwrite"]) == 2
        assert "is read by this command" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ("out.partial.csv", "for unfinished files"),
        ("out.csv.json", "describes"),
        ("link/out.csv", "are both"),
        ("rtsp://cam/live", "cannot be written to"),
    ],
)
def test_names_that_would_lose_a_result_are_refused(walking_clip, tmp_path, monkeypatch, capsys, other, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(".")
    assert main([str(walking_clip), "--csv", "out.csv", "--features", other, "--offline"]) in (1, 2)
    assert sentence in capsys.readouterr().err
    assert names(tmp_path) == {"link"}


@pytest.mark.parametrize(
    "words",
    [["NAME"], ["CLIP", "--csv", "NAME.csv"], ["summary", "NAME", "--out", "x.csv"], ["models", "info", "NAME"]],
    ids=" ".join,
)
def test_names_that_are_too_long_are_sentences(words, walking_clip, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([word.replace("CLIP", str(walking_clip)).replace("NAME", "n" * 5000) for word in words]) == 2
    assert "too many for a file" in capsys.readouterr().err


def test_a_foreign_file_in_the_place_of_a_sidecar_is_kept(track, tmp_path, capsys):
    (tmp_path / "out.csv.json").write_text('{"mine": 1}')
    assert track() == 1
    assert "exists already" in capsys.readouterr().err
    assert names(tmp_path) == {"out.csv.json"}
    (tmp_path / "out.csv.json").unlink()
    (tmp_path / "f.csv.json").mkdir()
    assert track() == 1
    assert names(tmp_path) == {"f.csv.json"}
    (tmp_path / "f.csv.json").rmdir()
    (tmp_path / "out.csv.json").write_text('{"complete": true}')  # of a table that was removed
    assert track() == 0
