"""What people did is collected, tabulated with units, and drawn."""

import json
import re

import numpy as np
import pytest

pytest.importorskip("bokeh", reason="needs the extra report")

import motions

from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.features.events.detector import EventDetector
from posetrack.tracker.features.extraction.stream import ActionFeatures
from posetrack.tracker.output.actions import ActionSink
from posetrack.tracker.report.collector import Collector
from posetrack.tracker.report.movement import AngleStatistics, PersonMovement
from posetrack.tracker.report.page import render
from posetrack.tracker.report.person_tables import person_tables
from posetrack.tracker.summary.sessions import read_session
from posetrack.tracker.summary.statistics import summary
from posetrack.tracker.types import State, Tracks

TIMES = synthetic.regular(14, 30)


class Alone:
    """A motion of one person as a scene."""

    def __init__(self, motion):
        self._motion = motion

    def frames(self):
        for _, time, poses in self._motion.frames():
            yield time, poses, np.array([1])


@pytest.fixture
def did(collect):
    def make(*parts, **camera):
        return collect(Alone(motions.perform(parts, TIMES, **camera)))

    return make


def rows_of(measurements, name):
    """Return the rows of a table as dictionaries of texts."""
    (table,) = [table for table in person_tables(measurements) if table.name == name]
    texts = [[cell if isinstance(cell, str) else cell.text for cell in row.cells] for row in table.rows]
    return [dict(zip(table.columns, row, strict=True)) for row in texts]


def names_of(page):
    return json.loads(re.search(r'<script type="application/json" id="figures">(.*?)</script>', page, re.DOTALL)[1])[
        "names"
    ]


@pytest.mark.parametrize(("known", "compared"), [(5, True), (4, False)])
def test_an_asymmetry_needs_both_sides_in_half_of_the_frames(known, compared):
    moves = PersonMovement(frames=10)
    for side, count in (("left", 10), ("right", known)):
        moves.extents[f"{side}_knee"].add(np.linspace(0, 60, count), np.ones(count))
    assert ("knee" in moves.asymmetry) is compared


def test_each_repetition_has_a_row(did):
    rows = rows_of(did(motions.squats(4, seconds=2.4)), "repetitions")
    assert [(row["person"], row["exercise"], row["no."]) for row in rows] == [
        ("1", "squat", str(n)) for n in range(1, 5)
    ]
    for row in rows:
        assert float(row["duration (s)"]) == pytest.approx(2.4, abs=0.4)
        assert float(row["eccentric (s)"]) + float(row["concentric (s)"]) == pytest.approx(
            float(row["duration (s)"]), abs=0.02
        )
        assert row["depth"].endswith(" deg")
        assert row["joint"] == "hip"
        assert float(row["left range (deg)"]) == pytest.approx(135, abs=10)  # 95 degrees of the thigh, 40 of the trunk
        assert abs(float(row["asymmetry (%)"])) < 3
    assert all(float(row["tempo (1/min)"]) == pytest.approx(25, abs=0.5) for row in rows[1:])


def test_ranges_of_motion_are_those_of_the_body(did):
    rows = rows_of(did(motions.curls(4)), "range-of-motion")
    elbow = {row["side"]: row for row in rows if row["joint"] == "elbow"}
    for side in ("left", "right"):
        low, high, span = (float(elbow[side][f"{name} (deg)"]) for name in ("min", "max", "range"))
        assert low == pytest.approx(0, abs=6)
        assert high == pytest.approx(135, abs=3)
        assert span == pytest.approx(high - low, abs=1)
        assert low < float(elbow[side]["mean (deg)"]) < high
    assert {row["asymmetry (%)"] for row in rows if row["joint"] == "knee"} == {""}  # hardly moves


def test_ranges_of_motion_are_those_of_the_summary(tmp_path):
    actions = ActionFeatures()
    collector = Collector(actions)
    motion = motions.perform([motions.squats(2)], synthetic.regular(6, 30))
    tables = {"movements": [collector.movement], "features": tmp_path / "f.csv"}
    with ActionSink(actions, EventDetector(actions), collector, **tables) as sink:
        for index, time, poses in motion.frames(noise=0.01, missing=0.02):
            sink.write_rows(index, time, Tracks([1], poses, np.zeros((1, 2)), (State.MEASURED,)))
    statistics = {measure.base: found for measure, found in summary(read_session(tmp_path / "f.csv"))[1].items()}
    for joint, extent in collector.measurements.movement.people[1].extents.items():
        if extent.count:
            found = statistics[joint].values
            values = {
                "min": extent.low,
                "max": extent.high,
                "range": extent.range,
                "mean": extent.mean,
                "sd": extent.sd,
            }
            assert values == pytest.approx(found, abs=0.02), joint  # the table has two decimals


