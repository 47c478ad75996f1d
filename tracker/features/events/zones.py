"""Count people who enter and leave zones and cross lines of the image, and how long they stay.

A person is where their feet are: the middle of the visible ankles, or of the box's lower edge without ankles.
A change counts once it has lasted `HOLD_SECONDS`, so that keypoint noise at an edge counts nothing; its time is that of
the first frame on the new side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....models.geometry.keypoints import COCO, Skeleton
from ...types import State, Tracks, as_seconds
from ..calibration.measures import Corner
from ..extraction.stream import FORGET_SECONDS
from ..kinematics.points import MIN_SCORE, SIDES, Array, index, points
from .detector import Event
from .regions import Line, Zone

HOLD_SECONDS = 0.2
_ANKLES = [index(f"{side}_ankle") for side in SIDES]


@dataclass(slots=True)
class _Visit:
    """Where one person is with regard to one zone or line."""

    side: bool
    place: Corner  # the last one on this side
    since: float  # seconds
    pending: tuple[float, int, Corner, float] | None = None  # time, frame, place and score of the first one elsewhere


@dataclass(slots=True)
class _Person:
    visits: dict[str, _Visit] = field(default_factory=dict)
    last: tuple[float, int, float] = (-math.inf, -1, 0.0)  # time, frame and score when last measured


@dataclass(slots=True)
class Count:
    """What happened at a zone or line.

    Attributes:
        entered: number of people who went in, or were inside when they were first seen.
        left: number of people who went out.
        lost: number of people who were inside when they were last seen.
        stays: number of stays that have ended; zones only.
        dwell: sum of their seconds.
        longest: seconds of the longest one.
    """

    entered: int = 0
    left: int = 0
    lost: int = 0
    stays: int = 0
    dwell: float = 0.0
    longest: float = 0.0

    def end_stay(self, seconds: float) -> None:
        """Count a stay that has ended."""
        self.stays += 1
        self.dwell += seconds
        self.longest = max(self.longest, seconds)

    @property
    def inside(self) -> int:
        """Number of people who are inside now; zones only."""
        return self.entered - self.left - self.lost


class ZoneCounter:
    """Detect people who enter and leave zones or cross lines, in consecutive frames.

    Args:
        places: zones and lines.
        skeleton: of the keypoints.

    Attributes:
        places: zones and lines.
        counts: so far, by name.

    Examples:
        >>> from posetrack import ZoneCounter, Zone
        >>> counter = ZoneCounter([Zone("court", ((0, 0), (640, 0), (640, 480), (0, 480)))])
        >>> counter.counts["court"].entered
        0
    """

    def __init__(self, places: Sequence[Zone | Line], *, skeleton: Skeleton = COCO) -> None:
        self.places, self._skeleton = tuple(places), skeleton
        self.reset()

    def reset(self) -> None:
        """Forget all people and counts."""
        self._people: dict[int, _Person] = {}
        self._last: float | None = None
        self.counts = {place.name: Count() for place in self.places}

    def values(self) -> dict[str, str]:
        """Return the meaning of each event's value."""
        meanings: dict[str, str] = {}
        for place in self.places:
            meanings[f"{place.name}_in"] = "how many people went in so far"
            meanings[f"{place.name}_out"] = "how many people went out so far"
            if isinstance(place, Zone):
                meanings[f"{place.name}_out"] = "seconds inside"
                meanings[f"{place.name}_lost"] = "seconds inside until last seen, by someone who was not seen to leave"
        return meanings

    def units(self) -> dict[str, str]:
        """Return the unit of each event's value that is not a count."""
        return {
            f"{place.name}_{what}": "s" for place in self.places if isinstance(place, Zone) for what in ("out", "lost")
        }

    def facts(self) -> dict[str, Any]:
        """Return the counts, and number, mean and longest of the stays in seconds, for a sidecar."""
        return {
            name: {"in": count.entered, "out": count.left, "lost": count.lost}
            | ({"dwell_s": {"mean": count.dwell / count.stays, "max": count.longest}} if count.stays else {})
            for name, count in self.counts.items()
        }

    def update(self, frame: int, time: float, tracks: Tracks) -> list[Event]:
        """Process the next frame and return the events that are now confirmed.

        Args:
            frame: number of the frame.
            time: seconds.
            tracks: people in the frame; predicted people are ignored.

        Raises:
            InputError: the time is not finite, or before the last one.
        """
        self._last = time = as_seconds(time, of=f"frame {frame}", last=self._last)
        events: list[Event] = []
        if not self.places:
            return events
        where, scores = feet(tracks, self._skeleton)
        for row, identity in enumerate(tracks.ids.tolist()):
            if tracks.states[row] is State.PREDICTED or not np.isfinite(where[row]).all():
                continue
            person = self._people.setdefault(identity, _Person())
            person.last = time, frame, float(scores[row])
            at = (float(where[row, 0]), float(where[row, 1]))
            for place in self.places:
                events += self._moved(place, identity, person, at)
        for identity in [i for i, person in self._people.items() if time - person.last[0] > FORGET_SECONDS]:
            events += self._lost(identity)
        return events

    def finish(self) -> list[Event]:
        """Return the events of people inside at the end, and forget all people; the counts are kept."""
        return [event for identity in list(self._people) for event in self._lost(identity)]

    def _moved(self, place: Zone | Line, identity: int, person: _Person, at: Corner) -> list[Event]:
        time, frame, score = person.last
        side = place.side(at)
        visit = person.visits.get(place.name)
        if visit is None:
            person.visits[place.name] = _Visit(side, at, time)
            first = side and isinstance(place, Zone)
            return [self._entered(place, identity, (time, frame, score))] if first else []
        if side == visit.side:
            visit.place, visit.pending = at, None
            return []
        visit.pending = visit.pending or (time, frame, at, score)
        when, number, there, sure = visit.pending
        if time - when < HOLD_SECONDS:
            return []
        passed, stayed = place.crossed(visit.place, there), when - visit.since
        person.visits[place.name] = _Visit(side, at, when)
        if not passed:  # around the end of a line
            return []
        if side:
            return [self._entered(place, identity, (when, number, sure))]
        count = self.counts[place.name]
        count.left += 1
        value: float = count.left
        if isinstance(place, Zone):
            count.end_stay(stayed)
            value = stayed
        return [Event(when, number, identity, f"{place.name}_out", value, sure)]

    def _entered(self, place: Zone | Line, identity: int, moment: tuple[float, int, float]) -> Event:
        self.counts[place.name].entered += 1
        time, frame, score = moment
        return Event(time, frame, identity, f"{place.name}_in", self.counts[place.name].entered, score)

    def _lost(self, identity: int) -> list[Event]:
        """Forget a person and return the events of the zones in which they were last seen."""
        person = self._people.pop(identity)
        time, frame, score = person.last
        events = []
        for place in self.places:
            visit = person.visits[place.name]
            if isinstance(place, Zone) and visit.side:
                count, stayed = self.counts[place.name], time - visit.since
                count.lost += 1
                count.end_stay(stayed)
                events.append(Event(time, frame, identity, f"{place.name}_lost", stayed, score))
        return events


def feet(tracks: Tracks, skeleton: Skeleton) -> tuple[Array, Array]:
    """Return where people stand (N, 2) in pixels, and the score (N,) of that place."""
    poses = tracks.poses
    visible = (poses.scores >= MIN_SCORE)[..., None]
    ankles = points(np.where(visible, poses.keypoints, np.nan), skeleton)[:, _ANKLES]  # (N, 2, 2)
    weights = points(np.where(visible, poses.scores[..., None], np.nan).repeat(2, axis=-1), skeleton)[:, _ANKLES, 0]
    known: NDArray[np.bool_] = np.asarray(np.isfinite(ankles).all(-1))
    count = known.sum(-1)
    middle = np.where(known[..., None], ankles, 0.0).sum(1) / np.maximum(count, 1)[:, None]
    sure = np.where(known, weights, 0.0).sum(1) / np.maximum(count, 1)
    below = np.stack([(poses.boxes[:, 0] + poses.boxes[:, 2]) / 2, poses.boxes[:, 3]], axis=-1)
    seen = np.greater(count, 0)
    return np.where(seen[:, None], middle, below), np.where(seen, sure, poses.box_scores)
