"""The tables about one person: ranges of motion, repetitions, gait and flags. The page shows those of its person."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..features.extraction.columns import SYMMETRIC
from ..features.kinematics.signals import LEAST_KNOWN
from ..features.movement.balance import Jump, Stand
from ..features.movement.gait import LEAST_CYCLES, LEAST_STRIDES, GaitSummary, summarise
from ..features.movement.phases import Repetition
from .data import label
from .measurements import Measurements
from .movement import LEAST_QUALITY, AngleStatistics, PersonMovement
from .tables import Cell, Row, Table, number, person_cell, without_empty_columns

FORMULA = "Asymmetry: 200 (L - R) / (L + R); positive where the left side moves more, empty below 10 degrees."
QUALITY = (
    "Quality: of the angle, 0 to 1, mean over time; low if its plane is not parallel to the image or scores are low. "
    f"Rows below {LEAST_QUALITY} are grey and have no asymmetry. Asymmetry also needs both sides in at least "
    f"{LEAST_KNOWN:g} % of the frames."
)
_DEPTHS = {  # by what is counted
    "thigh_drop": "the thighs from upright",
    "elbow_drop": "the upper arms from hanging",
    "arm_raise": "the arms from hanging",
    "hip_height": "the hips above the lower ankle",
}


def person_tables(measurements: Measurements) -> list[Table]:
    """Return the tables that have rows."""
    makers = (_flags, _extents, _repetitions, _gait, _gait_sides, _balance)
    tables = [make(measurements) for make in makers]
    return [without_empty_columns(table) for table in tables if table.rows]


def _flags(measurements: Measurements) -> Table:
    rows: list[Row] = []
    for identity, moves in _people(measurements):
        frames = measurements.people[identity].states.total()
        for name, flag in sorted(moves.flags.items(), key=lambda item: -item[1].frames):
            part, _, what = name.rpartition("_")
            said = "outside its anatomical range" if what == "range" else "too long"
            cells = f"{label(part)} {said}", str(flag.frames), number(100 * flag.frames / frames)
            rows.append(Row((person_cell(identity), *cells, _moment(flag.first, identity)), identity))
    columns = ("person", "flag", "frames", "share (%)", "first at (s)")
    return Table(
        "flags",
        "Flags",
        columns,
        rows,
        note="The plots over time show flagged values; the tables and the gait cycle exclude them.",
    )


def _extents(measurements: Measurements) -> Table:
    rows: list[Row] = []
    for identity, moves in _people(measurements):
        indices = moves.asymmetry
        for joint, extent in moves.extents.items():
            if extent.count:
                side, _, name = joint.partition("_")
                cells: tuple[str, ...] = (name, side, *_figures(extent), number(indices.get(name, math.nan)))
                weak = extent.mean_quality < LEAST_QUALITY
                rows.append(Row((person_cell(identity), *cells), identity, weak))
    degrees = tuple(f"{name} (deg)" for name in ("min", "max", "range", "mean", "SD"))
    columns = ("person", "joint", "side", *degrees, "quality", "asymmetry (%)")
    note = f"{FORMULA} {QUALITY}"
    return Table("range-of-motion", "Range of motion", columns, rows, note=note)


def _figures(extent: AngleStatistics) -> tuple[str, ...]:
    degrees = (extent.low, extent.high, extent.range, extent.mean, extent.sd)
    return (*(number(value) for value in degrees), number(extent.mean_quality, 2))


def _repetitions(measurements: Measurements) -> Table:
    done = measurements.movement.repetitions if measurements.movement else []
    rows: list[Row] = []
    for one in done:
        times = tuple(number(value, 2) for value in (one.duration, one.eccentric, one.concentric))
        cells: tuple[Cell | str, ...] = (
            label(one.exercise),
            str(one.number),
            _moment(one.start, one.track),
            *times,
            number(one.tempo, 1),
        )
        rest: tuple[str, ...] = (_depth(one), *_widest(one), number(one.quality, 2), number(one.confidence, 2))
        rows.append(Row((person_cell(one.track), *cells, *rest), one.track))
    columns = (
        *("person", "exercise", "no.", "start (s)", "duration (s)", "eccentric (s)", "concentric (s)", "tempo (1/min)"),
        *("depth", "joint", "left range (deg)", "right range (deg)", "asymmetry (%)", "quality", "confidence"),
    )
    measures = {one.exercise: one.measure for one in done}
    depths = "; ".join(f"{label(name)}, {_DEPTHS.get(measure, label(measure))}" for name, measure in measures.items())
    note = f"Depth: {depths}. Joint: the one that moves most. {FORMULA}"
    return Table("repetitions", "Repetitions", columns, rows, note=note)


def _depth(one: Repetition) -> str:
    return f"{number(one.depth, 0 if one.unit == 'deg' else 2)} {one.unit}".strip()


def _widest(one: Repetition) -> tuple[str, ...]:
    """Return the joint that moves most, the ranges of both sides and their asymmetry."""
    ranges = [(-1.0 if math.isnan(value) else value) for value in one.ranges.tolist()]
    pair = ranges.index(max(ranges)) // 2
    values = (*one.ranges[2 * pair : 2 * pair + 2].tolist(), float(one.asymmetry[pair]))
    return (SYMMETRIC[pair], *(number(value) for value in values))


def _gait(measurements: Measurements) -> Table:
    walkers = list(_walkers(measurements))
    metric = not any(math.isnan(gait.speed_m_s) for _, gait in walkers)
    unit = "m" if metric else "body heights"
    rows: list[Row] = []
    for identity, gait in walkers:
        length, speed = (gait.length_m, gait.speed_m_s) if metric else (gait.length, gait.speed_bh_s)
        cells = (
            *(str(gait.cycles), number(gait.cadence), number(gait.stride, 2), number(1000 * gait.stride_sd)),
            *(number(gait.stride_cv, 1), number(gait.double_support), number(length, 2), number(speed, 2)),
        )
        rows.append(Row((person_cell(identity), *cells), identity))
    columns = (
        *("person", "cycles", "cadence (steps/min)", "stride (s)", "stride SD (ms)", "stride CV (%)"),
        *("double support (%)", f"stride ({unit})", f"speed ({unit}/s)"),
    )
    note = f"Heel strikes and toe-offs by the method of Zeni et al. 2008. Stride SD and CV need {LEAST_STRIDES} cycles."
    return Table("gait", "Gait", columns, rows, note=note)


def _gait_sides(measurements: Measurements) -> Table:
    rows = []
    for identity, gait in _walkers(measurements):
        for name, sides, decimals in (("step (s)", gait.step, 2), ("stance (% of the cycle)", gait.stance, 0)):
            figures = number(sides.left, decimals), number(sides.right, decimals), number(sides.asymmetry, 1)
            rows.append(Row((person_cell(identity), name, *figures), identity))
    note = (
        "Asymmetry: 200 (L - R) / (L + R); positive where the left side takes longer, empty with fewer than "
        f"{LEAST_CYCLES} cycles of each side."
    )
    return Table("gait-sides", "Gait by side", ("person", "measure", "left", "right", "asymmetry (%)"), rows, note=note)


def _walkers(measurements: Measurements) -> Iterator[tuple[int, GaitSummary]]:
    for identity, moves in _people(measurements):
        if moves.gait.cycles:
            yield identity, summarise(moves.gait.cycles)


def _balance(measurements: Measurements) -> Table:
    rows: list[Row] = []
    for identity, moves in _people(measurements):
        found: list[Stand | Jump] = sorted((*moves.stands, *moves.jumps), key=lambda one: one.start)
        for one in found:
            cells = _stood(one) if isinstance(one, Stand) else _jumped(one)
            moment = _moment(one.start, identity), number(one.end - one.start, 2)
            rows.append(Row((person_cell(identity), cells[0], *moment, *cells[1:], number(one.quality, 2)), identity))
    columns = (
        *("person", "what", "start (s)", "duration (s)", "plane", "sway path (body heights)"),
        *("sway speed (body heights/s)", "height (m)", "uncertainty (m)", "quality"),
    )
    note = (
        "Sway: horizontal path of the centre of mass in the image. Height of a jump: g t² / 8 of its time of flight t."
    )
    return Table("balance", "Standing and jumps", columns, rows, note=note)


def _stood(one: Stand) -> tuple[str, ...]:
    return ("standing", one.plane, number(one.path, 3), number(one.speed, 3), "", "")


def _jumped(one: Jump) -> tuple[str, ...]:
    return ("jump", "", "", "", number(one.height, 2), number(one.uncertainty, 2))


def _moment(seconds: float, identity: int) -> Cell:
    return Cell(f"{seconds:.2f}", seek=(seconds, identity))


def _people(measurements: Measurements) -> list[tuple[int, PersonMovement]]:
    movement = measurements.movement
    return [(identity, movement.people[identity]) for identity in sorted(movement.people)] if movement else []
