"""`posetrack bench pipeline` and `naive`: stages, and whole runs from file to file."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..perception.runtimes.machine import cores
from ..stages import streams

if TYPE_CHECKING:
    from rich.console import Console

    from ..pipeline import Pipeline


def _load(args: argparse.Namespace, **options: Any) -> Pipeline:
    from ..load import load_pipeline

    where = {"device": args.device, "runtime": args.runtime, "precision": args.precision}
    return load_pipeline(**({"detect_size": args.detect_size, "offline": True} | where | options))


def run_pipeline(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Time the stages of a clip, and whole runs of it."""
    from itertools import islice
    from tempfile import TemporaryDirectory

    from ..benchmark.machine import ceiling, environment, machine, one_core
    from ..benchmark.runs import in_turns, ours, shares
    from ..benchmark.stages import measure
    from ..video.open import open_source
    from ..video.sample import make_crowd, make_sample

    pipeline = _load(args, model=args.model, detector=args.detector)
    ahead = _load(args, model=args.model, detector=args.detector, streams=streams(live=False))
    with environment(OMP_NUM_THREADS="1"):
        single = _load(args, model=args.model, detector=args.detector)
    kinds: dict[str, Any] = {"clips": {}, "machine": machine(), "networks": _networks(pipeline)}
    with TemporaryDirectory() as name:
        folder = Path(name)
        for people in args.people or [None]:
            clip = Path(args.source) if args.source else folder / "clip.mp4"
            if people:
                seconds = (args.frames + args.warmup) / 30
                clip = folder / f"{people}.mp4"
                make_crowd(clip, people=people, seconds=seconds)
            elif not args.source:
                make_sample(clip)
            with open_source(str(clip)) as opened:
                frames = list(islice(opened, args.frames + args.warmup))
            figures = measure(pipeline, frames, warmup=args.warmup)
            end = frames[-1].time + 1e-3
            run = partial(ours, source=clip, save=folder / "out.mp4", end=end, warmup=args.warmup)
            turns: dict[str, Any] = {"one by one": partial(run, pipeline, threads=False)}
            if cores() > 1:
                turns = {"one core": one_core()(partial(run, single, threads=False))} | turns
                turns["side by side"] = partial(run, ahead, threads=True)
            figures["runs"], figures["ceiling"] = in_turns(turns, rounds=args.rounds), ceiling()
            figures["shares"] = shares(single, partial(run, threads=False))
            _print_stages(figures, console)
            _print_runs(figures["runs"], "from file to file", console)
            console.print(f"two threads that share nothing: {figures['ceiling']:.2f}x of one here", highlight=False)
            _print_shares(figures["shares"], console)
            kinds["clips"][str(people or clip.name)] = figures
    return kinds


def run_naive(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Time whole runs beside the naive pipeline."""
    from tempfile import TemporaryDirectory

    from ..benchmark.machine import environment, machine
    from ..benchmark.naive_pipeline import NaivePipeline, check_installed, make_networks
    from ..benchmark.runs import KnownBoxes, in_turns, naive, ours, shares, with_networks
    from ..benchmark.startup import starts
    from ..config.recipe import read_recipe
    from ..video.sample import make_crowd

    check_installed()
    count = args.frames + args.warmup
    figures: dict[str, Any] = {"people": {}, "shares": {}, "machine": machine()}
    # networks of random weights, hundreds of megabytes, stay out of the user's cache
    with TemporaryDirectory() as name, environment(POSETRACK_CACHE=f"{name}/cache"):
        folder = Path(name)
        detector, pose = make_networks(folder)
        baseline = NaivePipeline(detector, pose)
        same = _load(args, model=str(pose), detector=str(detector), streams=streams(live=False))
        small = _load(args, **read_recipe("realtime"))
        figures["networks"] = _networks(same)
        figures["networks"] |= {f"realtime {what}": text for what, text in _networks(small).items()}
        for people in args.people:
            clip, save = folder / f"{people}.mp4", folder / "out.mp4"
            boxes = make_crowd(clip, people=people, seconds=max(count, 10 * args.frames) / 30)
            known = with_networks(same, KnownBoxes(same.detector, boxes), same.estimator)
            run = partial(ours, source=clip, save=save, end=(count - 0.5) / 30, warmup=args.warmup)
            figures["people"][str(people)] = in_turns(
                {
                    "naive pipeline": partial(naive, baseline, boxes, clip, save, frames=count, warmup=args.warmup),
                    "same networks": partial(run, known, threads=cores() > 1),
                    "realtime": partial(run, small, end=1e9, threads=cores() > 1),
                },
                rounds=args.rounds,
            )
            _print_runs(figures["people"][str(people)], f"{people} people at 1280 x 720, from file to file", console)
            figures["shares"][str(people)] = shares(known, partial(run, threads=False))
            _print_shares(figures["shares"][str(people)], console)
        figures["ready"] = starts(detector, pose, folder=folder / "starts", rounds=args.rounds)
    _print_ready(figures["ready"], console)
    return figures


def _networks(pipeline: Pipeline) -> dict[str, str]:
    """Return the inference backend of each network."""
    found = {"detector": pipeline.detector, "pose": pipeline.estimator}
    networks = {what: part.network for what, part in found.items() if part and part.network}
    return {what: f"{network.name} {network.precision}" for what, network in networks.items()}


def _print_stages(figures: dict[str, Any], console: Console) -> None:
    from rich.table import Table

    table = Table(title=f"{figures['fps']:.1f} frames/s, {figures['people']:.1f} people a frame")
    for column in ("stage", "median ms", "p95 ms"):
        table.add_column(column, justify="left" if column == "stage" else "right")
    for stage, values in figures["stages"].items():
        table.add_row(stage, f"{values['median']:.2f}", f"{values['p95']:.2f}")
    console.print(table)


def _print_runs(runs: dict[str, dict[str, float]], title: str, console: Console) -> None:
    from rich.table import Table

    table = Table(title=title)
    for column in ("run", "median ms", "p95 ms", "people", "times as fast"):
        table.add_column(column, justify="left" if column == "run" else "right")
    for name, run in runs.items():
        table.add_row(name, f"{run['median']:.1f}", f"{run['p95']:.1f}", f"{run['people']:.1f}", f"{run['ratio']:.2f}x")
    console.print(table)


def _print_shares(shares: dict[str, float], console: Console) -> None:
    line = "one after the other: networks {networks:.1%}, video {video:.1%}, everything else {rest:.1%}"
    console.print(line.format(**shares), highlight=False)


def _print_ready(ready: dict[str, dict[str, float]], console: Console) -> None:
    from rich.table import Table

    table = Table(title="from the start of Python to the first result")
    for column in ("pipeline", "seconds", "resident MB", "private MB", "times as soon", "times as small"):
        table.add_column(column, justify="left" if column == "pipeline" else "right")
    naive = next(iter(ready.values()))
    for name, own in ready.items():
        ratios = [f"{naive[key] / own[key]:.1f}x" for key in ("ready", "memory")]
        table.add_row(name, f"{own['ready']:.2f}", f"{own['memory']:.0f}", f"{own['private']:.0f}", *ratios)
    console.print(table)
    console.print("A first start converts the networks and compiles the tracker; later ones find both in the cache.")
