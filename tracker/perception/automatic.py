"""Choose the networks for `auto`: the best ones on this machine that are fast enough, else the bundled ones."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import UsageError
from ...models.weights import recommended
from ...models.weights.recommended import Candidate, best
from .pose import load_pose_estimator

log = logging.getLogger("posetrack")

AUTO = "auto"
LIVE_FPS, FILE_FPS = 25.0, 2.0  # frame rates that are fast enough: of a camera, and of a file, for which one can wait
PEOPLE = 2  # per frame
CROPS, ROUNDS = 16, 3  # of the measurement: work of the size of the larger networks


def choose_networks(
    model: str, detector: Any, *, fps: float, dataset: str = "coco", flip: bool = False, size: int = 0, **where: Any
) -> tuple[str, Any]:
    """Return the pose network and the detector, with each `auto` replaced by a name; the log states which and why.

    Each network may take half of a frame's time. Its time is estimated from its number of operations and from the time
    of the bundled pose network on this machine, which takes a second to measure.

    Args:
        model: pose network.
        detector: person detector.
        fps: frame rate that is fast enough, with `PEOPLE` people per frame.
        dataset: skeleton.
        flip: whether each person is estimated twice.
        size: longer side of the detector's input; 0 is the size that it was trained with.
        where: `device`, `runtime` and `precision`.

    Raises:
        UsageError: the skeleton is not COCO's.
        DeviceError: the device or the runtime is not available.
    """
    if AUTO not in (model, detector):
        return model, detector
    if model == AUTO and dataset not in (AUTO, "coco"):
        raise UsageError(f"model {AUTO} chooses among networks of COCO's keypoints, not of {dataset}. Name a model.")
    poses = [*recommended.pose_networks()] if model == AUTO else []
    detectors = [*recommended.detectors()] if detector == AUTO else []
    rate = measure_rate(**where) if poses or detectors else 0.0
    if model == AUTO:
        times = PEOPLE * (2 if flip else 1)
        model = _choose("model", poses, times=times, fps=fps, rate=rate)
    if detector == AUTO:
        detector = _choose("detector", detectors, times=(size / 640) ** 2 if size else 1.0, fps=fps, rate=rate)
    return model, detector


def measure_rate(**where: Any) -> float:
    """Return how many GMACs a second the bundled pose network does on this machine."""
    from ...models.weights.variants import BUNDLED, ZOO

    estimator = load_pose_estimator("bundled", offline=True, **where)
    network: Any = estimator.network
    crops = np.zeros((CROPS, 3, *estimator.input_size), np.float32)  # type: ignore[union-attr]  # a top-down network
    seconds = []
    for _ in range(1 + ROUNDS):  # the first one warms up
        start = time.perf_counter()
        network(crops)
        seconds.append(time.perf_counter() - start)
    return CROPS * ZOO[BUNDLED].gmacs / min(seconds[1:])


def _choose(option: str, candidates: Sequence[Candidate], *, times: float, fps: float, rate: float) -> str:
    """Return the name of the chosen network, and log why.

    Args:
        option: `model` or `detector`.
        candidates: on this machine.
        times: runs of the network per frame.
        fps: frame rate that is fast enough.
        rate: GMACs a second.
    """
    limit = 1000 / fps / 2  # ms
    chosen = best(candidates, gmacs=rate * limit / 1000 / times)
    if chosen:
        ms = 1000 * chosen.gmacs * times / rate
        log.info(
            "%s %s: %s, AP %s, the best one here that takes less than %.0f ms a frame (about %.0f).",
            *(option, AUTO, chosen.name, chosen.ap, limit, ms),
        )
        return chosen.name
    if candidates:
        least = min(candidates, key=lambda each: each.gmacs)
        ms = 1000 * least.gmacs * times / rate
        why = f"{least.name} would take about {ms:.0f} ms a frame, more than the limit of {limit:.0f}"
    else:
        why = "there is no other one on this machine; `posetrack models download recommended` fetches one"
    log.info("%s %s: bundled, since %s.", option, AUTO, why)
    return "bundled"
