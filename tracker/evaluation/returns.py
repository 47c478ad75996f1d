"""Count the returns: whether people who were away get their own ids back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .matching import Comparison
from .motion import times_of

AWAY = 1.0  # seconds out of sight that end a visit
COUNTS = ("returns", "regained", "wrong_joins")


def measure_returns(videos: Mapping[str, Comparison], *, fps: float | None = None) -> dict[str, dict[str, float]]:
    """Count the returns in each video, and in all of them together under the name "all".

    A visit ends when a person is not evaluated (outside the image, or less visible than required) for `AWAY` seconds.
    Its id is the one with the most matched frames; visits without a match are left out.

    Args:
        videos: comparisons by name.
        fps: frame rate of files without times.

    Returns:
        For each video the number of `returns`, visits of people who had an id before; how many of them got that id
        back, `regained`; and `wrong_joins`, visits with an id that another person had before. NaN without times.
    """
    counts = {name: _count(comparison, fps) for name, comparison in videos.items()}
    total = {key: sum(each[key] for each in counts.values()) for key in COUNTS}
    return counts | {"all": total}


def _count(comparison: Comparison, fps: float | None) -> dict[str, float]:
    truth, result = comparison.truth, comparison.result
    times = times_of(comparison, fps=fps)
    if np.isnan(times).any():
        return dict.fromkeys(COUNTS, np.nan)
    matched = np.zeros(len(truth), dtype=np.int64)
    rows, others = comparison.pairs()
    matched[rows] = result.ids[others]
    last: dict[int, int] = {}  # id by person
    owners: dict[int, int] = {}  # person by id
    counts = dict.fromkeys(COUNTS, 0.0)
    for person, identity in _visits(comparison, times, matched):
        counts["returns"] += person in last
        counts["regained"] += last.get(person) == identity
        counts["wrong_joins"] += owners.setdefault(identity, person) != person
        last[person] = identity
    return {key: int(count) for key, count in counts.items()}


def _visits(comparison: Comparison, times: NDArray[np.floating], matched: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return the person and the id of each visit, in the order of their beginnings; `matched` are ids, 0 for none."""
    visits = []
    evaluated = np.concatenate([np.zeros(0, dtype=np.intp), *comparison.truth_rows])
    people = comparison.truth.ids[evaluated]
    for person in np.unique(people).tolist():
        own = evaluated[people == person]
        for visit in np.split(own, np.flatnonzero(np.diff(times[own]) > AWAY) + 1):
            ids, frames = np.unique(matched[visit][matched[visit] > 0], return_counts=True)
            if len(ids):
                visits.append((float(times[visit[0]]), person, int(ids[frames.argmax()])))
    return [(person, identity) for _, person, identity in sorted(visits)]
