"""Reject keypoint outliers until they persist."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .compiled import kernel

Array = NDArray[np.float64]


@kernel
def reject_outliers(
    measured: Array,
    positions: Array,
    covariances: Array,
    noise: Array,
    counts: Array,
    places: Array,
    ages: Array,
    since: float,
    first: int,
    gate: float,
    patience: float,
) -> None:
    """Remove measurements that are too far from their prediction, in place, unless they repeat.

    If a wrist is found on a passer-by for two frames, its position is predicted instead. A point that is measured
    outside its gate `patience` times in a row, each time near the last, has really jumped and restarts there. A point
    without a measurement in the last frame also restarts, unless it is where it is predicted but for noise: its
    prediction is uncertain, so the filter would read the distance as speed.

    Args:
        measured: (T, P, 2) pixels, NaN if not measured; outliers become NaN.
        positions: (T, P, 2) predicted positions, pixels, NaN if unknown; points that restart become NaN.
        covariances: (T, P, 3) covariances of the predictions.
        noise: (T, P) variance of the measurements, squared pixels.
        counts: (T, P) number of consecutive outliers, updated in place.
        places: (T, P, 2) position of the last outlier, pixels, updated in place.
        ages: (T, P) seconds since each point's last measurement.
        since: seconds since the last processed frame; points of a greater age were not measured in it.
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
                moved += (measured[t, p, axis] - places[t, p, axis]) ** 2
            limit = gate**2 * (covariances[t, p, 0] + noise[t, p])
            if far <= limit:
                counts[t, p] = 0.0
                if ages[t, p] > since and far > gate**2 * noise[t, p]:
                    positions[t, p, 0] = positions[t, p, 1] = np.nan
                continue
            counts[t, p] = counts[t, p] + 1 if counts[t, p] > 0 and moved <= limit else 1.0
            for axis in range(2):
                places[t, p, axis] = measured[t, p, axis]
            if counts[t, p] >= patience:
                counts[t, p] = 0.0
                positions[t, p, 0] = positions[t, p, 1] = np.nan
            else:
                measured[t, p, 0] = measured[t, p, 1] = np.nan
