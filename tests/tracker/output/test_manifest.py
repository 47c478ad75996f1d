"""The manifest of a batch: its newest lines count, and a line that was cut off does not harm the others."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from posetrack.errors import OutputError
from posetrack.models.cache import sha256
from posetrack.tracker.output import manifest
from posetrack.tracker.output.manifest import Entry, Manifest, SourceState, stamp


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"images")
    return path


@pytest.fixture
def entry(source):
    size, mtime, _ = stamp(source)
    return Entry("day1/clip.csv", str(source), size, mtime, SourceState.RUNNING, at=1.0)


def test_the_newest_line_of_a_source_counts(entry, tmp_path):
    lines = Manifest(tmp_path)
    done = replace(entry, state=SourceState.DONE, at=2.0, frames=7, outputs={"csv": "day1/clip.csv"})
    other = replace(entry, result="day2/clip.csv")
    for each in (entry, other, done):
        lines.add(each)
    assert manifest.read(tmp_path) == {entry.result: done, other.result: other}
    assert json.loads((tmp_path / manifest.NAME).read_text().splitlines()[-1])["state"] == "done"


@pytest.mark.parametrize("left", [b'{"result": "a.c', b"null\n", b'{"result": "a.csv", "state": "lost"}\n', b"[]\n"])
def test_a_line_that_was_cut_off_leaves_the_others(entry, tmp_path, left):
    Manifest(tmp_path).add(entry)
    with (tmp_path / manifest.NAME).open("ab") as file:
        file.write(left)
    later = replace(entry, result="later.csv")
    Manifest(tmp_path).add(later)
    assert manifest.read(tmp_path) == {entry.result: entry, later.result: later}


def test_a_folder_without_manifest_has_no_entries(tmp_path):
    assert manifest.read(tmp_path / "missing") == {}


def test_a_batch_without_results_writes_none(entry, tmp_path):
    Manifest(None).add(entry)
    assert not list(tmp_path.glob("*.jsonl"))


def test_a_source_that_changed_is_another(entry, source):
    assert entry.is_of(source)
    os.utime(source, (1, 1))
    assert not entry.is_of(source)
    assert replace(entry, sha256=sha256(source)).is_of(source)  # copied: other times, the same bytes
    source.write_bytes(b"Images")
    assert not replace(entry, sha256="0" * 64).is_of(source)
    source.unlink()
    assert not entry.is_of(source)


def test_names_that_are_no_text_are_kept(entry, tmp_path):
    strange = replace(entry, input=os.fsdecode(b"caf\xe9.mp4"))
    Manifest(tmp_path).add(strange)
    assert manifest.read(tmp_path)[entry.result] == strange


def test_a_full_disk_is_an_error_of_the_run(entry, tmp_path, full_disk):
    with full_disk(10), pytest.raises(OutputError, match="Cannot write"):
        Manifest(tmp_path).add(replace(entry, state=SourceState.DONE))


def test_the_manifest_is_beside_the_tables():
    targets = {"save": Path("v/day/a.mp4"), "csv": Path("t/day/a.csv")}
    assert manifest.place({"save": Path("v"), "csv": Path("t")}) == Path("t")
    assert manifest.name(Path("t"), targets) == "day/a.csv"
    assert manifest.place({}) is None
