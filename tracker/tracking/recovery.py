"""Follow known people without a detected box, by their pose where they are expected."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from ...models.geometry.boxes import inside
from ..types import Poses

_IN_VIEW = 0.7  # minimum share of a missed person's box inside the image
_FREE = 0.3  # maximum share of a missed person's box inside one detected box; more may be that person's body
_FADE_SECONDS = 2.0  # the box score of a person without a detection falls to 1 / e after


def missed(expected: NDArray[np.floating], boxes: NDArray[np.floating], size: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return a mask (N,) of the people without a detected box where they are expected.

    People behind others are not among them: a crop there would show the person in front. Nor are people who are leaving
    the image: what is left of them does not locate them.

    Args:
        expected: (N, 4) boxes of known people in this frame, xyxy pixels.
        boxes: (M, 4) detected boxes, xyxy pixels.
        size: (height, width) of the image.
    """
    height, width = size
    in_view = inside(expected, np.array([[0.0, 0.0, width, height]]))[:, 0] >= _IN_VIEW
    free = inside(expected, boxes).max(1, initial=0.0) <= _FREE
    return np.asarray(in_view & free)


def faded(scores: NDArray[np.floating], seconds: float) -> NDArray[np.floating]:
    """Return box scores of people who were followed without a detection for some more seconds.

    A person who is only followed is lost in the end: nothing else than a detection confirms that there is one.
    """
    return scores * np.exp(-seconds / _FADE_SECONDS)


def joined(first: Poses, second: Poses) -> Poses:
    """Return the people of both, in this order."""
    if not len(first) or not len(second):
        return first if len(first) else second
    return Poses(
        *(np.concatenate([getattr(first, field.name), getattr(second, field.name)]) for field in fields(Poses))
    )
