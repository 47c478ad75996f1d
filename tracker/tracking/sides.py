"""Detect left and right keypoints that exchanged sides between two frames, and put them back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .kalman import Array
from .observations import Observations, Rows
from .state import BOX, TrackState

_WEAK = 1.0  # gain from which a pair follows a sure one: knees are nearer to each other than ankles

Mask = NDArray[np.bool_]


def exchanged(measured: Array, expected: Array, variances: Array, flip: Rows, margin: float, gate: float) -> Mask:
    """Return a mask (M, K) of keypoints whose measurement is that of the other side.

    A pair has exchanged sides if its measurements fit the predictions of the other sides much better than their own.
    The velocities take part through the predictions, so that legs that pass each other are not exchanged. If one pair
    of a person is certain, smaller evidence suffices for the others. A pair with a missing measurement or an unknown
    prediction is left alone.

    Args:
        measured: (M, K, 2) pixels; NaN if missing.
        expected: (M, K, 2) predicted positions, pixels; NaN if unknown.
        variances: (M, K) variance of the difference between measurement and prediction, squared pixels.
        flip: (K,) index of the same keypoint on the other side.
        margin: minimum difference of the two fits, in standard deviations.
        gate: maximum distance from the predictions of the other sides, in standard deviations.
    """
    spread = variances + variances[:, flip]
    own = np.square(measured - expected).sum(-1) / spread  # NaN if unknown
    other = np.square(measured - expected[:, flip]).sum(-1) / spread
    own, other = own + own[:, flip], other + other[:, flip]
    gain = np.where(other <= gate**2, own - other, 0.0)
    sure = gain > margin**2
    return sure | (sure.any(-1, keepdims=True) & (gain > _WEAK))


def restore_sides(
    people: TrackState,
    tracks: Rows,
    observed: Observations,
    variances: Array,
    flip: Rows,
    dt: float,
    margin: float,
    gate: float,
    patience: float,
) -> Observations:
    """Return the observations with exchanged sides put back.

    An exchange that lasts is accepted: then the sides of the track change, with their velocities and their smoothing,
    so that no limb moves across the body.

    Args:
        people: T tracks, predicted to this frame; the sides that change are changed in place.
        tracks: (M,) rows of the matched tracks.
        observed: M poses.
        variances: (M, K) variance of the difference between measurement and prediction, squared pixels.
        flip: (K,) index of the same keypoint on the other side.
        dt: seconds since the last frame.
        margin: as in `exchanged`.
        gate: as in `exchanged`.
        patience: seconds after which an exchange is accepted.
    """
    swapped = exchanged(observed.keypoints, people.positions[tracks, BOX:], variances, flip, margin, gate)
    lasting = np.where(swapped, people.exchanged_seconds[tracks] + dt, 0.0)
    accepted = lasting > patience
    people.exchanged_seconds[tracks] = np.where(accepted, 0.0, lasting)
    if not swapped.any():
        return observed
    if accepted.any():
        _exchange(people.sides(), tracks, accepted, flip)
    keypoints, scores = observed.keypoints.copy(), observed.scores.copy()
    _exchange([keypoints, scores], np.arange(len(tracks)), swapped & ~accepted, flip)
    return observed._replace(keypoints=keypoints, scores=scores)


def _exchange(arrays: list[Array], rows: Rows, chosen: Mask, flip: Rows) -> None:
    """Exchange the sides of the chosen (M, K) keypoints of these rows in each array (T, K, ...), in place."""
    m, k = np.nonzero(chosen)
    for array in arrays:
        array[rows[m], k] = array[rows[m], flip[k]]
