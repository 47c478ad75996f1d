"""The tracker's time per frame, compared with other trackers on the same people, on one core, in turns.

Times are CPU time, not wall time, so that other load on the machine does not count.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..evaluation import synthetic
from ..tracking import kalman
from ..tracking.tracker import PoseTracker
from ..types import Poses
from .machine import machine, memory, one_core
from .peers import PEERS, Update

FPS = 30
BLOCK = 10  # frames per turn
POINTS = 19  # per person: the center and size of the box, and 17 keypoints


def measure_trackers(people: Sequence[int], against: Sequence[str], *, frames: int, warmup: int) -> dict[str, Any]:
    """Time full updates with 17 keypoints per person, including new and lost tracks.

    Args:
        people: numbers of people per frame, one measurement for each.
        against: names out of `PEERS`, and `filterpy`; packages that are not installed are reported in `missing`.
        frames: number of timed frames.
        warmup: number of frames before them.

    Returns:
        `people`, by number and tracker the `median` and `p95` in ms and the median's `ratio` to posetrack's; `kalman`,
        the same for the prediction and update of all filters, with the largest `difference` from filterpy in pixels;
        `missing`, by tracker the command that installs it; `machine`.
    """
    figures: dict[str, Any] = {"frames": frames, "people": {}, "kalman": {}, "missing": {}, "machine": machine()}
    with one_core():
        for count in people:
            crowd = [poses for _, poses, _ in coming_and_going(count, frames + warmup).frames(noise=0.01, misses=0.05)]
            updates = {"posetrack": _ours(crowd)}
            for name in against:
                try:
                    if name in PEERS:
                        updates[name] = PEERS[name][0](crowd)
                except ImportError:
                    extra = "norfair" if PEERS[name][1] == "norfair" else "bench"
                    figures["missing"][name] = f"pip install 'posetrack[{extra}]'"
            figures["people"][str(count)] = _in_turns(updates, frames=frames, warmup=warmup)
            if "filterpy" in against:
                figures["kalman"][str(count)] = measure_kalman(count, steps=max(frames // 4, 1))
    return figures


def coming_and_going(count: int, frames: int) -> synthetic.Scene:
    """Return a scene with a constant number of people, in which each of them is once replaced by a new one."""
    times = synthetic.regular(frames / FPS, FPS)
    scene = synthetic.crowd(times, count=2 * count)
    change = np.linspace(0, times[-1], count)  # seconds
    early = times[:, None] < change
    return replace(scene, visible=np.concatenate([early, ~early], axis=1))


def measure_endurance(people: int, frames: int) -> dict[str, Any]:
    """Run one tracker for many frames with changing people, and measure whether time and memory grow.

    Args:
        people: number of people per frame.
        frames: number of frames, 10 or more.

    Returns:
        `first` and `last`, for the first and last tenth of the frames: `median` and `p95` in ms, the `memory` of the
        process in MB and the tracker's number of `tracks`, both at its end; `ids`, the total number of ids; `frames`;
        `machine`.
    """
    lap = [(time, poses) for time, poses, _ in coming_and_going(people, 300).frames(noise=0.01, misses=0.05)]
    tracker, spent, tenth, met = PoseTracker(), np.zeros(frames), frames // 10, 0
    figures: dict[str, Any] = {}
    with one_core():
        for index in range(frames):
            round_, at = divmod(index, len(lap))
            moment, poses = lap[at]
            start = time.process_time()
            if at == 0:
                tracker.cut()  # the people of each lap are new
            tracks = tracker.update(poses, 13.0 * round_ + moment)
            spent[index] = 1000 * (time.process_time() - start)
            met = max(met, *tracks.ids.tolist(), 0)
            if index + 1 in (tenth, frames):
                values, part = spent[index + 1 - tenth : index + 1], "last" if index + 1 == frames else "first"
                figures[part] = {"median": float(np.median(values)), "p95": float(np.percentile(values, 95))}
                figures[part] |= {"memory": memory()[0], "tracks": tracker.remembered}
    return figures | {"frames": frames, "ids": met, "machine": machine()}


def _ours(frames: list[Poses]) -> Update:
    tracker = PoseTracker()
    return lambda index: tracker.update(frames[index], index / FPS)


def _in_turns(updates: dict[str, Update], *, frames: int, warmup: int) -> dict[str, dict[str, float]]:
    """Time each tracker's updates, in blocks of frames in turn."""
    spent: dict[str, list[float]] = {name: [] for name in updates}
    for first in range(0, frames + warmup, BLOCK):
        for name, update in updates.items():
            for index in range(first, min(first + BLOCK, frames + warmup)):
                start = time.process_time()
                update(index)
                spent[name].append(1000 * (time.process_time() - start))
    return _summary({name: values[warmup:] for name, values in spent.items()})


def _summary(spent: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Return median, p95 and the ratio to the first tracker's median."""
    ours = float(np.median(next(iter(spent.values()))))
    return {
        name: {
            "median": float(np.median(values)),
            "p95": float(np.percentile(values, 95)),
            "ratio": float(np.median(values)) / ours,
        }
        for name, values in spent.items()
    }


def measure_kalman(people: int, *, steps: int) -> dict[str, Any]:
    """Time the prediction and correction of all points, in one batch and one by one with filterpy.

    Returns:
        The summary of `posetrack` and `filterpy`, and the largest `difference` of their positions in pixels.
    """
    from filterpy.common import Q_continuous_white_noise
    from filterpy.kalman import KalmanFilter

    rng = np.random.default_rng(0)
    start = rng.uniform(0, 1000, (people, POINTS, 2))
    density, noise, speed = (np.full((people, POINTS), value) for value in (1e4, 25.0, 100.0))
    points = kalman.Points.unknown(people, POINTS)
    kalman.update(tuple(points), start, noise, speed)
    filters = []
    for position in start.reshape(-1, 2):
        one = KalmanFilter(dim_x=4, dim_z=2)
        one.x = np.array([*position, 0, 0])[:, None]
        one.P = np.diag([25.0, 25.0, 1e4, 1e4])
        one.F = np.eye(4) + np.eye(4, k=2) / FPS
        one.H, one.R = np.eye(2, 4), 25.0 * np.eye(2)
        one.Q = Q_continuous_white_noise(2, dt=1 / FPS, spectral_density=1e4, block_size=2, order_by_dim=False)
        filters.append(one)
    spent: dict[str, list[float]] = {"posetrack": [], "filterpy": []}
    difference = 0.0
    for step in range(steps + 5):
        measured = start + 3.0 * step + rng.normal(0, 5, start.shape)
        begun = time.process_time()
        kalman.predict(tuple(points), 1 / FPS, density)
        kalman.update(tuple(points), measured, noise, speed)
        between = time.process_time()
        for one, place in zip(filters, measured.reshape(-1, 2, 1)):
            one.predict()
            one.update(place)
        spent["posetrack"].append(1000 * (between - begun))
        spent["filterpy"].append(1000 * (time.process_time() - between))
        theirs: NDArray[np.float64] = np.array([one.x[:2, 0] for one in filters]).reshape(start.shape)
        difference = max(difference, float(np.abs(points.positions - theirs).max()))
    return {**_summary({name: values[5:] for name, values in spent.items()}), "difference": difference}
