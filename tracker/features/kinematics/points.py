"""The body points that features are computed from, for any skeleton."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ....models.geometry.keypoints import Skeleton

Array = NDArray[np.float64]

MIN_SCORE = 0.2  # keypoints below it count as missing, as the overlay hides them

_PAIRED = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "heel", "big_toe")
SIDES = ("left", "right")
POINTS = (
    *(f"{side}_{name}" for name in _PAIRED for side in SIDES),
    *("nose", "neck", "mid_hip", "ears", "head_top"),
    *(f"{side}_{end}" for end in ("rear", "front") for side in SIDES),
)
_SOURCES: dict[
    str, tuple[tuple[str, ...], ...]
] = {  # one keypoint, or two and their midpoint; the first known entry is used
    "neck": (("neck",), ("thorax",), ("left_shoulder", "right_shoulder")),
    "mid_hip": (("pelvis",), ("hip",), ("left_hip", "right_hip")),
    "ears": (("left_ear", "right_ear"),),
    "head_top": (("head_top",), ("top_head",), ("head",)),
    **{f"{side}_rear": ((f"{side}_heel",), (f"{side}_ankle",)) for side in SIDES},
    **{f"{side}_front": ((f"{side}_big_toe",), (f"{side}_ankle",)) for side in SIDES},
}
_EITHER = POINTS.index("ears")  # from the side, a single visible ear is the middle of the head


def index(name: str) -> int:
    """Return the index of a point in `POINTS`."""
    return POINTS.index(name)


@lru_cache(maxsize=16)
def _rows(skeleton: Skeleton) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return two keypoint indices (P,) per point, equal if it is one keypoint; K if unknown."""
    known = {name: row for row, name in enumerate(skeleton.keypoints)}
    pairs = []
    for point in POINTS:
        sources = _SOURCES.get(point, ((point,),))
        names = next((names for names in sources if all(name in known for name in names)), ())
        rows = [known[name] for name in names] or [len(skeleton)]
        pairs.append((rows[0], rows[-1]))
    first, second = np.array(pairs).T
    return first, second


def points(keypoints: NDArray[np.floating], skeleton: Skeleton) -> Array:
    """Return the points of people.

    Args:
        keypoints: (..., K, 2) pixels; NaN where missing.
        skeleton: skeleton of the keypoints.

    Returns:
        (..., P, 2) in the order of `POINTS`; NaN if the skeleton has no such point or it is missing.
    """
    nowhere = np.full((*keypoints.shape[:-2], 1, 2), np.nan)
    known = np.concatenate([keypoints, nowhere], axis=-2, dtype=np.float64)
    first, second = (known[..., rows, :] for rows in _rows(skeleton))
    middles = (first + second) / 2
    ears = middles[..., _EITHER, :]
    for ear in (first, second):
        ears[...] = np.where(np.isnan(ears), ear[..., _EITHER, :], ears)
    return middles


def point_scores(values: NDArray[np.floating], skeleton: Skeleton) -> Array:
    """Return the values of points from those of keypoints, such as scores: the least of a point's keypoints.

    Args:
        values: (..., K); 0 where missing.
        skeleton: skeleton of the keypoints.

    Returns:
        (..., P) in the order of `POINTS`; 0 if the skeleton has no such point.
    """
    known = np.concatenate([values, np.zeros((*values.shape[:-1], 1))], axis=-1, dtype=np.float64)
    first, second = (known[..., rows] for rows in _rows(skeleton))
    least = np.minimum(first, second)
    least[..., _EITHER] = np.maximum(first, second)[..., _EITHER]
    return least
