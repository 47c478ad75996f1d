"""Places in metres, y up, for programs that count so: along the floor and above it, or from the image's upper left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ..features.calibration.measures import Calibration
from ..features.extraction.stream import ActionFeatures
from .recording import Recording

Places = Callable[[int, NDArray[np.float64]], NDArray[np.float64]]


def metres_of(recording: Recording, calibration: Calibration) -> Places:
    """Return a function that turns a person's ID and places (..., 2) in pixels into metres, y up.

    Without a scale they stay in pixels. A person has one scale: with the height of the people, the median
    over all frames, so that no one grows or shrinks.

    Raises:
        UsageError: the scale changes with the depth, so that there is no one plane.
    """
    if calibration.by_depth:
        raise UsageError("Two known lengths give a scale by depth, but markers lie in one plane. Give one of them.")
    scales = _by_height(recording, calibration) if calibration.person_height else {}
    one = calibration.scale or (calibration.lengths[0].scale if calibration.lengths else 1.0)

    def places(person: int, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        level = calibration.floor.level(pixels) if calibration.floor else pixels
        return level / scales.get(person, one) * (1.0, -1.0) + 0.0  # + 0.0 turns -0 into 0

    return places


def _by_height(recording: Recording, calibration: Calibration) -> dict[int, float]:
    """Return the pixels per metre of each person; NaN without a height."""
    actions = ActionFeatures(skeleton=recording.skeleton, calibration=calibration)
    found: dict[int, list[float]] = defaultdict(list)
    for index, time, tracks in recording.timed():
        for features in actions.update(index, time, tracks):
            for person, scale in zip(features.ids.tolist(), features["px_per_m"].tolist()):
                found[person].append(scale)
    for features in actions.finish():
        for person, scale in zip(features.ids.tolist(), features["px_per_m"].tolist()):
            found[person].append(scale)
    return {person: _median(np.array(scales)) for person, scales in found.items()}


def _median(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else np.nan
