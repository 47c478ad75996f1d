"""The training loop that the pose network and the detector share: step, average, save, report."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast to learn: warm-up, then constant, then a linear decay to zero.

    A constant rate can be continued from any checkpoint for as long as there is time, and the decay, begun from any
    checkpoint, collects what was learnt (Zhai et al. 2022, "Scaling vision transformers", section 3.5).

    Attributes:
        steps: optimiser steps in this run.
        lr: peak learning rate.
        warmup: steps from zero to `lr`.
        decay: steps at the end over which the rate falls to zero.
        weight_decay: of AdamW, for matrices and kernels only.
        ema: the averaged weights keep this part of themselves at each step.
        clip: largest norm of the gradient.
    """

    steps: int
    lr: float = 1e-3
    warmup: int = 0
    decay: int = 0
    weight_decay: float = 0.05
    ema: float = 0.999
    clip: float = 5.0

    def rate(self, step: int) -> float:
        """Return the learning rate of a step counted from 0."""
        up = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        down = min(1.0, (self.steps - step) / self.decay) if self.decay else 1.0
        return self.lr * up * down


def fit(
    model: Network,
    loss: Callable[[Network, dict], Tensor],
    batches: Iterator[dict],
    *,
    schedule: Schedule,
    out: Path,
    resume: Path | None = None,
    device: str = "cpu",
    save_every: int = 500,
    report_every: int = 50,
) -> Network:
    """Train a model and return its averaged copy.

    Writes `last.pt` (everything needed to go on) and `log.jsonl` into `out`.

    Args:
        model: the network, in any state; a checkpoint given as `resume` replaces its weights.
        loss: (model, batch) -> scalar; it runs under bfloat16 autocast.
        batches: endless stream of what `loss` takes.
        schedule: steps and rates; the step count begins at 0 in every run.
        out: folder for checkpoints and the log.
        resume: a `last.pt` to continue from: weights, average and optimiser state.
        device: where to train.
        save_every: steps between checkpoints.
        report_every: steps between lines of the log.

    Raises:
        FloatingPointError: the loss is not finite; the batch is saved beside the checkpoint.
    """
    out.mkdir(parents=True, exist_ok=True)
    model.to(device).to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]  # missing in torch's stubs
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": schedule.weight_decay}, {"params": vectors, "weight_decay": 0.0}],
        lr=schedule.lr,
        fused=True,
    )
    average = copy.deepcopy(model).requires_grad_(False)
    seen = 0
    if resume is not None:
        saved = torch.load(resume, map_location=device, weights_only=True)
        model.load_state_dict(saved["model"])
        average.load_state_dict(saved["ema"])
        optimizer.load_state_dict(saved["optimizer"])
        seen = saved["seen"]
    total, started = 0.0, time.monotonic()
    for step in range(schedule.steps):
        batch = {key: value.to(device) for key, value in next(batches).items()}
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate(step)
        # The fused attention kernel's backward pass is several times slower than plain matrix products on CPUs.
        with torch.autocast(device.split(":")[0], torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
            value = loss(model, batch)
        if not torch.isfinite(value):
            torch.save(batch, out / "not-finite.pt")
            raise FloatingPointError(f"The loss is {value.item()} at step {step}; its batch is in {out}/not-finite.pt.")
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), schedule.clip)
        optimizer.step()
        seen += len(batch["images"])
        _average(average, model, keep=min(schedule.ema, (1 + seen / 64) / (10 + seen / 64)))
        total += value.item()
        last = step + 1 == schedule.steps
        if (step + 1) % report_every == 0 or last:
            count = (step % report_every) + 1
            line = {"step": step + 1, "seen": seen, "loss": round(total / count, 4), "lr": schedule.rate(step)}
            line["per_s"] = round(count * len(batch["images"]) / (time.monotonic() - started), 1)
            with (out / "log.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            total, started = 0.0, time.monotonic()
        if (step + 1) % save_every == 0 or last:
            state = {"model": model.state_dict(), "ema": average.state_dict(), "optimizer": optimizer.state_dict()}
            torch.save(state | {"seen": seen, "schedule": asdict(schedule)}, out / "last.pt.part")
            (out / "last.pt.part").replace(out / "last.pt")
    return average.eval()


@torch.no_grad()
def _average(average: nn.Module, model: nn.Module, *, keep: float) -> None:
    for mean, new in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(new, 1 - keep)
        else:
            mean.copy_(new)
