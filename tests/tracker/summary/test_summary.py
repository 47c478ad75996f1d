"""Summaries and comparisons of tables with known numbers, and of a run's own tables."""

import csv
import json

import motions
import numpy as np
import pytest
from commands import rows

from posetrack.errors import SourceError, UsageError
from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.cli import main
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.features.kinematics.signals import asymmetry_index
from posetrack.tracker.formats.table import CsvSink
from posetrack.tracker.output.movement import BALANCE_COLUMNS, GAIT_COLUMNS, REPETITION_COLUMNS
from posetrack.tracker.summary.agreement import agreement, by_session
from posetrack.tracker.summary.sessions import find_tables, read_session
from posetrack.tracker.summary.statistics import statistics
from posetrack.tracker.types import State, Tracks

pandas_4 = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")  # in pingouin, of pandas 3.1


def table(path, people, *, quality=None):
    """Write a table of features: left and right knee angles (T,) of each person, by ID."""
    with path.open("w", newline="") as file:
        names = ["frame", "time_s", "track_id", "state", "left_knee_deg", "right_knee_deg"]
        writer = csv.writer(file)
        writer.writerow([*names, *(["left_knee_quality"] if quality else [])])
        for person, (left, right) in people.items():
            for index, values in enumerate(zip(left, right)):
                cells = ["" if np.isnan(value) else value for value in values]
                writer.writerow([index, index / 25, person, "measured", *cells, *([quality[index]] if quality else [])])
    return path


def test_statistics_of_known_numbers():
    found = statistics(np.array([10.0, np.nan, 20, 30, 40, 50, np.nan, 60]), 360.0)
    assert found.values == pytest.approx({"min": 10, "max": 60, "range": 50, "mean": 35, "sd": np.sqrt(350)})
    assert (found.count, found.known) == (6, 75)


def test_an_angle_that_passes_180_degrees_has_its_true_range():
    shoulder = np.linspace(150, 210, 31)
    found = statistics((shoulder + 180) % 360 - 180, 360.0).values
    assert found == pytest.approx({"min": 150, "max": 210, "range": 60, "mean": 180, "sd": np.std(shoulder, ddof=1)})


def test_few_values_have_no_statistics():
    assert all(np.isnan(value) for value in statistics(np.array([1.0, 2, 3, 4, np.nan]), None).values.values())


@pytest.mark.parametrize(("left", "right", "index"), [(60, 60, 0), (60, 40, 40), (40, 60, -40), (20, 0, 200)])
def test_the_asymmetry_index(left, right, index):
    assert asymmetry_index(np.array(left), np.array(right)) == pytest.approx(index)


def test_an_asymmetry_needs_both_sides_in_half_of_the_frames(tmp_path):
    steps = np.linspace(0, 60, 24)
    half, less = (np.where(np.arange(24) < count, steps / 2, np.nan) for count in (12, 11))
    table(tmp_path / "monday.csv", {1: (steps, half), 2: (steps, less)})
    assert main(["summary", str(tmp_path / "monday.csv"), "--out", str(tmp_path / "wide.out.csv")]) == 0
    one, two = rows(tmp_path / "wide.out.csv")
    assert one["knee_asymmetry_pct"]
    assert two["right_knee_range_deg"]
    assert not two["knee_asymmetry_pct"]


