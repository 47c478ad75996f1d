"""Classify postures as standing, sitting, lying or bending, by the nearest prototype."""

from __future__ import annotations

import numpy as np

from .body import MEASURES
from .points import Array

POSTURES = ("standing", "sitting", "lying", "bending")
# Prototypes: trunk_rise, thigh_drop and shank_drop; a posture may have several.
_TYPICAL = (
    ("standing", (1.0, 1.0, 1.0)),
    ("standing", (1.0, 1.0, 0.0)),  # kneeling upright
    ("sitting", (1.0, 0.1, 0.9)),  # on a chair, or a deep squat
    ("sitting", (0.9, 0.0, 0.1)),  # on the floor
    ("sitting", (0.5, 0.1, 0.9)),  # leaning forward or back
    ("lying", (0.0, 0.0, 0.0)),
    ("lying", (0.35, 0.2, 0.2)),  # the top of a push-up
    ("bending", (0.2, 0.95, 1.0)),
    ("bending", (-0.4, 0.95, 1.0)),
    ("bending", (0.4, 0.7, 0.9)),
)
_BODIES = np.array([body for _, body in _TYPICAL])
_KINDS = np.array([POSTURES.index(name) for name, _ in _TYPICAL])
_COLUMNS = [list(MEASURES).index(name) for name in ("trunk_rise", "thigh_drop", "shank_drop")]
_SPREAD = 0.3  # standard deviation around a prototype
_NOTHING = 4.0  # squared distance from all prototypes, in spreads, at which "none of them" is as likely


def postures(measures: Array) -> tuple[Array, Array]:
    """Classify people's postures.

    Args:
        measures: (N, M) from `body.measures`.

    Returns:
        Indices (N,) into `POSTURES`, and confidences (N,) in [0, 1]: the likelihood of the posture relative to all
        postures and "none of them". Missing legs leave several postures likely, which lowers the confidence. Both are
        NaN where the trunk is missing.
    """
    values = measures[:, _COLUMNS]
    squares = np.nan_to_num(np.square((values[:, None] - _BODIES) / _SPREAD)).sum(-1)  # (N, bodies)
    likely = np.exp(-squares / 2)
    best = np.stack([likely[:, kind == _KINDS].max(-1) for kind in range(len(POSTURES))], axis=-1)
    kinds = best.argmax(-1)
    confidences = best.max(-1) / (best.sum(-1) + np.exp(-_NOTHING / 2))
    known = np.isfinite(values[:, 0])
    return np.where(known, kinds, np.nan), np.where(known, confidences, np.nan)
