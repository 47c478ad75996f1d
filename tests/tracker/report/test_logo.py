"""A logo is checked before the run and becomes a part of the page."""

from base64 import b64decode

import cv2
import numpy as np
import pytest

from posetrack.errors import UsageError
from posetrack.tracker.report.logo import MAX_BYTES, logo_uri

# the header of an image of 100,000 x 100,000 pixels
HUGE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\x86\xa0\0\1\x86\xa0\x08\2\0\0\0\x27\x30\x9c\x9f"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'


@pytest.mark.parametrize(
    ("name", "kind"), [("a.png", "image/png"), ("a.JPG", "image/jpeg"), ("a.svg", "image/svg+xml")]
)
def test_a_logo_keeps_its_bytes(tmp_path, name, kind):
    path = tmp_path / name
    data = (
        SVG if kind.endswith("xml") else cv2.imencode(path.suffix.lower(), np.zeros((4, 6, 3), np.uint8))[1].tobytes()
    )
    path.write_bytes(data)
    head, text = logo_uri(path).split(",")
    assert head == f"data:{kind};base64"
    assert b64decode(text) == data


@pytest.mark.parametrize(
    ("name", "data", "remedy"),
    [
        ("a.pdf", b"%PDF", "Give a .png"),
        ("a.png", b"", "is empty"),
        ("a.svg", b"<html>", "no SVG"),
        ("a.svg", SVG + b" " * MAX_BYTES, "below 1,000,000"),
        ("a.png", HUGE, "OpenCV"),
    ],
)
def test_what_is_no_logo_is_refused(tmp_path, name, data, remedy):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError, match=remedy):
        logo_uri(tmp_path / name)


def test_a_missing_logo_is_refused(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        logo_uri(tmp_path / "none.png")
