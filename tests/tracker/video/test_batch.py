from pathlib import Path

import pytest

from posetrack.errors import SourceError
from posetrack.tracker.video.batch import Item, expand, mirrors


@pytest.fixture
def folder(tmp_path):
    left_out = ("day 1/notes.txt", ".hidden.mp4", "b.partial.mp4")
    for name in ("b.mp4", "a.MOV", "a.jpg", "day 1/c.mkv", "[1].png", *left_out):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "in"


def test_a_folder_is_searched_through_and_sorted(folder):
    items = expand(str(folder))
    assert [(str(i.source.relative_to(folder)), str(i.mirror)) for i in items] == [
        ("[1].png", "[1]"),
        ("a.MOV", "a.MOV"),
        ("a.jpg", "a.jpg"),
        ("b.mp4", "b"),
        ("day 1/c.mkv", "day 1/c"),
    ]


def test_a_pattern_is_mirrored_from_its_fixed_part(folder, monkeypatch):
    assert expand(str(folder / "*.mp4")) == [Item(folder / "b.mp4", Path("b"))]
    assert expand(str(folder / "**" / "*.mkv")) == [Item(folder / "day 1/c.mkv", Path("day 1/c"))]
    monkeypatch.chdir(folder)
    assert expand("*/c.*") == [Item(Path("day 1/c.mkv"), Path("day 1/c"))]
    assert expand("[1].png") == [Item(Path("[1].png"), Path("[1]"))]


def test_no_two_files_have_results_of_the_same_name():
    assert mirrors([Path("a.mov"), Path("a.mov.mp4"), Path("b.mp4")]) == [Path("a"), Path("a.mov.mp4"), Path("b")]
    names = [Path("a.mov"), Path("a.mov.mp4"), Path("a.mp4"), Path("a.mp4.mov.mkv")]
    assert len(set(mirrors(names))) == len(names)


def test_single_sources_pass_through(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert expand("0") == [Item(0, Path("camera-0"))]
    assert expand("rtsp://me:pw@cam:554/live/1?token=x") == [
        Item("rtsp://me:pw@cam:554/live/1?token=x", Path("cam-554-live-1"))
    ]
    assert expand("gone.mp4") == [Item(Path("gone.mp4"), Path("gone"))]
    (tmp_path / "0").touch()
    assert expand("0") == [Item(Path("0"), Path("0"))]


@pytest.mark.parametrize("name", ["empty", "*.mp4"])
def test_nothing_found_is_a_sentence(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="contains no video or image"):
        expand(str(tmp_path / name))
