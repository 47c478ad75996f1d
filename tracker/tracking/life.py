"""The people that a tracker remembers, as one row of every array."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from .kalman import Array, Points

BOX = 2  # the first two points of a person are the centre of the box and its (width, height), the keypoints follow


class People(NamedTuple):
    """T tracks of K keypoints.

    A track begins tentative, without id; it is confirmed when it gets one; it is lost while nobody sees it.

    Attributes:
        ids: (T,), 0 while tentative.
        hits: (T,), how many frames saw the person.
        box_scores: (T,), of the last frame that saw the person.
        scores: (T, K), of the last frame that saw the keypoint.
        ages: (T, 2 + K) seconds since a point was last seen; infinite before that.
        places: (T, 4) xyxy pixels, the box of the last frame that saw the person, less smoothed than the filter's.
        points: (T, 2 + K) filters.
        smooth: (T, K, 2) pixels, the smoothed keypoints; NaN where not known.
        rates: (T, K, 2) pixels per second, the memory of the smoothing.
        looks: (T, D), the running mean of how the person looks, of length 1; zeros while not known.
    """

    ids: NDArray[np.int64]
    hits: NDArray[np.int64]
    box_scores: Array
    scores: Array
    ages: Array
    places: Array
    points: Points
    smooth: Array
    rates: Array
    looks: Array

    @classmethod
    def unknown(cls, count: int, num_keypoints: int, num_looks: int = 0) -> People:
        """Return tracks that nothing is known of yet."""
        none = np.zeros(count, dtype=np.int64)
        keypoints = (count, num_keypoints, 2)
        return cls(
            ids=none,
            hits=none.copy(),
            box_scores=np.zeros(count),
            scores=np.zeros(keypoints[:2]),
            ages=np.full((count, BOX + num_keypoints), np.inf),
            places=np.zeros((count, 4)),
            points=Points.unknown(count, BOX + num_keypoints),
            smooth=np.full(keypoints, np.nan),
            rates=np.zeros(keypoints),
            looks=np.zeros((count, num_looks)),
        )

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> People:
        """Return the tracks of an index array or a mask."""
        rest: Any = (value.select(rows) if isinstance(value, Points) else value[rows] for value in self)
        return People(*rest)

    def join(self, other: People) -> People:
        """Return these tracks and those after them."""
        rest: Any = (
            a.join(b) if isinstance(a, Points) else np.concatenate((a, b))
            for a, b in zip(cast(Any, self), cast(Any, other))
        )
        return People(*rest)

    def moved(self, motion: Array) -> People:
        """Return these tracks where a motion (2, 3) of the camera puts them in the picture."""
        turn, shift = motion[:, :2].T, motion[:, 2]
        scale = np.sqrt(abs(np.linalg.det(turn)))
        positions, velocities = self.points.positions @ turn + shift, self.points.velocities @ turn
        positions[:, 1], velocities[:, 1] = scale * self.points.positions[:, 1], scale * self.points.velocities[:, 1]
        corners = self.places.reshape(-1, 2, 2)
        middle, half = corners.mean(1) @ turn + shift, scale * (corners[:, 1] - corners[:, 0]) / 2
        return self._replace(
            points=self.points._replace(positions=positions, velocities=velocities),
            places=np.concatenate([middle - half, middle + half], axis=-1),
            smooth=self.smooth @ turn + shift,
            rates=self.rates @ turn,
        )

    @property
    def unseen(self) -> Array:
        """Seconds (T,) since the person was last seen."""
        return self.ages[:, 0]

    @property
    def sizes(self) -> Array:
        """Size (T,) of each person in pixels: the square root of the box's area, as OKS has it."""
        return np.sqrt(np.maximum(self.points.positions[:, 1], 1.0).prod(-1))

    @property
    def boxes(self) -> Array:
        """Boxes (T, 4) xyxy pixels."""
        centre, half = self.points.positions[:, 0], np.maximum(self.points.positions[:, 1], 1.0) / 2
        return np.concatenate([centre - half, centre + half], axis=-1)
