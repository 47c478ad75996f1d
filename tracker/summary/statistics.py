"""Least, greatest, range, mean and standard deviation of each measure of a person, and asymmetry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..features.kinematics.angles import mean_angle, unwrapped, wrap
from ..features.kinematics.derivatives import HALF_WINDOW, smoothed
from ..features.kinematics.signals import LEAST_KNOWN, LEAST_RANGE, asymmetry_index
from ..features.movement.gait import LEAST_CYCLES
from .measures import ENDINGS, Array, Measure, Session

STATISTICS = ("min", "max", "range", "mean", "sd")
LEAST_FRAMES = 5  # known values of a measure; with fewer it has no statistics, and movements have no sd
DEFINITIONS = {  # written to the sidecar
    "smoothing": f"a least-squares cubic through the samples within {HALF_WINDOW:g} s (Savitzky-Golay); without it, "
    "noise would add to every range",
    "min, max": "least and greatest known value; an angle is counted from its circular mean",
    "range": "max - min",
    "mean, sd": "over the known frames, not weighted by time, or over the movements; circular mean of an angle; sd "
    f"with n - 1, of {LEAST_FRAMES} movements or more",
    "known_pct": "share of the person's frames in which the measure is known, percent",
    "count": "number of movements in which the measure is known; they are not smoothed",
    "start_s, end_s": "first and last frame, or beginnings of the first and last movement",
    "asymmetry_pct": "200 (L - R) / (L + R) of the ranges of both sides, or of the means of gait cycles' times and "
    "shares (Robinson et al. 1987); 0 is even, positive where the left side has more; empty if neither side moves "
    f"{LEAST_RANGE:g} degrees, if one is known in less than {LEAST_KNOWN:g} % of the frames, or with fewer than "
    f"{LEAST_CYCLES} cycles of a side",
    "flags": "angles whose quality is 0 are left out, unless --flagged is given",
}


@dataclass(frozen=True, slots=True)
class Statistics:
    """Statistics of one measure of one person.

    Attributes:
        values: by name of `STATISTICS`; NaN with too few known values.
        count: number of known values.
        known: their share of the person's frames, percent.
    """

    values: dict[str, float]
    count: int
    known: float


def statistics(series: Array, period: float | None, *, least: int = LEAST_FRAMES) -> Statistics:
    """Return the statistics of a signal (T,); NaN where unknown.

    Args:
        series: values of an angle in degrees, or of another measure.
        period: of the angle; None for other measures.
        least: number of known values for statistics; the standard deviation always needs `LEAST_FRAMES`.
    """
    known = series[np.isfinite(series)]
    share = 100 * len(known) / len(series) if len(series) else 0.0
    if len(known) < least:
        return Statistics(dict.fromkeys(STATISTICS, np.nan), len(known), share)
    if period is not None:
        centre = mean_angle(known, period)
        known = known if np.isnan(centre) else centre + wrap(known - centre, period)
    low, high = float(known.min()), float(known.max())
    spread = float(known.std(ddof=1)) if len(known) >= LEAST_FRAMES else np.nan
    values = (low, high, high - low, float(known.mean()), spread)
    return Statistics(dict(zip(STATISTICS, values)), len(known), share)


class Coverage(NamedTuple):
    """In how much of a person's session a measure is known.

    Attributes:
        statistic: "known" or "count".
        unit: "%" or "".
        value: share of the frames, or number of the movements.
    """

    statistic: str
    unit: str
    value: float

    def column(self, name: str) -> str:
        """Return the name of a column that holds it, "left_knee_known_pct"."""
        return f"{name}{ENDINGS[self.unit]}"


def coverage(session: Session, found: Statistics) -> Coverage:
    """Return in how much of the session a measure is known: the share of the frames, or the number of movements."""
    return Coverage("count", "", found.count) if session.movements else Coverage("known", "%", found.known)


def summary(session: Session) -> dict[int, dict[Measure, Statistics]]:
    """Return the statistics of every measure of every person, by ID."""
    if session.movements:
        return {
            person: {measure: statistics(column, None, least=1) for measure, column in zip(session.measures, values.T)}
            for person, values in session.values.items()
        }
    periods = np.array([measure.period or np.inf for measure in session.measures])
    found = {}
    for person, values in session.values.items():
        angles = np.isfinite(periods)
        whole = values.copy()
        whole[:, angles] = unwrapped(values[:, angles], periods[angles])
        series = smoothed(session.times[person], whole)
        series[:, ~angles] = np.maximum(series[:, ~angles], 0.0)  # the cubic of a speed that stops goes below 0
        found[person] = {
            measure: statistics(column, measure.period) for measure, column in zip(session.measures, series.T)
        }
    return found


def asymmetries(person: dict[Measure, Statistics], *, movements: bool) -> dict[str, float]:
    """Return the asymmetry index of every measure that has two sides, by its name; NaN if a side is known too rarely.

    That of an angle compares the ranges; that of movements of one side each, as gait cycles are, the means.
    """
    statistic, least = ("mean", 0.0) if movements else ("range", LEAST_RANGE)
    sides = {}
    for measure, found in person.items():
        # Of gait cycles, times and their shares differ by side; lengths and speeds are those of the whole body.
        if measure.unit in ("s", "%") if movements else measure.period:
            enough = found.count >= LEAST_CYCLES if movements else found.known >= LEAST_KNOWN
            sides[measure.name, measure.side] = found.values[statistic] if enough else np.nan
    return {
        name: float(asymmetry_index(np.array(left), np.array(sides[name, "right"]), least=least))
        for (name, side), left in sides.items()
        if side == "left" and (name, "right") in sides
    }


def tidy(sessions: Sequence[Session]) -> Iterator[dict[str, object]]:
    """Yield one row per session, person, measure and statistic."""
    for session in sessions:
        for person, measures in summary(session).items():
            lead = {"session": session.name, "track_id": person}
            for measure, found in measures.items():
                what = {"measure": measure.name, "side": measure.side}
                for name, value in found.values.items():
                    yield {**lead, **what, "statistic": name, "unit": measure.unit, "value": value}
                yield {**lead, **what, **coverage(session, found)._asdict()}
            for name, value in asymmetries(measures, movements=session.movements).items():
                what = {"measure": name, "side": "", "statistic": "asymmetry"}
                yield {**lead, **what, "unit": "%", "value": value}


def wide(sessions: Sequence[Session]) -> Iterator[dict[str, object]]:
    """Yield one row per session and person, with a column for each statistic of each measure."""
    for session in sessions:
        for person, measures in summary(session).items():
            times = session.times[person]
            row: dict[str, object] = {"session": session.name, "track_id": person}
            row["movements" if session.movements else "frames"] = len(times)
            row |= {"start_s": float(times[0]), "end_s": float(times[-1])}
            for measure, found in measures.items():
                row |= {measure.header(name): value for name, value in found.values.items()}
                known = coverage(session, found)
                row[known.column(f"{measure.base}_{known.statistic}")] = known.value
            uneven = asymmetries(measures, movements=session.movements)
            yield row | {f"{name}_asymmetry_pct": value for name, value in uneven.items()}
