"""Compare people's appearance vectors with those of known tracks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Counts = NDArray[np.intp]

_NEUTRAL = 0.77  # similarity between that of one person and that of two, see docs/decisions/0026-appearance.md
_RATE = 0.1  # least weight of a new vector in the running mean
_UNCOVERED = 0.8  # visible share of a person from which the running mean is updated


def similarity(known: Array, appearance: Array) -> tuple[Array, Counts]:
    """Return how similar people are in the parts that are visible of both, and the number of these parts.

    The similarity is the mean of that of all parts and that of the least similar one: two people in black differ in
    the forearms alone.

    Args:
        known: (T, P, D), a unit vector of each part, or zeros if it is not visible.
        appearance: (N, P, D).

    Returns:
        (T, N) similarities in [0, 1], 0 without common parts; (T, N) numbers of parts.
    """
    if not known.shape[1]:
        return np.zeros((len(known), len(appearance))), np.zeros((len(known), len(appearance)), dtype=np.intp)
    parts = known.transpose(1, 0, 2) @ appearance.transpose(1, 2, 0)  # (P, T, N)
    seen, others = ((vectors**2).sum(-1).T > 0 for vectors in (known, appearance))  # (P, T), (P, N)
    common = seen[:, :, None] & others[:, None]  # (P, T, N)
    counts = common.sum(0)
    least = np.where(common, parts, 1.0).min(0)
    return np.where(counts > 0, (parts.sum(0) / np.maximum(counts, 1) + least) / 2, 0.0), counts


def likeness(known: Array, appearance: Array, visible_share: Array) -> Array:
    """Return the likeness in appearance of tracks and poses; 0 is neutral, below 0 they are probably different people.

    Args:
        known: (T, P, D), as in `similarity`, of the tracks.
        appearance: (N, P, D), of the poses.
        visible_share: (N,) share of each person that is not occluded; an occluded person's box shows another person.

    Returns:
        (T, N) in [-0.77, 0.23].
    """
    alike, counts = similarity(known, appearance)
    return np.where(counts > 0, alike - _NEUTRAL, 0.0) * visible_share


def learn(known: Array, appearance: Array, visible_share: Array, least_rates: Array, clear: NDArray[np.bool_]) -> Array:
    """Return the running means (M, P, D), updated with new vectors (M, P, D) of the parts that are visible.

    The first vector of a part is taken over as it is. A person whose `visible_share` (M,) is low shows another person's
    clothes, so known parts are kept, and are replaced at the first frame without another person in front.

    Args:
        known: (M, P, D), as in `similarity`.
        appearance: (M, P, D).
        visible_share: (M,) share of each person that is not occluded.
        least_rates: (M,) minimum weights of the new vectors, for a plain mean at first.
        clear: (M,) whether `known` was learned without another person in front.
    """
    met, seen, now = known.any(-1), appearance.any(-1), uncovered(visible_share)  # (M, P), (M, P), (M,)
    rates = np.where(met & ~(now & ~clear)[:, None], np.maximum(_RATE, least_rates)[:, None], 1.0)
    means = known + rates[..., None] * (appearance - known)
    means /= np.maximum(np.sqrt((means**2).sum(-1, keepdims=True)), 1e-9)
    kept = ~seen | (met & ~now[:, None])
    return np.where(kept[..., None], known, means)


def uncovered(visible_share: Array) -> NDArray[np.bool_]:
    """Return whether no one is in front of people with these visible shares (M,)."""
    return np.asarray(visible_share > _UNCOVERED)
