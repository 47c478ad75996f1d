"""ViTPose+ (Xu et al. 2023, "ViTPose++"): one vision transformer for six datasets, with experts and heads per dataset.

The expert of the image's dataset computes a part of every MLP's output; all other layers of the backbone are shared.
Module names follow the original checkpoints. The order of datasets is that of `skeletons.DATASETS`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..geometry.processing import UDP
from ..geometry.skeletons import DATASETS
from .vitpose import Backbone, ClassicHead, ViTPose

KEYPOINTS = tuple(map(len, DATASETS.values()))


class ExpertMlp(nn.Module):
    """MLP whose last P output channels are computed by the dataset's expert; (B, N, D) -> (B, N, D)."""

    def __init__(self, dim: int, *, hidden: int, part: int, num_experts: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim - part)
        self.part = part
        self.experts = nn.ModuleList(nn.Linear(hidden, part) for _ in range(num_experts))

    def forward(self, x: Tensor, dataset: int | Tensor) -> Tensor:
        x = F.gelu(self.fc1(x))
        return torch.cat([self.fc2(x), self._expert(x, dataset)], dim=-1)

    def _expert(self, x: Tensor, dataset: int | Tensor) -> Tensor:
        if isinstance(dataset, int):
            return self.experts[dataset](x)
        own = x.new_zeros(*x.shape[:2], self.part)  # (B, N, P)
        for i, expert in enumerate(self.experts):
            rows = (dataset == i).nonzero()[:, 0]
            own = own.index_copy(0, rows, expert(x[rows]).to(own.dtype))
        return own


class ViTPosePlus(nn.Module):
    """Heat maps of one dataset's keypoints from a crop; (B, 3, H, W) -> (B, K, H / 4, W / 4).

    Args:
        dim: width D of the transformer.
        depth: number of blocks.
        num_heads: attention heads.
        part: output channels P of an expert.
        num_experts: number of datasets of the backbone.
        num_keypoints: K of each head; there may be fewer heads than experts.
        input_size: (height, width) of the crop in pixels.
        drop_path: stochastic depth of the last block while training.
    """

    processing = UDP

    def __init__(
        self,
        *,
        dim: int,
        depth: int,
        num_heads: int,
        part: int,
        num_experts: int = len(DATASETS),
        num_keypoints: tuple[int, ...] = KEYPOINTS,
        input_size: tuple[int, int] = (256, 192),
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.num_experts = num_experts
        self._size: dict[str, Any] = {
            "dim": dim,
            "depth": depth,
            "num_heads": num_heads,
            "input_size": input_size,
            "drop_path": drop_path,
        }
        make_mlp = partial(ExpertMlp, dim, hidden=4 * dim, part=part, num_experts=num_experts)
        self.backbone = Backbone(**self._size, make_mlp=make_mlp)
        first, *further = num_keypoints
        self.keypoint_head = ClassicHead(dim, num_keypoints=first)
        self.associate_keypoint_heads = nn.ModuleList(ClassicHead(dim, num_keypoints=k) for k in further)

    @property
    def heads(self) -> list[nn.Module]:
        """One head per dataset, in order."""
        return [self.keypoint_head, *self.associate_keypoint_heads]

    def forward(self, images: Tensor, dataset: int | Tensor = 0, *, head: int | None = None) -> Tensor:
        """Estimate heat maps.

        Args:
            images: (B, 3, H, W).
            dataset: index of the expert, for all images or for each (B,).
            head: index of the head, by default that of the dataset; required for a batch of several datasets.

        Returns:
            (B, K, H / 4, W / 4) with the K keypoints of the head.
        """
        if head is None:
            if not isinstance(dataset, int):
                raise ValueError("A batch of several datasets needs the argument head; head=0 is COCO's.")
            head = dataset
        indices = [dataset] * len(images) if isinstance(dataset, int) else dataset.tolist()
        if len(indices) != len(images):
            raise ValueError(f"There are {len(images)} images and {len(indices)} datasets; give one for each image.")
        last = self.num_experts - 1
        if any(not 0 <= i <= last for i in indices):
            raise ValueError(f"dataset is {dataset}, but this network has {last + 1}; give 0 to {last}.")
        if not 0 <= head < len(self.heads):
            raise ValueError(
                f"head is {head}, but this network has {len(self.heads)}; give 0 to {len(self.heads) - 1}."
            )
        return self.heads[head](self.backbone(images, dataset))

    def split(self, dataset: int) -> ViTPose:
        """Return the part for one dataset as a plain ViTPose, with the expert merged into fc2."""
        backbone, head = self.backbone.state_dict(), self.heads[dataset].state_dict()
        plain = ViTPose(**self._size, num_keypoints=len(head["final_layer.bias"]))
        for key, value in backbone.items():
            if ".mlp.fc2." in key:
                backbone[key] = torch.cat([value, backbone[key.replace("fc2", f"experts.{dataset}")]])
        plain.backbone.load_state_dict({key: backbone[key] for key in plain.backbone.state_dict()})
        plain.keypoint_head.load_state_dict(head)
        return plain.to(self.backbone.pos_embed.device).train(self.training)
