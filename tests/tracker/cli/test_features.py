"""`posetrack features`, from a table of keypoints to a table of features."""

import json

import motions
import numpy as np
import pytest
from commands import rows

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.cli import main
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.formats.table import CsvSink
from posetrack.tracker.types import State, Tracks


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "keypoints.csv"
    with CsvSink(path, skeleton=COCO) as sink:
        for index, (time, poses, ids) in enumerate(synthetic.walking(synthetic.regular(1, 30)).frames()):
            state = State.PREDICTED if index == 12 else State.INTERPOLATED if index == 13 else State.MEASURED
            sink.write_rows(index, time, Tracks(ids, poses, np.zeros((len(ids), 2)), (state,)))
    return path


def test_a_table_gets_its_features(table, tmp_path):
    assert main(["features", str(table), "--out", str(tmp_path / "f.csv"), "--scale", "100"]) == 0
    found = rows(tmp_path / "f.csv")
    assert len(found) == 30
    assert float(found[20]["nose_speed_m_s"]) == pytest.approx(1.5, abs=0.01)
    assert [row["state"] for row in found[11:14]] == ["measured", "predicted", "interpolated"]
    assert found[12]["left_knee_deg"] == ""
    assert found[13]["left_knee_deg"] != ""


def walk(path, *, seconds=6):
    steps = motions.perform([motions.walk(10)], synthetic.regular(seconds, 30), speed=0.8)
    with CsvSink(path, skeleton=COCO) as sink:
        for index, time, poses in steps.frames(noise=0.003):
            sink.write_rows(index, time, Tracks([1], poses, np.zeros((1, 2)), (State.MEASURED,)))
    return path


def test_the_floor_of_a_walk_is_estimated_and_stated(tmp_path):
    path = walk(tmp_path / "walk.csv")
    words = ["features", str(path), "--out", str(tmp_path / "f.csv"), "--person-height", "1.8", "--floor", "auto"]
    assert main(words) == 0
    facts = json.loads((tmp_path / "f.csv.json").read_text())
    assert facts["source"] == str(path)
    floor = facts["calibration"]["floor"]
    assert abs(floor["angle_deg"]) < 0.5
    assert 0 < floor["angle_sd_deg"] < 0.5
    heights = [float(row["com_height_m"]) for row in rows(tmp_path / "f.csv") if row["com_height_m"]]
    assert np.mean(heights) == pytest.approx(0.57 * 1.8, abs=0.1)  # Winter 2009: 0.56 of the height


def test_a_walk_becomes_a_motion_of_opensim(tmp_path, capsys):
    path = walk(tmp_path / "walk.csv")
    assert main(["features", str(path), "--out", str(tmp_path / "w.mot"), "--scale", "120", "--floor", "auto"]) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "w_person1.mot")]
    text = (tmp_path / "w_person1.mot").read_text()
    assert "\ttime" not in text
    assert "pelvis_ty" in text
    assert main(["--source", str(path), "--features", str(tmp_path / "w.mot")]) == 2
    assert "posetrack features FILE.csv --out" in capsys.readouterr().err


def test_zones_of_a_recipe_are_events_and_totals(tmp_path):
    path = walk(tmp_path / "walk.csv")
    found = [row for row in rows(path) if row["left_ankle_x"]]
    (first, last) = (float(found[n]["left_ankle_x"]) for n in (0, -1))
    middle = (first + last) / 2
    (tmp_path / "mine.toml").write_text(
        f"[lines.gate]\npoints = [[{middle}, -2000], [{middle}, 2000]]\n"
        f"[zones.end]\npoints = [[{middle}, -2000], [{last + 900}, -2000], [{last + 900}, 2000], [{middle}, 2000]]\n"
    )
    words = ["features", str(path), "--events", str(tmp_path / "e.csv"), "--config", str(tmp_path / "mine.toml")]
    assert main(words) == 0
    events = [row for row in rows(tmp_path / "e.csv") if row["event"].startswith(("gate", "end"))]
    assert [row["event"] for row in events] == ["end_in", "gate_in", "end_lost"]
    assert [row["unit"] for row in events] == ["count", "count", "s"]
    facts = json.loads((tmp_path / "e.csv.json").read_text())
    assert facts["zones"]["gate"] == {"in": 1, "out": 0, "lost": 0}
    assert facts["zones"]["end"]["dwell_s"]["max"] == pytest.approx(float(events[2]["value"]), abs=1e-3)
    assert facts["values"]["gate_in"] == "how many people went in so far"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--scale", "100", "--person-height", "1.8"], "Give one of them"),
        (["--scale", "100", "--known-length", "0,0,100,0,1"], "scale and known_length are given"),
        (["--floor", "100,200"], "two points of a line on the floor"),
        (["--floor", "auto"], "The floor cannot be estimated"),
    ],
)
def test_a_wrong_calibration_is_a_sentence(words, message, tmp_path, capsys):
    path = tmp_path / "still.csv"
    with CsvSink(path, skeleton=COCO) as sink:
        for index, time, poses in motions.perform([motions.stand(1)], synthetic.regular(1, 30)).frames():
            sink.write_rows(index, time, Tracks([1], poses, np.zeros((1, 2)), (State.MEASURED,)))
    assert main(["features", str(path), "--out", str(tmp_path / "f.csv"), *words]) != 0
    assert message in capsys.readouterr().err
    assert not (tmp_path / "f.csv").exists()


