"""Parameter groups and learning-rate schedules.

A group function returns the parameter groups of a PyTorch optimiser: each has named parameters, a learning rate and a
weight decay. A schedule is a function of the step, counted from 0, that returns a factor for the learning rate of every
group, as for `torch.optim.lr_scheduler.LambdaLR`.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

Group = dict[str, Any]
Factor = Callable[[int], float]


def single_group(network: nn.Module, *, lr: float, weight_decay: float = 0.0) -> list[Group]:
    """Put all parameters in one group; as TransPose, with Adam and without weight decay."""
    return [_group(_trainable(network), lr, weight_decay)]


def matrix_decay(network: nn.Module, *, lr: float, weight_decay: float) -> list[Group]:
    """Apply weight decay to matrices and kernels, but not to biases and norms; for the bundled networks."""
    named = _trainable(network)
    return [
        _group([(name, p) for name, p in named if p.ndim > 1], lr, weight_decay),
        _group([(name, p) for name, p in named if p.ndim <= 1], lr, 0.0),
    ]


def slow_encoder(network: nn.Module, *, lr: float, weight_decay: float, encoder_lr: float) -> list[Group]:
    """Give a pre-trained encoder its own learning rate; as POTR, with AdamW, and the bundled network.

    As in the original, the encoder is every parameter with "backbone" in its name, or if there is none, with "encoder",
    which includes the decoder's Fourier positions (`pos_encoder`).
    """
    named = _trainable(network)
    words = ("backbone", "encoder")
    word = next(word for word in words if any(word in name for name, _ in named))
    return [
        _group([(name, p) for name, p in named if word not in name], lr, weight_decay),
        _group([(name, p) for name, p in named if word in name], encoder_lr, weight_decay),
    ]


def layer_decay(network: nn.Module, *, lr: float, weight_decay: float, rate: float) -> list[Group]:
    """Give each layer of a ViTPose `rate` times the learning rate of the next; no decay of biases and norms.

    Positions and patches are layer 0, block i is layer i + 1; the last norm and the heads have the rate `lr`.

    Source: ViTPose's `LayerDecayOptimizerConstructor` (after BEiT, Bao et al. 2022).
    """
    named = _trainable(network)
    depth = 1 + max(int(name.split(".")[2]) for name, _ in named if name.startswith("backbone.blocks."))
    groups: dict[tuple[int, bool], list[tuple[str, Tensor]]] = {}
    for name, parameter in named:
        decays = parameter.ndim > 1 and not name.endswith((".bias", ".pos_embed"))
        groups.setdefault((_layer(name, depth), decays), []).append((name, parameter))
    return [
        _group(members, lr * rate ** (depth + 1 - layer), weight_decay if decays else 0.0)
        for (layer, decays), members in groups.items()
    ]


def _layer(name: str, depth: int) -> int:
    if name.startswith(("backbone.pos_embed", "backbone.patch_embed.")):
        return 0
    if name.startswith("backbone.blocks."):
        return int(name.split(".")[2]) + 1
    return depth + 1


def _trainable(network: nn.Module) -> list[tuple[str, Tensor]]:
    return [(name, parameter) for name, parameter in network.named_parameters() if parameter.requires_grad]


def _group(named: list[tuple[str, Tensor]], lr: float, weight_decay: float) -> Group:
    return {"params": named, "lr": lr, "weight_decay": weight_decay}


def milestones(*, at: list[float], gamma: float = 0.1, steps_per_epoch: int = 1) -> Factor:
    """Multiply the learning rate by `gamma` at each of these epochs; ViTPose: 170 and 200 of 210, POTR: 50 of 80."""
    return lambda step: gamma ** bisect.bisect_right(at, step / steps_per_epoch)


def cosine(*, epochs: float, floor: float = 0.0, steps_per_epoch: int = 1) -> Factor:
    """Decrease along half a cosine to `floor`, once per epoch; TransPose: 0.1 after 230 (R) or 240 (H) epochs."""

    def factor(step: int) -> float:
        progress = min(step // steps_per_epoch / epochs, 1.0)
        return floor + (1 - floor) * (1 + math.cos(math.pi * progress)) / 2

    return factor


def plateau(*, epochs: float, decay: float = 0.0, steps_per_epoch: int = 1) -> Factor:
    """Stay constant, then decrease linearly to zero over the last `decay` epochs; for the bundled networks.

    A run at a constant rate can be extended from any checkpoint, and the decay can start from any checkpoint (Zhai et
    al. 2022, "Scaling vision transformers", section 3.5).
    """

    def factor(step: int) -> float:
        left = epochs - step / steps_per_epoch
        return max(0.0, min(1.0, left / decay)) if decay else 1.0

    return factor


SCHEDULES: dict[str, Callable[..., Factor]] = {"milestones": milestones, "cosine": cosine, "plateau": plateau}


def schedule(kind: str, *, warmup: int = 0, warmup_start: float = 0.0, **options: Any) -> Factor:
    """Return the factor of the learning rate as a function of the step.

    Args:
        kind: a name of `SCHEDULES`.
        warmup: steps of linear warm-up; ViTPose: 500.
        warmup_start: factor at the first step; if 0, at the step before the first. ViTPose: 0.001.
        options: of the schedule. Lengths are in epochs of `steps_per_epoch` steps; in steps if that is 1.

    Raises:
        ValueError: the kind is unknown.
    """
    if kind not in SCHEDULES:
        raise ValueError(f"The schedule '{kind}' is unknown; choose one of {', '.join(SCHEDULES)}.")
    factor = SCHEDULES[kind](**options)

    def warmed_up(step: int) -> float:
        return factor(step) * _warmup_factor(step, warmup, warmup_start)

    return warmed_up


def _warmup_factor(step: int, warmup: int, start: float) -> float:
    # From zero, count steps from 1; otherwise the first step would have a rate of 0.
    done = (step if start else step + 1) / warmup if warmup else 1.0
    return min(1.0, start + (1 - start) * done)
