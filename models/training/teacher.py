"""Distillation: a larger teacher network, whose heat maps are targets in addition to the annotated keypoints.

This is the output distillation of ViTPose (Xu et al. 2022, section 3.5). A teacher provides heat maps with confidences
for all keypoints of every augmented crop, including those that are not annotated.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...errors import UsageError
from ..geometry.processing import by_heatmaps
from ..weights import checkpoint
from ..weights.locate import locate_weights
from .recipe import Recipe


class Teacher:
    """Computes heat maps of the student's crops.

    Args:
        network: a heat-map network, (B, 3, H, W) -> (B, K, h, w), with the student's crops and ViTPose's Gaussians.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network.requires_grad_(False).eval()

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Return heat maps (B, K, h, w) of crops (B, 3, H, W)."""
        return self.network.to(images.device)(images).float()


def load(recipe: Recipe, student: Any) -> Teacher | None:
    """Return the teacher of a recipe, or None if it names none.

    Raises:
        UsageError: the teacher's crops or outputs do not fit the student's.
        ModelError: its weights are not on this machine and cannot be downloaded, or fit no known network.
    """
    name = recipe.teacher.network
    if not name:
        return None
    file = locate_weights(name)
    network: Any = checkpoint.load_checkpoint(file.path, input_size=file.input_size)
    label = f"teacher.network: {name}"
    if network.processing.run is not by_heatmaps or hasattr(network, "logits"):
        raise UsageError(f"{label} does not output heat maps for distillation. Use a ViTPose or a TransPose.")
    if network.processing.matrices is not student.processing.matrices:
        raise UsageError(
            f"{label} has other crops ({network.processing.name}) than {recipe.network.variant} "
            f"({student.processing.name}). Use a teacher of the same family, such as a ViTPose for the bundled network."
        )
    if tuple(network.input_size) != tuple(student.input_size):
        raise UsageError(
            f"{label} takes crops of {_text(network.input_size)}, but {recipe.network.variant} those of "
            f"{_text(student.input_size)}. Set network.input_size to the teacher's."
        )
    return Teacher(network)


def _text(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"
