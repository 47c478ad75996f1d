"""The training loop, for any network on any number of devices: step, average, validate, save."""

from __future__ import annotations

import copy
import math
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import compress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.optim.swa_utils import get_ema_multi_avg_fn

from ...errors import TrainingError
from . import optim
from .checkpoint import Run, write_whole
from .detection import DetectionTask
from .pose import PoseTask
from .recipe import Optim, Recipe
from .report import Report
from .samples import Batches, loader

Task = PoseTask | DetectionTask

FORWARDS = ("logits", "predict")  # forward methods of networks besides `__call__`


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
    """Train a network and validate it, by default after every epoch.

    Writes to `out`: `last.pt` and `best.pt`, checkpoints; `model.safetensors`, the averaged weights of the best;
    `log.jsonl`, TensorBoard's files, and `predictions.jpg`, the predictions for a few held-out samples.

    Args:
        task: network, samples, loss and validation.
        recipe: of the run.
        out: folder; must exist.
        fabric: devices and precision, launched.
        resume: continue from `last.pt` in `out`, with the same result as without the interruption.
        init: weights, or a checkpoint of another run, to start from.
        show: whether to print progress.

    Returns:
        The last validation metrics.

    Raises:
        OutputError: a file cannot be written.
        TrainingError: the loss is not finite; the batch is saved in `out`.
        ModelError: a checkpoint does not fit.
    """
    network: Any = task.network.to(fabric.device).to(memory_format=torch.channels_last)
    optimizer = _optimizer(network, recipe.optim)
    run = Run(network, copy.deepcopy(network).requires_grad_(False).eval(), optimizer)
    if resume:
        run.resume(out / "last.pt")
    elif init is not None:
        run.initialise(init, read_weights=task.read_weights)
    model, stepper = fabric.setup(network, optimizer)
    for name in FORWARDS:
        if hasattr(network, name):
            model.mark_forward_method(name)

    batches = Batches(
        len(task.samples), batch=recipe.batch, seed=recipe.seed, rank=fabric.global_rank, world=fabric.world_size
    )
    steps = len(batches)  # per epoch
    rate = _schedule(recipe, steps)
    data = loader(task.samples, batches=batches, workers=recipe.data.workers, collate=task.collate)
    mean: Any = partial(fabric.all_reduce, reduce_op="mean")
    metrics: dict[str, float] = {}
    with _reporting(fabric, out, steps=steps * recipe.epochs, start=run.step, show=show) as report:
        for epoch in range(run.step // steps, recipe.epochs):
            batches.epoch, batches.start = epoch, run.step - epoch * steps
            model.train()
            for batch in data:
                torch.manual_seed(_step_seed(recipe.seed, run.step, fabric.global_rank))
                for group in optimizer.param_groups:
                    group["lr"] = group["initial_lr"] * rate(run.step)
                # Fabric sets the precision only for a network's `__call__`, not for its other forward methods.
                with _attention(fabric.device), fabric.autocast():
                    loss = task.loss(model, fabric.to_device(batch), mean)
                average_loss = mean(loss.detach()).item()  # over all processes, so that all stop together
                if not math.isfinite(average_loss):
                    raise _not_finite(average_loss, batch, out=out, step=run.step, rank=fabric.global_rank)
                fabric.backward(loss)
                if recipe.clip:
                    fabric.clip_gradients(model, stepper, max_norm=recipe.clip)
                stepper.step()
                stepper.zero_grad()
                run.step += 1
                run.seen += recipe.batch
                _update_average(run, batch=recipe.batch, decay=recipe.ema)
                if report:
                    lr = max(group["lr"] for group in optimizer.param_groups)
                    report.step(run.step, epoch=epoch + 1, loss=average_loss, lr=lr, images=recipe.batch)
                    if recipe.save_every and run.step % recipe.save_every == 0 and run.step % steps:
                        run.save(out / "last.pt")
            last = epoch + 1 == recipe.epochs
            if report and (last or (epoch + 1) % recipe.validate_every == 0):  # the other processes wait
                metrics = _validate(task, run, report, epoch=epoch + 1, out=out, device=fabric.device)
            if report:
                run.save(out / "last.pt")
                report.restart_clock()
            fabric.barrier()
    return metrics


def _validate(task: Task, run: Run, report: Report, *, epoch: int, out: Path, device: torch.device) -> dict[str, float]:
    """Return the metrics of the averaged weights after an epoch; keep the weights if they are the best so far."""
    metrics = task.validate(run.average, device)
    preview = task.preview(run.average, device)
    cv2.imwrite(str(out / "predictions.jpg"), preview)
    report.epoch(run.step, epoch=epoch, metrics=metrics, preview=preview)
    if metrics[task.score] > run.best:
        run.best = metrics[task.score]
        run.save(out / "best.pt")
        write_whole(out / "model.safetensors", partial(task.export, run.average.state_dict()))
    return metrics


def _optimizer(network: nn.Module, wanted: Optim) -> torch.optim.Optimizer:
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
    """Return the factor of the learning rate as a function of the step; an epoch has `steps` steps."""
    wanted = recipe.schedule
    options: dict[str, dict[str, Any]] = {
        "milestones": {"at": list(wanted.at), "gamma": wanted.gamma},
        "cosine": {"epochs": recipe.epochs, "floor": wanted.floor},
        "plateau": {"epochs": recipe.epochs, "decay": wanted.decay},
    }
    common: dict[str, Any] = {"warmup": wanted.warmup, "warmup_start": wanted.warmup_start, "steps_per_epoch": steps}
    return optim.schedule(wanted.kind, **options[wanted.kind], **common)


def _step_seed(seed: int, step: int, rank: int) -> int:
    """Return the seed of one step of one process, so that a run resumes exactly without a stored random state."""
    return int(np.random.SeedSequence([seed, step, rank]).generate_state(1)[0])


def _attention(device: torch.device) -> AbstractContextManager:
    # On CPUs, the backward pass of fused attention is several times slower than that of plain matrix products.
    return sdpa_kernel(SDPBackend.MATH) if device.type == "cpu" else nullcontext()


def _not_finite(loss: float, batch: dict[str, Any], *, out: Path, step: int, rank: int) -> TrainingError:
    path = out / f"not-finite-{rank}.pt"
    torch.save(batch, path)
    return TrainingError(
        f"The loss is {loss} at step {step}; its batch is in {path}. Lower optim.lr, set clip, or inspect the batch; "
        "--resume continues from the last checkpoint."
    )


@torch.no_grad()
def _update_average(run: Run, *, batch: int, decay: float) -> None:
    """Update the moving average; its decay is faster at first, so that the initial weights have no lasting effect."""
    done = run.seen / batch
    keep = min(decay, (1 + done) / (10 + done))
    means, values = list(run.average.state_dict().values()), list(run.network.state_dict().values())
    floating = [mean.is_floating_point() for mean in means]
    get_ema_multi_avg_fn(keep)(list(compress(means, floating)), list(compress(values, floating)), run.step)
    for mean, new, float_ in zip(means, values, floating, strict=True):
        if not float_:
            mean.copy_(new)


def _reporting(fabric: Fabric, out: Path, **options: Any) -> AbstractContextManager[Report | None]:
    return Report(out, **options) if fabric.is_global_zero else nullcontext()
