"""Tables of whole movements: repetitions, gait cycles, and standing and jumps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..features.extraction.columns import SYMMETRIC
from ..features.kinematics.angles import JOINTS
from ..features.movement.balance import Jump, Stand, jumps, stands
from ..features.movement.gait import Curve, Gait, GaitCycle, summarise
from ..features.movement.passage import Passage
from ..features.movement.phases import Repetition

Columns = dict[str, tuple[str, str]]  # unit and meaning by name
Cell = str | int | float

REPETITION_COLUMNS: Columns = {
    "track_id": ("", "the person"),
    "exercise": ("", "as the event"),
    "number": ("", "of this person's repetitions of the exercise"),
    "start_s": ("s", "the movement leaves its rest"),
    "bottom_s": ("s", "farthest from rest"),
    "end_s": ("s", "back at rest"),
    "duration_s": ("s", "from start to end"),
    "eccentric_s": ("s", "phase in which the muscles lengthen, such as the way down of a squat"),
    "concentric_s": ("s", "the other phase"),
    "tempo_per_min": ("1/min", "from the last repetition's bottom to this one's; empty for the first of a set"),
    "measure": ("", "angle or measure that is counted"),
    "depth": ("deg", "the measure at the bottom; other units than degrees are in the next column"),
    "unit": ("", "of the depth: deg, body heights, or empty for a ratio"),
    **{f"{joint}_rom_deg": ("deg", "range of motion; empty if seen in under half of it") for joint in JOINTS},
    **{f"{name}_asymmetry_pct": ("%", "200 (L - R) / (L + R) of the ranges") for name in SYMMETRIC},
    **{f"{joint}_quality": ("", "mean quality of the angle, 0 to 1") for joint in JOINTS},
    "quality": ("", "mean quality of the measure, 0 to 1"),
    "confidence": ("", "probability that it is one"),
}
GAIT_COLUMNS: Columns = {
    "track_id": ("", "the person"),
    "side": ("", "left or right"),
    "heel_strike_s": ("s", "begins the cycle"),
    "opposite_toe_off_s": ("s", "of the other foot"),
    "opposite_heel_strike_s": ("s", "of the other foot"),
    "toe_off_s": ("s", "of this foot"),
    "end_s": ("s", "next heel strike of this foot"),
    "stride_s": ("s", "duration of the cycle"),
    "step_s": ("s", "from the other foot's heel strike to the end"),
    "stance_pct": ("%", "share of the cycle on the ground"),
    "double_support_pct": ("%", "share of the cycle with both feet on the ground"),
    "cadence_per_min": ("1/min", "steps per minute, of this cycle"),
    "length_bh": ("body heights", "distance travelled by the centre of mass in the cycle; 0 on a treadmill"),
    "length_m": ("m", "the same; empty without a calibration"),
    "speed_bh_s": ("body heights/s", "length by duration"),
    "speed_m_s": ("m/s", "the same; empty without a calibration"),
    "quality": ("", "mean quality of hip and knee, 0 to 1"),
}
BALANCE_COLUMNS: Columns = {
    "track_id": ("", "the person"),
    "kind": ("", "stand or jump"),
    "start_s": ("s", "of the standing, or take-off"),
    "end_s": ("s", "of the standing, or landing"),
    "duration_s": ("s", "of the standing, or the time of flight"),
    "plane": ("", "of the sway: sagittal or frontal"),
    "sway_path_bh": ("body heights", "horizontal distance travelled by the centre of mass in the image"),
    "sway_path_m": ("m", "the same; empty without a calibration"),
    "sway_speed_bh_s": ("body heights/s", "path by duration"),
    "sway_spread_bh": ("body heights", "from side to side, without the outer 5 %"),
    "jump_height_m": ("m", "g t^2 / 8 of the time of flight t"),
    "jump_uncertainty_m": ("m", "for an error of the time of flight of one frame"),
    "com_rise_bh": ("body heights", "rise of the centre of mass from take-off"),
    "quality": ("", "mean score of what it was computed from, 0 to 1"),
}


class RepetitionRows:
    """One row per repetition, a second after its end."""

    header = ",".join(REPETITION_COLUMNS) + "\n"

    def rows(self, passages: Sequence[Passage], repetitions: Sequence[Repetition]) -> str:
        """Return the rows of repetitions."""
        return "".join(map(_repetition, repetitions))

    def facts(self) -> dict[str, Any]:
        """Return the description of the columns for the sidecar."""
        return _described(REPETITION_COLUMNS)


class GaitRows:
    """One row per gait cycle, when its person has left; the sidecar has each person's figures and mean curves."""

    header = ",".join(GAIT_COLUMNS) + "\n"

    def __init__(self) -> None:
        self._people: dict[int, Gait] = {}

    def rows(self, passages: Sequence[Passage], repetitions: Sequence[Repetition]) -> str:
        """Return the rows of people who have left."""
        return "".join(map(self._add, passages))

    def _add(self, passage: Passage) -> str:
        return "".join(map(_cycle, self._people.setdefault(passage.track, Gait()).add(passage)))

    def facts(self) -> dict[str, Any]:
        """Return the description of the columns, and the results of each person."""
        people = {str(track): _gait(gait) for track, gait in self._people.items() if gait.cycles}
        return _described(GAIT_COLUMNS) | {"people": people}


