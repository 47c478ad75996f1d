"""Measured keypoints that cannot be: they are left out until they insist."""

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
    """Take out what was measured too far from where it is expected, in place, unless it was there several times.

    A wrist that is taken for the other one for two frames shakes nothing: it coasts. One that is measured `patience`
    times in a row outside of its gate, each time near the last, has really jumped, and starts afresh where it is.

    Args:
        measured: (T, P, 2) pixels, NaN where nothing was measured; outliers become NaN.
        positions: (T, P, 2) pixels, as expected; NaN where a point is not known, or is to start afresh.
        covariances: (T, P, 3) of these.
        noise: (T, P) squared pixels, of what was measured.
        strays: (T, P), how many outliers there were in a row.
        stray_places: (T, P, 2) pixels, where the last of them was.
        first: points before this one are not judged.
        gate: standard deviations of the distance, from which it is an outlier.
        patience: how many in a row are believed.
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
