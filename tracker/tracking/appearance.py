"""How much people look like those of earlier frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .compiled import part

Array = NDArray[np.float64]

_STRANGER = 0.6  # product of the looks of two people, as measured: the same person's is .9, another's .5
_RATE = 0.1  # of a new look in the running mean
_UNCOVERED = 0.8  # share of a person that must be in view for their look to be learnt


@part
def product(a: Array, i: int, b: Array, j: int) -> float:
    """Return the inner product of row i of `a` (N, D) with row j of `b` (M, D)."""
    even, odd, numbers = 0.0, 0.0, a.shape[1]
    for d in range(0, numbers - 1, 2):  # two sums, so that one addition need not wait for the other
        even += a[i, d] * b[j, d]
        odd += a[i, d + 1] * b[j, d + 1]
    return even + odd + (a[i, numbers - 1] * b[j, numbers - 1] if numbers % 2 else 0.0)


@part
def likeness(known: Array, t: int, looks: Array, n: int, uncovered: float) -> float:
    """Return how much a look speaks for being a known one, from -0.6 to 0.4; 0 says nothing, less is a stranger.

    Args:
        known: (T, D) of length 1, or zeros where not known.
        t: row of `known`.
        looks: (N, D) of length 1.
        n: row of `looks`.
        uncovered: share of the person that nobody hides: a hidden one's box shows another.
    """
    met = product(known, t, known, t) > 0
    return (product(known, t, looks, n) - _STRANGER) * uncovered if met else 0.0


@part
def learn(known: Array, t: int, looks: Array, n: int, uncovered: float) -> None:
    """Take a look (row n of (N, D)) into the running mean (row t of (T, D)), in place; at once where nothing is known.

    Who is less `uncovered` than most shows another's clothes, and teaches nothing about what is known.
    """
    met = product(known, t, known, t) > 0
    if met and uncovered <= _UNCOVERED:
        return
    rate = _RATE if met else 1.0
    for d in range(known.shape[1]):
        known[t, d] += rate * (looks[n, d] - known[t, d])
    length = max(np.sqrt(product(known, t, known, t)), 1e-9)
    for d in range(known.shape[1]):
        known[t, d] /= length
