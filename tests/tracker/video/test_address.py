from pathlib import Path

import pytest

from posetrack.tracker.video.address import parse_source, redact


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://me:pw@cam/1", "rtsp://me:***@cam/1"),
        ("rtsp://me:p@w/d:x@cam:554/1", "rtsp://me:***@cam:554/1"),
        ("rtsp://token@cam/1", "rtsp://***@cam/1"),
        ("http://cam/v?user=me&password=pw&n=1", "http://cam/v?user=me&password=***&n=1"),
        ("http://cam/v?access_token=pw#x", "http://cam/v?access_token=***#x"),
        ("http://cam/v.mp4", "http://cam/v.mp4"),
        ("clip.mp4", "clip.mp4"),
    ],
)
def test_redact_hides_every_secret(address, shown):
    assert redact(address) == shown


def test_parse_source_tells_the_kinds_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert parse_source(1) == parse_source("1") == 1
    assert parse_source("/dev/video2") == 2
    assert parse_source("RTSP://cam/1") == "RTSP://cam/1"
    assert parse_source("file:///a/b%20c.mp4") == Path("/a/b c.mp4")
    (tmp_path / "1").touch()
    assert parse_source("1") == Path("1")
