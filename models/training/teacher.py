"""A teacher: a larger network whose heat maps the one in training learns from, beside the true keypoints.

This is the output distillation of ViTPose (Xu et al. 2022, section 3.5). A teacher has an answer for every keypoint of
every variation of a crop, also for those that nobody annotated, and it says how sure it is.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...errors import UsageError
from ..geometry.processing import by_heatmaps
from ..weights import checkpoint, find
from .recipe import Recipe


class Teacher:
    """Heat maps of the crops that the student sees.

    Args:
        network: a heat-map network of the student's crops, (B, 3, H, W) -> (B, K, h, w), its Gaussians as ViTPose's.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network.requires_grad_(False).eval()

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Return heat maps (B, K, h, w) of crops (B, 3, H, W)."""
        return self.network.to(images.device)(images).float()


def load(recipe: Recipe, student: Any) -> Teacher | None:
    """Load the teacher of a recipe, or None where it names none.

    Raises:
        UsageError: the teacher does not see and answer what the student does.
        ModelError: its weights are not here and cannot be fetched, or fit no known network.
    """
    name = recipe.teacher.network
    if not name:
        return None
    found = find.find(name)
    network: Any = checkpoint.load_checkpoint(found.path, input_size=found.input_size)
    theirs = f"teacher.network: {name}"
    if network.processing.locate is not by_heatmaps or hasattr(network, "logits"):
        raise UsageError(f"{theirs} does not answer with the heat maps that can teach. Use a ViTPose or a TransPose.")
    if network.processing.matrices is not student.processing.matrices:
        raise UsageError(
            f"{theirs} cuts crops out in another way ({network.processing.name}) than {recipe.network.variant} "
            f"({student.processing.name}). Use a teacher of the same family, such as a ViTPose for the bundled network."
        )
    if tuple(network.input_size) != tuple(student.input_size):
        raise UsageError(
            f"{theirs} sees crops of {_text(network.input_size)}, and {recipe.network.variant} those of "
            f"{_text(student.input_size)}. Set network.input_size to the teacher's."
        )
    return Teacher(network)


def _text(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"
