"""Estimate the floor's line from feet that stand still.

Source: Pagnon and Kim 2024, Sports2D, `compute_floor_line`: a straight line through the places of the feet whose speed
is below 1 m/s. Differences: the speed is in body heights, the line is that of one person, and a line through feet that
hardly move along it is refused.
"""

from __future__ import annotations

import dataclasses
import logging
from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from ....errors import PosetrackError, SourceError
from ....models.geometry.keypoints import Skeleton
from ...types import State, Tracks
from ..kinematics.body import ANKLE_HEIGHT, height
from ..kinematics.points import MIN_SCORE, SIDES, Array, index, points
from .measures import Calibration, Floor

log = logging.getLogger(__name__)

STILL = 0.6  # body heights per second, 1 m/s of an adult
_LONGEST = 0.2  # seconds between two places that make a speed
_LEAST_PLACES = 20
_LEAST_SPAN = 1.0  # body heights along the floor; below, the noise of the keypoints turns the line
_TOES, _ANKLES = ([index(f"{side}_{name}") for side in SIDES] for name in ("big_toe", "ankle"))


def estimate_floor(frames: Iterable[tuple[int, float, Tracks]], skeleton: Skeleton) -> Floor:
    """Return the line through the resting feet of the person who has most of them, with its uncertainty.

    Args:
        frames: number, time in seconds and people of each frame.
        skeleton: of their keypoints. Without toes, the line is that of the ankles, moved down by their height.

    Raises:
        SourceError: no person's feet stand still in enough places that are far enough apart.
    """
    before: dict[int, tuple[float, Array]] = {}
    places: dict[int, list[Array]] = defaultdict(list)
    heights: dict[int, list[float]] = defaultdict(list)
    toes = {f"{side}_big_toe" for side in SIDES} <= {*skeleton.keypoints}
    for _, time, tracks in frames:
        visible = np.where((tracks.poses.scores >= MIN_SCORE)[..., None], tracks.poses.keypoints, np.nan)
        people = points(visible, skeleton)
        tall = height(people)
        for row, identity in enumerate(tracks.ids.tolist()):
            if tracks.states[row] is State.PREDICTED or np.isnan(tall[row]):
                continue
            feet = people[row, _TOES if toes else _ANKLES]
            then, last = before.get(identity, (-np.inf, feet))
            before[identity] = time, feet
            if 0 < time - then <= _LONGEST:
                with np.errstate(invalid="ignore"):
                    still = np.linalg.norm(feet - last, axis=-1) / (time - then) < STILL * tall[row]
                places[identity] += list(feet[still])
                heights[identity] += [tall[row]] * int(still.sum())
    best = max(places, key=lambda identity: len(places[identity]), default=None)
    tallest = float(np.median(heights[best])) if best is not None and heights[best] else np.nan
    found = np.array(places[best]) if best is not None and places[best] else np.zeros((0, 2))
    if len(found) < _LEAST_PLACES or np.ptp(found[:, 0]) < _LEAST_SPAN * tallest:
        raise SourceError(
            "The floor cannot be estimated: no one stands still in two places at least a body height apart. "
            "Give two points on the floor: --floor x1,y1,x2,y2."
        )
    return _line(found, lower=0.0 if toes else ANKLE_HEIGHT * tallest)


def on_estimated_floor(
    calibration: Calibration, frames: Iterable[tuple[int, float, Tracks]], skeleton: Skeleton
) -> Calibration:
    """Return the calibration with the floor of a whole run; without one, and with a warning, if there is none.

    For the arguments see `estimate_floor`.
    """
    try:
        return dataclasses.replace(calibration, floor=estimate_floor(frames, skeleton))
    except PosetrackError as error:
        log.warning("%s Without it, angles are measured from the image's horizontal.", error)
        return calibration


def _line(places: Array, *, lower: float) -> Floor:
    """Return the least-squares line through places (M, 2), moved down by some pixels."""
    x, y = places.T
    (slope, level), covariance = np.polyfit(x, y, 1, cov=True)
    ends = np.array([x.min(), x.max()])
    (left, right), (top, bottom) = ends.tolist(), (slope * ends + level + lower).tolist()
    spread = float(np.degrees(np.sqrt(covariance[0, 0])))
    return Floor((left, top), (right, bottom), spread)
