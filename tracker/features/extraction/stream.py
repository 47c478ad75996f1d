"""Features of people per frame, output as soon as the following frames that the derivatives need are known.

Online and offline processing are the same: the window is centred, so no value is shifted in time. Online, a row is
output `HALF_WINDOW` seconds and one frame late.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from itertools import accumulate, islice

import numpy as np
from numpy.typing import NDArray

from ....errors import InputError
from ....models.geometry.keypoints import COCO, Skeleton
from ...types import State, Tracks, as_seconds
from ..calibration.measures import UNCALIBRATED, Calibration
from ..calibration.scale import ground, scales
from ..kinematics import body
from ..kinematics.angles import (
    ANGLES,
    JOINTS,
    SEGMENT_PERIODS,
    VIEWS,
    angle_rates,
    angles,
    headings,
    joint_angles,
    unwrapped,
)
from ..kinematics.derivatives import FARTHEST, HALF_WINDOW, NEIGHBOURS, derivatives
from ..kinematics.points import MIN_SCORE, POINTS, Array, index, of_points, points
from ..kinematics.posture import POSTURES, postures
from ..kinematics.signals import symmetry_index
from .columns import LANDMARKS, SYMMETRY_SECONDS, columns
from .quality import STATE_WEIGHTS, out_of_range, quality

FORGET_SECONDS = 5.0  # after which a person is forgotten: longer than a tracker keeps the id of a lost person
_FACING_SECONDS = 0.3  # over which the cues of the view are averaged
_GROUND_SECONDS = 0.3  # over which the place of the feet is averaged, longer than a foot is in the air
_TRUNK = [index(f"{side}_{name}") for side in ("left", "right") for name in ("shoulder", "hip")]
_LANDMARKS = [index(name) for name in LANDMARKS]
_JOINTS = [list(ANGLES).index(name) for name in JOINTS]
_FEET = [index(f"{side}_front") for side in ("left", "right")]


@dataclass(frozen=True, slots=True)
class Features:
    """The features of the people in one frame.

    Attributes:
        frame: number of the frame.
        time: seconds.
        ids: (N,) track ids.
        states: N states.
        views: N names out of `angles.VIEWS`; empty for people without features.
        postures: N names out of `posture.POSTURES`; empty if unknown.
        flags: N texts that name impossible angles and segments, see `quality.Quality`.
        names: names of the C columns, as `columns.columns` defines them.
        values: (N, C); NaN where unknown.
        impossible: (N, C) mask of anatomically impossible values.
    """

    frame: int
    time: float
    ids: NDArray[np.integer]
    states: tuple[State, ...]
    views: tuple[str, ...]
    postures: tuple[str, ...]
    flags: tuple[str, ...]
    names: tuple[str, ...]
    values: Array
    impossible: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def plausible(self) -> Array:
        """(N, C) values for summaries and events; NaN where unknown or impossible."""
        return np.where(self.impossible, np.nan, self.values)

    def __getitem__(self, name: str) -> Array:
        """Return one column (N,)."""
        return self.values[:, self.names.index(name)]


@dataclass(slots=True)
class _Person:
    """State of one person between frames."""

    height: float = np.nan  # pixels
    arm: float = np.nan
    ground: float = np.nan  # pixels below the floor's line
    cues: Array = field(default_factory=lambda: np.full(2, np.nan))
    view: int = 0
    seen: float = -np.inf  # seconds
    joints: deque[tuple[float, Array]] = field(default_factory=deque)


@dataclass(frozen=True, slots=True)
class _Moment:
    """One frame in the window."""

    frame: int
    time: float
    tracks: Tracks
    rows: dict[int, int]
    seen: bool  # whether any person is measured, not only predicted
    points: Array  # (N, P, 2); with a floor, from the start of its line, along and below it
    trust: Array  # (N, P), scores of the points, lower where they are not measured
    breadths: Array  # (N,), see `quality.quality`
    headings: Array  # (N, S)
    heights: Array  # (N,)
    arms: Array  # (N,)
    grounds: Array  # (N,)
    views: NDArray[np.intp]  # (N,)


class ActionFeatures:
    """Compute features of tracked people, in constant memory.

    Args:
        skeleton: skeleton of their keypoints.
        calibration: scale, which adds columns in metres, and floor, from which angles are measured. A floor that is
            found later may be set between two passes over a video, after `finish`.
        view: one of `angles.VIEWS`, or "auto".

    Raises:
        InputError: the view is unknown.
    """

    def __init__(
        self,
        *,
        skeleton: Skeleton = COCO,
        calibration: Calibration = UNCALIBRATED,
        view: str = "auto",
    ) -> None:
        if view not in ("auto", *VIEWS):
            raise InputError(f"view is '{view}'; give auto, {', '.join(VIEWS)}.")
        self.skeleton, self.calibration = skeleton, calibration
        self.columns = columns(metres=calibration.metric, positions=calibration.positions)
        self._fixed = None if view == "auto" else VIEWS.index(view)
        self._names = tuple(self.columns)
        self._people: dict[int, _Person] = {}
        self._moments: deque[_Moment] = deque()
        self._next = 0  # row of `_moments` whose features come next

    def update(self, frame: int, time: float, tracks: Tracks) -> list[Features]:
        """Process the next frame and return the features of the frames that are now complete.

        Args:
            frame: number of the frame.
            time: seconds, not before the last frame.
            tracks: people in the frame.

        Raises:
            InputError: the time is not finite, or before the last one.
        """
        time = as_seconds(time, of=f"frame {frame}", last=self._moments[-1].time if self._moments else None)
        self._moments.append(self._prepare(frame, time, tracks))
        done = []
        while self._complete(self._next):
            done.append(self._features(self._next))
            self._next += 1
        self._forget()
        return done

    def view(self, identity: int) -> str:
        """Return the current view of a person, a name out of `angles.VIEWS`."""
        person = self._people.get(identity)
        return VIEWS[person.view if person else 0]

    def angles(self, tracks: Tracks) -> dict[int, dict[str, NDArray[np.float64]]]:
        """Return the joint angles of each person of the last frame by ID and joint, degrees.

        They are NaN if unknown, and outside the range of the joint.
        """
        visible = np.where((tracks.scores >= MIN_SCORE)[..., None], tracks.keypoints, np.nan)
        found = {}
        for identity, pose in zip(tracks.ids.tolist(), visible):
            angles = joint_angles(pose, skeleton=self.skeleton, view=self.view(identity))
            values = np.array(list(angles.values()))
            found[identity] = dict(zip(angles, np.where(out_of_range(values), np.nan, values)))
        return found

    def finish(self) -> list[Features]:
        """Return the features of the remaining frames, and reset."""
        done = [self._features(row) for row in range(self._next, len(self._moments))]
        self._moments.clear()
        self._people.clear()
        self._next = 0
        return done

    def _prepare(self, frame: int, time: float, tracks: Tracks) -> _Moment:
        """Compute everything that needs no later frame."""
        poses = tracks.poses
        seen = np.array([state is not State.PREDICTED for state in tracks.states], dtype=bool).reshape(-1, 1)
        where = points(
            np.where(((poses.scores >= MIN_SCORE) & seen)[..., None], poses.keypoints, np.nan), self.skeleton
        )
        if floor := self.calibration.floor:
            where = floor.level(where)
        tall, arms = body.height(where), body.arm_length(where)
        people = [self._people.setdefault(identity, _Person()) for identity in tracks.ids.tolist()]
        for person, now, arm, upright in zip(people, tall.tolist(), arms.tolist(), body.stands(where).tolist()):
            dt = max(time - person.seen, 0.0)
            person.height = body.grown(person.height, now, dt, trusted=upright)
            person.arm = body.grown(person.arm, arm, dt, trusted=False)
        heights, arms = (np.array([getattr(person, name) for person in people]) for name in ("height", "arm"))
        for person, low in zip(people, ground(where, heights).tolist()):
            share = 1 - np.exp(-max(time - person.seen, 0.0) / _GROUND_SECONDS)
            if not np.isnan(low):
                person.ground = low if np.isnan(person.ground) else person.ground + share * (low - person.ground)
        grounds = np.array([person.ground for person in people])
        for person, cues in zip(people, body.facing(where, heights)):
            share = 1 - np.exp(-max(time - person.seen, 0.0) / _FACING_SECONDS)
            fresh = np.where(np.isnan(person.cues), cues, person.cues + share * (cues - person.cues))
            person.cues = np.where(np.isnan(cues), person.cues, fresh)
            person.view = body.view(person.cues, person.view) if self._fixed is None else self._fixed
            person.seen = time
        rows = {identity: row for row, identity in enumerate(tracks.ids.tolist())}
        trust = of_points(
            np.where(poses.scores >= MIN_SCORE, poses.scores, 0) * STATE_WEIGHTS[tracks.keypoint_states], self.skeleton
        )
        breadths = np.array([np.nan_to_num(person.cues[1]) for person in people])
        views = np.array([person.view for person in people], dtype=np.intp)
        any_measured = bool(np.isfinite(where).any())
        whole = where, trust, breadths, headings(where)
        return _Moment(frame, time, tracks, rows, any_measured, *whole, heights, arms, grounds, views)

    def _complete(self, row: int) -> bool:
        """Return whether the window of a frame is complete."""
        if row >= len(self._moments):
            return False
        ahead = self._moments[-1].time - self._moments[row].time
        after = sum(moment.seen for moment in islice(self._moments, row + 1, None))
        return ahead >= FARTHEST or (ahead >= HALF_WINDOW and after >= NEIGHBOURS)

    def _forget(self) -> None:
        """Drop frames that have left the window, and people who left."""
        now = self._moments[min(self._next, len(self._moments) - 1)].time
        before = sum(moment.seen for moment in islice(self._moments, self._next))
        while self._next and (
            self._moments[0].time < now - FARTHEST
            or (self._moments[0].time < now - HALF_WINDOW and before - self._moments[0].seen >= NEIGHBOURS)
        ):
            before -= self._moments.popleft().seen
            self._next -= 1
        gone = [identity for identity, person in self._people.items() if person.seen < now - FORGET_SECONDS]
        for identity in gone:
            del self._people[identity]

    def _features(self, row: int) -> Features:
        """Compute the features of one frame, whose window is complete."""
        moment, people = self._moments[row], len(self._moments[row].tracks)
        velocities, accelerations, rates = self._derivatives(row)
        found = angles(moment.headings, moment.views)
        judged = quality(moment.points, moment.trust, found, moment.heights, moment.breadths)
        possible = np.where(judged.impossible, np.nan, found)
        measures = body.measures(moment.points, moment.heights, moment.arms)
        kinds, confidences = postures(measures)
        centres, mass = body.centre_of_mass(moment.points)
        moving = [
            np.concatenate([body.centre_of_mass(change)[0][:, None], change[:, _LANDMARKS]], axis=1)
            for change in (velocities, accelerations)
        ]
        sizes = np.linalg.norm(np.stack(moving, axis=-2), axis=-1)  # (N, 1 + L, 2)
        lengths, scale = self._lengths(moment)
        moved = sizes[:, :, None] / lengths[:, None, :, None]  # (N, 1 + L, U, 2)
        falling = velocities[:, _TRUNK, 1]  # (N, 4); one corner of the trunk is enough
        known = np.isfinite(falling)
        with np.errstate(invalid="ignore"):
            descent = np.where(known, falling, 0.0).sum(-1) / known.sum(-1) / moment.heights  # (N,)
        values = [
            *(confidences[:, None], moment.heights[:, None], found, angle_rates(rates, moment.views)),
            *(self._in_image(centres), self._feet(moment), mass[:, None], *scale, *self._positions(centres, scale)),
            *(moved.reshape(people, math.prod(moved.shape[1:])), self._symmetry(moment, possible)),
            *(measures, descent[:, None], judged.angles, judged.scores),
        ]
        seen: NDArray[np.bool_] = np.asarray(np.isfinite(moment.points).any((-1, -2)))
        table = np.where(seen[:, None], np.concatenate(values, axis=-1), np.nan)
        views = tuple(VIEWS[view] if there else "" for view, there in zip(moment.views, seen))
        names = tuple("" if np.isnan(kind) else POSTURES[int(kind)] for kind in kinds)
        ids, states = moment.tracks.ids, moment.tracks.states
        flags = tuple(text if there else "" for text, there in zip(judged.flags, seen))
        impossible = np.zeros(table.shape, dtype=bool)
        for start in (2, 2 + len(ANGLES)):  # angles, and their velocities
            impossible[:, start : start + len(ANGLES)] = judged.impossible
        texts = views, names, flags
        return Features(moment.frame, moment.time, ids, states, *texts, self._names, table, impossible)

    def _derivatives(self, row: int) -> tuple[Array, Array, Array]:
        """Return velocity and acceleration (N, P, 2) of points, and the segments' rotation (N, S), degrees per s."""
        moment = self._moments[row]
        ranks = list(accumulate(other.seen for other in self._moments))  # frames without measured people do not count
        near = [
            other
            for rank, other in zip(ranks, self._moments)
            if abs(other.time - moment.time) <= (FARTHEST if abs(rank - ranks[row]) <= NEIGHBOURS else HALF_WINDOW)
        ]
        places = np.full((len(near), *moment.points.shape), np.nan)  # (W, N, P, 2)
        turns = np.full((len(near), *moment.headings.shape), np.nan)  # (W, N, S)
        for w, other in enumerate(near):
            pairs = [(n, other.rows[i]) for i, n in moment.rows.items() if i in other.rows]
            if pairs:
                here, there = (list(rows) for rows in zip(*pairs))
                places[w, here], turns[w, here] = other.points[there], other.headings[there]
        now = next(w for w, other in enumerate(near) if other is moment)
        turns = unwrapped(turns, SEGMENT_PERIODS)
        places, turns = places - moment.points, turns - turns[now]  # NaN where missing in this frame
        times = np.array([other.time - moment.time for other in near])
        shape, split = moment.points.shape, 2 * len(POINTS)
        flat = np.concatenate([places.reshape(*places.shape[:2], split), turns], axis=-1)
        first, second = derivatives(times, flat)
        return first[:, :split].reshape(shape), second[:, :split].reshape(shape), first[:, split:]

    def _lengths(self, moment: _Moment) -> tuple[Array, list[Array]]:
        """Return the length (N, U) in pixels of each unit: pixel, body height and, if calibrated, metre.

        The second value holds the columns (N, 1) of the scale: pixels per metre, and its standard deviation in percent.
        """
        lengths = [np.ones_like(moment.heights), moment.heights]
        if not self.calibration.metric:
            return np.stack(lengths, axis=-1), []
        scale, doubt = scales(self.calibration, moment.heights, moment.grounds)
        return np.stack([*lengths, scale], axis=-1), [scale[:, None], 100 * doubt[:, None]]

    def _in_image(self, places: Array) -> Array:
        """Return places (..., 2) in pixels of the image."""
        return self.calibration.floor.tilt(places) if self.calibration.floor else places

    def _feet(self, moment: _Moment) -> Array:
        """Return how far down (N, 1) the lower foot is in the image, pixels."""
        return np.fmax.reduce(self._in_image(moment.points[:, _FEET])[..., 1], axis=1)[:, None]

    def _positions(self, places: Array, scale: list[Array]) -> list[Array]:
        """Return the columns (N, 2) of places (N, 2) in metres along the floor and above it, where both are known."""
        if not self.calibration.positions:
            return []
        return [places / scale[0] * (1.0, -1.0) if self.calibration.floor else np.full_like(places, np.nan)]

    def _symmetry(self, moment: _Moment, found: Array) -> Array:
        """Return the symmetry index (N, joints) of each pair's range of motion in percent (Robinson et al. 1987)."""
        result = np.full((len(found), len(_JOINTS) // 2), np.nan)
        for n, (identity, joints) in enumerate(zip(moment.rows, found[:, _JOINTS])):
            if identity not in self._people:
                continue
            kept = self._people[identity].joints
            kept.append((moment.time, joints))
            while kept[0][0] < moment.time - SYMMETRY_SECONDS:
                kept.popleft()
            past = unwrapped(np.array([angles for _, angles in kept]))  # (R, J)
            spans = np.fmax.reduce(past) - np.fmin.reduce(past)
            result[n] = symmetry_index(*spans.reshape(-1, 2).T)
        return result
