"""How fast each parameter learns, and when: parameter groups and learning-rate schedules.

A function of groups returns what a PyTorch optimiser takes: each group has its parameters with their names, its
learning rate and its weight decay. A schedule is a function of the step, counted from 0, that returns a factor on the
learning rate of every group (`torch.optim.lr_scheduler.LambdaLR` takes it as it is).
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
    """Treat all parameters alike; TransPose does, with Adam and without weight decay."""
    return [_group(_trainable(network), lr, weight_decay)]


def matrix_decay(network: nn.Module, *, lr: float, weight_decay: float) -> list[Group]:
    """Decay matrices and kernels, but neither biases nor the scales of norms; for the bundled networks."""
    named = _trainable(network)
    return [
        _group([(name, p) for name, p in named if p.ndim > 1], lr, weight_decay),
        _group([(name, p) for name, p in named if p.ndim <= 1], lr, 0.0),
    ]


def slow_encoder(network: nn.Module, *, lr: float, weight_decay: float, encoder_lr: float) -> list[Group]:
    """Let a pre-trained encoder learn at a rate of its own; POTR does, with AdamW, and so does the bundled network.

    What counts as the encoder follows the original: every name with "backbone" in it where POTR has one, else every
    name with "encoder" in it, so that of the decoder's Fourier positions (`pos_encoder`) too.
    """
    named = _trainable(network)
    words = ("backbone", "encoder")
    word = next(word for word in words if any(word in name for name, _ in named))
    return [
        _group([(name, p) for name, p in named if word not in name], lr, weight_decay),
        _group([(name, p) for name, p in named if word in name], encoder_lr, weight_decay),
    ]


def layer_decay(network: nn.Module, *, lr: float, weight_decay: float, rate: float) -> list[Group]:
    """Let each layer of a ViTPose learn at `rate` times the speed of the next; biases and norms do not decay.

    Positions and patches are layer 0, block i is layer i + 1, the last norm and the heads learn at `lr`.

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
    """Multiply the rate by `gamma` at each of these epochs; ViTPose: 170 and 200 of 210, POTR: 50 of 80."""
    return lambda step: gamma ** bisect.bisect_right(at, step / steps_per_epoch)


def cosine(*, epochs: float, floor: float = 0.0, steps_per_epoch: int = 1) -> Factor:
    """Fall along half a cosine to `floor`, once an epoch; TransPose: 0.1 after 230 (R) or 240 (H) epochs."""

    def factor(step: int) -> float:
        progress = min(step // steps_per_epoch / epochs, 1.0)
        return floor + (1 - floor) * (1 + math.cos(math.pi * progress)) / 2

    return factor


def plateau(*, epochs: float, decay: float = 0.0, steps_per_epoch: int = 1) -> Factor:
    """Stay constant, then fall in a straight line to zero over the last `decay` epochs; for the bundled networks.

    A constant rate can be continued from any checkpoint for as long as there is time, and the decay, begun from any
    checkpoint, collects what was learnt (Zhai et al. 2022, "Scaling vision transformers", section 3.5).
    """

    def factor(step: int) -> float:
        left = epochs - step / steps_per_epoch
        return max(0.0, min(1.0, left / decay)) if decay else 1.0

    return factor


SCHEDULES: dict[str, Callable[..., Factor]] = {"milestones": milestones, "cosine": cosine, "plateau": plateau}


def schedule(kind: str, *, warmup: int = 0, warmup_start: float = 0.0, **options: Any) -> Factor:
    """Return the factor on the learning rate as a function of the step.

    Args:
        kind: a name of `SCHEDULES`.
        warmup: steps over which the factor rises in a straight line to what it would be without; ViTPose: 500.
        warmup_start: the factor that it rises from, at a step -1 that nobody sees if it is 0; ViTPose: 0.001.
        options: of that schedule. Lengths are epochs of `steps_per_epoch` steps, so steps where that is left at 1.

    Raises:
        ValueError: the kind is not known.
    """
    if kind not in SCHEDULES:
        raise ValueError(f"The schedule '{kind}' is not known; choose one of {', '.join(SCHEDULES)}.")
    factor = SCHEDULES[kind](**options)

    def warmed(step: int) -> float:
        return factor(step) * _rise(step, warmup, warmup_start)

    return warmed


def _rise(step: int, warmup: int, start: float) -> float:
    # A rise from zero counts from 1, or its first step would learn nothing.
    done = (step if start else step + 1) / warmup if warmup else 1.0
    return min(1.0, start + (1 - start) * done)
