"""Joint and segment angles: one table of definitions, after those of Sports2D, and the arithmetic for all of them.

A segment's angle is anticlockwise from the image's horizontal, for a person who faces right. A person who faces left is
mirrored, so that flexion is positive for both sides of the body and both views. All angles are projections on the image
plane, so they are exact for movement in that plane only.

Source: Pagnon and Kim 2024, Sports2D, JOSS 9(101) 6849, section "Angle conventions" of its documentation; the signs of
flexion are those of the ISB (Wu et al. 2002 and 2005; Grood and Suntay 1983 for the knee).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....errors import InputError
from ....models.geometry.keypoints import COCO, Skeleton
from .points import POINTS, SIDES, Array, points

VIEWS = (
    "right",
    "left",
    "front",
    "back",
)  # direction that the person faces: right or left in the image, towards the camera, away from it


@dataclass(frozen=True, slots=True)
class Angle:
    """The rotation from one segment to another, plus an offset.

    Attributes:
        start: first segment; "horizontal" for segment angles.
        end: second segment.
        offset: degrees, added to the rotation.
        meaning: description for the table.
    """

    start: str
    end: str
    offset: float
    meaning: str


_PAIRED_SEGMENTS = {  # from the first point to the second
    "foot": ("heel", "big_toe"),
    "shank": ("knee", "ankle"),
    "thigh": ("hip", "knee"),
    "arm": ("shoulder", "elbow"),
    "forearm": ("elbow", "wrist"),
}
SEGMENTS: dict[str, tuple[str, str]] = {
    **{f"{side}_{name}": (f"{side}_{a}", f"{side}_{b}") for name, (a, b) in _PAIRED_SEGMENTS.items() for side in SIDES},
    "pelvis": ("right_hip", "left_hip"),
    "shoulders": ("right_shoulder", "left_shoulder"),
    "trunk": ("mid_hip", "neck"),
    "neck": ("neck", "ears"),
    "head": ("neck", "head_top"),
}
_UNDIRECTED = ("pelvis", "shoulders")  # their direction flips between front and back views, so only the slope is used

_JOINTS = {  # start, end, offset and meaning; {} is the side
    "ankle": ("{}_shank", "{}_foot", -90.0, "dorsiflexion; 0 where the foot is at a right angle to the shank"),
    "knee": ("{}_shank", "{}_thigh", 0.0, "flexion; 0 where the leg is straight"),
    "hip": ("trunk", "{}_thigh", 180.0, "flexion; 0 where the thigh is in line with the trunk"),
    "shoulder": ("trunk", "{}_arm", 180.0, "flexion; 0 where the arm hangs along the trunk, 180 overhead"),
    "elbow": ("{}_arm", "{}_forearm", 0.0, "flexion; 0 where the arm is straight"),
}
JOINTS = tuple(f"{side}_{name}" for name in _JOINTS for side in SIDES)
ANGLES: dict[str, Angle] = {
    **{
        f"{side}_{name}": Angle(start.format(side), end.format(side), offset, meaning)
        for name, (start, end, offset, meaning) in _JOINTS.items()
        for side in SIDES
    },
    "trunk_inclination": Angle("trunk", "horizontal", 90.0, "of the trunk from the vertical; positive forwards"),
    "neck_inclination": Angle("neck", "horizontal", 90.0, "of neck to ears from the vertical; positive forwards"),
    **{
        name: Angle("horizontal", name, 0.0, f"of the line from {a} to {b} with the horizontal".replace("_", " "))
        for name, (a, b) in SEGMENTS.items()
        if name != "neck"
    },
}

_NAMES = (*SEGMENTS, "horizontal")
_FROM, _TO = (np.array([POINTS.index(ends[i]) for ends in SEGMENTS.values()]) for i in (0, 1))
_START, _END = (np.array([_NAMES.index(getattr(angle, end)) for angle in ANGLES.values()]) for end in ("start", "end"))
_OFFSET = np.array([angle.offset for angle in ANGLES.values()])
_PERIOD = np.array([180.0 if name in _UNDIRECTED else 360.0 for name in ANGLES])
SEGMENT_PERIODS = np.array([180.0 if name in _UNDIRECTED else 360.0 for name in SEGMENTS])
_MIRRORED = np.array(  # (view, segment): in front and back views, each side of the body counts as facing outwards
    [
        [view == "left" or name.startswith({"front": "right_", "back": "left_"}.get(view, "-")) for name in SEGMENTS]
        for view in VIEWS
    ]
)


def wrap(degrees: Array, period: float | Array = 360.0) -> Array:
    """Wrap angles to the interval from minus half a period (exclusive) to plus half a period (inclusive)."""
    return period / 2 - (period / 2 - degrees) % period


def unwrapped(degrees: Array, period: float | Array = 360.0) -> Array:
    """Unwrap angles over time (T, ...): each is as near as possible to the last known one.

    Missing angles stay NaN.
    """
    if not len(degrees):
        return degrees
    known = np.isfinite(degrees)
    rows = np.arange(len(degrees)).reshape(-1, *(1,) * (degrees.ndim - 1))
    last = np.maximum.accumulate(np.where(known, rows, 0), axis=0)  # row of the last known one
    steps = wrap(np.diff(np.take_along_axis(degrees, last, axis=0), axis=0), period)
    first = np.take_along_axis(degrees, known.argmax(0)[None], axis=0)
    turned = np.concatenate([first, first + np.cumsum(np.nan_to_num(steps), axis=0)])
    return np.where(known, turned, np.nan)


def mean_angle(degrees: Array, period: float = 360.0) -> float:
    """Return the circular mean of the known angles in (N,); NaN if none is known or they cancel out."""
    known = degrees[np.isfinite(degrees)]
    pointer = np.exp(2j * np.pi * known / period).sum()
    return float(np.angle(pointer)) * period / (2 * np.pi) if abs(pointer) > 1e-6 else np.nan


def period_of(measure: str) -> float | None:
    """Return the period of an angle in degrees; None for a measure that is not an angle.

    Args:
        measure: a name of `ANGLES`, with or without its side.
    """
    if measure not in ANGLES and f"left_{measure}" not in ANGLES:
        return None
    return 180.0 if measure in _UNDIRECTED else 360.0


def headings(points: Array) -> Array:
    """Return the direction of each segment in degrees, anticlockwise from the image's right.

    Args:
        points: (..., P, 2) pixels, y downwards.

    Returns:
        (..., S) in the order of `SEGMENTS`; NaN where an end is missing.
    """
    x, y = np.moveaxis(points[..., _TO, :] - points[..., _FROM, :], -1, 0)
    return np.degrees(np.arctan2(-y, x))


def angles(headings: Array, views: NDArray[np.integer]) -> Array:
    """Return all angles of people.

    Args:
        headings: (..., S) directions of the segments, degrees.
        views: (...) indices into `VIEWS`.

    Returns:
        (..., A) degrees in the order of `ANGLES`; NaN where a segment is missing.
    """
    turned = np.where(_MIRRORED[views], 180.0 - headings, headings)
    level = np.concatenate([turned, np.zeros((*turned.shape[:-1], 1))], axis=-1)
    return wrap(level[..., _END] - level[..., _START] + _OFFSET, _PERIOD)


def angle_rates(rates: Array, views: NDArray[np.integer]) -> Array:
    """Return the angular velocities (..., A) of all angles from those of the segments (..., S), degrees per second."""
    turned = np.where(_MIRRORED[views], -rates, rates)
    level = np.concatenate([turned, np.zeros((*turned.shape[:-1], 1))], axis=-1)
    return level[..., _END] - level[..., _START]


def joint_angles(
    keypoints: NDArray[np.floating], *, skeleton: Skeleton = COCO, view: str = "right"
) -> dict[str, NDArray[np.float64]]:
    """Return joint and segment angles of poses by name, in degrees; docs/angles.md defines them.

    Args:
        keypoints: (..., K, 2) pixels; NaN where missing.
        skeleton: skeleton of the keypoints.
        view: direction that the person faces, one of `VIEWS`.

    Returns:
        (...) for each name of `ANGLES`; NaN where a keypoint is missing.

    Raises:
        InputError: the view is unknown, or the number of keypoints differs from the skeleton's.

    Examples:
        >>> import numpy as np
        >>> import posetrack
        >>> pose = np.full((17, 2), np.nan)
        >>> pose[[11, 13, 15]] = [0, 0], [0, 50], [-50, 50]  # left hip, knee and ankle
        >>> posetrack.joint_angles(pose)["left_knee"].round().item()
        90.0
    """
    keypoints = np.asarray(keypoints, dtype=np.float64)
    if keypoints.shape[-2:] != (len(skeleton), 2):
        raise InputError(f"The keypoints have shape {keypoints.shape}; give (..., {len(skeleton)}, 2).")
    if view not in VIEWS:
        raise InputError(f"view is '{view}'; give {', '.join(VIEWS)}.")
    found = angles(headings(points(keypoints, skeleton)), np.array(VIEWS.index(view)))
    return {name: found[..., column] for column, name in enumerate(ANGLES)}