def test_a_recipe_counts_what_it_names(tmp_path):
    path = tmp_path / "curls.csv"
    with CsvSink(path, skeleton=COCO) as sink:
        for index, time, poses in motions.perform([motions.curls(3)], synthetic.regular(6, 30)).frames():
            sink.write_rows(index, time, Tracks([1], poses, np.zeros((1, 2)), (State.MEASURED,)))
    (tmp_path / "mine.toml").write_text('[repetitions.curl]\nangle = "left_elbow"\nlow = 40\nhigh = 100\n')
    words = ["features", str(path), "--events", str(tmp_path / "e.csv"), "--config", str(tmp_path / "mine.toml")]
    assert main(words) == 0
    assert [(row["event"], row["value"]) for row in rows(tmp_path / "e.csv")] == [("curl", str(n)) for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ('angle = "left_elbo"\nlow = 1\nhigh = 2', "Did you mean left_elbow"),
        ('angle = "left_elbow"\nlow = 3\nhigh = 2', "the lower one first"),
        ('angle = "left_elbow"\nlow = 1', "must have angle, low and high"),
        ('angle = "left_elbow"\nlow = 1\nhigh = 2\nrest = "up"', 'give "low" or "high"'),
    ],
)
def test_a_wrong_recipe_is_reported(table, tmp_path, capsys, text, printed):
    (tmp_path / "mine.toml").write_text(f"[repetitions.curl]\n{text}\n")
    words = ["features", str(table), "--events", str(tmp_path / "e.csv"), "--config", str(tmp_path / "mine.toml")]
    assert main(words) == 2
    assert printed in capsys.readouterr().err
    assert not (tmp_path / "e.csv").exists()


def test_nothing_to_write_is_reported(table, capsys):
    assert main(["features", str(table)]) == 2
    assert "Add --out FILE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (["--scale", "-1"], "positive number of pixels"),
        (["--person-height", "0"], "height in metres"),
        (["--person-height", "1.8", "--scale", "90"], "Give one of them"),
    ],
)
def test_wrong_calibrations_are_reported(table, tmp_path, capsys, words, printed):
    assert main(["features", str(table), "--out", str(tmp_path / "f.csv"), *words]) == 2
    assert printed in capsys.readouterr().err


def test_a_file_that_is_no_table_is_reported(tmp_path, capsys):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    assert main(["features", str(tmp_path / "other.csv"), "--out", str(tmp_path / "f.csv")]) == 1
    assert "is not a table of posetrack" in capsys.readouterr().err
    assert main(["features", str(tmp_path / "none.csv"), "--out", str(tmp_path / "f.csv")]) == 1
    assert "there is no such file" in capsys.readouterr().err


def test_a_broken_line_is_reported_with_its_number(table, tmp_path, capsys):
    lines = table.read_text().splitlines()
    lines[9] = lines[9].rpartition(",")[0]
    table.write_text("\n".join(lines))
    assert main(["features", str(table), "--out", str(tmp_path / "f.csv")]) == 1
    assert "invalid in line 10" in capsys.readouterr().err
    assert len(rows(tmp_path / "f.partial.csv")) == 7  # frames 0 to 6: the broken line may be of frame 7
