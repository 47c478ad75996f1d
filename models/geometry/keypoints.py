"""The COCO skeleton, and the object keypoint similarity (OKS) of poses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Skeleton:
    """The keypoints of a person or animal, and the limbs between them.

    Attributes:
        name: of the skeleton in files.
        keypoints: K names in the order of the arrays.
        limbs: pairs of keypoint rows, each drawn as a line.
        flip_pairs: pairs of rows that swap in a mirrored image.
        sigmas: K standard deviations of an annotator, relative to the person's size (COCO's `kpt_oks_sigmas`).
    """

    name: str
    keypoints: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...]
    flip_pairs: tuple[tuple[int, int], ...]
    sigmas: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.keypoints)

    @cached_property
    def flip_order(self) -> NDArray[np.intp]:
        """Row (K,) of each keypoint's counterpart in a mirrored image."""
        order = np.arange(len(self))
        for left, right in self.flip_pairs:
            order[[left, right]] = right, left
        return order


COCO = Skeleton(
    name="coco",
    keypoints=(
        "nose",
        "left_eye",
        "right_eye",
        "left_ear",
        "right_ear",
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
        "left_hip",
        "right_hip",
        "left_knee",
        "right_knee",
        "left_ankle",
        "right_ankle",
    ),
    limbs=(
        (15, 13),
        (13, 11),
        (16, 14),
        (14, 12),
        (11, 12),
        (5, 11),
        (6, 12),
        (5, 6),
        (5, 7),
        (6, 8),
        (7, 9),
        (8, 10),
        (1, 2),
        (0, 1),
        (0, 2),
        (1, 3),
        (2, 4),
        (3, 5),
        (4, 6),
    ),
    flip_pairs=((1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)),
    sigmas=(
        0.026,
        0.025,
        0.025,
        0.035,
        0.035,
        0.079,
        0.079,
        0.072,
        0.072,
        0.062,
        0.062,
        0.107,
        0.107,
        0.087,
        0.087,
        0.089,
        0.089,
    ),
)


def oks(
    a: NDArray[np.floating],
    b: NDArray[np.floating],
    areas: NDArray[np.floating],
    *,
    sigmas: NDArray[np.floating] | tuple[float, ...],
) -> NDArray[np.floating]:
    """Return the object keypoint similarity of every pose of `a` with every pose of `b`.

    Each keypoint's squared distance d2 counts as exp(-d2 / (2 s2 k2)) with s2 the area and k twice the sigma (COCO's
    definition), averaged over the keypoints that both poses have; 0 if they have none in common.

    Args:
        a: (N, K, 2) pixels; NaN where a keypoint is missing.
        b: (M, K, 2) pixels; NaN where a keypoint is missing.
        areas: (N,) squared pixels, the size of each person of `a`.
        sigmas: (K,).

    Returns:
        (N, M) in [0, 1].
    """
    a, b, areas = np.asarray(a), np.asarray(b), np.asarray(areas)
    return paired_oks(a[:, None], b[None], areas[:, None], sigmas=sigmas)


def paired_oks(
    a: NDArray[np.floating],
    b: NDArray[np.floating],
    areas: NDArray[np.floating],
    *,
    sigmas: NDArray[np.floating] | tuple[float, ...],
    weights: NDArray[np.floating] | None = None,
) -> NDArray[np.floating]:
    """Return the object keypoint similarity of each pose of `a` with the pose of `b` at the same index.

    Args:
        a: (..., K, 2) pixels; NaN where a keypoint is missing.
        b: (..., K, 2) pixels; NaN where a keypoint is missing.
        areas: (...) squared pixels, the size of each person of `a`.
        sigmas: (K,).
        weights: (..., K) or broadcastable to it; weight of each keypoint, 1 by default.

    Returns:
        (...) in [0, 1]; see `oks`.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    squared = ((a - b) ** 2).sum(-1)  # (..., K)
    variance = 2 * (2 * np.asarray(sigmas)) ** 2 * np.maximum(areas, 1e-9)[..., None]  # (..., K)
    shared = ~np.isnan(squared)
    counts = shared * (1.0 if weights is None else weights)
    similarity = np.where(shared, np.exp(-np.where(shared, squared, 0.0) / variance), 0.0)
    return (similarity * counts).sum(-1) / np.maximum(counts.sum(-1), 1e-9)
