"""Recognise other programs' placeholders for missing values: points at (0, 0), confidence 0, ID -1, empty people."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import SourceError
from .trajectories import Trajectories

log = logging.getLogger("posetrack")


def placeholders_to_nan(points: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return points (..., 3) of x, y and confidence, with NaN for placeholders.

    Placeholders are points at (0, 0), with a non-finite coordinate, or with a confidence of 0 or below. An unknown
    confidence (NaN) becomes 1.
    """
    places, scores = points[..., :2], points[..., 2]
    known = np.isfinite(places).all(-1) & (places != 0).any(-1) & ~(scores <= 0)
    whole = np.concatenate([places, np.where(np.isnan(scores), 1.0, scores)[..., None]], axis=-1)
    return np.where(known[..., None], whole, np.nan)


def without_placeholders(people: Trajectories, path: Path) -> Trajectories:
    """Remove people without an ID, with a warning, and people with neither a box nor a keypoint.

    IDs that count from 0 are raised by one, with a message, because those of posetrack count from 1.

    Raises:
        SourceError: all people are without an ID.
    """
    unnamed = people.ids < 0
    if unnamed.any():
        if unnamed.all():
            raise SourceError(f"'{path}' contains people without IDs: detections, not tracks. Give a tracker's result.")
        log.warning("'%s': %d people without an ID are omitted.", path, unnamed.sum())
    boxed = np.isfinite(people.boxes).all(1) & (people.boxes[:, 2:] > people.boxes[:, :2]).all(1)
    known: Any = np.isfinite(people.keypoints).all(-1)
    kept = people[~unnamed & (boxed | known.any(1))]
    if (kept.ids == 0).any():
        log.info("'%s': its IDs count from 0; here each is one higher.", path)
        kept = replace(kept, ids=kept.ids + 1)
    return kept
