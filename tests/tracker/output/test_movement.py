"""Tables of repetitions, gait and balance: their rows, units, empty cells, sidecars and restarts."""

import csv
import json

import motions
import numpy as np
import pytest
from performed import frames

from posetrack.tracker.features.calibration.measures import Calibration
from posetrack.tracker.features.events.detector import EventDetector
from posetrack.tracker.features.extraction.stream import ActionFeatures
from posetrack.tracker.output.actions import ActionSink
from posetrack.tracker.output.movement import BALANCE_COLUMNS, GAIT_COLUMNS, REPETITION_COLUMNS


def written(path, kind, parts, *, restart=False, actions=None, **conditions):
    """Write one table of a performance; return its rows and its sidecar."""
    actions = actions or ActionFeatures()
    with ActionSink(actions, EventDetector(actions), **{kind: path}) as sink:
        for again in (True, False) if restart else (False,):
            for index, time, tracks in frames(parts, **conditions)[1]:
                sink.write_rows(index, time, tracks)
            if again:
                sink.restart()
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return rows, json.loads(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("restart", [False, True])
def test_each_repetition_is_a_row(tmp_path, restart):
    parts = [motions.stand(1), motions.squats(3), motions.stand(1)]
    rows, facts = written(tmp_path / "reps.csv", "reps", parts, restart=restart)
    assert [(row["exercise"], row["number"]) for row in rows] == [("squat", "1"), ("squat", "2"), ("squat", "3")]
    for row in rows:
        start, bottom, end = (float(row[f"{name}_s"]) for name in ("start", "bottom", "end"))
        assert start < bottom < end
        assert float(row["duration_s"]) == pytest.approx(end - start, abs=0.002)
        assert float(row["eccentric_s"]) + float(row["concentric_s"]) == pytest.approx(end - start, abs=0.002)
        assert row["left_ankle_rom_deg"] == ""
        assert row["unit"] == "deg"
        assert 0 <= float(row["confidence"]) <= 1
    assert rows[0]["tempo_per_min"] == ""
    assert list(facts["columns"]) == list(rows[0]) == list(REPETITION_COLUMNS)


@pytest.mark.slow
def test_one_run_writes_the_tables_of_separate_runs(tmp_path):
    parts = [motions.stand(7), motions.squats(2), motions.gait(4)]
    alone = {kind: written(tmp_path / f"{kind}.csv", kind, parts) for kind in ("reps", "gait", "balance")}
    together, actions = tmp_path / "together", ActionFeatures()
    together.mkdir()
    with ActionSink(actions, EventDetector(actions), **{kind: together / f"{kind}.csv" for kind in alone}) as sink:
        for index, time, tracks in frames(parts)[1]:
            sink.write_rows(index, time, tracks)
    for kind, (rows, _) in alone.items():
        assert rows
        assert (together / f"{kind}.csv").read_bytes() == (tmp_path / f"{kind}.csv").read_bytes()


def test_gait_has_a_row_per_cycle_and_figures_and_curves_in_its_sidecar(tmp_path):
    parts = [motions.stand(1), motions.gait(8)]
    rows, facts = written(
        tmp_path / "gait.csv", "gait", parts, actions=ActionFeatures(calibration=Calibration(scale=120)), speed=0.4
    )
    assert len(rows) >= 8
    assert {row["side"] for row in rows} == {"left", "right"}
    assert list(rows[0]) == list(facts["columns"]) == list(GAIT_COLUMNS)
    for row in rows:
        assert float(row["length_m"]) == pytest.approx(float(row["speed_m_s"]) * float(row["stride_s"]), abs=0.002)
    figures = facts["people"]["1"]
    assert figures["cadence_per_min"] == pytest.approx(120 / 1.1, rel=0.05)
    assert len(figures["curves_deg"]["left_knee"]["mean"]) == 101
    assert "left_ankle" not in figures["curves_deg"]
    assert figures["stride_sd_s"] < 0.2
    for side in ("left", "right"):
        stances = [float(row["stance_pct"]) for row in rows if row["side"] == side]
        assert figures[f"{side}_stance_pct"] == pytest.approx(sum(stances) / len(stances), abs=0.1)


def test_balance_has_jumps_and_standing(tmp_path):
    parts = [motions.stand(7), motions.jump(flight=0.5)]
    rows, facts = written(tmp_path / "balance.csv", "balance", parts, blend=0.2)
    assert [row["kind"] for row in rows] == ["stand", "jump"]
    assert rows[0]["sway_path_m"] == rows[0]["jump_height_m"] == rows[1]["sway_path_bh"] == ""
    assert float(rows[1]["jump_height_m"]) == pytest.approx(0.31, abs=0.05)
    assert list(rows[0]) == list(facts["columns"]) == list(BALANCE_COLUMNS)


@pytest.mark.parametrize("kind", ["reps", "gait", "balance"])
def test_a_table_of_nothing_has_its_header_and_a_complete_sidecar(tmp_path, kind):
    rows, facts = written(tmp_path / "t.csv", kind, [motions.bows(1)])
    assert rows == []
    assert facts["complete"] is True
    assert np.all([set(about) == {"unit", "meaning"} for about in facts["columns"].values()])