class BalanceRows:
    """One row per time of quiet standing and per jump, when its person has left."""

    header = ",".join(BALANCE_COLUMNS) + "\n"

    def rows(self, passages: Sequence[Passage], repetitions: Sequence[Repetition]) -> str:
        """Return the rows of people who have left."""
        return "".join(map(_balance, passages))

    def facts(self) -> dict[str, Any]:
        """Return the description of the columns for the sidecar."""
        return _described(BALANCE_COLUMNS)


def _described(columns: Columns) -> dict[str, Any]:
    return {"columns": {name: {"unit": unit, "meaning": meaning} for name, (unit, meaning) in columns.items()}}


def _row(columns: Columns, cells: dict[str, Cell]) -> str:
    """Return a row; unknown and missing cells are empty."""
    texts = []
    for name, (unit, _) in columns.items():
        value = cells.get(name, "")
        decimals = 1 if unit in ("%", "1/min") or name.endswith("_deg") else 4 if unit.startswith("body") else 3
        texts.append(("" if math.isnan(value) else f"{value:.{decimals}f}") if isinstance(value, float) else str(value))
    return ",".join(texts) + "\n"


def _repetition(one: Repetition) -> str:
    cells: dict[str, Cell] = {
        "track_id": one.track,
        "exercise": one.exercise,
        "number": one.number,
        "start_s": one.start,
        "bottom_s": one.bottom,
        "end_s": one.end,
        "duration_s": one.duration,
        "eccentric_s": one.eccentric,
        "concentric_s": one.concentric,
        "tempo_per_min": one.tempo,
        "measure": one.measure,
        "depth": one.depth,
        "unit": one.unit,
        "quality": one.quality,
        "confidence": one.confidence,
    }
    cells |= {f"{joint}_rom_deg": value for joint, value in zip(JOINTS, one.ranges.tolist())}
    cells |= {f"{name}_asymmetry_pct": value for name, value in zip(SYMMETRIC, one.asymmetry.tolist())}
    cells |= {f"{joint}_quality": value for joint, value in zip(JOINTS, one.qualities.tolist())}
    return _row(REPETITION_COLUMNS, cells)


def _cycle(one: GaitCycle) -> str:
    cells: dict[str, Cell] = {
        "track_id": one.track,
        "side": one.side,
        "heel_strike_s": one.start,
        "opposite_toe_off_s": one.opposite_off,
        "opposite_heel_strike_s": one.opposite_strike,
        "toe_off_s": one.toe_off,
        "end_s": one.end,
        "stride_s": one.stride,
        "step_s": one.step,
        "stance_pct": 100 * one.stance / one.stride,
        "double_support_pct": 100 * one.double_support / one.stride,
        "cadence_per_min": 120 / one.stride,
        "length_bh": one.length,
        "length_m": one.length_m,
        "speed_bh_s": one.speed_bh_s,
        "speed_m_s": one.speed_m_s,
        "quality": one.quality,
    }
    return _row(GAIT_COLUMNS, cells)


def _gait(gait: Gait) -> dict[str, Any]:
    """Return one person's figures and curves, ready for JSON; None where unknown."""
    found = summarise(gait.cycles)
    figures = {
        "cycles": found.cycles,
        "cadence_per_min": found.cadence,
        "stride_s": found.stride,
        "stride_sd_s": found.stride_sd,
        "stride_cv_pct": found.stride_cv,
        "left_step_s": found.step.left,
        "right_step_s": found.step.right,
        "step_asymmetry_pct": found.step.asymmetry,
        "left_stance_pct": found.stance.left,
        "right_stance_pct": found.stance.right,
        "stance_asymmetry_pct": found.stance.asymmetry,
        "double_support_pct": found.double_support,
        "length_bh": found.length,
        "length_m": found.length_m,
        "speed_bh_s": found.speed_bh_s,
        "speed_m_s": found.speed_m_s,
    }
    curves = {joint: _curve(curve) for joint, curve in gait.curves.items() if curve.count.any()}
    return {name: _known(value) for name, value in figures.items()} | {"curves_deg": curves}


def _curve(curve: Curve) -> dict[str, Any]:
    mean, sd = (list(map(_known, values.tolist())) for values in (curve.mean, curve.sd))
    return {"cycles": int(np.max(curve.count)), "mean": mean, "sd": sd}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 3)


def _balance(passage: Passage) -> str:
    found: list[Stand | Jump] = [*stands(passage), *jumps(passage)]
    return "".join(
        _stand(one) if isinstance(one, Stand) else _jump(one) for one in sorted(found, key=lambda one: one.start)
    )


def _stand(one: Stand) -> str:
    cells: dict[str, Cell] = {
        "track_id": one.track,
        "kind": "stand",
        "start_s": one.start,
        "end_s": one.end,
        "duration_s": one.end - one.start,
        "plane": one.plane,
        "sway_path_bh": one.path,
        "sway_path_m": one.path * one.metres,
        "sway_speed_bh_s": one.speed,
        "sway_spread_bh": one.spread,
        "quality": one.quality,
    }
    return _row(BALANCE_COLUMNS, cells)


def _jump(one: Jump) -> str:
    cells: dict[str, Cell] = {
        "track_id": one.track,
        "kind": "jump",
        "start_s": one.start,
        "end_s": one.end,
        "duration_s": one.flight,
        "jump_height_m": one.height,
        "jump_uncertainty_m": one.uncertainty,
        "com_rise_bh": one.rise,
        "quality": one.quality,
    }
    return _row(BALANCE_COLUMNS, cells)
