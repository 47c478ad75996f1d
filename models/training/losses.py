"""Losses of heat maps."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def heatmap_mse(heatmaps: Tensor, targets: Tensor, weights: Tensor, *, factor: float = 1.0) -> Tensor:
    """Mean squared error of heat maps; a keypoint of weight 0 contributes an error of 0.

    Args:
        heatmaps: (B, K, h, w).
        targets: (B, K, h, w).
        weights: (B, K); the error of a map is multiplied by the square of its weight.
        factor: 1 in ViTPose (mmpose's `JointsMSELoss`), 0.5 in TransPose.

    Returns:
        The mean over all B K h w pixels, a scalar.
    """
    return factor * ((heatmaps - targets) * weights[..., None, None]).square().mean()


def location_cross_entropy(logits: Tensor, points: Tensor, weights: Tensor, *, sigma: float) -> Tensor:
    """Cross-entropy between the predicted distribution over pixels and a Gaussian at the true location.

    Unlike in the mean squared error, the background does not dominate the gradient, so that training from scratch is
    several times faster (SimCC classifies coordinates for the same reason, Li et al. 2022). A keypoint outside the map
    contributes no loss.

    Args:
        logits: (B, K, h, w), before the softmax over pixels.
        points: (B, K, 2) heat-map pixels, x before y.
        weights: (B, K) in [0, 1].
        sigma: of the Gaussian, in heat-map pixels.

    Returns:
        The weighted mean over keypoints, a scalar; 0 if no keypoint has a weight.
    """
    h, w = logits.shape[2:]
    inside = ((points > -0.5) & (points < points.new_tensor([w, h]) - 0.5)).all(-1)
    weights = weights * inside
    tx = (-((torch.arange(w, device=points.device) - points[..., 0:1]) ** 2) / (2 * sigma**2)).softmax(-1)  # (B, K, w)
    ty = (-((torch.arange(h, device=points.device) - points[..., 1:2]) ** 2) / (2 * sigma**2)).softmax(-1)  # (B, K, h)
    target = ty[..., :, None] * tx[..., None, :]  # (B, K, h, w)
    return distribution_cross_entropy(logits, target, weights)


def distribution_cross_entropy(logits: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy between the predicted distribution over pixels and a given one.

    Args:
        logits: (B, K, h, w), before the softmax over pixels.
        target: (B, K, h, w), not negative; each map is normalised to a sum of 1.
        weights: (B, K) in [0, 1].

    Returns:
        The weighted mean over keypoints, a scalar; 0 if no keypoint has a weight.
    """
    target = target.flatten(2)
    target = target / target.sum(-1, keepdim=True).clamp(min=1e-12)
    losses = -(target * F.log_softmax(logits.flatten(2), dim=-1)).sum(-1)  # (B, K)
    return (losses * weights).sum() / weights.sum().clamp(min=1.0)
