"""A batch with addresses in a store: the results of a local batch, the same manifest, and nothing left on this disk."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
import stores
from batch_tasks import actors
from commands import posetrack
from servers import until

from posetrack.tracker.output import manifest
from posetrack.tracker.output.manifest import SourceState
from posetrack.tracker.partial.claim import lock
from posetrack.tracker.remote import store
from posetrack.tracker.run import record

pytestmark = pytest.mark.slow  # whole runs

OFFLINE = ("--offline", "--device", "cpu", "--quiet")


def image(level=90):
    return cv2.imencode(".png", np.full((48, 64, 3), level, np.uint8))[1].tobytes()


@pytest.fixture(autouse=True)
def scratch(monkeypatch):
    """The temporary folder, in which nothing is left; its name is short, as the sockets of Ray need it."""
    with tempfile.TemporaryDirectory(prefix="pt", ignore_cleanup_errors=True) as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)
        assert not list(Path(folder).glob("posetrack-*"))


@pytest.fixture
def bucket(monkeypatch):
    """Three images without people."""
    monkeypatch.setattr(store, "PAUSES", (0.0,))
    with stores.flaky_store() as bucket:
        for name in ("a", "day/b", "day/c"):
            bucket.pipe_file(f"/clips/{name}.png", image())
        yield bucket


def entries(bucket, tmp_path):
    (tmp_path / manifest.NAME).write_bytes(bucket.cat_file("/tables/manifest.jsonl"))
    return manifest.read(tmp_path)


def changed(bucket, place="/tables"):
    return {path: bucket.modified(path) for path in bucket.find(place) if not path.endswith(manifest.NAME)}


def test_a_batch_in_a_store_gives_what_a_local_one_gives(bucket, tmp_path):
    words = ("--csv", "flaky://tables", "--save", "flaky://drawn", "--checksums")
    assert posetrack("flaky://clips", *words) == 0
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "a.png").write_bytes(image())
    assert posetrack(tmp_path / "clips", "--csv", tmp_path / "tables", "--save", tmp_path / "drawn") == 0
    assert bucket.cat_file("/tables/a.csv") == (tmp_path / "tables" / "a.csv").read_bytes()
    assert bucket.cat_file("/drawn/a.png") == (tmp_path / "drawn" / "a.png").read_bytes()
    facts = json.loads(bucket.cat_file("/tables/day/b.csv.json"))
    assert (facts["source"], facts["complete"]) == ("flaky:///clips/day/b.png", True)
    assert str(tmp_path) not in json.dumps(facts)
    found = entries(bucket, tmp_path)
    assert {name: entry.state for name, entry in found.items()} == dict.fromkeys(
        ("a.csv", "day/b.csv", "day/c.csv"), SourceState.DONE
    )
    assert found["a.csv"].outputs == {"save": "flaky:///drawn/a.png", "csv": "flaky:///tables/a.csv"}
    assert found["a.csv"].size == len(image())
    assert len(found["a.csv"].sha256) == 64


def test_a_batch_goes_on_where_it_was(bucket, tmp_path, caplog, capsys):
    bucket.pipe_file("/clips/broken.png", b"\x89PNG\r\n\x1a\nand no more")
    words = ("flaky://clips", "--csv", "flaky://tables", "--skip-existing")
    assert posetrack(*words) == 1
    assert "flaky:///clips/broken.png" in capsys.readouterr().err
    before = changed(bucket)
    bucket.pipe_file("/clips/a.png", image(level=200))
    assert posetrack(*words) == 1
    assert "Add --retry-failed to try it again" in capsys.readouterr().err
    assert {path for path, time in changed(bucket).items() if time != before[path]} == {
        "/tables/a.csv",
        "/tables/a.csv.json",
    }
    bucket.pipe_file("/clips/broken.png", image())
    assert posetrack(*words, "--retry-failed") == 0
    assert {entry.state for entry in entries(bucket, tmp_path).values()} == {SourceState.DONE}
    assert posetrack("flaky://clips", "--csv", "flaky://tables") == 1
    assert "'flaky:///tables/a.csv' exists already" in capsys.readouterr().err


def test_a_source_that_disappears_fails_alone(bucket, tmp_path, capsys, monkeypatch):
    def vanish(place, folder, fetch=store.fetch):
        bucket.rm_file("/clips/day/b.png") if bucket.exists("/clips/day/b.png") else None
        return fetch(place, folder)

    monkeypatch.setattr("posetrack.tracker.run.staging.fetch", vanish)
    assert posetrack("flaky://clips", "--csv", "flaky://tables") == 1
    assert "There is no 'flaky:///clips/day/b.png'" in capsys.readouterr().err
    found = {name: entry.state for name, entry in entries(bucket, tmp_path).items()}
    assert found == {"a.csv": SourceState.DONE, "day/b.csv": SourceState.FAILED, "day/c.csv": SourceState.DONE}


def test_a_result_that_cannot_be_put_is_no_result(bucket, tmp_path, capsys, monkeypatch):
    put = bucket.__class__.put_file

    def refuse(self, lpath, rpath, **kwargs):
        if "b.csv" in rpath and "json" not in rpath:
            self.pipe_file(rpath, b"half a ta")
            raise ConnectionError("reset")
        put(self, lpath, rpath, **kwargs)

    monkeypatch.setattr(bucket.__class__, "put_file", refuse)
    words = ("flaky://clips", "--csv", "flaky://tables", "--skip-existing")
    assert posetrack(*words) == 1
    assert "Cannot write 'flaky:///tables/day/b.csv': ConnectionError: reset" in capsys.readouterr().err
    assert entries(bucket, tmp_path)["day/b.csv"].state is SourceState.STOPPED
    assert bucket.ls("/tables/day", detail=False) == [f"/tables/day/{n}" for n in ("b.csv.json", "c.csv", "c.csv.json")]
    monkeypatch.undo()
    assert posetrack(*words) == 0
    assert bucket.exists("/tables/day/b.csv")


def test_sources_of_a_web_server_and_results_here(tmp_path):
    (tmp_path / "web").mkdir()
    for name in "ab":
        (tmp_path / "web" / f"{name}.png").write_bytes(image())
    with stores.web_folder(tmp_path) as host:
        words = (f"http://me:hunter2@{host}/web/", "--csv", tmp_path / "t", "--skip-existing")
        assert posetrack(*words) == 0
        before = (tmp_path / "t" / manifest.NAME).read_bytes()
        assert posetrack(*words) == 0  # a server's listing states neither sizes nor times
    assert (tmp_path / "t" / manifest.NAME).read_bytes() == before
    for path in tmp_path.joinpath("t").iterdir():
        assert b"hunter2" not in path.read_bytes()
    assert manifest.read(tmp_path / "t")["a.csv"].input == f"http://***@{host}/***/a.png"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("flaky://clips", "--save", "flaky://clips", "--overwrite"), "is read by this command"),
        (("flaky://clips", "--csv", "flaky://t", "--reps", "flaky://t"), "--reps and --csv are both"),
        (("flaky://clips", "--csv", "https://host/tables/"), "which cannot be written to"),
        (("flaky://clips/a.png", "--csv", "flaky://t/a.trc"), "would be several files"),
        (("flaky://clips", "--csv", "flaky://t/all.csv"), "Give a folder for the results"),
    ],
)
def test_results_in_a_store_are_checked_before_the_run(bucket, words, message, capsys):
    assert posetrack(*words) == 2
    assert message in capsys.readouterr().err.replace("--csv and --reps are both", "--reps and --csv are both")
    assert not bucket.find("/t")


def test_the_manifest_is_put_again_and_again(bucket, monkeypatch, tmp_path):
    monkeypatch.setattr(record, "EVERY", 0.0)
    assert posetrack("flaky://clips", "--csv", "flaky://tables") == 0
    states = [json.loads(line)["state"] for line in bucket.cat_file("/tables/manifest.jsonl").splitlines()]
    assert states == ["running", "done"] * 3


def test_a_source_that_changed_and_was_interrupted_is_not_done(tmp_path):
    """Its old results are complete, but they are not those of the new source."""
    clips, tables = tmp_path / "clips", tmp_path / "tables"
    clips.mkdir()
    (clips / "a.png").write_bytes(image())
    words = (clips, "--csv", tables, "--skip-existing")
    assert posetrack(*words) == 0
    (clips / "a.png").write_bytes(image(level=200))
    done = manifest.read(tables)["a.csv"]
    size, mtime, _ = manifest.stamp(clips / "a.png")
    running = {"result": done.result, "input": done.input, "size": size, "mtime": mtime, "state": "running", "at": 1.0}
    with (tables / manifest.NAME).open("a") as file:
        file.write(json.dumps(running) + "\n")
    assert posetrack(*words) == 0
    assert manifest.read(tables)["a.csv"].state is SourceState.DONE


@pytest.fixture
def clips(tmp_path, walking_clip):
    """Four clips in a folder, whose address `local://` is a store's."""
    folder = tmp_path / "clips"
    folder.mkdir()
    for name in "abcd":
        shutil.copy(walking_clip, folder / f"{name}.mp4")
    return folder


