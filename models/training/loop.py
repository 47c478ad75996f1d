"""The training loop, for every network on every number of devices: step, average, measure, save."""

from __future__ import annotations

import copy
import math
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ...errors import TrainingError
from . import optim
from .checkpoint import Run
from .detection import DetectionTask
from .pose import PoseTask
from .recipe import Recipe
from .report import Report
from .samples import Batches, loader

Task = PoseTask | DetectionTask

FORWARDS = ("logits", "predict")  # ways through a network besides its call


def fit(
    task: Task,
    recipe: Recipe,
    *,
    out: Path,
    fabric: Fabric,
    resume: bool = False,
    init: Path | None = None,
    show: bool = False,
) -> dict[str, float]:
    """Train a network and measure it after every epoch.

    Writes into `out`: `last.pt` and `best.pt`, checkpoints; `model.safetensors`, the averaged weights of the best;
    `log.jsonl`, TensorBoard's files, and `predictions.jpg`, what the network sees in a few held-out samples.

    Args:
        task: network, samples, loss and measure.
        recipe: everything else.
        out: folder; must exist.
        fabric: devices and precision, launched.
        resume: go on from `last.pt` in `out`, exactly as if nothing had happened.
        init: where else to begin: weights, or a checkpoint of another run.
        show: whether the terminal shows progress.

    Returns:
        The last measured figures.

    Raises:
        TrainingError: the loss is not finite; the batch is saved in `out`.
        ModelError: a checkpoint does not fit.
    """
    network: Any = task.network.to(fabric.device).to(memory_format=torch.channels_last)
    optimizer = _optimizer(network, recipe)
    run = Run(network, copy.deepcopy(network).requires_grad_(False).eval(), optimizer)
    if resume:
        run.resume(out / "last.pt")
    elif init is not None:
        run.begin_from(init, read_weights=task.read_weights)
    model, stepper = fabric.setup(network, optimizer)
    for name in FORWARDS:
        if hasattr(network, name):
            model.mark_forward_method(name)

    batches = Batches(
        len(task.samples), batch=recipe.batch, seed=recipe.seed, rank=fabric.global_rank, world=fabric.world_size
    )
    steps = len(batches)  # in an epoch
    rate = _schedule(recipe, steps)
    data = loader(task.samples, batches=batches, workers=recipe.data.workers, collate=task.collate)
    mean: Any = partial(fabric.all_reduce, reduce_op="mean")
    figures: dict[str, float] = {}
    with _reporting(fabric, out, steps=steps * recipe.epochs, start=run.step, show=show) as report:
        for epoch in range(run.step // steps, recipe.epochs):
            batches.epoch, batches.start = epoch, run.step - epoch * steps
            model.train()
            for batch in data:
                torch.manual_seed(_chance(recipe.seed, run.step, fabric.global_rank))
                for group in optimizer.param_groups:
                    group["lr"] = group["initial_lr"] * rate(run.step)
                # Fabric sets the precision of a network's call alone, not of the other ways through it.
                with _attention(fabric.device), fabric.autocast():
                    loss = task.loss(model, fabric.to_device(batch), mean)
                shown = mean(loss.detach()).item()  # of all processes, which so stop together
                if not math.isfinite(shown):
                    raise _not_finite(shown, batch, out=out, step=run.step, rank=fabric.global_rank)
                fabric.backward(loss)
                if recipe.clip:
                    fabric.clip_gradients(model, stepper, max_norm=recipe.clip)
                stepper.step()
                stepper.zero_grad()
                run.step += 1
                run.seen += recipe.batch
                _update_average(run, recipe)
                if report:
                    lr = max(group["lr"] for group in optimizer.param_groups)
                    report.step(run.step, epoch=epoch + 1, loss=shown, lr=lr, images=recipe.batch)
                    if recipe.save_every and run.step % recipe.save_every == 0 and run.step % steps:
                        run.save(out / "last.pt")
            if report:  # the first process measures, the others wait
                figures = task.validate(run.average, fabric.device)
                picture = task.picture(run.average, fabric.device)
                cv2.imwrite(str(out / "predictions.jpg"), picture)
                report.epoch(run.step, epoch=epoch + 1, figures=figures, picture=picture)
                if figures[task.score] > run.best:
                    run.best = figures[task.score]
                    run.save(out / "best.pt")
                    task.export(run.average.state_dict(), out / "model.safetensors")
                run.save(out / "last.pt")
                report.restart_clock()
            fabric.barrier()
    return figures


def _optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    wanted = recipe.optim
    rates: dict[str, float] = {"lr": wanted.lr, "weight_decay": wanted.weight_decay}
    match wanted.groups:
        case "single":
            groups = optim.single_group(network, **rates)
        case "slow_encoder":
            groups = optim.slow_encoder(network, **rates, encoder_lr=wanted.encoder_lr)
        case "layer_decay":
            groups = optim.layer_decay(network, **rates, rate=wanted.layer_decay)
        case _:
            groups = optim.matrix_decay(network, **rates)
    groups = [group | {"initial_lr": group["lr"]} for group in groups]
    make = torch.optim.Adam if wanted.name == "adam" else torch.optim.AdamW
    return make(groups, fused=True)


def _schedule(recipe: Recipe, steps: int) -> optim.Factor:
    """Return the factor on the learning rate as a function of the step; an epoch has so many `steps`."""
    wanted = recipe.schedule
    options: dict[str, dict[str, Any]] = {
        "milestones": {"at": list(wanted.at), "gamma": wanted.gamma},
        "cosine": {"epochs": recipe.epochs, "floor": wanted.floor},
        "plateau": {"epochs": recipe.epochs, "decay": wanted.decay},
    }
    common: dict[str, Any] = {"warmup": wanted.warmup, "warmup_start": wanted.warmup_start, "steps_per_epoch": steps}
    return optim.schedule(wanted.kind, **options[wanted.kind], **common)


def _chance(seed: int, step: int, rank: int) -> int:
    """Return a seed for one step of one process: no state of chance has to be kept to go on exactly."""
    return int(np.random.SeedSequence([seed, step, rank]).generate_state(1)[0])


def _attention(device: torch.device) -> AbstractContextManager:
    # The fused attention kernel's backward pass is several times slower than plain matrix products on CPUs.
    return sdpa_kernel(SDPBackend.MATH) if device.type == "cpu" else nullcontext()


def _not_finite(loss: float, batch: dict[str, Any], *, out: Path, step: int, rank: int) -> TrainingError:
    path = out / f"not-finite-{rank}.pt"
    torch.save(batch, path)
    return TrainingError(
        f"The loss is {loss} at step {step}; its batch is in {path}. Lower optim.lr, set clip, or look at the batch; "
        "--resume goes on from the last checkpoint."
    )


@torch.no_grad()
def _update_average(run: Run, recipe: Recipe) -> None:
    """Move the average towards the network; young averages forget faster, or they would remember the first weights."""
    done = run.seen / recipe.batch
    keep = min(recipe.ema, (1 + done) / (10 + done))
    for mean, new in zip(run.average.state_dict().values(), run.network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(new, 1 - keep)
        else:
            mean.copy_(new)


def _reporting(fabric: Fabric, out: Path, **options: Any) -> AbstractContextManager[Report | None]:
    return Report(out, **options) if fabric.is_global_zero else nullcontext()