def test_wide_and_tidy_hold_the_same_numbers(tmp_path):
    steps = np.linspace(0, 60, 25)
    table(tmp_path / "monday.csv", {1: (steps, steps / 2), 7: (steps + 5, np.full(25, np.nan))})
    assert main(["summary", str(tmp_path / "monday.csv"), "--out", str(tmp_path / "wide.out.csv")]) == 0
    one, seven = rows(tmp_path / "wide.out.csv")
    assert (one["session"], one["track_id"], one["frames"], one["end_s"]) == ("monday", "1", "25", "0.96")
    assert (one["left_knee_range_deg"], one["right_knee_max_deg"], one["knee_asymmetry_pct"]) == ("60", "30", "66.6667")
    assert (seven["right_knee_range_deg"], seven["right_knee_known_pct"], seven["knee_asymmetry_pct"]) == ("", "0", "")
    words = ["summary", str(tmp_path / "monday.csv"), "--out", str(tmp_path / "tidy.out.csv"), "--layout", "tidy"]
    assert main(words) == 0
    found = {(r["track_id"], r["side"], r["measure"], r["statistic"]): r for r in rows(tmp_path / "tidy.out.csv")}
    assert found["1", "left", "knee", "range"]["value"] == "60"
    assert found["7", "left", "knee", "min"] | {"value": ""} == {
        "session": "monday",
        "track_id": "7",
        "measure": "knee",
        "side": "left",
        "statistic": "min",
        "unit": "deg",
        "value": "",
    }
    assert found["1", "", "knee", "asymmetry"]["value"] == "66.6667"
    assert "Robinson" in json.loads((tmp_path / "tidy.out.csv.json").read_text())["definitions"]["asymmetry_pct"]


def gait_table(path, *, stances, metres=""):
    """Write a table of gait cycles of person 1: the stances in percent, by side."""
    constant = dict.fromkeys(GAIT_COLUMNS, 1.1) | {"track_id": 1, "length_m": metres, "speed_m_s": metres}
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, GAIT_COLUMNS)
        writer.writeheader()
        writer.writerows(
            constant | {"side": side, "stance_pct": value} for side, values in stances.items() for value in values
        )
    return path


def test_gait_cycles_are_compared_by_their_means(tmp_path):
    gait_table(tmp_path / "gait.csv", stances={"left": [58, 60, 62, 60, 60], "right": [64, 66, 65, 65, 65]})
    gait_table(tmp_path / "few.csv", stances={"left": [60, 60, 60], "right": [65, 65]})
    words = ["summary", *map(str, (tmp_path / "gait.csv", tmp_path / "few.csv"))]
    assert main([*words, "--out", str(tmp_path / "wide.out.csv")]) == 0
    gait, few = rows(tmp_path / "wide.out.csv")
    assert float(gait["stance_asymmetry_pct"]) == pytest.approx(-8)
    assert (gait["step_asymmetry_pct"], gait["left_step_sd_s"]) == ("0", "0")  # of equal values, no remainder
    assert "speed_asymmetry_pct" not in gait  # the whole body has one speed
    assert few["left_stance_mean_pct"] == "60"
    assert few["stance_asymmetry_pct"] == ""


