"""Plausibility of features: a quality for each angle and point, and flags for impossible values.

The quality of an angle is the least of four: the scores of its keypoints, how far they are measured and not predicted,
how far its plane is seen side-on, and how much of its segments' lengths is seen.

Ranges of motion: American Academy of Orthopaedic Surgeons 1965, Joint Motion; extended by `_TOLERANCE`. The hip's
includes the bending of the spine, because its angle is that of thigh and trunk, and the ankle's is that under load.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...types import STATES, State
from ..kinematics.angles import ANGLES, SEGMENTS, wrap
from ..kinematics.body import LENGTHS, MASSES
from ..kinematics.points import POINTS, SIDES, Array, index
from .columns import LANDMARKS

_RANGES = {"ankle": (-50.0, 45.0), "knee": (-10.0, 150.0), "hip": (-30.0, 150.0), "shoulder": (-60.0, 180.0)}
_RANGES |= {"elbow": (-10.0, 150.0)}
_TOLERANCE = 20.0  # degrees; three standard deviations of a joint's angle at keypoint noise of 1 % of the height
_STATE_WEIGHTS = {State.MEASURED: 1.0, State.INTERPOLATED: 0.5, State.PREDICTED: 0.25}  # factor of a keypoint's score
_TOO_LONG = 1.4  # typical lengths; segments vary by 5 % between adults (Drillis and Contini 1966), and hips by clothes
_SAGITTAL = ("ankle", "knee", "hip", "trunk", "neck_inclination")  # arms also move outwards, in the frontal plane
_FRONTAL = ("pelvis", "shoulders")

RANGES = {f"{side}_{name}": limits for name, limits in _RANGES.items() for side in SIDES}
STATE_WEIGHTS = np.array([_STATE_WEIGHTS[state] for state in STATES])


def _segments(angle: str) -> list[str]:
    return [end for end in (ANGLES[angle].start, ANGLES[angle].end) if end in SEGMENTS]


def _is_of(angle: str, names: tuple[str, ...]) -> bool:
    return angle.removeprefix("left_").removeprefix("right_").startswith(names)


_FROM, _TO = (np.array([POINTS.index(ends[i]) for ends in SEGMENTS.values()]) for i in (0, 1))
_USES = np.array([[segment in _segments(angle) for segment in SEGMENTS] for angle in ANGLES])  # (A, S)
_TYPICAL = np.array([LENGTHS.get(name.removeprefix("left_").removeprefix("right_"), np.nan) for name in SEGMENTS])
_LIMITED = np.array([angle in RANGES for angle in ANGLES])
_LOW, _HIGH = (np.array([RANGES.get(angle, (-180.0, 180.0))[i] for angle in ANGLES]) for i in (0, 1))
_IS_SAGITTAL, _IS_FRONTAL = (np.array([_is_of(angle, names) for angle in ANGLES]) for names in (_SAGITTAL, _FRONTAL))
_SHARES = np.array([row[0] for row in MASSES.values()])
_ENDS = np.array([[index(first), index(second)] for _, _, first, second in MASSES.values()]).T
_LANDMARKS = [index(name) for name in LANDMARKS]


@dataclass(frozen=True, slots=True)
class Quality:
    """Quality of the features of N people.

    Attributes:
        angles: (N, A) in [0, 1], in the order of `ANGLES`; an impossible angle has 0.
        scores: (N, 2 + L) in [0, 1] of the centre of mass, of the points of `LANDMARKS`, and their mean.
        impossible: (N, A) mask of the impossible angles, in the order of `ANGLES`.
        flags: N texts that name the reasons, such as "left_knee_range left_shank_length"; empty if there is none.
    """

    angles: Array
    scores: Array
    impossible: NDArray[np.bool_]
    flags: tuple[str, ...]


def quality(points: Array, trust: Array, found: Array, heights: Array, breadths: Array) -> Quality:
    """Return the reliability of people's features.

    Args:
        points: (N, P, 2) pixels; NaN where missing.
        trust: (N, P) scores of the points, times `STATE_WEIGHTS`; 0 where missing.
        found: (N, A) degrees, as `angles.angles` returns them.
        heights: (N,) pixels.
        breadths: (N,) breadth of shoulders and hips, 1 or -1 from the front or back and 0 from the side.
    """
    lengths = np.linalg.norm(points[:, _TO] - points[:, _FROM], axis=-1) / heights[:, None] / _TYPICAL  # (N, S)
    shown = np.nan_to_num(lengths, nan=1.0)
    sideways = np.sqrt(1 - np.clip(breadths, -1, 1) ** 2)[:, None]  # cosine of the angle to the sagittal plane
    trusted = np.minimum(trust[:, _FROM], trust[:, _TO])  # (N, S)
    plane = np.where(_IS_SAGITTAL, sideways, np.where(_IS_FRONTAL, np.sqrt(1 - sideways**2), 1.0))  # (N, A)
    least = np.where(_USES, np.minimum(trusted, np.clip(shown, 0, 1))[:, None], 1.0).min(-1)  # (N, A)
    outside = out_of_range(found)
    long = shown > _TOO_LONG  # (N, S)
    impossible = outside | (_USES & long[:, None]).any(-1)
    angles = np.where(impossible, 0.0, np.minimum(least, plane))
    mass = (_SHARES * np.minimum(trust[:, _ENDS[0]], trust[:, _ENDS[1]])).sum(-1, keepdims=True)
    marks = trust[:, _LANDMARKS]
    scores = np.concatenate([mass, marks, marks.mean(-1, keepdims=True)], axis=-1)
    return Quality(angles, scores, impossible, tuple(map(_flags, outside.tolist(), long.tolist())))


def out_of_range(found: Array) -> NDArray[np.bool_]:
    """Return which angles (N, A) no joint can have, of those that `angles.angles` returns, degrees."""
    return np.asarray(_LIMITED & (np.abs(wrap(found - (_LOW + _HIGH) / 2)) > (_HIGH - _LOW) / 2 + _TOLERANCE))


def _flags(outside: list[bool], long: list[bool]) -> str:
    names = [f"{name}_range" for name, flagged in zip(ANGLES, outside) if flagged]
    return " ".join(names + [f"{name}_length" for name, flagged in zip(SEGMENTS, long) if flagged])
