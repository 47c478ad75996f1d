"""The state of all tracks: one row per track in each array."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .kalman import Array, Points

BOX = 2  # the first two points of a track are the center and the (width, height) of its box; the keypoints follow


class TrackState(NamedTuple):
    """State of T tracks with K keypoints; the arrays change in place.

    A track begins tentative, without an id. It gets an id when it is confirmed, and is lost while it has no match.

    Attributes:
        ids: (T,) track ids; 0 while tentative.
        confirmation_scores: (T,) sum of the box scores of all matches until the track is confirmed, each up to a limit;
            those of matches that do not look like a person count against it.
        box_scores: (T,) box score of the last match.
        scores: (T, K) keypoint scores of the last measurement.
        ages: (T, 2 + K) seconds since each point's last measurement; infinite before the first.
        misses: (T,) number of consecutive processed frames without a match.
        output_boxes: (T, 4) xyxy pixels, box of the last match, less smoothed than the filter's.
        positions: (T, 2 + K, 2) pixels; this and the next two are the arrays of `kalman.Points`.
        velocities: (T, 2 + K, 2) pixels per second.
        covariances: (T, 2 + K, 3).
        outlier_counts: (T, 2 + K) number of consecutive outliers, see `outliers`.
        outlier_places: (T, 2 + K, 2) pixels, position of the last outlier.
        smooth_keypoints: (T, K, 2) pixels, smoothed keypoints; NaN if unknown.
        smooth_velocities: (T, K, 2) pixels per second, velocity memory of the smoothing.
        exchanged_seconds: (T, K) seconds for which a keypoint has been measured on the other side, see `sides`.
        lifetimes: (T,) seconds since the track began.
        appearance: (T, P, D) running means of the appearance vectors of each part of the body, of unit length; zeros
            if unknown.
        unoccluded: (T,) whether the appearance was seen without another person in front.
        edge_distances: (T, K, 4) pixels, mean distance from each keypoint to each edge of the box; NaN if unknown.
    """

    ids: NDArray[np.int64]
    confirmation_scores: Array
    box_scores: Array
    scores: Array
    ages: Array
    misses: Array
    output_boxes: Array
    positions: Array
    velocities: Array
    covariances: Array
    outlier_counts: Array
    outlier_places: Array
    smooth_keypoints: Array
    smooth_velocities: Array
    exchanged_seconds: Array
    lifetimes: Array
    appearance: Array
    unoccluded: NDArray[np.bool_]
    edge_distances: Array

    @classmethod
    def unknown(cls, count: int, num_keypoints: int, appearance: tuple[int, int] = (0, 0)) -> TrackState:
        """Return new tracks without measurements."""
        keypoints = (count, num_keypoints, 2)
        return cls(
            ids=np.zeros(count, dtype=np.int64),
            confirmation_scores=np.zeros(count),
            box_scores=np.zeros(count),
            scores=np.zeros(keypoints[:2]),
            ages=np.full((count, BOX + num_keypoints), np.inf),
            misses=np.zeros(count),
            output_boxes=np.zeros((count, 4)),
            **Points.unknown(count, BOX + num_keypoints)._asdict(),
            outlier_counts=np.zeros((count, BOX + num_keypoints)),
            outlier_places=np.zeros((count, BOX + num_keypoints, 2)),
            smooth_keypoints=np.full(keypoints, np.nan),
            smooth_velocities=np.zeros(keypoints),
            exchanged_seconds=np.zeros(keypoints[:2]),
            lifetimes=np.zeros(count),
            appearance=np.zeros((count, *appearance)),
            unoccluded=np.zeros(count, dtype=bool),
            edge_distances=np.full((count, num_keypoints, 4), np.nan),
        )

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> TrackState:
        """Return the tracks that an index array or a mask selects."""
        rest: Any = [array[rows] for array in self]
        return TrackState(*rest)

    def join(self, other: TrackState) -> TrackState:
        """Return these tracks, followed by the other ones."""
        rest: Any = [np.concatenate(pair) for pair in zip(self, other)]
        return TrackState(*rest)

    def sides(self) -> list[Array]:
        """Return the arrays (T, K, ...) of what is known about each keypoint, as views."""
        points = self.ages, self.positions, self.velocities, self.covariances, self.outlier_counts, self.outlier_places
        return [
            self.scores,
            self.smooth_keypoints,
            self.smooth_velocities,
            self.edge_distances,
            *(array[:, BOX:] for array in points),
        ]

    def moved(self, motion: Array) -> TrackState:
        """Return these tracks, transformed by a camera motion (2, 3)."""
        turn, shift = motion[:, :2].T, motion[:, 2]
        scale = np.sqrt(abs(np.linalg.det(turn)))
        positions, velocities = self.positions @ turn + shift, self.velocities @ turn
        positions[:, 1], velocities[:, 1] = scale * self.positions[:, 1], scale * self.velocities[:, 1]
        corners = self.output_boxes.reshape(-1, 2, 2)
        middle, half = corners.mean(1) @ turn + shift, scale * (corners[:, 1] - corners[:, 0]) / 2
        return self._replace(
            positions=positions,
            velocities=velocities,
            output_boxes=np.concatenate([middle - half, middle + half], axis=-1),
            outlier_places=self.outlier_places @ turn + shift,
            smooth_keypoints=self.smooth_keypoints @ turn + shift,
            smooth_velocities=self.smooth_velocities @ turn,
            edge_distances=scale * self.edge_distances,
        )


def recent(people: TrackState, seconds: float | Array, appearance: int) -> NDArray[np.bool_]:
    """Return a mask (T,) of tracks matched within `seconds` or missed in at most `missed_frames` processed frames."""
    return (people.ages[:, 0] <= seconds) | (people.misses <= appearance)


def sizes(positions: Array) -> Array:
    """Return the size (T,) in pixels of tracks with points (T, 2 + K, 2): the square root of the box's area."""
    sides = np.maximum(positions[:, 1], 1.0)
    return np.sqrt(sides[:, 0] * sides[:, 1])


def lengths(positions: Array) -> Array:
    """Return the longer side (T,) in pixels of the boxes of tracks with points (T, 2 + K, 2)."""
    return np.maximum(positions[:, 1], 1.0).max(-1)


def boxes(positions: Array) -> Array:
    """Return the boxes (T, 4), xyxy pixels, of tracks with points (T, 2 + K, 2)."""
    centres, halves = positions[:, 0], np.maximum(positions[:, 1], 1.0) / 2
    return np.concatenate([centres - halves, centres + halves], axis=1)


def in_view(boxes: Array, size: tuple[float, float]) -> Array:
    """Clip boxes (T, 4) to an image, whose (height, width) may be infinite."""
    ends = np.array([size[1], size[0], size[1], size[0]], dtype=np.float64)
    return np.where(ends < np.inf, np.minimum(np.maximum(boxes, 0.0), ends), boxes)


def faded(scores: Array, ages: Array, until: float) -> Array:
    """Return keypoint scores (T, K), reduced linearly with the points' ages (T, 2 + K) to 0 at `until` seconds."""
    return scores * np.maximum(1 - ages[:, BOX:] / max(until, 1e-3), 0.0)
