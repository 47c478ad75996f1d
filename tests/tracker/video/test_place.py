"""Which addresses name files in a store, and what is printed of them."""

import pytest

from posetrack.tracker.video.address import redact_error
from posetrack.tracker.video.place import Remote, is_in_store


@pytest.mark.parametrize(
    "name", ["s3://b/clips", "gs://b/a.mp4", "memory://x", "https://host/clips/", "http://host/clips/*.mp4"]
)
def test_an_address_in_a_store(name):
    assert is_in_store(name)


@pytest.mark.parametrize(
    "name",
    [
        *("clips/", "c:/clips", "s3://", "rtsp://cam/live/", "file:///clips/", "udp://@239.0.0.1:1234"),
        *("https://host/a.mp4", "http://cam:8080/", "http://cam/live/?action=stream", "https://host/clips/?token=x*"),
    ],
)
def test_what_is_a_path_or_a_stream_stays_one(name):
    assert not is_in_store(name)


def test_the_text_of_a_place_has_no_secret():
    on_server = Remote("https://me:hunter2@host/t0ken/*.mp4", "https://me:hunter2@host/t0ken/monday/a.mp4")
    assert str(on_server) == repr(on_server) == "https://***@host/***/monday/a.mp4"
    assert str(Remote("sftp://me:hunter2@host/clips/", "/clips/a.mp4")) == "sftp:///clips/a.mp4"
    assert str(Remote("s3://archive/clips", "archive/clips/a@b#1.mp4")) == "s3://archive/clips/a@b#1.mp4"


def test_an_error_names_the_bucket_and_the_key_that_were_given():
    text = "There is nothing at 's3://archive/clips'."
    assert redact_error(text, ["s3://archive/clips"]) == text
    secret = "s3://me:hunter2@archive/clips"
    assert "hunter2" not in redact_error(f"There is nothing at '{secret}'.", [secret])


def test_a_place_below_another():
    folder = Remote("s3://archive/tables", "archive/tables")
    table = folder / "monday/a.csv"
    assert (table.path, table.name, table.parent.path) == (
        "archive/tables/monday/a.csv",
        "a.csv",
        "archive/tables/monday",
    )
    assert table.relative_to(folder).as_posix() == "monday/a.csv"
