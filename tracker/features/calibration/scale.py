"""Pixels per metre of people, from a calibration, their heights in the image and the place of their feet."""

from __future__ import annotations

import numpy as np

from ..kinematics.body import ANKLE_HEIGHT
from ..kinematics.points import SIDES, Array, index
from .measures import PROPORTIONS, Calibration

_FEET = [index(f"{side}_{name}") for name in ("heel", "big_toe") for side in SIDES]
_ANKLES = [index(f"{side}_ankle") for side in SIDES]


def lower_foot(points: Array, heights: Array) -> Array:
    """Return the vertical position (N,) of people's lower foot, in pixels from the top; NaN if no foot is visible.

    Args:
        points: (N, P, 2) pixels, y downwards.
        heights: (N,) pixels.
    """
    soles = np.fmax.reduce(points[:, _FEET, 1], axis=1)
    ankles = np.fmax.reduce(points[:, _ANKLES, 1], axis=1) + ANKLE_HEIGHT * heights
    return np.where(np.isnan(soles), ankles, soles)


def scales(calibration: Calibration, heights: Array, feet: Array) -> tuple[Array, Array]:
    """Return pixels per metre of people, and its standard deviation as a share; NaN where unknown.

    Args:
        calibration: scale and floor.
        heights: (N,) of the people, pixels.
        feet: (N,) as `lower_foot` returns it, below the floor's line if there is one.
    """
    if calibration.person_height:
        return heights / calibration.person_height, np.full_like(heights, PROPORTIONS)
    lengths = calibration.lengths
    if not calibration.by_depth:
        known = calibration.scale or (lengths[0].scale if lengths else np.nan)
        doubt = lengths[0].uncertainty if lengths else np.nan
        return np.full_like(heights, known), np.full_like(heights, doubt)
    rows = [length.row(calibration.floor) for length in lengths]
    shares = np.stack([rows[1] - feet, feet - rows[0]]) / (rows[1] - rows[0])  # (2, N) of each length
    parts = shares * np.array([[length.scale] for length in lengths])
    scale = parts.sum(0)
    scale = np.where(scale > 0, scale, np.nan)  # at the horizon and above it there is no floor
    errors = parts * np.array([[length.uncertainty] for length in lengths])
    return scale, np.hypot(*errors) / scale