def test_no_speed_is_negative(tmp_path):
    speed = np.where((np.arange(60) > 20) & (np.arange(60) < 40), 2.0, 0.0)  # the cubic swings below 0 before a start
    with (tmp_path / "f.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["frame", "time_s", "track_id", "left_knee_deg", "com_speed_m_s"])
        writer.writerows([index, index / 30, 1, -5, value] for index, value in enumerate(speed))
    assert main(["summary", str(tmp_path / "f.csv"), "--out", str(tmp_path / "wide.out.csv")]) == 0
    (row,) = rows(tmp_path / "wide.out.csv")
    assert (row["com_speed_min_m_s"], row["left_knee_min_deg"]) == ("0", "-5")


def test_impossible_angles_are_left_out_unless_asked_for(tmp_path):
    left = np.array([10, 20, 30, 40, 50, -80.0])
    path = table(tmp_path / "a.csv", {1: (left, left)}, quality=[0.9, 0.9, 0.9, 0.9, 0.9, 0])
    for words, low in (([], "10"), (["--flagged"], "-80")):
        out = tmp_path / f"out{len(words)}.csv"
        assert main(["summary", str(path), "--out", str(out), *words]) == 0
        assert rows(out)[0]["left_knee_min_deg"] == low


@pandas_4
def test_agreement_of_known_numbers():
    a = np.array([10.0, 20, 30, 40, 50, 60])
    shifted = agreement(a, a + 2)
    assert (shifted["pairs"], shifted["difference"], shifted["sd"]) == (6, 2, 0)
    assert shifted["icc"] == pytest.approx(350 / (350 + 2), abs=1e-6)  # variances: between 350, sessions 2, error 0
    errors = np.array([1, -1, 2, -2, 3, -3])
    noisy = agreement(a, a + errors)
    spread = np.std(errors, ddof=1)
    assert (noisy["loa_low"], noisy["loa_high"]) == pytest.approx((-1.96 * spread, 1.96 * spread))
    assert noisy["icc_low"] < noisy["icc"] < noisy["icc_high"]


def test_few_pairs_have_a_difference_but_no_limits_of_agreement():
    found = agreement(np.array([10.0, 20, 30]), np.array([12.0, 20, 33]))
    assert found["difference"] == pytest.approx(5 / 3)
    assert np.isnan([found[name] for name in ("sd", "loa_low", "loa_high", "icc")]).all()


@pandas_4
def test_angles_are_compared_by_the_shorter_way():
    a = np.array([170.0, 175, 178, -179, -175, 179])
    found = agreement(a, (a + 5 + 180) % 360 - 180, period=360.0, independent=False)
    assert found["difference"] == pytest.approx(5)
    assert found["sd"] == pytest.approx(0, abs=1e-9)
    assert found["icc"] == pytest.approx(np.var(a % 360, ddof=1) / (np.var(a % 360, ddof=1) + 12.5), abs=1e-6)
    assert np.isnan(found["icc_low"])


@pandas_4
def test_sessions_of_several_people_are_compared_over_time(tmp_path, caplog):
    rng = np.random.default_rng(0)
    swing = np.sin(np.linspace(0, 6, 60))
    reach = {person: 30 + 10 * person for person in range(1, 7)}
    for name, gain in (("monday", 0.0), ("friday", 8.0)):
        table(
            tmp_path / f"{name}.csv", {p: ((r + gain) * swing, r * swing + rng.normal(0, 1)) for p, r in reach.items()}
        )
    words = ["compare", *(str(tmp_path / f"{name}.csv") for name in ("monday", "friday")), "--out"]
    plot = tmp_path / "change.svg"
    assert main([*words, str(tmp_path / "change.out.csv"), "--plot", str(plot)]) == 0
    assert plot.read_text().count('<g id="axes_') == 2  # both knees, a point for each person
    found = {(r["track_id"], r["side"], r["statistic"]): r for r in rows(tmp_path / "change.out.csv")}
    span = np.ptp(swing)
    assert float(found["3", "left", "range"]["difference"]) == pytest.approx(8 * span, rel=1e-4)
    everyone = found["all", "left", "range"]
    assert (everyone["pairs"], everyone["session_a"], everyone["session_b"]) == ("6", "monday", "friday")
    assert float(everyone["difference"]) == pytest.approx(8 * span, rel=1e-4)
    assert 0.5 < float(everyone["icc"]) < 0.99
    assert found["3", "left", "range"]["icc"] == ""
    assert found["3", "left", "range"]["known_b_pct"] == "100"
    assert all(row["pairs"] != "0" for row in found.values())
    assert "each recording numbers its people from 1" in caplog.text


@pandas_4
def test_a_table_agrees_with_itself_and_with_its_noisy_copy(tmp_path):
    keypoints = tmp_path / "squat.csv"
    scene = motions.perform([motions.squats(2)], synthetic.regular(4, 30))
    for name, noise in (("a", 0.0), ("b", 0.01)):
        with CsvSink(keypoints.with_name(f"{name}_points.csv"), skeleton=COCO) as sink:
            for index, time, poses in scene.frames(noise=noise):
                sink.write_rows(index, time, Tracks(np.array([1]), poses, np.zeros((1, 2)), (State.MEASURED,)))
        words = ["features", str(keypoints.with_name(f"{name}_points.csv")), "--out", str(tmp_path / f"{name}.csv")]
        assert main(words) == 0
    out = tmp_path / "agree.out.csv"
    plot = tmp_path / "agree.svg"
    words = ["compare", str(tmp_path / "a.csv"), str(tmp_path / "b.csv"), "--by", "frame"]
    assert main([*words, "--out", str(out), "--plot", str(plot)]) == 0
    found = {(row["side"], row["measure"]): row for row in rows(out)}
    knee = found["left", "knee"]
    assert knee["pairs"] == "120"
    assert abs(float(knee["difference"])) < 1
    assert 1 < float(knee["sd"]) < 6
    assert float(knee["icc"]) > 0.95
    drawn = plot.read_text()  # one panel for each joint, ankles have no angles here
    assert drawn.count('<g id="axes_') == 8


def movements(path, columns, movements):
    """Write a table of movements from the cells of each, by column."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(movements)
    return path


def test_movements_are_summarised_by_kind(tmp_path):
    squats = [{"exercise": "squat", "start_s": 3 * n, "depth": 90 + n, "left_knee_rom_deg": 100 + n} for n in range(5)]
    lunges = [{"exercise": "lunge", "start_s": 30, "depth": 0.3}]
    movements(tmp_path / "reps.csv", REPETITION_COLUMNS, [{"track_id": 1} | cells for cells in (*squats, *lunges)])
    assert main(["summary", str(tmp_path / "reps.csv"), "--out", str(tmp_path / "wide.out.csv")]) == 0
    (row,) = rows(tmp_path / "wide.out.csv")
    assert (row["movements"], row["start_s"], row["end_s"]) == ("6", "0", "30")
    assert (row["squat_depth_mean"], row["squat_depth_count"], row["lunge_depth_max"]) == ("92", "5", "0.3")
    assert row["left_squat_knee_rom_sd_deg"] == "1.58114"
    assert row["lunge_depth_sd"] == ""  # of one
    words = ["summary", str(tmp_path / "reps.csv"), "--out", str(tmp_path / "tidy.out.csv"), "--layout", "tidy"]
    assert main(words) == 0
    found = {(r["side"], r["measure"], r["statistic"]): r for r in rows(tmp_path / "tidy.out.csv")}
    assert found["left", "squat_knee_rom", "mean"] | {"value": ""} == {
        "session": "reps",
        "track_id": "1",
        "measure": "squat_knee_rom",
        "side": "left",
        "statistic": "mean",
        "unit": "deg",
        "value": "",
    }
    assert found["", "squat_depth", "count"]["value"] == "5"


def test_gait_is_compared_by_side_and_balance_by_plane(tmp_path, capsys):
    for name, later in (("before", 0.0), ("after", 0.1)):
        cycles = [
            {"track_id": 1, "side": side, "heel_strike_s": n, "stride_s": 1 + (side == "left") * later}
            for n in range(3)
            for side in ("left", "right")
        ]
        movements(tmp_path / f"{name}.csv", GAIT_COLUMNS, cycles)
    words = ["compare", *(str(tmp_path / f"{name}.csv") for name in ("before", "after"))]
    assert main([*words, "--out", str(tmp_path / "change.out.csv")]) == 0
    found = {(r["side"], r["measure"], r["statistic"]): r for r in rows(tmp_path / "change.out.csv")}
    assert [float(found[side, "stride", "mean"]["difference"]) for side in ("left", "right")] == [0.1, 0]
    assert (found["left", "stride", "max"]["count_b"], found["left", "stride", "max"]["unit"]) == ("3", "s")
    assert main([*words, "--by", "frame", "--out", str(tmp_path / "no.out.csv")]) == 2
    assert "'before' holds movements instead of frames" in capsys.readouterr().err
    stands = [
        {"track_id": 1, "kind": "stand", "plane": plane, "start_s": n, "sway_path_bh": 0.1 + n}
        for n, plane in enumerate(("sagittal", "frontal"))
    ]
    balance = movements(tmp_path / "balance.csv", BALANCE_COLUMNS, stands)
    assert {measure.column for measure in read_session(balance).measures} == {
        "stand_sagittal_sway_path_bh",
        "stand_frontal_sway_path_bh",
    }
    assert main(["compare", words[1], str(balance), "--out", str(tmp_path / "no.out.csv")]) == 2
    assert "'before' and 'balance' have no measure in common" in capsys.readouterr().err


def test_one_person_in_each_table_is_the_same_person_and_others_need_equal_ids(tmp_path):
    steps = np.linspace(0, 60, 25)
    one = read_session(table(tmp_path / "a.csv", {1: (steps, steps)}))
    other = read_session(table(tmp_path / "b.csv", {4: (steps + 1, steps)}))
    two = read_session(table(tmp_path / "c.csv", {4: (steps, steps), 5: (steps, steps)}))
    left = next(row for row in by_session(one, other) if (row["side"], row["statistic"]) == ("left", "mean"))
    assert left["difference"] == pytest.approx(1)
    with pytest.raises(UsageError, match=r"'a' has the people \[1\] and 'c' \[4, 5\]"):
        list(by_session(one, two))


def test_wrong_tables_are_sentences(tmp_path, capsys):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SourceError, match="is not a table of features or movements"):
        read_session(tmp_path / "x.csv")
    with pytest.raises(SourceError, match="Cannot read"):
        read_session(tmp_path / "missing.csv")
    with pytest.raises(SourceError, match="contains no table"):
        find_tables([str(tmp_path)])
    path = table(tmp_path / "y.csv", {1: (np.arange(9.0), np.arange(9.0))})
    path.write_text(path.read_text() + "9,0.1,1,measured,oops,3\n")
    with pytest.raises(SourceError, match="invalid in line 11"):
        read_session(path)
    assert main(["compare", str(path), "--out", str(tmp_path / "z.csv")]) == 2
    assert "is the only table" in capsys.readouterr().err
    other = table(tmp_path / "w.csv", {1: (np.arange(9.0), np.arange(9.0))})
    words = ["compare", str(other), str(table(tmp_path / "v.csv", {1: (np.arange(9.0), np.arange(9.0))}))]
    assert main([*words, "--out", str(tmp_path / "z.csv"), "--plot", str(tmp_path / "z.png")]) == 2
    assert "in 5 people of two tables" in capsys.readouterr().err
    with pytest.raises(UsageError, match=r"Two tables are named '.*/y'"):
        find_tables([str(path), str(path)])


def test_sessions_of_files_with_one_name_are_named_by_their_folders(tmp_path):
    steps = np.linspace(0, 60, 25)
    days = [tmp_path / day / "knees.csv" for day in ("monday", "friday")]
    for path in days:
        path.parent.mkdir()
        table(path, {1: (steps, steps)})
    assert main(["compare", *map(str, days), "--out", str(tmp_path / "out.csv")]) == 0
    assert {(row["session_a"], row["session_b"]) for row in rows(tmp_path / "out.csv")} == {
        ("monday/knees", "friday/knees")
    }


@pytest.mark.parametrize(
    "row",
    [
        "0,0,1," + "9" * 200_000,
        "1" + "0" * 400 + ",0,1,1",
        "0,inf,1,1",
        "0,,1,1",
        "0,0,1,1e308",
        "0,0,1,\0",
        "0,0,-1,1",
    ],
    ids=["long", "frame", "time", "no time", "value", "nul", "person"],
)
def test_damaged_tables_are_sentences(row, tmp_path, capsys):
    path = tmp_path / "a.csv"
    path.write_text(f"frame,time_s,track_id,left_knee_deg\n{row}\n")
    assert main(["summary", str(path), "--out", str(tmp_path / "out.csv")]) == 1
    assert "is invalid" in capsys.readouterr().err
