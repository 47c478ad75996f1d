"""Count the returns: whether people who were away get their ids back, and nobody else's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .matching import Comparison

AWAY = 1.0  # seconds out of sight that end a visit


def measure_returns(videos: Mapping[str, Comparison], *, fps: float | None = None) -> dict[str, dict[str, int]]:
    """Count the visits of each video, and of all of them together under the name "all".

    A visit ends when a person is not evaluated (out of the image, or less visible than required) for `AWAY` seconds.
    Its id is the one with the most matched frames.

    Args:
        videos: comparisons by name.
        fps: frame rate, for truth without times.

    Returns:
        For each video the number of `returns`, visits of people who had an id in an earlier visit; how many of them got
        that id back, `regained`; and `wrong_joins`, visits whose id belonged to another person before.
    """
    counts = {name: _count(comparison, fps) for name, comparison in videos.items()}
    total = {key: sum(each[key] for each in counts.values()) for key in ("returns", "regained", "wrong_joins")}
    return counts | {"all": total}


def _count(comparison: Comparison, fps: float | None) -> dict[str, int]:
    truth = comparison.truth
    times = truth.frames / fps if fps else truth.times
    evaluated = np.concatenate([np.zeros(0, dtype=np.intp), *comparison.truth_rows])
    matched = np.full(len(truth), 0)
    rows, others = comparison.pairs()
    matched[rows] = comparison.result.ids[others]
    visits = []  # (time, person, id)
    for person in np.unique(truth.ids[evaluated]):
        own = evaluated[truth.ids[evaluated] == person]
        for visit in np.split(own, np.flatnonzero(np.diff(times[own]) > AWAY) + 1):
            ids, frames = np.unique(matched[visit][matched[visit] > 0], return_counts=True)
            if len(ids):
                visits.append((float(times[visit[0]]), int(person), int(ids[frames.argmax()])))
    owners: dict[int, int] = {}
    latest: dict[int, int] = {}
    counts = {"returns": 0, "regained": 0, "wrong_joins": 0}
    for _, person, identity in sorted(visits):
        counts["returns"] += person in latest
        counts["regained"] += latest.get(person) == identity
        counts["wrong_joins"] += owners.setdefault(identity, person) != person
        latest[person] = identity
    return counts
