"""The tables of features and events: documented columns that survive an error, and sidecars that describe them."""

import json
import re
from fnmatch import fnmatch
from pathlib import Path

import motions
import numpy as np
import pytest
from commands import rows

from posetrack.errors import OutputError
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.features.calibration.measures import Calibration
from posetrack.tracker.features.events.detector import EventDetector
from posetrack.tracker.features.extraction.columns import LEAD, columns, header
from posetrack.tracker.features.extraction.stream import ActionFeatures
from posetrack.tracker.output.actions import ActionSink
from posetrack.tracker.output.movement import BALANCE_COLUMNS, GAIT_COLUMNS, REPETITION_COLUMNS
from posetrack.tracker.types import State, Tracks

DOCS = Path(__file__).parents[3] / "docs"


def action_sink(actions, **files):
    return ActionSink(actions, EventDetector(actions), **files)


def write(sink, *, frames=20, stop=None):
    for index, (time, poses, ids) in enumerate(synthetic.crowd(synthetic.regular(frames / 30, 30), count=2).frames()):
        if index == stop:
            raise RuntimeError("stop")
        sink.write_rows(index, time, Tracks(ids, poses, np.zeros((len(ids), 2)), (State.MEASURED,) * len(ids)))


def test_every_row_and_column_is_there_and_nothing_is_nan(tmp_path):
    path = tmp_path / "f.csv"
    with action_sink(ActionFeatures(calibration=Calibration(person_height=1.8)), features=path) as sink:
        write(sink)
    table = rows(path)
    assert [(int(row["frame"]), int(row["track_id"])) for row in table] == [(f, i) for f in range(20) for i in (1, 2)]
    assert list(table[0]) == [*LEAD, *(header(name, unit) for name, (unit, _) in columns(metres=True).items())]
    assert {"com_x_px", "stride_bh", "px_per_m", "left_knee_deg", "height_px"} <= {*table[0]}
    assert "nan" not in path.read_text()
    assert "-0.00," not in path.read_text()
    assert table[5]["left_ankle_deg"] == ""
    assert float(table[20]["com_speed_m_s"]) < 1
    facts = json.loads((tmp_path / "f.csv.json").read_text())
    assert facts["complete"] is True
    assert facts["filter"]["phase"] == "zero"
    assert facts["calibration"]["person_height_m"] == 1.8
    assert "proportions of the body, 3%" in facts["calibration"]["uncertainty"]
    assert set(facts["columns"]) == set(table[0])
    assert not list(tmp_path.glob("*.partial*"))


def test_an_error_leaves_all_rows_so_far_under_the_partial_name(tmp_path):
    with pytest.raises(RuntimeError), action_sink(ActionFeatures(), features=tmp_path / "f.csv") as sink:
        write(sink, stop=15)
    assert len(rows(tmp_path / "f.partial.csv")) == 30
    assert json.loads((tmp_path / "f.partial.csv.json").read_text())["complete"] is False
    assert not (tmp_path / "f.csv").exists()


def test_rows_are_on_the_disk_while_the_run_goes_on(tmp_path):
    with action_sink(ActionFeatures(), features=tmp_path / "f.csv") as sink:
        write(sink)
        assert len(rows(tmp_path / "f.partial.csv")) >= 2 * (20 - 6)


def test_restarting_takes_all_rows_back(tmp_path):
    with action_sink(ActionFeatures(), features=tmp_path / "f.csv") as sink:
        write(sink)
        sink.restart()
        write(sink, frames=5)
    assert len(rows(tmp_path / "f.csv")) == 10


def test_a_taken_name_is_refused(tmp_path):
    (tmp_path / "f.csv").write_text("mine")
    with pytest.raises(OutputError, match="add --overwrite"):
        action_sink(ActionFeatures(), features=tmp_path / "f.csv")


FEATURES = [header(name, unit) for name, (unit, _) in columns(metres=True, positions=True).items()]


@pytest.mark.parametrize(
    ("names", "pages"),
    [
        ([*LEAD, *FEATURES], ("features.md", "angles.md", "motion.md", "calibration.md")),
        (REPETITION_COLUMNS, ("repetitions.md",)),
        (GAIT_COLUMNS, ("gait.md",)),
        (BALANCE_COLUMNS, ("balance.md",)),
    ],
)
def test_the_pages_describe_every_column(names, pages):
    described = {name for page in pages for name in re.findall(r"`([a-z_0-9]+)`", (DOCS / page).read_text("utf-8"))}
    described |= {name.replace("left_", "right_") for name in described}
    patterns = described | {f"{name}_{what}_*_s*" for name in described for what in ("speed", "acceleration")}
    for name in described & {"left_knee_deg_s", "left_knee_quality", "left_knee_rom_deg", "knee_asymmetry_pct"}:
        patterns.add(name.replace("left_knee", "*").replace("knee", "*"))  # the knee stands for every joint
    assert [name for name in names if not any(fnmatch(name, pattern) for pattern in patterns)] == []


def squatting(sink, *, count=2):
    person = motions.perform([motions.stand(1), motions.squats(count)], synthetic.regular(2 * count + 4, 30))
    for index, time, poses in person.frames():
        sink.write_rows(index, time, Tracks([1], poses, np.zeros((1, 2)), (State.MEASURED,)))


def test_events_are_rows_with_their_sidecar(tmp_path):
    with action_sink(ActionFeatures(), events=tmp_path / "e.csv") as sink:
        squatting(sink)
        sink.restart()
        squatting(sink)
    table = rows(tmp_path / "e.csv")
    assert [(row["track_id"], row["event"], row["value"]) for row in table] == [
        ("1", "squat", "1"),
        ("1", "squat", "2"),
    ]
    assert 0 < float(table[0]["confidence"]) <= 1
    assert float(table[0]["time_s"]) == pytest.approx(int(table[0]["frame"]) / 30, abs=1e-5)
    facts = json.loads((tmp_path / "e.csv.json").read_text())
    assert set(facts["columns"]) == set(table[0])
    assert "squat" in facts["values"]


def test_both_tables_come_from_one_run(tmp_path):
    with action_sink(ActionFeatures(), features=tmp_path / "f.csv", events=tmp_path / "e.csv") as sink:
        squatting(sink)
    assert len(rows(tmp_path / "f.csv")) == 240
    assert len(rows(tmp_path / "e.csv")) == 2


def test_features_and_events_are_computed_once_per_frame(tmp_path):
    class Listener:
        def __init__(self):
            self.taken = []

        def take(self, tracks, features, events):
            assert tracks.ids is features.ids
            self.taken.append((features.frame, id(features), [event.event for event in events]))

    one, two, actions = Listener(), Listener(), ActionFeatures()
    with ActionSink(actions, EventDetector(actions), one, two, events=tmp_path / "e.csv") as sink:
        squatting(sink)
    assert one.taken == two.taken
    assert [frame for frame, *_ in one.taken] == list(range(240))
    assert [name for *_, names in one.taken for name in names] == ["squat", "squat"]