def test_an_angle_beyond_180_degrees_has_no_jump():
    extent = AngleStatistics()
    extent.add(np.array([170.0, np.nan, 179.0, -175.0, 172.0]), np.array([1.0, np.nan, 1.0, 0.5, 0.5]))
    assert (extent.low, extent.high, extent.range, extent.count) == (170, pytest.approx(185), pytest.approx(15), 4)
    assert extent.mean == pytest.approx(176.5)
    assert extent.sd == pytest.approx(np.std([170, 179, 185, 172], ddof=1))
    assert extent.mean_quality == 0.75


def test_gait_has_figures_and_curves(did):
    walk = did(motions.walk(20, cadence=110), speed=0.3)
    (row,) = rows_of(walk, "gait")
    assert float(row["cadence (steps/min)"]) == pytest.approx(110, abs=3)
    assert float(row["stride (s)"]) == pytest.approx(120 / 110, abs=0.03)
    assert float(row["speed (body heights/s)"]) == pytest.approx(0.3, abs=0.03)  # not calibrated
    step, stance = rows_of(walk, "gait-sides")
    assert float(step["left"]) + float(step["right"]) == pytest.approx(120 / 110, abs=0.03)
    assert abs(float(stance["asymmetry (%)"])) < 8
    page = render(walk, facts={})
    assert {"cycle_hip", "cycle_knee"} <= set(names_of(page))
    assert "cycle_ankle" not in names_of(page)  # COCO has no feet
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])
    cycle = data["people"][0]["cycle"]
    assert cycle["percent"] == list(range(101))
    for side in ("left", "right"):
        knee = [np.array(cycle[f"{side}_knee{end}"]) for end in ("_low", "", "_high")]
        assert 60 < knee[1].argmax() < 85  # flexes in the swing
        assert (knee[0] <= knee[1]).all()
        assert (knee[1] <= knee[2]).all()


def test_people_who_do_nothing_have_no_empty_tables(did):
    still = did(motions.stand(5))
    assert {table.name for table in person_tables(still)} == {"range-of-motion", "balance"}
    (row,) = rows_of(still, "balance")
    assert row["what"] == "standing"
    assert float(row["duration (s)"]) > 10
    assert "height (m)" not in row  # no jump
    page = render(still, facts={})
    assert not [name for name in names_of(page) if name.startswith("cycle") or name == "asymmetry"]


def test_impossible_values_are_flagged_and_left_out(collect):
    motion = motions.perform([motions.stand(5)], synthetic.regular(2, 30))
    knees, ankles = [13, 14], [15, 16]
    motion.keypoints[20:30, ankles] = motion.keypoints[20:30, knees] + (90, -10)  # shanks point forwards and up
    measurements = collect(Alone(motion))
    flagged = {row["flag"]: row for row in rows_of(measurements, "flags")}
    row = flagged["left knee outside its anatomical range"]
    assert row["frames"] == "10"
    assert row["first at (s)"] == "0.67"
    knee = measurements.movement.people[1].extents["left_knee"]
    assert -15 < knee.low <= knee.high < 15


def test_poorly_seen_joints_are_grey_and_have_no_asymmetry(did):
    measurements = did(motions.curls(4), yaw=90)  # the elbows bend towards the camera
    (table,) = [table for table in person_tables(measurements) if table.name == "range-of-motion"]
    weak = {row.cells[1] for row in table.rows if row.weak}
    assert "knee" in weak
    assert not weak & measurements.movement.people[1].asymmetry.keys()
    assert '<tr data-of="1" class="weak">' in render(measurements, facts={})


def test_a_person_s_tables_and_plots_are_on_the_page(did):
    page = render(did(motions.squats(3)), facts={})
    text = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert text.count('data-csv="repetitions"') == text.count('data-csv="range-of-motion"') == 1
    assert len(re.findall(r'<tr data-of="1">', text)) >= 3 + 8
