"""YOLOv8 with one class, person: the network of the bundled detector, and its training loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from .ultralytics_import import default_arguments, load_tasks

VARIANTS = {16: "yolov8n", 32: "yolov8s", 48: "yolov8m", 64: "yolov8l", 80: "yolov8x"}  # by the first layer's channels


def build(variant: str = "yolov8n") -> nn.Module:
    """Return a YOLOv8 that detects only people, with random weights and without batch norms.

    It is meant to be fine-tuned from published weights (`weights.detectors.load_person_only`), with their batch norms
    folded into the convolutions and only the class person kept.

    Args:
        variant: a value of `VARIANTS`; also the architecture that a saved file states.
    """
    tasks = load_tasks()
    model = tasks.DetectionModel(f"{variant}.yaml", ch=3, verbose=False).fuse(verbose=False)
    head = model.model[-1]
    for branch in head.cv3:
        prior = branch[-1].bias[:1]
        branch[-1] = nn.Conv2d(branch[-1].in_channels, 1, 1)
        branch[-1].bias = nn.Parameter(prior)
    for module in model.modules():
        # Without batch norms, PyTorch's default initialisation is too small.
        if isinstance(module, nn.Conv2d) and module is not head.dfl.conv:
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    model.requires_grad_(True)  # `fuse` turns gradients off
    head.dfl.requires_grad_(False)
    head.no, head.nc = head.no - head.nc + 1, 1  # outputs and classes per location
    model.nc, model.names, model.variant, model.args = 1, {0: "person"}, variant, default_arguments()
    return model


def calibrate(model: Any, *, slope: float, offset: float) -> None:
    """Map the scores s of a network of `build` to sigmoid(slope * logit(s) + offset), in place (Platt 1999)."""
    with torch.no_grad():
        for branch in model.model[-1].cv3:
            branch[-1].weight *= slope
            branch[-1].bias *= slope
            branch[-1].bias += offset


def detection_loss(model: Any, predictions: dict[str, Any], targets: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return Ultralytics' detection loss (box, class, distribution), a scalar averaged over the images.

    Args:
        model: the detector; its criterion is cached on it.
        predictions: output of the model in training mode.
        targets: `batch_idx` (M,), `cls` (M, 1), `bboxes` (M, 4) as centre and size in [0, 1].
    """
    if getattr(model, "criterion", None) is None:
        model.criterion = model.init_criterion()
    loss, _ = model.criterion(predictions, targets)
    return loss.sum() / predictions["feats"][0].shape[0]
