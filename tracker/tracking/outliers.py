"""Reject keypoint outliers until they persist."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .compiled import kernel

Array = NDArray[np.float64]


@kernel
def leave_out(
    measured: Array,
    positions: Array,
    covariances: Array,
    noise: Array,
    strays: Array,
    stray_places: Array,
    first: int,
    gate: float,
    patience: float,
) -> None:
    """Remove measurements that are too far from their prediction, in place, unless they repeat.

    If left and right wrist are confused for two frames, the wrist coasts and the output stays calm. A point that is
    measured outside its gate `patience` times in a row, each time near the last, has really jumped and restarts there.

    Args:
        measured: (T, P, 2) pixels, NaN if not measured; outliers become NaN.
        positions: (T, P, 2) predicted positions, pixels, NaN if unknown; points that restart become NaN.
        covariances: (T, P, 3) covariances of the predictions.
        noise: (T, P) variance of the measurements, squared pixels.
        strays: (T, P) number of consecutive outliers, updated in place.
        stray_places: (T, P, 2) position of the last outlier, pixels, updated in place.
        first: index of the first point that is checked.
        gate: distance of an outlier, in standard deviations.
        patience: number of consecutive outliers that are accepted as a jump.
    """
    for t in range(measured.shape[0]):
        for p in range(first, measured.shape[1]):
            if np.isnan(measured[t, p, 0]) or np.isnan(positions[t, p, 0]):
                continue
            far, moved = 0.0, 0.0
            for axis in range(2):
                far += (measured[t, p, axis] - positions[t, p, axis]) ** 2
                moved += (measured[t, p, axis] - stray_places[t, p, axis]) ** 2
            limit = gate**2 * (covariances[t, p, 0] + noise[t, p])
            if far <= limit:
                strays[t, p] = 0.0
                continue
            strays[t, p] = strays[t, p] + 1 if strays[t, p] > 0 and moved <= limit else 1.0
            for axis in range(2):
                stray_places[t, p, axis] = measured[t, p, axis]
            if strays[t, p] >= patience:
                strays[t, p] = 0.0
                positions[t, p, 0] = positions[t, p, 1] = np.nan
            else:
                measured[t, p, 0] = measured[t, p, 1] = np.nan
