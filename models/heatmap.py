"""From heat maps to sub-pixel points, and from points to heat maps."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

KERNEL = 11  # size of the Gaussian that smooths a heat map before the Newton step (mmpose's `modulate_kernel`)


def encode(points: Array, *, size: tuple[int, int], sigma: float) -> NDArray[np.float32]:
    """Draw one Gaussian a point, centred at its sub-pixel place and 1 at its peak.

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
    """Find the peak of every map to a fraction of a pixel (DARK, Zhang et al. 2020, in mmpose's UDP form).

    One Newton step on the logarithm of the smoothed map, whose true shape is a parabola. The smoothing is computed
    only where the step needs it, on 3 x 3 places around the peak, and equals that of the whole map.

    Args:
        heatmaps: (N, K, h, w).

    Returns:
        Points (N, K, 2) in heat-map pixels, NaN where a map has no positive value, and scores (N, K): the peak's
        height, 0 where there is none.

    Source: mmpose 0.x `post_dark_udp`.
    """
    n, k, h, w = heatmaps.shape
    flat = np.ascontiguousarray(heatmaps, dtype=np.float32).reshape(n * k, h * w)
    if n * k == 0:
        return np.zeros((n, k, 2), np.float32), np.zeros((n, k), np.float32)
    peaks = flat.argmax(1)
    scores = flat[np.arange(n * k), peaks]
    y, x = np.divmod(peaks, w)
    patches = _smoothed_patches(flat.reshape(n * k, h, w), x, y)  # (NK, 3, 3)
    step = _newton_step(np.log(np.clip(patches, 0.001, 50)))
    points = np.stack([x, y], axis=-1) - step
    missing = scores <= 0
    points[missing] = np.nan
    return (
        points.reshape(n, k, 2).astype(np.float32),
        np.where(missing, 0, scores).reshape(n, k).astype(np.float32),
    )


def _smoothed_patches(maps: NDArray[np.float32], x: NDArray[np.intp], y: NDArray[np.intp]) -> Array:
    """Return the smoothed maps (N, h, w) at the 3 x 3 places around (x, y); places outside repeat the border."""
    n, h, w = maps.shape
    reach = KERNEL // 2 + 1
    offsets = np.arange(-reach, reach + 1)
    rows = _mirror(y[:, None] + offsets, h)  # (N, 13)
    columns = _mirror(x[:, None] + offsets, w)
    windows = maps[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]].astype(np.float64)
    gaussian = cv2.getGaussianKernel(KERNEL, 0).ravel()
    blur = np.stack([np.pad(gaussian, (i, 2 - i)) for i in range(3)])  # (3, 13): the three shifts of the kernel
    patches = blur @ windows @ blur.T
    patches[x == 0, :, 0] = patches[x == 0, :, 1]
    patches[x == w - 1, :, 2] = patches[x == w - 1, :, 1]
    patches[y == 0, 0] = patches[y == 0, 1]
    patches[y == h - 1, 2] = patches[y == h - 1, 1]
    return patches


def _mirror(index: NDArray[np.intp], length: int) -> NDArray[np.intp]:
    """Reflect indices at the borders without repeating them (OpenCV's BORDER_REFLECT_101)."""
    period = max(2 * (length - 1), 1)
    index = np.abs(index) % period
    return np.minimum(index, period - index) if length > 1 else np.zeros_like(index)


def _newton_step(p: Array) -> Array:
    """Return hessian^-1 gradient (N, 2) of patches (N, 3, 3) at their centre."""
    dx = (p[:, 1, 2] - p[:, 1, 0]) / 2
    dy = (p[:, 2, 1] - p[:, 0, 1]) / 2
    dxx = p[:, 1, 2] - 2 * p[:, 1, 1] + p[:, 1, 0]
    dyy = p[:, 2, 1] - 2 * p[:, 1, 1] + p[:, 0, 1]
    dxy = (p[:, 2, 2] - p[:, 1, 2] - p[:, 2, 1] + 2 * p[:, 1, 1] - p[:, 1, 0] - p[:, 0, 1] + p[:, 0, 0]) / 2
    eps = np.finfo(np.float32).eps
    a, d = dxx + eps, dyy + eps
    determinant = a * d - dxy * dxy
    determinant = np.where(determinant == 0, eps, determinant)
    return np.stack([(d * dx - dxy * dy) / determinant, (a * dy - dxy * dx) / determinant], axis=-1)
