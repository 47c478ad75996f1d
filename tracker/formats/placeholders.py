"""What other programs write where nothing is: (0, 0) points, zero confidences, ids of -1, people without a body."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import SourceError
from .trajectories import Trajectories

log = logging.getLogger("posetrack")


def measured(points: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return points (..., 3) of x, y and confidence with NaN where one is a placeholder; all of it is missing then.

    A point at (0, 0), one without a finite coordinate, and one with a confidence of 0 or below is no measurement.
    One whose program states no confidence (NaN) has 1.
    """
    places, scores = points[..., :2], points[..., 2]
    known = np.isfinite(places).all(-1) & (places != 0).any(-1) & ~(scores <= 0)
    whole = np.concatenate([places, np.where(np.isnan(scores), 1.0, scores)[..., None]], axis=-1)
    return np.where(known[..., None], whole, np.nan)


def without_placeholders(people: Trajectories, path: Path) -> Trajectories:
    """Leave out who has no identity, with a warning, and who has neither a box nor a keypoint.

    Raises:
        SourceError: nobody has an identity.
    """
    unnamed = people.ids < 0
    if unnamed.any():
        if unnamed.all():
            raise SourceError(f"'{path}' holds people without ids: detections, not tracks. Give a tracker's result.")
        log.warning("'%s': %d people without an id are left out.", path, unnamed.sum())
    boxed = np.isfinite(people.boxes).all(1) & (people.boxes[:, 2:] > people.boxes[:, :2]).all(1)
    known: Any = np.isfinite(people.keypoints).all(-1)
    return people[~unnamed & (boxed | known.any(1))]
