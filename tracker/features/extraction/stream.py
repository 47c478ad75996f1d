"""Features of people per frame, output as soon as the following frames that the derivatives need are known.

Online and offline processing are the same: the window is centred, so no value is shifted in time. Online, a row is
output `HALF_WINDOW` seconds and one frame late.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ....errors import InputError
from ....models.geometry.keypoints import COCO, Skeleton
from ...types import State, Tracks, as_seconds
from ..calibration.measures import UNCALIBRATED, Calibration
from ..calibration.scale import scales
from ..kinematics import body
from ..kinematics.angles import ANGLES, JOINTS, VIEWS, angle_rates, angles, headings, joint_angles
from ..kinematics.points import MIN_SCORE, Array, index, point_scores, points
from ..kinematics.posture import POSTURES, postures
from .asymmetry import Asymmetry
from .bodies import Bodies, Estimates
from .columns import LANDMARKS, columns
from .features import Features
from .quality import STATE_WEIGHTS, out_of_range, quality
from .window import Moment, Window

FORGET_SECONDS = 5.0  # after which a person is forgotten: longer than a tracker keeps the id of a lost person
_TRUNK = [index(f"{side}_{name}") for side in ("left", "right") for name in ("shoulder", "hip")]
_LANDMARKS = [index(name) for name in LANDMARKS]
_JOINTS = [list(ANGLES).index(name) for name in JOINTS]
_FEET = [index(f"{side}_front") for side in ("left", "right")]


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
        self._names = tuple(self.columns)
        self._bodies = Bodies(None if view == "auto" else VIEWS.index(view))
        self._asymmetry = Asymmetry()
        self._window = Window()

    def update(self, frame: int, time: float, tracks: Tracks) -> list[Features]:
        """Process the next frame and return the features of the frames that are now complete.

        Args:
            frame: number of the frame.
            time: seconds, not before the last frame.
            tracks: people in the frame.

        Raises:
            InputError: the time is not finite, or before the last one.
        """
        time = as_seconds(time, of=f"frame {frame}", last=self._window.last)
        self._window.add(self._prepare(frame, time, tracks))
        done = [self._features(row) for row in self._window.complete()]
        self._bodies.forget(self._window.trim() - FORGET_SECONDS)
        return done

    def view(self, identity: int) -> str:
        """Return the current view of a person, one of `angles.VIEWS`."""
        return VIEWS[self._bodies.view(identity)]

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
        done = [self._features(row) for row in self._window.rest()]
        for part in (self._window, self._bodies, self._asymmetry):
            part.reset()
        return done

    def _prepare(self, frame: int, time: float, tracks: Tracks) -> Moment:
        """Compute everything that needs no later frame."""
        poses = tracks.poses
        seen = np.array([state is not State.PREDICTED for state in tracks.states], dtype=bool).reshape(-1, 1)
        where = points(
            np.where(((poses.scores >= MIN_SCORE) & seen)[..., None], poses.keypoints, np.nan), self.skeleton
        )
        if floor := self.calibration.floor:
            where = floor.level(where)
        ids = tracks.ids.tolist()
        trust = point_scores(
            np.where(poses.scores >= MIN_SCORE, poses.scores, 0) * STATE_WEIGHTS[tracks.keypoint_states], self.skeleton
        )
        return Moment(
            frame,
            time,
            tracks,
            rows={identity: row for row, identity in enumerate(ids)},
            seen=bool(np.isfinite(where).any()),
            points=where,
            trust=trust,
            headings=headings(where),
            bodies=self._bodies.update(time, ids, where),
        )

    def _features(self, row: int) -> Features:
        """Compute the features of one frame, whose window is complete."""
        moment = self._window[row]
        heights, arms, _, breadths, facing = moment.bodies
        velocities, accelerations, rates = self._window.derivatives(row)
        found = angles(moment.headings, facing)
        judged = quality(moment.points, moment.trust, found, heights, breadths)
        possible = np.where(judged.impossible, np.nan, found)
        measures = body.measures(moment.points, heights, arms)
        kinds, confidences = postures(measures)
        centres, mass = body.centre_of_mass(moment.points)
        moving = [
            np.concatenate([body.centre_of_mass(change)[0][:, None], change[:, _LANDMARKS]], axis=1)
            for change in (velocities, accelerations)
        ]
        sizes = np.linalg.norm(np.stack(moving, axis=-2), axis=-1)  # (N, 1 + L, 2)
        lengths, scale = self._lengths(moment.bodies)
        moved = sizes[:, :, None] / lengths[:, None, :, None]  # (N, 1 + L, U, 2)
        falling = velocities[:, _TRUNK, 1]  # (N, 4); one corner of the trunk is enough
        known = np.isfinite(falling)
        with np.errstate(invalid="ignore"):
            descent = np.where(known, falling, 0.0).sum(-1) / known.sum(-1) / heights  # (N,)
        uneven = self._asymmetry.update(moment.time, moment.rows, possible[:, _JOINTS])
        values = [
            *(confidences[:, None], heights[:, None], found, angle_rates(rates, facing)),
            *(self._in_image(centres), self._feet(moment), mass[:, None], *scale, *self._positions(centres, scale)),
            *(moved.reshape(len(moved), math.prod(moved.shape[1:])), uneven),
            *(measures, descent[:, None], judged.angles, judged.scores),
        ]
        seen: NDArray[np.bool_] = np.asarray(np.isfinite(moment.points).any((-1, -2)))
        table = np.where(seen[:, None], np.concatenate(values, axis=-1), np.nan)
        views = tuple(VIEWS[view] if there else "" for view, there in zip(facing, seen))
        names = tuple("" if np.isnan(kind) else POSTURES[int(kind)] for kind in kinds)
        ids, states = moment.tracks.ids, moment.tracks.states
        flags = tuple(text if there else "" for text, there in zip(judged.flags, seen))
        impossible = np.zeros(table.shape, dtype=bool)
        for start in (2, 2 + len(ANGLES)):  # angles, and their velocities
            impossible[:, start : start + len(ANGLES)] = judged.impossible
        texts = views, names, flags
        return Features(moment.frame, moment.time, ids, states, *texts, self._names, table, impossible)

    def _lengths(self, bodies: Estimates) -> tuple[Array, list[Array]]:
        """Return the length (N, U) in pixels of each unit: pixel, body height and, if calibrated, metre.

        The second value holds the columns (N, 1) of the scale: pixels per metre, and its standard deviation in percent.
        """
        lengths = [np.ones_like(bodies.heights), bodies.heights]
        if not self.calibration.metric:
            return np.stack(lengths, axis=-1), []
        scale, doubt = scales(self.calibration, bodies.heights, bodies.grounds)
        return np.stack([*lengths, scale], axis=-1), [scale[:, None], 100 * doubt[:, None]]

    def _in_image(self, places: Array) -> Array:
        """Return places (..., 2) in pixels of the image."""
        return self.calibration.floor.tilt(places) if self.calibration.floor else places

    def _feet(self, moment: Moment) -> Array:
        """Return how far down (N, 1) the lower foot is in the image, pixels."""
        return np.fmax.reduce(self._in_image(moment.points[:, _FEET])[..., 1], axis=1)[:, None]

    def _positions(self, places: Array, scale: list[Array]) -> list[Array]:
        """Return the columns (N, 2) of places (N, 2) in metres along the floor and above it, where both are known."""
        if not self.calibration.positions:
            return []
        return [places / scale[0] * (1.0, -1.0) if self.calibration.floor else np.full_like(places, np.nan)]
