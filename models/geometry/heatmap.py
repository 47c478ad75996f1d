"""Encode keypoints as heat maps, and decode heat maps to sub-pixel keypoints."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

KERNEL = 11  # size of the Gaussian that smooths a heat map before the Newton step (mmpose's `modulate_kernel`)


def encode(points: Array, *, size: tuple[int, int], sigma: float) -> NDArray[np.float32]:
    """Draw one Gaussian per point, centred at its sub-pixel position, with peak value 1.

    Args:
        points: (N, K, 2) heat-map pixels, x before y.
        size: (height, width) of the maps.
        sigma: standard deviation in heat-map pixels.

    Returns:
        Maps (N, K, height, width).
    """
    x = np.exp(-((np.arange(size[1]) - points[..., 0:1]) ** 2) / (2 * sigma**2))  # (N, K, w)
    y = np.exp(-((np.arange(size[0]) - points[..., 1:2]) ** 2) / (2 * sigma**2))  # (N, K, h)
    return (y[..., :, None] * x[..., None, :]).astype(np.float32)


def decode(heatmaps: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Locate the peak of every map with sub-pixel accuracy (DARK, Zhang et al. 2020, in mmpose's UDP form).

    Takes one Newton step on the logarithm of the smoothed map, which is a parabola for a Gaussian. The map is smoothed
    only at the 3 x 3 pixels around the peak that the step needs, with the same result as smoothing all of it.

    Args:
        heatmaps: (N, K, h, w).

    Returns:
        Points (N, K, 2) in heat-map pixels, NaN where a map has no positive value, and scores (N, K): the peak's
        height, 0 if it is not positive.

    Source: mmpose 0.x `post_dark_udp`.
    """
    maps, x, y, scores = _peaks(heatmaps)
    patches = _smoothed_patches(maps, x, y)  # (NK, 3, 3)
    points = _newton_step(np.log(np.minimum(np.maximum(patches, 0.001), 50)))
    points[:, 0], points[:, 1] = x - points[:, 0], y - points[:, 1]
    return _as_keypoints(points, scores, heatmaps.shape[:2])


