"""Requests to a store: repeated while the network fails, whole or not there, and a sentence for each failure."""

import os
import re
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
import stores

from posetrack.errors import OutputError, PosetrackError, SourceError, UsageError
from posetrack.tracker.remote import scratch, store
from posetrack.tracker.remote.store import fetch, files, look, place_of, put


@pytest.fixture
def bucket(monkeypatch):
    monkeypatch.setattr(store, "PAUSES", (0.0, 0.0))
    with stores.flaky_store() as bucket:
        yield bucket


@pytest.fixture
def source(bucket):
    bucket.pipe_file("/clips/a.mp4", b"moving images")
    return look(place_of("flaky://clips/a.mp4"))


def test_a_lost_network_is_tried_again(bucket, source, tmp_path):
    bucket.failures += [ConnectionError("reset"), TimeoutError()]
    assert fetch(source, tmp_path).read_bytes() == b"moving images"
    bucket.failures += [ConnectionError("reset by https://me:hunter2@host/?sig=hunter2")] * 3
    with pytest.raises(PosetrackError, match=r"Cannot read 'flaky:///clips/a.mp4': .* tried 3 times") as caught:
        fetch(source, tmp_path)
    assert not isinstance(caught.value, SourceError)  # the source is not at fault: the next run tracks it
    assert "hunter2" not in str(caught.value)


def test_what_another_try_does_not_change_is_tried_once(bucket, source, tmp_path):
    bucket.asked.clear()
    bucket.failures += [PermissionError("denied"), FileNotFoundError("gone")]
    with pytest.raises(PosetrackError, match=r"no permission. Give this machine the store's credentials"):
        fetch(source, tmp_path)
    with pytest.raises(SourceError, match=r"There is no 'flaky:///clips/a.mp4'"):
        fetch(source, tmp_path)
    assert bucket.asked == ["get", "get"]


def test_a_file_that_does_not_arrive_whole_is_not_used(bucket, source, tmp_path):
    bucket.pipe_file("/clips/a.mp4", b"moving")
    with pytest.raises(PosetrackError, match="6 bytes of 13 arrived"):
        fetch(source, tmp_path)


def test_a_file_is_fetched_only_if_the_disk_has_room(bucket, tmp_path):
    large = store.Remote("flaky://clips/", "/clips/a.mp4", listed=True, size=1 << 60)
    with pytest.raises(OutputError, match=r"MB are free. Free some space in the temporary folder, or set TMPDIR"):
        fetch(large, tmp_path)
    assert "get" not in bucket.asked


def test_a_put_that_fails_leaves_what_was_there(bucket, tmp_path):
    table = tmp_path / "a.csv"
    table.write_bytes(b"the new table")
    place = place_of("flaky://tables") / "a.csv"
    bucket.pipe_file("/tables/a.csv", b"old")
    bucket.failures += [ConnectionError("reset")] * 3
    with pytest.raises(OutputError, match=r"Cannot write 'flaky:///tables/a.csv': ConnectionError: reset"):
        put(table, place)
    assert {name: bucket.cat_file(name) for name in bucket.find("/tables")} == {"/tables/a.csv": b"old"}
    bucket.failures += [ConnectionError("reset")]
    put(table, place)
    assert bucket.cat_file("/tables/a.csv") == b"the new table"


def test_a_missing_package_and_an_unknown_store_are_said_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(PosetrackError, match=re.escape("pip install 'posetrack[remote]' s3fs.")):
        place_of("s3://archive/clips")
    with pytest.raises(UsageError, match="'nowhere://' names no store"):
        place_of("nowhere://archive/clips")
    with pytest.raises(UsageError, match=re.escape("'s3://***' has a password")):
        place_of("s3://me:hunter2/hunter2@archive/clips")
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(PosetrackError, match=re.escape("pip install 'posetrack[remote]'.")):
        place_of("memory://archive/clips")


def test_a_listing_has_a_limit(bucket, source, monkeypatch):
    bucket.pipe_file("/clips/day/b.mp4", b"")
    assert [each.path for each in files(place_of("flaky://clips"))] == ["/clips/a.mp4", "/clips/day/b.mp4"]
    assert files(place_of("flaky://no/such/folder")) == []
    monkeypatch.setattr(store, "MOST", 1)
    with pytest.raises(UsageError, match="more than 1 files"):
        files(place_of("flaky://clips"))


def test_a_server_whose_pages_never_end_is_refused(monkeypatch):
    class Endless(stores._Quiet):
        def list_directory(self, path):
            raise AssertionError

        def do_GET(self):
            page = b'<a href="again/">again/</a><a href="a.mp4">a</a>'
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

    monkeypatch.setattr(store, "_FOLDERS", 5)
    with stores.web_folder(".", Endless) as host, pytest.raises(UsageError, match="no end of folders"):
        files(place_of(f"http://{host}/clips/"))


def test_scratch_is_removed_also_what_a_killed_process_left(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, half, in_use = (tmp_path / f"posetrack-scratch-{name}" for name in ("left", "half", "used"))
    foreign = tmp_path / "posetrack-foreign"
    for folder in (left, half, in_use, foreign):
        folder.mkdir()
    for folder in (left, in_use):
        (folder / ".lock").touch()
    (left / "source.mp4").touch()
    with (in_use / ".lock").open("w") as file:
        assert scratch.lock(file.fileno())
        for folder in (left, half, in_use, foreign):
            os.utime(folder, (1, 1))
        with suppress(RuntimeError), scratch.scratch() as folder:
            (folder / "source.mp4").touch()
            assert not any(folder.exists() for folder in (left, half))
            raise RuntimeError
    assert sorted(Path(tmp_path).iterdir()) == [foreign, in_use]
