from pathlib import Path

import pytest

from posetrack.tracker.video.address import parse_source, redact


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://me:pw@cam/1", "rtsp://***@cam/1"),
        ("rtsp://me:p@w/d:x@cam:554/1", "rtsp://***"),
        ("rtsp://token@cam/1", "rtsp://***@cam/1"),
        ("rtsp://cam:554/live/ch0?channel=2&subtype=1", "rtsp://cam:554/live/ch0?channel=2&subtype=1"),
        ("rtsp://cam/user=me_password=pw_channel=1.sdp", "rtsp://cam/***"),
        ("http://cam/v?user=me&password=pw&n=1", "http://cam/v?***&***&n=1"),
        ("http://cam/v?access_token=pw#x", "http://cam/v?***#***"),
        ("http://cam/v?%70assword=pw;channel=pw", "http://cam/v?***&***"),
        ("http://cam/v?hunter2", "http://cam/v?***"),
        ("http://[::1]:80/hunter2/index.m3u8", "http://[::1]:80/***/index.m3u8"),
        ("http://cam/v.mp4", "http://cam/v.mp4"),
        ("concat:http://me:pw@cam/1|http://me:pw@cam/2", "concat:http://***"),
        ("concat:http:/me:pw@cam/1", "concat:http://***@cam/1"),
        ("http://cam/?@=pw", "http://***"),
        ("me:pw@cam/1", "***@cam/1"),
        ("clip.mp4", "clip.mp4"),
        ("there is no 'me:pw@cam/1'.", "there is no '***@cam/1'."),
        ("a: 1/clip@home.mp4", "a: 1/clip@home.mp4"),
    ],
)
def test_redact_hides_every_secret(address, shown):
    assert redact(address) == shown


def test_parse_source_states_the_kinds_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert parse_source(1) == parse_source("1") == 1
    assert parse_source("/dev/video2") == 2
    assert parse_source("RTSP://cam/1") == "RTSP://cam/1"
    assert parse_source("file:///a/b%20c.mp4") == Path("/a/b c.mp4")
    (tmp_path / "1").touch()
    assert parse_source("1") == Path("1")
