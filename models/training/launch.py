"""Start a training from a recipe and folders: data, task, devices."""

from __future__ import annotations

import dataclasses
import logging
import os
import warnings
from importlib.resources import files
from pathlib import Path

from lightning_fabric import Fabric

from ...errors import DeviceError, OutputError
from . import data as dataset
from . import loop, recipe_file
from .annotation_file import find_annotations
from .data import People
from .detection import DetectionTask
from .pose import PoseTask
from .recipe import Recipe


def train(
    wanted: Recipe,
    *,
    data: Path,
    out: Path,
    val: Path | None = None,
    labels: Path | None = None,
    cache: Path | None = None,
    init: str | None = None,
    resume: bool = False,
    device: str = "auto",
    devices: int = 1,
    nodes: int = 1,
    show: bool = False,
) -> dict[str, float]:
    """Train by a recipe; see `loop.fit` for the files written.

    Args:
        wanted: the recipe.
        data: training data, see `data.read`.
        out: folder of the results, created if needed.
        val: validation data; by default the validation split of `data`, or a part of its images.
        labels: annotation file of the training data, instead of that in `data`.
        cache: folder for the decoded images of `data`.
        init: weights or a checkpoint to start from; `bundled` for the bundled ones.
        resume: continue the run in `out`.
        device: `auto`, `cpu`, `cuda` or `mps`.
        devices: number of devices on this machine.
        nodes: number of machines.
        show: whether to print progress and problems of the data.

    Returns:
        The last validation metrics.

    Raises:
        PosetrackError: the recipe, data, weights or devices are not usable.
    """
    if not resume and (out / "last.pt").exists():
        raise OutputError(f"{out} already contains a run. Add --resume to continue it, or give another --out.")
    fabric = _fabric(wanted, device=device, devices=devices, nodes=nodes)
    show = show and fabric.is_global_zero
    people, held_out = _people(wanted, data, val, labels, cache, show=show)
    make = DetectionTask if wanted.loss == "detection" else PoseTask
    # Pre-trained weights are not loaded if those of another run replace them.
    without_pretrained = dataclasses.replace(wanted, network=dataclasses.replace(wanted.network, pretrained=""))
    task = make(people, held_out, without_pretrained if resume or init else wanted)
    if fabric.is_global_zero:
        out.mkdir(parents=True, exist_ok=True)
        recipe_file.write(wanted, out / "recipe.toml")
    initial = _bundled(wanted) if init == "bundled" else Path(init) if init else None
    return loop.fit(task, wanted, out=out, fabric=fabric, resume=resume, init=initial, show=show)


def _fabric(wanted: Recipe, *, device: str, devices: int, nodes: int) -> Fabric:
    """Start the processes of the training; under torchrun they exist already."""
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    if "WORLD_SIZE" in os.environ and "LOCAL_WORLD_SIZE" in os.environ:  # torchrun decides
        devices = int(os.environ["LOCAL_WORLD_SIZE"])
        nodes = int(os.environ["WORLD_SIZE"]) // devices
    several = devices * nodes > 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the machine
        try:
            fabric = Fabric(
                accelerator=device,
                devices=devices,
                num_nodes=nodes,
                strategy="ddp" if several else "auto",
                precision=wanted.precision,  # type: ignore[arg-type]  # checked by the recipe
            )
        except (RuntimeError, ValueError) as error:  # its MisconfigurationException is one of these
            raise DeviceError(f"Cannot train on {devices} x {device}: {error}") from error
        fabric.launch()
    return fabric


def _people(
    wanted: Recipe, data: Path, val: Path | None, labels: Path | None, cache: Path | None, *, show: bool
) -> tuple[People, People]:
    """Read the training and the validation people, and print problems once."""
    from rich.console import Console

    def read(root: Path, split: str, labels: Path | None = None, cache: Path | None = None) -> People:
        people, problems = dataset.read(root, split=split, labels=labels, cache=cache, max_side=wanted.data.max_side)
        for problem in problems if show else ():
            Console(stderr=True).print(f"{root}: {problem}", highlight=False, markup=False, soft_wrap=True)
        return people

    people = read(data, "train", labels, cache)
    where = val or data
    if find_annotations(where, split="val") is not None:
        return people, read(where, "val")
    if val is not None:  # a folder of one set of annotations
        return people, read(val, "train")
    return dataset.split_off(people, part=wanted.data.held_out, seed=wanted.seed)


def _bundled(wanted: Recipe) -> Path:
    name = "detector" if wanted.loss == "detection" else "pose"
    return Path(str(files("posetrack.models.weights") / "bundled" / f"{name}.safetensors"))
