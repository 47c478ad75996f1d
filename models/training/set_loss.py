"""POTR's set-prediction loss: every keypoint is matched to a query; other queries should predict "no keypoint"."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .matcher import match

CLASS_WEIGHT, POINT_WEIGHT = 1.0, 5.0
NO_KEYPOINT_WEIGHT = 0.1  # most queries are unmatched and would otherwise dominate the loss


def set_losses(
    outputs: dict[str, Any], targets: Tensor, known: Tensor, *, count: Tensor | float | None = None
) -> tuple[Tensor, Tensor]:
    """Return the classification and location losses of the L decoder layers, each matched separately.

    Args:
        outputs: of a POTR: `pred_logits` (B, Q, K + 1), `pred_boxes` (B, Q, 2) and `aux_outputs`, the same two of the
            earlier layers.
        targets: (B, K, 2) fractions of the crop; a keypoint may lie outside.
        known: (B, K), true or above 0 if the keypoint is annotated.
        count: divisor of the location losses; by default the number of known keypoints of the batch. With several
            processes, the mean number per process makes the gradient that of one large batch.

    Returns:
        Cross-entropies (L,) and L1 distances (L,), the first layer first.

    Source: `SetCriterion` of PE-former.
    """
    layers = [*outputs.get("aux_outputs", []), outputs]
    logits = torch.stack([layer["pred_logits"] for layer in layers]).float()  # (L, B, Q, K + 1)
    points = torch.stack([layer["pred_boxes"] for layer in layers]).float()  # (L, B, Q, 2)
    num_layers, b, num_queries, num_classes = logits.shape
    known = known > 0
    every_target, every_known = targets.repeat(num_layers, 1, 1), known.repeat(num_layers, 1)  # (L B, K, 2), (L B, K)
    sample, query, keypoint = match(logits.flatten(0, 1), points.flatten(0, 1), every_target, every_known)
    layer = sample // b

    classes = torch.full((num_layers * b, num_queries), num_classes - 1, device=logits.device)
    classes[sample, query] = keypoint
    class_weights = logits.new_ones(num_classes)
    class_weights[-1] = NO_KEYPOINT_WEIGHT
    entropies = F.cross_entropy(logits.flatten(0, 2), classes.flatten(), class_weights, reduction="none")
    total = class_weights[classes].view(num_layers, -1).sum(1)  # (L,)
    classification = entropies.view(num_layers, -1).sum(1) / total  # (L,)

    distances = (points.flatten(0, 1)[sample, query] - every_target[sample, keypoint]).abs().sum(-1)  # (M,)
    number = torch.as_tensor(known.sum() if count is None else count, device=points.device).clamp(min=1)
    location = points.new_zeros(num_layers).index_add(0, layer, distances) / number  # (L,)
    return classification, location


def set_loss(outputs: dict[str, Any], targets: Tensor, known: Tensor, *, count: Tensor | float | None = None) -> Tensor:
    """Return the weighted sum over all decoder layers, a scalar; arguments as in `set_losses`."""
    classification, location = set_losses(outputs, targets, known, count=count)
    return (CLASS_WEIGHT * classification + POINT_WEIGHT * location).sum()
