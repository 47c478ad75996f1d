"""How soon people are found, who is never found, and which tracks are of no one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .matching import Comparison
from .motion import times_of


class Starts(NamedTuple):
    """The starts of P true people in one video.

    Attributes:
        delays: (P,) seconds from the first frame in which a person counts to the first match; NaN if never matched, or
            without times.
        never: number of people who are never matched.
        false_tracks: number of tracks of the result that match no one in most of their frames.
    """

    delays: NDArray[np.float64]
    never: int
    false_tracks: int


def starts(comparison: Comparison, *, fps: float | None = None) -> Starts:
    """Find the first match of each true person, and the tracks of no one; see `motion.times_of` for the times."""
    truth, result, times = comparison.truth, comparison.result, times_of(comparison, fps=fps)
    judged, shown = (
        np.concatenate([np.zeros(0, np.intp), *r]) for r in (comparison.truth_rows, comparison.result_rows)
    )
    found, matched = (np.isin(all_rows, rows) for all_rows, rows in zip((judged, shown), comparison.pairs()))
    delays, never = [], 0
    for person in np.unique(truth.ids[judged]):
        mine = truth.ids[judged] == person
        never += not bool(found[mine].any())
        if found[mine].any():
            delays.append(times[judged[mine & found]].min() - times[judged[mine]].min())
    tracks = [matched[result.ids[shown] == track].mean() for track in np.unique(result.ids[shown])]
    return Starts(np.array(delays, np.float64), never, sum(bool(share < 0.5) for share in tracks))


def measure_starts(videos: Iterable[Starts]) -> dict[str, float]:
    """Summarize one or several videos: `late` (median) and `late_p95` in seconds; `never`; `false_tracks`.

    Seconds are NaN without times.
    """
    videos = list(videos)
    delays = np.concatenate([np.zeros(0), *(video.delays for video in videos)])
    known = len(delays) > 0 and bool(np.isfinite(delays).all())
    return {
        "late": float(np.median(delays)) if known else float("nan"),
        "late_p95": float(np.percentile(delays, 95)) if known else float("nan"),
        "never": sum(video.never for video in videos),
        "false_tracks": sum(video.false_tracks for video in videos),
    }
