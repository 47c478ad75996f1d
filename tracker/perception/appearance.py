"""Appearance vectors for reidentification: colour histograms of the parts of the body, found by the keypoints."""

from __future__ import annotations

import functools
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from ...models.geometry.keypoints import Skeleton

Strip = tuple[dict[str, float], dict[str, float], float]  # both ends as weights of keypoints, half width in heights

_FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
_SHOULDERS = {"left_shoulder": 0.5, "right_shoulder": 0.5}


def _limb(first: str, second: str, width: float) -> list[Strip]:
    return [({f"{side}_{first}": 1.0}, {f"{side}_{second}": 1.0}, width) for side in ("left", "right")]


def _torso(near: str, far: str) -> Strip:
    upper, lower = ({f"{near}_{joint}": 0.75, f"{far}_{joint}": 0.25} for joint in ("shoulder", "hip"))
    return upper, lower, 0.04


def _head() -> Strip:
    """From above the face, where the hair is, to the chin: places on the line from the shoulders to the face."""
    top, chin = (
        {name: place / len(_FACE) for name in _FACE} | dict.fromkeys(_SHOULDERS, (1 - place) / 2)
        for place in (1.6, 0.7)
    )
    return top, chin, 0.045


# Both sides of a part count as one, so that a person looks the same from both sides and with exchanged sides.
PARTS: dict[str, list[Strip]] = {
    "torso": [_torso("left", "right"), _torso("right", "left")],
    "upper arms": _limb("shoulder", "elbow", 0.02),
    "forearms": _limb("elbow", "wrist", 0.015),
    "thighs": _limb("hip", "knee", 0.03),
    "shanks": _limb("knee", "ankle", 0.025),
    "head": [_head()],
}
LEVELS = 6  # of each colour channel
_BINS = LEVELS**3
_KNOWN = 0.3  # keypoint score at both ends of a strip, and share of it inside the image, from which it is known
_ALONG, _ACROSS = 12, 6  # samples of a strip, so that the cost does not depend on the person's size
_PLACES = np.repeat((np.arange(_ALONG) + 0.5) / _ALONG, _ACROSS)  # (samples,), from the start of a strip to its end
_OFFSETS = np.tile(2 * (np.arange(_ACROSS) + 0.5) / _ACROSS - 1, _ALONG)  # (samples,), in half widths
_SAMPLES = np.stack([np.ones(_ALONG * _ACROSS), _PLACES, _OFFSETS])

# Each value of a channel votes for the two nearest levels, so that a change of light moves the histogram little.
_VALUES = np.arange(256) / 255 * (LEVELS - 1)
_LOWER = np.minimum(_VALUES.astype(np.intp), LEVELS - 2)
_UPPER_SHARE = _VALUES - _LOWER
_CORNERS = np.array([(blue * LEVELS + green) * LEVELS + red for blue, green, red in product((0, 1), repeat=3)])


def appearance_vectors(
    image: NDArray[np.uint8],
    boxes: NDArray[np.floating],
    keypoints: NDArray[np.floating],
    scores: NDArray[np.floating],
    skeleton: Skeleton,
) -> NDArray[np.float32]:
    """Return the appearance vectors of people: a colour histogram of each part of the body.

    A vector holds the square roots of the histogram, so that the dot product of two vectors is the Bhattacharyya
    coefficient. docs/decisions/0026-appearance.md compares them with features of the pose networks.

    Args:
        image: (H, W, 3) BGR.
        boxes: (N, 4) xyxy pixels.
        keypoints: (N, K, 2) pixels; NaN where missing.
        scores: (N, K) in [0, 1].
        skeleton: of the keypoints.

    Returns:
        (N, P, D): a unit vector of each part of `PARTS`, or zeros if the part is not visible.
    """
    n, (height, width) = len(boxes), image.shape[:2]
    rows, ends, half_widths, parts = _strips(skeleton)
    if n == 0 or len(parts) == 0:
        return np.zeros((n, len(PARTS), _BINS), np.float32)
    there = np.isfinite(keypoints[:, rows]).all(-1)  # (N, K')
    used = (ends != 0).astype(np.float64)  # (S, 2, K')
    certain = np.where(there, scores[:, rows], 0.0) @ (used / used.sum(-1, keepdims=True)).reshape(-1, len(rows)).T
    missing = ~there @ used.any(1).T  # (N, S)
    person, strip = np.nonzero(~missing & (certain.reshape(n, -1, 2).min(-1) > _KNOWN))  # (M,), of the known strips

    points = ends.reshape(-1, len(rows)) @ np.where(there[..., None], keypoints[:, rows], 0.0)  # (N, 2 S, 2)
    start, end = points.reshape(n, -1, 2, 2)[person, strip].swapaxes(0, 1)  # (M, 2) each
    half = np.asarray(boxes[:, 3] - boxes[:, 1], dtype=np.float64)[person] * half_widths[strip]
    x = np.stack([start[:, 0], end[:, 0] - start[:, 0], half], -1) @ _SAMPLES  # (M, samples)
    y = np.stack([start[:, 1], end[:, 1] - start[:, 1]], -1) @ _SAMPLES[:2]
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    inside &= inside.mean(1, keepdims=True) > _KNOWN

    pixels = y[inside].astype(np.intp) * width + x[inside].astype(np.intp)
    colours, part = image.reshape(-1, 3).take(pixels, axis=0).T, parts[strip].repeat(inside.sum(1))
    last = np.bincount(person, inside.sum(1), n).cumsum().astype(np.intp).tolist()
    # one person at a time: the votes of a hundred people would not fit the processor's cache
    people = [_histograms(colours[:, start:stop], part[start:stop]) for start, stop in pairwise([0, *last])]
    return np.sqrt(people, dtype=np.float32)


def _histograms(colours: NDArray[np.uint8], parts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the soft histograms (P, D) of the colours (3, M) of M pixels, in the parts (M,) of one person.

    The sum of each is 1, or 0 if it has no pixel.
    """
    colours = np.ascontiguousarray(colours)
    lower, upper_share = _LOWER.take(colours), _UPPER_SHARE.take(colours)  # (3, M)
    bins = ((parts * LEVELS + lower[0]) * LEVELS + lower[1]) * LEVELS + lower[2] + _CORNERS[:, None]  # (8, M)
    blue, green, red = np.stack([1 - upper_share, upper_share], axis=1)  # (2, M) each
    votes = blue[:, None, None] * green[:, None] * red  # (2, 2, 2, M)
    counts = np.bincount(bins.ravel(), votes.ravel(), len(PARTS) * _BINS).reshape(-1, _BINS)
    return counts / np.maximum(counts.sum(-1, keepdims=True), 1e-9)


@functools.cache
def _strips(
    skeleton: Skeleton,
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """Return the strips of a skeleton that has all keypoints of their part.

    Returns:
        The K' keypoints that are used; the ends (S, 2, K') of S strips as weights of these keypoints, their half
        widths (S,) in heights, and their parts (S,).
    """
    places = {name: i for i, name in enumerate(skeleton.keypoints)}
    strips = [
        (part, strip)
        for part, group in enumerate(PARTS.values())
        for strip in group
        if places.keys() >= {*strip[0], *strip[1]}
    ]
    names = sorted({name for _, (start, end, _) in strips for name in (*start, *end)})
    ends = np.array([[[end.get(name, 0.0) for name in names] for end in strip[:2]] for _, strip in strips])
    return (
        np.array([places[name] for name in names], dtype=np.intp),
        ends.reshape(len(strips), 2, len(names)),
        np.array([width for _, (_, _, width) in strips]),
        np.array([part for part, _ in strips], dtype=np.intp),
    )
