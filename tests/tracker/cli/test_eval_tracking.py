"""`posetrack eval-tracking` and `posetrack convert`, from files to figures."""

import json

import numpy as np
import pytest

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.cli import main
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.formats.table import CsvSink
from posetrack.tracker.tracking.tracker import PoseTracker
from posetrack.tracker.types import Frame, Poses, State, Tracks

pytest.importorskip("trackeval", reason="needs TrackEval: pip install 'posetrack[eval]'")


def write(path, frames):
    with CsvSink(path, skeleton=COCO) as sink:
        for index, (time, tracks) in enumerate(frames):
            sink.write(Frame(np.zeros((1, 1, 3), np.uint8), index, time), tracks)


@pytest.fixture
def tables(tmp_path):
    """Folders `truth` and `result` with the tables of two scenes."""
    (tmp_path / "truth").mkdir()
    (tmp_path / "result").mkdir()
    times = synthetic.regular(4, 30)
    for name, scene in {"cross": synthetic.crossing(times), "stand": synthetic.standing(times)}.items():
        n = len(scene.ids)
        truth = [
            (time, Tracks(scene.ids, Poses(boxes, points, np.ones((n, 17))), np.zeros((n, 2)), (State.MEASURED,) * n))
            for time, boxes, points in zip(scene.times, scene.boxes, scene.keypoints)
        ]
        write(tmp_path / "truth" / f"{name}.csv", truth)
        tracker = PoseTracker()
        write(
            tmp_path / "result" / f"{name}.csv",
            [(time, tracker.update(poses, time)) for time, poses, _ in scene.frames(noise=0.01)],
        )
    return tmp_path


@pytest.mark.parametrize("by", ["boxes", "poses"])
def test_a_folder_is_measured(tables, capsys, by):
    target = tables / "figures.json"
    words = ["eval-tracking", "--truth", str(tables / "truth"), "--result", str(tables / "result"), "--by", by]
    assert main([*words, "--json", str(target)]) == 0
    shown = capsys.readouterr().out
    assert "cross" in shown
    assert "IDF1" in shown
    assert "keypoint distance" in shown
    figures = json.loads(target.read_text())
    assert set(figures["videos"]) == {"cross", "stand"}
    assert figures["videos"]["stand"]["IDF1"] == pytest.approx(1)
    assert figures["videos"]["stand"]["lag"] is None
    assert figures["all"]["switches"] == 0
    assert figures["all"]["late"] == figures["all"]["never"] == figures["all"]["false_tracks"] == 0
    assert 0.9 < figures["all"]["box_iou"] < 1
    assert 0.9 < figures["all"]["IDF1"] < 1  # hidden while the two overlap
    assert abs(figures["all"]["lag"]) < 50
    assert 0 < figures["all"]["distance"] < figures["all"]["distance_p95"] < 5  # of 1 % noise
    assert main([*words, "--json", str(target)]) == 1  # exists


def test_predicted_rows_can_be_left_out(tables):
    words = ["eval-tracking", "--truth", str(tables / "truth/cross.csv"), "--result", str(tables / "result/cross.csv")]
    assert main([*words, "--json", str(tables / "all.json")]) == 0
    assert main([*words, "--json", str(tables / "measured.json"), "--measured"]) == 0
    missed = [json.loads((tables / name).read_text())["all"]["missed"] for name in ("all.json", "measured.json")]
    assert missed[0] < missed[1]


def test_other_formats_give_the_same_figures(tables):
    for name in ("boxes.txt", "poses.json"):
        assert main(["convert", str(tables / "result/cross.csv"), "--out", str(tables / name)]) == 0
        words = ["eval-tracking", "--truth", str(tables / "truth/cross.csv"), "--result", str(tables / name)]
        assert main([*words, "--json", str(tables / f"{name}.out")]) == 0
    figures = [json.loads((tables / f"{name}.out").read_text())["all"] for name in ("boxes.txt", "poses.json")]
    assert figures[0]["IDF1"] == figures[1]["IDF1"] > 0.9
    assert figures[0]["HOTA"] == pytest.approx(figures[1]["HOTA"])


def test_requests_that_cannot_be_met(tables, capsys):
    truth, result = str(tables / "truth"), str(tables / "result")
    (tables / "result" / "stand.csv").unlink()
    assert main(["eval-tracking", "--truth", truth, "--result", result]) == 2
    assert "has no tracks of stand" in capsys.readouterr().err
    assert main(["eval-tracking", "--truth", truth, "--result", result, "--fps", "0"]) == 2
    assert main(["convert", str(tables / "truth/cross.csv"), "--out", str(tables / "a.xml")]) == 2
