"""Restore the ids of people who were mistaken for each other while one hid the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...models.geometry.boxes import inside
from . import state
from .appearance import similarity
from .association import Rows
from .kalman import Array
from .memory import Memory
from .observations import Observations
from .state import TrackState

_TOUCH = 0.3  # share of a person's box inside another one, from which one of them may be taken for the other
_CLEAR = 0.6  # visible share of a person whose clothes are compared
_VISIBLE = 0.6  # share of the parts of the body that a comparison needs: four of six
_SAME = 0.8  # similarity of a person to the own views, if four tenths may be hidden
_LEAD = 0.1  # by which someone else's views must be more similar than the own ones


class Meetings:
    """Remembers who met, until each of them is recognised alone.

    Args:
        memory: the views of known people; those who met give no new views, which may be someone else's.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._groups: dict[int, set[int]] = {}  # of each id, all ids that may be exchanged with it; sets are shared

    def __contains__(self, identity: object) -> bool:
        return identity in self._groups

    def clear(self) -> None:
        """Forget all meetings."""
        self._groups.clear()

    def exchange_ids(self, people: TrackState, observed: Observations, match: Rows) -> None:
        """Exchange the ids of tracks that follow each other's people, in place.

        Args:
            people: T tracks, predicted to this frame.
            observed: N poses.
            match: (T,) pose of each track; -1 if unmatched.
        """
        if not len(self._memory):
            return
        rows = np.flatnonzero(people.ids > 0)
        touching, ids = _touching(people, observed, match, rows), people.ids[rows].tolist()
        for identity in self._groups.keys() - set(ids):
            self._leave(identity)
        for i, j in np.argwhere(np.triu(touching)).tolist():
            self._meet(ids[i], ids[j])
        met = np.array([identity in self._groups for identity in ids], dtype=bool)
        seen = rows[met & (match[rows] >= 0)]
        seen = seen[observed.visible_share[match[seen]] >= _CLEAR]
        known = observed.appearance[match[seen]].any(-1)  # (S, P)
        seen = seen[known.sum(-1) >= _VISIBLE * max(known.shape[1], 1)]
        appearances = dict(zip(people.ids[seen].tolist(), observed.appearance[match[seen]]))
        apart = set(people.ids[rows[~touching.any(1)]].tolist())
        for identity in people.ids[seen].tolist():
            own, other, gain = self._alternative(identity, appearances)
            if gain >= _LEAD:
                first, second = (np.flatnonzero(people.ids == each) for each in (identity, other))
                people.ids[first], people.ids[second] = other, identity
                appearances = {
                    {identity: other, other: identity}.get(each, each): appearance
                    for each, appearance in appearances.items()
                }
            elif gain <= 0 <= own and identity in apart:
                self._leave(identity)

    def _alternative(self, identity: int, appearances: dict[int, Array]) -> tuple[float, int, float]:
        """Return the other person of a meeting that a track may follow instead of its own.

        Args:
            identity: of the track.
            appearances: vectors (P, D) of each id whose track is clearly visible.

        Returns:
            The similarity to the own views, -1 without any; the id of the other person; and how much more similar the
            tracks are to their people if both exchange their ids, 0 if the similarity to the own views suffices.
        """
        own = self._alike(appearances[identity], identity)
        met = self._groups.get(identity, set()) - {identity}
        if own >= _SAME or own < 0 or not met:
            return own, identity, 0.0
        others = {each: self._alike(appearances[identity], each) for each in met}
        other = max(others, key=lambda each: others[each])
        gain = others[other] - own
        if gain > 0 and others[other] < _SAME:  # none of them for sure: undecided
            return own, other, _LEAD / 2
        if other in appearances:
            gain += min(self._alike(appearances[other], identity) - self._alike(appearances[other], other), 0.0)
        return own, other, gain

    def _alike(self, appearance: Array, identity: int) -> float:
        """Return the similarity of an appearance (P, D) to the most similar view of a person; -1 without views."""
        views = self._memory.views(identity)
        return float(similarity(views, appearance[None])[0].max()) if len(views) else -1.0

    def _meet(self, first: int, second: int) -> None:
        one, two = (self._groups.get(each, {each}) for each in (first, second))
        if one is not two:
            group = one | two
            self._groups.update(dict.fromkeys(group, group))

    def _leave(self, identity: int) -> None:
        group = self._groups.pop(identity, set())
        group.discard(identity)
        if len(group) == 1:
            del self._groups[group.pop()]


def _touching(people: TrackState, observed: Observations, match: Rows, rows: Rows) -> NDArray[np.bool_]:
    """Return which of the tracks in R rows hide each other: (R, R), symmetric, False on the diagonal."""
    boxes, poses = state.boxes(people.positions[rows]), match[rows]
    boxes[poses >= 0] = observed.boxes[poses[poses >= 0]]
    shares = inside(boxes, boxes)
    touching = np.maximum(shares, shares.T) >= _TOUCH
    np.fill_diagonal(touching, False)
    return np.asarray(touching)