@pytest.fixture
def table(walking_clip, tmp_path):
    """The table of each of the clips."""
    assert posetrack(walking_clip, "--csv", tmp_path / "alone.csv") == 0
    return (tmp_path / "alone.csv").read_bytes()


def is_free(folder):
    """Whether no process holds the lock of a scratch folder."""
    with (folder / ".lock").open("a") as file:
        return lock(file.fileno())


def tables(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.csv")}


def test_a_killed_run_goes_on_where_it_was(clips, table, tmp_path, scratch):
    results = tmp_path / "t"
    words = [f"local://{clips}", "--csv", f"local://{results}", "--jobs", "2", "--skip-existing"]
    run = subprocess.Popen([sys.executable, "-m", "posetrack", *words, *OFFLINE])
    until(lambda: tables(results))
    run.kill()
    run.wait()
    until(lambda: all(map(is_free, scratch.glob("posetrack-*"))))  # its workers end with it
    for left in scratch.glob("posetrack-*"):
        os.utime(left, (1, 1))  # as if the kill were a minute ago
    assert posetrack(*words) == 0
    assert tables(results) == {f"{name}.csv": table for name in "abcd"}


@pytest.mark.parametrize("engine", ["local", "ray"])
def test_a_file_whose_worker_is_killed_is_tracked_again(engine, clips, table, tmp_path, scratch):
    results, killed = tmp_path / "t", []

    def kill():
        until(lambda: list(scratch.glob("posetrack-*/files/source.mp4")))
        until(lambda: len(tables(results)) > 1)
        killed.append(actors()[0] if engine == "ray" else multiprocessing.active_children()[0].pid)
        os.kill(killed[0], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    assert posetrack(f"local://{clips}", "--csv", f"local://{results}", "--engine", engine, "--jobs", 2) == 0
    thread.join()
    assert killed
    assert tables(results) == {f"{name}.csv": table for name in "abcd"}
    assert {entry.state for entry in manifest.read(results).values()} == {SourceState.DONE}
    for left in scratch.glob("posetrack-*"):
        os.utime(left, (1, 1))
    assert posetrack(f"local://{clips}/a.mp4", "--csv", tmp_path / "again.csv") == 0  # and removes what was left
