"""Complete the boxes of partly occluded people from their tracks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...models.geometry.boxes import inside
from .compiled import kernel
from .config import TrackerConfig
from .evidence import best

Array = NDArray[np.float64]

_LOW = 0.5  # of the person's best keypoint scores: half of the scores of hidden keypoints, a twentieth of the others
_NEAR = 0.15  # of the extent: a hidden keypoint that was predicted nearer to an edge may have left the box there
_EDGE = 0.03  # of the extent: flesh or a hand lies between a seen keypoint and the edge of a whole body's box
_COVER = 0.3  # of the edge, that a nearer person's box covers at least; less may be a hand
_SURE = 0.3  # minimum confidence of a keypoint that places an edge
_ENOUGH = 4  # minimum number of such keypoints
_MEAN_SECONDS = 0.3  # time constant of the mean distance from keypoints to edges: half a stride


def without_occlusion(
    boxes: Array, expected: Array, points: Array, scores: Array, dt: float, options: TrackerConfig
) -> Array:
    """Return the boxes (M, 4) of people without occlusion.

    A box that is narrower or lower than predicted shows a partly occluded person, or a person who lowered the arms,
    crouched or turned. The keypoints decide: if all of them are seen inside the box, the predicted extent is given up
    within `body_seconds`, otherwise within `part_seconds`.

    Args:
        boxes: (M, 4) measured boxes, xyxy pixels.
        expected: (M, 4) predicted boxes.
        points: (M, K, 2) predicted keypoints, pixels; NaN if unknown.
        scores: (M, K) measured keypoint scores; 0 where missing.
        dt: seconds since the last frame.
        options: options of the tracker.
    """
    extents = expected[:, 2:] - expected[:, :2]
    rows = np.flatnonzero((boxes[:, 2:] - boxes[:, :2] < (1 - options.tolerance) * extents).any(-1))
    if not len(rows):
        return boxes
    hidden = hides(boxes[rows], extents[rows], points[rows], scores[rows])
    keep = np.exp(-dt / np.where(hidden, options.part_seconds, options.body_seconds))
    (low, high), (start, end) = np.split(boxes[rows], 2, axis=1), np.split(expected[rows], 2, axis=1)
    boxes = boxes.copy()
    boxes[rows] = np.concatenate(complete(low, high, start, end, options.tolerance, keep), axis=1)
    return boxes


def hides(boxes: Array, extents: Array, points: Array, scores: Array) -> NDArray[np.bool_]:
    """Return whether a part of each person may lie outside the box, along each axis (M, 2).

    A keypoint is hidden if its score is low for its person, which does not depend on the network's scale. It may be
    outside if it was predicted outside or near an edge; a hand behind the back is hidden inside. A keypoint that is
    seen shows that the box is cut off if it was predicted on or outside an edge.

    Args:
        boxes: (M, 4) measured boxes, xyxy pixels.
        extents: (M, 2) predicted width and height, pixels.
        points: (M, K, 2) predicted keypoints, pixels; NaN if unknown.
        scores: (M, K) measured keypoint scores; 0 where missing.
    """
    beyond = np.maximum(boxes[:, None, :2] - points, points - boxes[:, None, 2:]) / extents[:, None]  # (M, K, 2)
    unseen = (scores < _LOW * best(scores)[:, None]) | np.isnan(points[..., 0])
    return np.asarray((unseen[..., None] & ~(beyond <= -_NEAR) | (beyond > -_EDGE)).any(1))


def complete(
    low: Array, high: Array, start: Array, end: Array, tolerance: float, keep: float | Array
) -> tuple[Array, Array]:
    """Return the extents of boxes along one axis without occlusion; all arrays have the same shape.

    When a person walks behind a pole, one edge of the box moves on and the other one stops at the pole. A box that is
    narrower or lower than predicted is extended from the edge that moved less, to the predicted extent. If both edges
    moved inwards, the predicted center stays. The predicted extent shrinks to `keep` per frame, so that a person who
    crouches or turns sideways gets a smaller box after a while.

    Args:
        low: measured left or upper edge, pixels.
        high: measured right or lower edge, pixels.
        start: predicted left or upper edge, pixels.
        end: predicted right or lower edge, pixels.
        tolerance: share of the predicted extent that may be missing.
        keep: share of the predicted extent that remains after this frame; one, or an array of the same shape.

    Returns:
        Both edges; the measured ones where nothing is occluded.
    """
    extent = end - start
    part = high - low < (1 - tolerance) * extent
    if not np.any(part):
        return low, high
    whole = np.maximum(keep * extent, high - low)
    from_low, from_high = low - start, end - high  # how far each edge moved inwards
    both = np.minimum(from_low, from_high) > tolerance * extent / 2
    middle, ends = (start + end) / 2, from_low > from_high
    first = np.where(both, middle - whole / 2, np.where(ends, high - whole, low))
    last = np.where(both, middle + whole / 2, np.where(ends, high, low + whole))
    return np.where(part, first, low), np.where(part, last, high)


def visible_shares(boxes: Array) -> Array:
    """Return the share (N,) of each box (N, 4) that no nearer person occludes; nearer boxes end lower in the image."""
    nearer = boxes[:, 3] > boxes[:, 3, None]  # (N, N), whether the second hides the first
    return 1 - (inside(boxes, boxes) * nearer).max(-1, initial=0.0)


@kernel
def hidden_edges(boxes: Array) -> NDArray[np.bool_]:
    """Return which edges (N, 4) of boxes (N, 4) lie in the box of a nearer person, who may hide what is beyond."""
    hidden = np.zeros(boxes.shape, np.bool_)
    for one in range(len(boxes)):
        for other in range(len(boxes)):
            if boxes[other, 3] <= boxes[one, 3]:
                continue
            for axis in range(2):
                across = 1 - axis
                low, high = boxes[one, across], boxes[one, across + 2]
                overlap = min(high, boxes[other, across + 2]) - max(low, boxes[other, across])
                if overlap > _COVER * (high - low):
                    for edge in (axis, axis + 2):
                        if boxes[other, axis] <= boxes[one, edge] <= boxes[other, axis + 2]:
                            hidden[one, edge] = True
    return hidden


def place_hidden_edges(
    completed: Array, measured: Array, hidden: NDArray[np.bool_], points: Array, scores: Array, edges: Array
) -> Array:
    """Return boxes (M, 4), their hidden edges placed by the keypoints.

    Each confident keypoint expects an edge at its usual distance. The median counts, because limbs swing and the
    trunk's keypoints do not. Bodies bend, so only the nearest third of the keypoints places the upper or lower edge. A
    hidden edge is moved outwards only: what is detected belongs to the person.

    Args:
        completed: (M, 4) boxes as `without_occlusion` returns them, xyxy pixels.
        measured: (M, 4) detected boxes.
        hidden: (M, 4) edges that may be hidden by a nearer person.
        points: (M, K, 2) measured keypoints, pixels; NaN where missing.
        scores: (M, K) their scores.
        edges: (M, K, 4) pixels from each keypoint to each edge when it was visible; NaN if unknown.
    """
    row, edge = np.nonzero(hidden)
    distances = edges[row, :, edge]  # (E, K) of the hidden edges
    places = np.where(scores[row] >= _SURE, points[row, :, edge % 2] + distances, np.nan)
    known = np.isfinite(places)
    enough = known.sum(1) >= _ENOUGH
    if not enough.any():
        return completed
    row, edge, places, known, distances = row[enough], edge[enough], places[enough], known[enough], distances[enough]
    far = np.where(known, np.abs(distances), np.inf)
    third = np.sort(far, axis=1)[:, (far.shape[1] + 2) // 3 - 1, None]
    place = _median(np.where((far <= third) | (edge % 2 == 0)[:, None], places, np.nan))
    inner, boxes = measured[row, edge], completed.copy()
    boxes[row, edge] = np.where(edge < 2, np.minimum(inner, place), np.maximum(inner, place))
    return boxes


def _median(values: Array) -> Array:
    """Return the median (E,) of the known values of each row (E, K); every row has one. Faster than `nanmedian`."""
    values, last = np.sort(values, axis=1), np.isfinite(values).sum(1) - 1  # NaN comes last
    middle = np.stack([last // 2, (last + 1) // 2], axis=1)
    return np.asarray(np.take_along_axis(values, middle, axis=1).mean(1))


@kernel
def learn_edges(
    edges: Array, measured: Array, seen: NDArray[np.bool_], points: Array, scores: Array, dt: float
) -> Array:
    """Return the mean distances (M, K, 4) from keypoints to edges, with those of the `seen` edges (M, 4) of a frame.

    The other arguments are as in `place_hidden_edges`, `dt` is the time since the last frame in seconds.
    """
    edges, share = edges.copy(), 1 - np.exp(-dt / _MEAN_SECONDS)
    for row in range(len(edges)):
        for edge in range(4):
            if not seen[row, edge]:
                continue
            for keypoint in range(edges.shape[1]):
                place = points[row, keypoint, edge % 2]
                if scores[row, keypoint] >= _SURE and np.isfinite(place):
                    distance, mean = measured[row, edge] - place, edges[row, keypoint, edge]
                    edges[row, keypoint, edge] = distance if np.isnan(mean) else mean + share * (distance - mean)
    return edges
