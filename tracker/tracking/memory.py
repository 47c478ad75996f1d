"""The memory of people: views of their appearance, by which those who come back get their ids back."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from math import inf

import numpy as np
from numpy.typing import NDArray

from .appearance import similarity
from .association import Rows
from .config import TrackerConfig
from .kalman import Array
from .state import TrackState

_SAME = 0.88  # similarity of one person's views; docs/decisions/0026-appearance.md
_LEAD = 0.04  # over everyone else who is known: an appearance that several people share identifies none of them
_DOUBT = 0.2  # below `_SAME`, within which a newcomer may still turn out to be a known person
_VISIBLE = 0.6  # share of the parts of the body that a comparison needs: four of six
_SETTLED = 0.2  # seconds of a newcomer's life before a comparison counts
_NEARLY_ALL = 0.8  # share of the parts, five of six, below which it counts after `_PATIENCE` only
_PATIENCE = 1.0  # seconds that a similar new person waits for an id, as long as walking into the image takes
_EVERY = 0.5  # seconds between two views of a person
_NEW_VIEW = 0.95  # similarity to all known views below which a view is new
_MOST_VIEWS = 8
_SPEED = 3.0  # heights per second, of a running person
_REACH = 1.0  # heights that a person may be away at once

NEW, UNDECIDED = 0, -1


@dataclass(slots=True)
class _Person:
    """What is known of a person: views (V, P, D), the oldest first; times in seconds; the last box (4,)."""

    views: Array
    viewed: float = -inf
    seen: float = -inf
    place: Array = field(default_factory=lambda: np.zeros(4))


class Memory:
    """Remembers confirmed people for `remember_seconds`, and recognises them among new tracks."""

    def __init__(self, options: TrackerConfig) -> None:
        self._options = options
        self._people: dict[int, _Person] = {}

    def __len__(self) -> int:
        return len(self._people)

    def clear(self) -> None:
        """Forget all people."""
        self._people.clear()

    def move(self, motion: Array) -> None:
        """Move the places of people by a camera motion (2, 3)."""
        for person in self._people.values():
            person.place = (person.place.reshape(2, 2) @ motion[:, :2].T + motion[:, 2]).ravel()

    def views(self, identity: int) -> Array:
        """Return the views (V, P, D) of a person; V is 0 if the person is unknown."""
        person = self._people.get(identity)
        return person.views if person else np.zeros((0, 0, 0))

    def learn(self, people: TrackState, time: float, doubtful: Container[int]) -> None:
        """Remember the people who are measured at `time`, seconds, and forget those who are away for too long.

        Those whose ids are `doubtful` give no further view.
        """
        if self._options.remember_seconds <= 0 or not people.appearance.shape[1]:
            return
        here = (people.ids > 0) & (people.ages[:, 0] == 0)
        for row in np.flatnonzero(here).tolist():
            person = self._people.setdefault(int(people.ids[row]), _Person(people.appearance[:0].copy()))
            person.seen, person.place = time, people.output_boxes[row].copy()
            sure = people.unoccluded[row] and (not len(person.views) or int(people.ids[row]) not in doubtful)
            if sure and time - person.viewed >= _EVERY:
                person.viewed = time
                _add_view(person, people.appearance[row])
        oldest = time - self._options.remember_seconds
        for identity in [identity for identity, person in self._people.items() if person.seen < oldest]:
            del self._people[identity]

    def recognise(self, people: TrackState, match: Rows, time: float) -> NDArray[np.int64]:
        """Return the id of the known person that each unconfirmed track is.

        Args:
            people: T tracks.
            match: (T,) pose of each track in this frame; -1 if unmatched.
            time: seconds.

        Returns:
            (T,) ids; `NEW` for a person who is not known, `UNDECIDED` for one who may be.
        """
        identities = np.full(len(match), NEW, dtype=np.int64)
        rows = np.flatnonzero((people.ids == 0) & (match >= 0))
        if not len(rows) or not self._people:
            return identities
        known = {identity: person for identity, person in self._people.items() if len(person.views)}
        away = time - np.array([person.seen for person in known.values()])  # (M,) seconds
        here = np.isin(list(known), people.ids[match >= 0])
        gone = (away > self._options.predicted_seconds) & ~here
        if not gone.any():
            return identities
        alike, parts = _compare(people.appearance[rows], list(known.values()))  # (R, M)
        places = np.array([person.place for person in known.values()])
        possible = gone & _within_reach(people.output_boxes[rows], places, away)
        claims = np.where(possible, alike, 0.0)
        best, each = claims.argmax(1), np.arange(len(rows))
        rivals = alike.copy()
        rivals[each, best] = 0.0
        rivals = np.maximum(rivals.max(1), np.where(each[:, None] == each, 0.0, claims[:, best].T).max(1))
        value, share = claims[each, best], parts[each, best] / people.appearance.shape[1]
        compared = share >= _VISIBLE
        young = people.lifetimes[rows]
        familiar = (value >= _SAME) & (value >= rivals + _LEAD)
        # Someone who walks into the image resembles more people than once the whole body is seen.
        sure = familiar & compared & (young >= np.where(share >= _NEARLY_ALL, _SETTLED, _PATIENCE))
        patience = np.where(familiar, 2 * _PATIENCE, _PATIENCE)  # more of a familiar person may come into sight
        doubtful = possible.any(1) & (young < patience) & (~compared | (value >= _SAME - _DOUBT))
        ids = np.array(list(known))
        identities[rows] = np.where(sure, ids[best], np.where(doubtful, UNDECIDED, NEW))
        return identities


def _add_view(person: _Person, appearance: Array) -> None:
    if appearance.any(-1).mean() < _VISIBLE:
        return
    if len(person.views) and similarity(person.views, appearance[None])[0].max() >= _NEW_VIEW:
        return
    person.views = np.concatenate([person.views[1 - _MOST_VIEWS :], appearance[None]])


def _compare(appearance: Array, known: list[_Person]) -> tuple[Array, Rows]:
    """Return the similarity (R, M) to each known person, and the number of parts compared.

    It is that to the most similar one of the views with which the most parts are compared: of two people in grey, the
    view without forearms is the more similar one.
    """
    starts = np.cumsum([0, *(len(person.views) for person in known)])[:-1]
    alike, parts = similarity(appearance, np.concatenate([person.views for person in known]))
    most = np.maximum.reduceat(parts, starts, axis=1)
    compared = parts == np.repeat(most, [len(person.views) for person in known], axis=1)
    return np.maximum.reduceat(np.where(compared, alike, 0.0), starts, axis=1), most


def _within_reach(places: Array, others: Array, seconds: Array) -> NDArray[np.bool_]:
    """Return a mask (R, M) of the boxes (R, 4) that people could reach from their boxes (M, 4) in seconds (M,)."""
    heights = np.maximum(places[:, None, 3] - places[:, None, 1], others[:, 3] - others[:, 1])
    centres, other_centres = ((boxes[:, :2] + boxes[:, 2:]) / 2 for boxes in (places, others))
    distances = np.linalg.norm(centres[:, None] - other_centres, axis=-1)
    return np.asarray(distances <= (_REACH + _SPEED * seconds) * heights)
