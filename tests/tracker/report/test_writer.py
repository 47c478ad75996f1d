"""The page of a run: held from its start, written at its end."""

import numpy as np
import pytest

from posetrack.errors import OutputError
from posetrack.tracker.features.extraction.stream import ActionFeatures
from posetrack.tracker.partial import Transaction
from posetrack.tracker.report.writer import Report

ACTIONS = ActionFeatures()
IMAGE = np.zeros((48, 64, 3), np.uint8)


def test_a_second_run_with_the_same_page_is_refused_from_the_start(tmp_path):
    pytest.importorskip("fcntl", reason="locks are those of Unix")
    with Transaction() as results:
        with Report(tmp_path / "a.html", ACTIONS, results=results) as report:
            report.write(IMAGE, 0.0)
            with pytest.raises(OutputError, match="another run is writing"), Transaction() as others:
                Report(tmp_path / "a.html", ACTIONS, results=others).__enter__()
        report.save({"source": "a.mp4"})
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


def test_a_run_leaves_nothing_beside_its_page_and_removes_what_a_killed_one_left(tmp_path):
    (tmp_path / ".a.html.clip").mkdir()
    (tmp_path / ".a.html.clip" / "clip.partial.mp4").write_bytes(b"of a killed run")
    (tmp_path / "a.partial.html").touch()
    with Transaction() as results:
        with Report(tmp_path / "a.html", ACTIONS, results=results) as report:
            for index in range(3):
                report.write(IMAGE, index / 10)
        assert report.clip.video
        report.save({"source": "a.mp4"}, complete=False)
    assert [path.name for path in tmp_path.iterdir()] == ["a.partial.html"]
    assert "a.mp4" in (tmp_path / "a.partial.html").read_text()
