"""The people that a tracker remembers, as one row of every array."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .kalman import Array, Points

BOX = 2  # the first two points of a person are the centre of the box and its (width, height), the keypoints follow


class People(NamedTuple):
    """T tracks of K keypoints, whose arrays change in place.

    A track begins tentative, without id; it is confirmed when it gets one; it is lost while nobody sees it.

    Attributes:
        ids: (T,), 0 while tentative.
        credits: (T,), the sum of the box scores of the frames that saw the person, each up to a limit.
        box_scores: (T,), of the last frame that saw the person.
        scores: (T, K), of the last frame that saw the keypoint.
        ages: (T, 2 + K) seconds since a point was last seen; infinite before that.
        misses: (T,), how many looks in a row did not see the person.
        places: (T, 4) xyxy pixels, the box of the last frame that saw the person, less smoothed than the filter's.
        positions: (T, 2 + K, 2), and the next two: the filters of the points, see `kalman.Points`.
        velocities: (T, 2 + K, 2).
        covariances: (T, 2 + K, 3).
        strays: (T, 2 + K), how many measurements in a row were outliers, see `outliers`.
        stray_places: (T, 2 + K, 2) pixels, where the last of them was.
        smooth: (T, K, 2) pixels, the smoothed keypoints; NaN where not known.
        rates: (T, K, 2) pixels per second, the memory of the smoothing.
        looks: (T, D), the running mean of how the person looks, of length 1; zeros while not known.
    """

    ids: NDArray[np.int64]
    credits: Array
    box_scores: Array
    scores: Array
    ages: Array
    misses: Array
    places: Array
    positions: Array
    velocities: Array
    covariances: Array
    strays: Array
    stray_places: Array
    smooth: Array
    rates: Array
    looks: Array

    @classmethod
    def unknown(cls, count: int, num_keypoints: int, num_looks: int = 0) -> People:
        """Return tracks that nothing is known of yet."""
        keypoints = (count, num_keypoints, 2)
        return cls(
            ids=np.zeros(count, dtype=np.int64),
            credits=np.zeros(count),
            box_scores=np.zeros(count),
            scores=np.zeros(keypoints[:2]),
            ages=np.full((count, BOX + num_keypoints), np.inf),
            misses=np.zeros(count),
            places=np.zeros((count, 4)),
            **Points.unknown(count, BOX + num_keypoints)._asdict(),
            strays=np.zeros((count, BOX + num_keypoints)),
            stray_places=np.zeros((count, BOX + num_keypoints, 2)),
            smooth=np.full(keypoints, np.nan),
            rates=np.zeros(keypoints),
            looks=np.zeros((count, num_looks)),
        )

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> People:
        """Return the tracks of an index array or a mask."""
        rest: Any = [array[rows] for array in self]
        return People(*rest)

    def join(self, other: People) -> People:
        """Return these tracks and those after them."""
        rest: Any = [np.concatenate(pair) for pair in zip(self, other)]
        return People(*rest)

    def moved(self, motion: Array) -> People:
        """Return these tracks where a motion (2, 3) of the camera puts them in the picture."""
        turn, shift = motion[:, :2].T, motion[:, 2]
        scale = np.sqrt(abs(np.linalg.det(turn)))
        positions, velocities = self.positions @ turn + shift, self.velocities @ turn
        positions[:, 1], velocities[:, 1] = scale * self.positions[:, 1], scale * self.velocities[:, 1]
        corners = self.places.reshape(-1, 2, 2)
        middle, half = corners.mean(1) @ turn + shift, scale * (corners[:, 1] - corners[:, 0]) / 2
        return self._replace(
            positions=positions,
            velocities=velocities,
            places=np.concatenate([middle - half, middle + half], axis=-1),
            stray_places=self.stray_places @ turn + shift,
            smooth=self.smooth @ turn + shift,
            rates=self.rates @ turn,
        )


def awaited(people: People, seconds: float | Array, looks: int) -> NDArray[np.bool_]:
    """Return who (T,) was seen within so many seconds, or missed in no more than so many looks since."""
    return (people.ages[:, 0] <= seconds) | (people.misses <= looks)


def sizes(positions: Array) -> Array:
    """Return the size (T,) in pixels of people with points at (T, 2 + K, 2): the square root of the box's area."""
    sides = np.maximum(positions[:, 1], 1.0)
    return np.sqrt(sides[:, 0] * sides[:, 1])


def boxes(positions: Array) -> Array:
    """Return the boxes (T, 4) xyxy pixels of people whose points are at (T, 2 + K, 2)."""
    centres, halves = positions[:, 0], np.maximum(positions[:, 1], 1.0) / 2
    return np.concatenate([centres - halves, centres + halves], axis=1)


def in_view(boxes: Array, width: float, height: float) -> Array:
    """Return the part of boxes (T, 4) that is in a picture, which may be infinite."""
    ends = np.array([width, height, width, height])
    return np.where(ends < np.inf, np.minimum(np.maximum(boxes, 0.0), ends), boxes)


def faded(scores: Array, ages: Array, until: float) -> Array:
    """Return the keypoints' scores (T, K), less by the time (T, 2 + K) that they were not seen; 0 after `until`."""
    return scores * np.maximum(1 - ages[:, BOX:] / max(until, 1e-3), 0.0)
