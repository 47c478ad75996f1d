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
        words = ("--save", save, "--csv", csv, "--features", features, "--offline", "--device", "cpu", "--quiet")
        return main([str(walking_clip), *words, *more])

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


def test_the_sidecars_say_from_the_start_that_the_run_is_not_complete(track, tmp_path, monkeypatch):
    seen = []

    def killed(*args, **words):
        seen.extend(json.loads(path.read_text())["complete"] for path in tmp_path.glob("*.json"))
        raise KeyboardInterrupt

    monkeypatch.setattr(single, "loop", killed)
    assert track() == 1
    assert seen == [False, False]


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
