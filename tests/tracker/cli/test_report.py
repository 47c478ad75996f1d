"""`--report`, `posetrack report` and `posetrack plot` from the command line."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
from gaps import gappy

pytest.importorskip("bokeh", reason="needs the extra report")

from posetrack.tracker.cli import main
from posetrack.tracker.formats.files import write_recording


def posetrack(*words):
    return main([str(word) for word in words])


def data_of(page):
    text = page.read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])


@pytest.fixture(scope="module")
def tracked(walking_clip, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tracked")
    outputs = ("--csv", folder / "t.csv", "--save", folder / "t.mp4", "--report", folder / "live.html")
    assert posetrack("--source", walking_clip, *outputs, "--features", folder / "f.csv", "--quiet", "--offline") == 0
    return folder


def test_the_report_of_a_run_and_of_its_files_are_the_same(tracked, tmp_path):
    page = tmp_path / "again.html"
    assert posetrack("report", tracked / "t.csv", "--video", tracked / "t.mp4", "--out", page) == 0
    live, again = data_of(tracked / "live.html"), data_of(page)
    assert live["people"]
    assert [person["id"] for person in live["people"]] == [person["id"] for person in again["people"]]
    assert [person["spans"] for person in live["people"]] == [person["spans"] for person in again["people"]]
    assert live["video"]
    assert again["video"]
    assert live["origin"] == pytest.approx(again["origin"], abs=1e-3)
    for path in (tracked / "live.html", page):
        text = path.read_text(encoding="utf-8")
        assert "sha256" in text
        assert "people.mp4" in text
    assert not list(tracked.glob("*.partial*"))


def test_the_heading_is_given(tracked, tmp_path, capsys):
    logo, page = tmp_path / "logo.png", tmp_path / "r.html"
    cv2.imwrite(str(logo), np.zeros((8, 8, 3), np.uint8))
    words = (
        "report",
        tracked / "t.csv",
        "--out",
        page,
        "--title",
        "Squats",
        "--notes",
        "Second session",
        "--logo",
        logo,
    )
    assert posetrack(*words) == 0
    heading = re.search(r"<header>.*?</header>", page.read_text(encoding="utf-8"), re.DOTALL)[0]
    assert all(part in heading for part in (">Squats<", ">Second session<", 'src="data:image/png;base64,'))
    logo.write_text("no image")
    assert posetrack(*words, "--overwrite") == 2
    assert "contains no image" in capsys.readouterr().err


def test_events_of_a_recipe_are_in_the_report(tracked, tmp_path):
    (tmp_path / "mine.toml").write_text("[zones.stage]\npoints = [[0, 0], [4000, 0], [4000, 4000], [0, 4000]]\n")
    for name, words in (("without", ()), ("with", ("--config", tmp_path / "mine.toml"))):
        assert posetrack("report", tracked / "t.csv", "--out", tmp_path / f"{name}.html", *words) == 0
    assert "stage in, person 1" in (tmp_path / "with.html").read_text(encoding="utf-8")
    assert "stage in" not in (tmp_path / "without.html").read_text(encoding="utf-8")


def test_a_clip_that_began_later_is_in_time(walking_clip, tmp_path):
    words = ("--start", 0.3, "--quiet", "--offline", "--csv", tmp_path / "t.csv", "--save", tmp_path / "t.mp4")
    assert posetrack("--source", walking_clip, *words) == 0
    assert posetrack("report", tmp_path / "t.csv", "--video", tmp_path / "t.mp4", "--out", tmp_path / "r.html") == 0
    assert data_of(tmp_path / "r.html")["origin"] == pytest.approx(0.3, abs=1e-3)


def test_refined_tracks_are_in_the_report(walking_clip, tmp_path):
    assert posetrack("--source", walking_clip, "--refine", "--report", tmp_path / "r.html", "--quiet", "--offline") == 0
    assert "refined" in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert data_of(tmp_path / "r.html")["video"]


def test_wrong_requests_get_one_sentence(tracked, tmp_path, capsys, monkeypatch):
    def message(*words, code=2):
        assert posetrack(*words) == code
        said = capsys.readouterr().err.strip()
        assert "\n" not in said
        return said

    table = tracked / "t.csv"
    assert "does not end in .html" in message("report", table, "--out", tmp_path / "r.pdf")
    (tmp_path / "r.html").write_text("precious")
    assert "--overwrite" in message("report", table, "--out", tmp_path / "r.html", code=1)
    assert "no kind of figure 'pie'" in message("plot", table, "--out", tmp_path / "f.png", "--kind", "pie")
    for each in (table, tracked / "f.csv"):
        assert "the id 99" in message("plot", each, "--out", tmp_path / "f.png", "--person", 99)
    assert "features only" in message("plot", tracked / "f.csv", "--out", tmp_path / "f.png", "--person", "longest")
    assert "ends in .png" in message("plot", table, "--out", tmp_path / "f.gif")
    assert "no such file" in message("report", tmp_path / "none.csv", "--out", tmp_path / "s.html", code=1)
    short = tmp_path / "short.csv"
    short.write_text("".join(table.read_text().splitlines(keepends=True)[:1]))
    rows = table.read_text().splitlines()
    later = [row.split(",", 2) for row in rows[1:]]
    short.write_text("\n".join([rows[0], *(f"{int(n) + 500},{float(t) + 50:.6f},{rest}" for n, t, rest in later)]))
    assert "is not the video of this table" in message(
        "report", short, "--video", tracked / "t.mp4", "--out", tmp_path / "s.html"
    )
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr("posetrack.tracker.report.libraries.find_spec", lambda name: None)
    assert "pip install 'posetrack[report]'" in message("report", table, "--out", tmp_path / "s.html")
    assert "pip install 'posetrack[report]'" in message("plot", table, "--out", tmp_path / "s.png")


@pytest.mark.parametrize("table", ["t.csv", "f.csv"])
def test_both_tables_can_be_drawn(tracked, tmp_path, table):
    assert posetrack("plot", tracked / table, "--out", tmp_path / "f.png", "--kind", "timeline", "--kind", "speed") == 0
    assert cv2.imread(str(tmp_path / "f.png")).shape[1] == 1440


def chunk(kind, data):
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def test_a_image_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path):
    """In a process of its own, because OpenCV reads its limit when it is loaded."""
    width, height = 17_000, 16_000  # bilevel and black: 34 kB
    pixels = zlib.compress(bytes((width // 8 + 1) * height))
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([1, 0, 0, 0, 0])
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND", b""))
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    write_recording(tmp_path / "t.csv", gappy())
    command = [sys.executable, "-m", "posetrack", "report", "t.csv", "--out", "a.html", "--logo", "logo.png"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OPENCV_IO")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "states more pixels than OpenCV reads" in done.stderr
