"""The fit and steadiness of boxes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...models.geometry.boxes import paired_iou
from ...models.geometry.keypoints import Skeleton
from ..formats.trajectories import Trajectories
from .matching import Comparison
from .motion import Path, measure_motion, paths

Array = NDArray[np.float64]

_CORNERS = Skeleton(
    name="corners", keypoints=("top left", "bottom right"), limbs=(), flip_pairs=(), sigmas=(0.05, 0.05)
)


def overlaps(comparison: Comparison) -> Array:
    """Return the IoU (P,) of the boxes of matched people, regardless of their ids."""
    rows, others = comparison.pairs()
    return np.asarray(paired_iou(comparison.truth.boxes[rows], comparison.result.boxes[others]))


def corner_paths(comparison: Comparison, *, fps: float | None = None) -> list[Path]:
    """Collect the paths of the box corners, as `motion.paths` does for keypoints."""
    truth, result = _corners(comparison.truth), _corners(comparison.result)
    return paths(replace(comparison, truth=truth, result=result), fps=fps)


def measure_boxes(found: Iterable[Array], people: Iterable[Path]) -> dict[str, float]:
    """Summarize boxes of one or several videos.

    Args:
        found: IoUs of each video, see `overlaps`.
        people: paths of the corners.

    Returns:
        `box_iou` and `box_iou_p5`, mean and 5th percentile; `box_jitter`, `box_spread` in percent of the height (per
        squared second) at rest and `box_lag` in milliseconds, as `motion.measure_motion` defines them for keypoints.
        NaN without data.
    """
    values, motion = np.concatenate([np.zeros(0), *found]), measure_motion(people)
    return {
        "box_iou": float(values.mean()) if len(values) else float("nan"),
        "box_iou_p5": float(np.percentile(values, 5)) if len(values) else float("nan"),
        "box_jitter": motion["jitter_height"],
        "box_spread": motion["spread_height"],
        "box_lag": motion["lag"],
    }


def _corners(people: Trajectories) -> Trajectories:
    corners = people.boxes.reshape(-1, 2, 2)
    return replace(people, skeleton=_CORNERS, keypoints=corners, scores=np.ones(corners.shape[:2]))
