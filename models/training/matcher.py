"""Match queries to keypoints by the one-to-one assignment of least cost (Kuhn 1955, "Hungarian method")."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

CLASS_COST, POINT_COST = 1.0, 5.0  # of POTR


@torch.no_grad()
def match(logits: Tensor, points: Tensor, targets: Tensor, known: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Assign a query to every known keypoint.

    The cost of a pair is 5 times the L1 distance of the points, minus the probability of the keypoint's class; without
    a logarithm, so that both terms are on the same scale (Carion et al. 2020, DETR, section 3.1).

    Args:
        logits: (N, Q, K + 1), the last class being "no keypoint".
        points: (N, Q, 2) fractions of the crop.
        targets: (N, K, 2) fractions of the crop.
        known: (N, K) bool.

    Returns:
        Three index vectors with one element per known keypoint: sample, query, keypoint.

    Source: `HungarianMatcher` of PE-former.
    """
    # Unknown keypoints may be NaN; their columns are ignored, but must not make others NaN.
    distance = torch.cdist(points.float(), targets.float().nan_to_num(), p=1)  # (N, Q, K)
    cost = POINT_COST * distance - CLASS_COST * logits.float().softmax(-1)[..., :-1]
    rows = []
    for i, (matrix, column) in enumerate(zip(cost.cpu().numpy(), known.cpu().numpy(), strict=True)):
        present = column.nonzero()[0]
        queries, chosen = linear_sum_assignment(matrix[:, present])
        rows.append(np.stack([np.full_like(queries, i), queries, present[chosen]]))
    sample, query, keypoint = torch.from_numpy(np.concatenate(rows, axis=1)).to(logits.device)
    return sample, query, keypoint