def decode_dark(heatmaps: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Locate the peaks by the original DARK, with wider second differences and zero padding, as TransPose does.

    Shapes and missing keypoints are as in `decode`; TransPose itself returns (0, 0) for a missing keypoint.

    Source: TransPose `get_final_preds` (`gaussian_blur` and `taylor`); also mmpose 0.x `post_process="unbiased"`.
    """
    maps, x, y, scores = _peaks(heatmaps)
    h, w = maps.shape[1:]
    points = np.stack([x, y], axis=-1).astype(np.float64)
    inner = (x > 1) & (x < w - 2) & (y > 1) & (y < h - 2) & (scores > 0)
    patches = _zero_padded_patches(maps[inner], x[inner], y[inner])  # (n, 5, 5)
    points[inner] -= _wide_newton_step(np.log(np.maximum(patches, 1e-10)))
    return _as_keypoints(points, scores, heatmaps.shape[:2])


def decode_quarter(heatmaps: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Locate the peaks as "Simple Baselines" does: the maximum, shifted by 1/4 pixel towards its higher neighbour.

    Shapes and missing keypoints are as in `decode`. A maximum next to the border is not shifted.

    Source: mmpose 0.x `post_process="default"` without UDP.
    """
    maps, x, y, scores = _peaks(heatmaps)
    h, w = maps.shape[1:]
    points = np.stack([x, y], axis=-1).astype(np.float64)
    i = np.flatnonzero((x > 1) & (x < w - 1) & (y > 1) & (y < h - 1))
    x, y = x[i], y[i]
    slopes = [maps[i, y, x + 1] - maps[i, y, x - 1], maps[i, y + 1, x] - maps[i, y - 1, x]]
    points[i] += 0.25 * np.sign(np.stack(slopes, axis=-1))
    return _as_keypoints(points, scores, heatmaps.shape[:2])


def _peaks(heatmaps: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray, NDArray, NDArray]:
    """Return the maps as (NK, h, w), and the position x, y (NK,) and value (NK,) of each map's maximum."""
    n, k, h, w = heatmaps.shape
    maps = np.ascontiguousarray(heatmaps, dtype=np.float32).reshape(n * k, h, w)
    flat = maps.reshape(n * k, h * w)
    maxima = flat.argmax(1)
    y, x = np.divmod(maxima, w)
    return maps, x, y, flat[np.arange(n * k), maxima]


def _as_keypoints(
    points: Array, scores: Array, shape: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Reshape points and scores to (N, K, ...); a keypoint whose peak is not positive is missing."""
    missing = scores <= 0
    points[missing] = np.nan
    return (
        points.reshape(*shape, 2).astype(np.float32),
        np.where(missing, 0, scores).reshape(shape).astype(np.float32),
    )


def _smoothed_patches(maps: NDArray[np.float32], x: NDArray[np.intp], y: NDArray[np.intp]) -> Array:
    """Return the smoothed maps (N, h, w) at the 3 x 3 pixels around (x, y); beyond the edge, border pixels repeat."""
    n, h, w = maps.shape
    rows = _windows(h)[y] * w + np.arange(0, n * h * w, h * w)[:, None]  # (N, 13)
    columns = _windows(w)[x]
    windows = np.take(maps, rows[:, :, None] + columns[:, None, :]).reshape(n, len(_BLUR))  # (N, 169)
    patches = (windows @ _BLUR).reshape(n, 3, 3)
    if not ((x % max(w - 1, 1)) * (y % max(h - 1, 1))).all():  # at a border
        patches[x == 0, :, 0] = patches[x == 0, :, 1]
        patches[x == w - 1, :, 2] = patches[x == w - 1, :, 1]
        patches[y == 0, 0] = patches[y == 0, 1]
        patches[y == h - 1, 2] = patches[y == h - 1, 1]
    return patches


def _blur(size: int) -> NDArray[np.float64]:
    """Return the matrix that maps a flattened window to its smoothed central `size` x `size` pixels."""
    gaussian = cv2.getGaussianKernel(KERNEL, 0).ravel()
    shifts = np.stack([np.pad(gaussian, (i, size - 1 - i)) for i in range(size)])  # (size, KERNEL + size - 1)
    return np.kron(shifts, shifts).T


_BLUR, _WIDE_BLUR = _blur(3), _blur(5)


@lru_cache(maxsize=64)
def _windows(length: int) -> NDArray[np.intp]:
    """Return the indices (length, 13) in the smoothing window of each pixel of a line, reflected at the ends.

    The end pixels are not repeated (OpenCV's BORDER_REFLECT_101).
    """
    reach = KERNEL // 2 + 1
    index = np.abs(np.arange(length)[:, None] + np.arange(-reach, reach + 1)) % max(2 * (length - 1), 1)
    return np.minimum(index, 2 * (length - 1) - index)


_DERIVATIVES = np.array(  # finite differences for x, y, xx, yy and xy of a flattened 3 x 3 patch
    [
        [0, 0, 0, -0.5, 0, 0.5, 0, 0, 0],
        [0, -0.5, 0, 0, 0, 0, 0, 0.5, 0],
        [0, 0, 0, 1, -2, 1, 0, 0, 0],
        [0, 1, 0, 0, -2, 0, 0, 1, 0],
        [0.5, -0.5, 0, -0.5, 1, -0.5, 0, -0.5, 0.5],
    ]
)


def _newton_step(p: Array) -> Array:
    """Return hessian^-1 gradient (N, 2) of patches (N, 3, 3) at their centre."""
    dx, dy, dxx, dyy, dxy = _DERIVATIVES @ p.reshape(-1, 9).T
    eps = np.finfo(np.float32).eps
    a, d = dxx + eps, dyy + eps
    determinant = a * d - dxy * dxy
    determinant[determinant == 0] = eps
    step = np.empty((len(p), 2))
    step[:, 0], step[:, 1] = (d * dx - dxy * dy) / determinant, (a * dy - dxy * dx) / determinant
    return step


def _zero_padded_patches(maps: NDArray[np.float32], x: NDArray[np.intp], y: NDArray[np.intp]) -> Array:
    """Return the smoothed maps (N, h, w) at the 5 x 5 pixels around (x, y), with zero padding.

    The original rescales a smoothed map to the peak of the unsmoothed one. The derivatives of the logarithm do not
    depend on this scale, except where values fall below the original's floor of 1e-10; only such maps are smoothed as
    a whole.
    """
    reach = KERNEL // 2
    offsets = np.arange(-reach - 2, reach + 3)
    padded = np.pad(maps, ((0, 0), (reach, reach), (reach, reach)))
    rows, columns = y[:, None] + offsets + reach, x[:, None] + offsets + reach  # (N, 15)
    windows = padded[np.arange(len(maps))[:, None, None], rows[:, :, None], columns[:, None, :]]  # (N, 15, 15)
    patches = (windows.reshape(-1, len(_WIDE_BLUR)) @ _WIDE_BLUR).reshape(-1, 5, 5)
    gaussian = cv2.getGaussianKernel(KERNEL, 0).ravel()
    for i in np.flatnonzero(patches.min(axis=(1, 2)) <= 1e-10):
        whole = cv2.sepFilter2D(maps[i].astype(np.float64), -1, gaussian, gaussian, borderType=cv2.BORDER_CONSTANT)
        patches[i] *= maps[i].max() / whole.max()
    return patches


def _wide_newton_step(p: Array) -> Array:
    """Return hessian^-1 gradient (N, 2) of patches (N, 5, 5) at their centre; 0 where the hessian is singular."""
    dx = (p[:, 2, 3] - p[:, 2, 1]) / 2
    dy = (p[:, 3, 2] - p[:, 1, 2]) / 2
    dxx = (p[:, 2, 4] - 2 * p[:, 2, 2] + p[:, 2, 0]) / 4
    dyy = (p[:, 4, 2] - 2 * p[:, 2, 2] + p[:, 0, 2]) / 4
    dxy = (p[:, 3, 3] - p[:, 1, 3] - p[:, 3, 1] + p[:, 1, 1]) / 4
    determinant = dxx * dyy - dxy * dxy
    regular = determinant != 0
    determinant = np.where(regular, determinant, 1)
    step = np.stack([dyy * dx - dxy * dy, dxx * dy - dxy * dx], axis=-1)
    return np.where(regular[:, None], step / determinant[:, None], 0)
