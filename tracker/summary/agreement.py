"""Compare sessions: differences, limits of agreement and intraclass correlation.

Sources: Bland and Altman 1986, Lancet 327: bias, and bias plus and minus 1.96 standard deviations of the differences;
McGraw and Wong 1996, Psychological Methods 1: ICC(A,1), absolute agreement of single measurements in a two-way model,
by pingouin (Vallat 2018, JOSS 3(31) 1026).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...errors import UsageError
from ...installation import library
from ..features.kinematics.angles import mean_angle, wrap
from .measures import Array, Measure, Session
from .statistics import STATISTICS, coverage, summary

log = logging.getLogger("posetrack")

LIMIT = 1.96  # standard deviations on either side of the bias, which hold 95 % of normal differences
LEAST_PAIRS = 5  # for limits and ICC; with 5, the 95 % interval of each limit is still as wide as the limits are apart
BY = ("session", "frame")
DEFINITIONS = {  # written to the sidecar
    "difference": "b - a, for several pairs their mean (bias); an angle by the shorter way",
    "known_a_pct, known_b_pct": "share of the person's frames in which the measure is known",
    "count_a, count_b": "number of the person's movements in which the measure is known",
    "sd": "standard deviation of the differences",
    "loa_low, loa_high": f"limits of agreement, difference -/+ {LIMIT:g} sd (Bland and Altman 1986)",
    "icc": "ICC(A,1), absolute agreement, single measurements, two-way (McGraw and Wong 1996)",
    "icc_low, icc_high": "its 95 % confidence interval; not given for frames, which follow each other",
    "pairs": f"people, or frames; sd, limits and icc need {LEAST_PAIRS}; what is never known in both has no row",
}


def agreement(
    a: Array, b: Array, *, period: float | None = None, independent: bool = True, icc: bool = True
) -> dict[str, float]:
    """Return how two series of the same quantities agree.

    Args:
        a: (P,) of the first session; NaN where unknown.
        b: (P,) of the second one.
        period: of angles, degrees.
        independent: whether the pairs are independent of each other, so that confidence intervals hold.
        icc: whether the ICC is computed.
    """
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known], b[known]
    if period is not None and len(a):
        centre = mean_angle(a, period)
        a = a if np.isnan(centre) else centre + wrap(a - centre, period)
        b = a + wrap(b - a, period)
    gaps = b - a
    bias = float(gaps.mean()) if len(gaps) else np.nan
    spread = float(gaps.std(ddof=1)) if len(gaps) >= LEAST_PAIRS else np.nan
    means = {"a": float(a.mean()), "b": float(b.mean())} if len(a) else {"a": np.nan, "b": np.nan}
    limits = {"loa_low": bias - LIMIT * spread, "loa_high": bias + LIMIT * spread}
    return {
        "pairs": len(gaps),
        **means,
        "difference": bias,
        "sd": spread,
        **limits,
        **(_icc(a, b, independent) if icc else {}),
    }


def _icc(a: Array, b: Array, independent: bool) -> dict[str, float]:
    unknown = dict.fromkeys(("icc", "icc_low", "icc_high"), np.nan)
    if len(a) < LEAST_PAIRS or np.ptp(np.concatenate([a, b])) == 0:
        return unknown
    pandas, pingouin = (library(name, "ICC", extra="statistics") for name in ("pandas", "pingouin"))
    pairs = np.arange(len(a))
    long = pandas.DataFrame(
        {
            "pair": np.concatenate([pairs, pairs]),
            "session": ["a"] * len(a) + ["b"] * len(b),
            "value": np.concatenate([a, b]),
        }
    )
    with np.errstate(divide="ignore", invalid="ignore"):  # sessions that differ by a constant leave no error
        table = pingouin.intraclass_corr(long, targets="pair", raters="session", ratings="value")
    found = table.set_index("Type").loc["ICC(A,1)"]
    if not independent:
        return unknown | {"icc": float(found["ICC"])}
    low, high = (float(end) for end in found["CI95"])
    return {"icc": float(found["ICC"]), "icc_low": low, "icc_high": high}


def by_frame(first: Session, second: Session) -> Iterator[dict[str, Any]]:
    """Yield the agreement of every measure of each person over the frames that two tables of one video share.

    Raises:
        UsageError: a table is of movements, or no person or measure is in both.
    """
    if movements := next((session.name for session in (first, second) if session.movements), None):
        raise UsageError(f"'{movements}' holds movements instead of frames. Compare it by session (--by session).")
    for a, b in _pairs(first, second):
        _, here, there = np.intersect1d(first.frames[a], second.frames[b], return_indices=True)
        for measure, one, other in _shared(first, second):
            found = agreement(
                first.values[a][here, one],
                second.values[b][there, other],
                period=measure.period,
                independent=False,
            )
            if found["pairs"]:
                yield _row(measure, "value", first, second, a) | found


def by_session(first: Session, second: Session) -> Iterator[dict[str, Any]]:
    """Yield the difference of every statistic of each person, and with several people their agreement.

    Raises:
        UsageError: no person or measure is in both.
    """
    one, other = summary(first), summary(second)
    pairs = _pairs(first, second)
    if len(pairs) > 1:
        log.warning(
            "People of '%s' and '%s' are paired by ID, but each recording numbers its people from 1. Check who is "
            "who, or record one person.",
            first.name,
            second.name,
        )
    shared = [(first.measures[m], second.measures[n]) for _, m, n in _shared(first, second)]
    for here, there in shared:
        for name in STATISTICS:
            period = here.period if name in ("min", "max", "mean") else None
            values = np.array([[one[a][here].values[name], other[b][there].values[name]] for a, b in pairs])
            for (a, b), two in zip(pairs, values):
                found = agreement(two[:1], two[1:], period=period)
                ends = zip("ab", (coverage(first, one[a][here]), coverage(second, other[b][there])))
                known = {each.column(f"{each.statistic}_{end}"): each.value for end, each in ends}
                if found["pairs"]:
                    yield _row(here, name, first, second, a) | found | known
            if np.isfinite(values).all(1).sum() > 1:
                yield _row(here, name, first, second, "all") | agreement(*values.T, period=period)


def pairs_of(first: Session, second: Session, *, by: str) -> Iterator[tuple[Measure, Array, Array]]:
    """Yield each angle of both sessions with its pairs of values (P,) over all people: frames, or ranges of motion."""
    people = _pairs(first, second)
    statistics = [summary(session) for session in (first, second)] if by == "session" else []
    for measure, one, other in _shared(first, second):
        if measure.period is None:
            continue
        if statistics:
            columns = first.measures[one], second.measures[other]
            ranges = [
                [each[person][column].values["range"] for each, person, column in zip(statistics, pair, columns)]
                for pair in people
            ]
            yield measure, *np.array(ranges).T
            continue
        parts = []
        for a, b in people:
            _, here, there = np.intersect1d(first.frames[a], second.frames[b], return_indices=True)
            parts.append(np.stack([first.values[a][here, one], second.values[b][there, other]]))
        yield measure, *np.concatenate(parts, axis=1)


def _row(measure: Measure, statistic: str, first: Session, second: Session, person: int | str) -> dict[str, Any]:
    return {
        "session_a": first.name,
        "session_b": second.name,
        "track_id": person,
        "measure": measure.name,
        "side": measure.side,
        "statistic": statistic,
        "unit": measure.unit,
    }


def _shared(first: Session, second: Session) -> list[tuple[Measure, int, int]]:
    """Return the measures of both tables, with their columns in each.

    Raises:
        UsageError: there is none.
    """
    columns = {measure.column: n for n, measure in enumerate(second.measures)}
    shared = [(each, m, columns[each.column]) for m, each in enumerate(first.measures) if each.column in columns]
    if not shared:
        raise UsageError(f"'{first.name}' and '{second.name}' have no measure in common. Give tables of one kind.")
    return shared


def _pairs(first: Session, second: Session) -> list[tuple[int, int]]:
    """Return the IDs of each person in both sessions: the only person of each, or those with equal IDs.

    Raises:
        UsageError: no person is in both.
    """
    a, b = list(first.values), list(second.values)
    if len(a) == len(b) == 1:
        return [(a[0], b[0])]
    both = [(person, person) for person in a if person in second.values]
    if not both:
        raise UsageError(
            f"'{first.name}' has the people {a} and '{second.name}' {b}: none is in both. Give tables with the same "
            "IDs, or with one person each (posetrack --person largest)."
        )
    if left := sorted({*a, *b} - {person for person, _ in both}):
        log.warning("People %s are in one of '%s' and '%s' only and are left out.", left, first.name, second.name)
    return both
