"""Make a pose network in eight bits and let it pass a gate: its keypoints must be those of the exact one, sooner."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError
from ...models.geometry import crop
from ...models.geometry.keypoints import paired_oks
from ...models.geometry.processing import PROCESSINGS
from ...models.geometry.skeletons import skeleton
from ...models.weights.card import PoseCard
from ..types import Detections, Frame
from .runtimes import store

LEAST_OKS = 0.98  # of eight bits with the exact network; bf16 has .9998 and a good int8 .997 to .999
CERTAIN = 0.2  # score of the exact network's keypoints that count
FEWEST = 50  # such keypoints, of held-out crops; fewer prove nothing
LEAST_GAIN = 1.05  # times as fast as the exact network; for less nobody gives keypoints away
MOST_CROPS = 300
BATCH = 16
PEOPLE, TURNS = 5, 9  # of a batch that is timed, and how often

Crops = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How near the rounded network is to the exact one.

    Attributes:
        oks: object keypoint similarity, the mean over people.
        shift: median distance of a keypoint in per cent of the box's height.
        keypoints: how many were compared.
        people: on how many crops.
    """

    oks: float
    shift: float
    keypoints: int
    people: int


@dataclass(frozen=True, slots=True)
class Speed:
    """What a crop costs on this machine.

    Attributes:
        int8: ms in eight bits.
        exact: ms in the precision that the network runs in otherwise.
        precision: that one.
    """

    int8: float
    exact: float
    precision: str

    @property
    def pays(self) -> bool:
        """Whether eight bits are enough sooner."""
        return self.exact > LEAST_GAIN * self.int8


def make_int8(key: str, read: Callable[[], store.Loaded], crops: Crops, target: Path) -> tuple[Agreement, Speed]:
    """Write a pose network in eight bits; if it is faster, also where `--runtime auto` finds it.

    Every third crop is held out and compared on.

    Args:
        key: that `runtimes.load.network_key` gives.
        read: reads the network's weights.
        crops: (N, 3, h, w) of people.
        target: `.xml`; its weights come beside it.

    Returns:
        How it compares.

    Raises:
        ConversionError: the network cannot be written, or NNCF is not installed.
        ModelError: there are too few people, or eight bits are too few.
    """
    from ...models.export.quantize import to_int8
    from .runtimes.choice import Choice
    from .runtimes.openvino import OpenVinoRuntime, exact_layers

    def start(path: Path, precision: str) -> OpenVinoRuntime:
        return OpenVinoRuntime(path, Choice("openvino", "cpu", precision, "to be compared"))

    exact = store.converted(key, ".xml", read)
    assert isinstance(exact.card, PoseCard)
    held_out = np.arange(len(crops)) % 3 == 2
    to_int8(exact.path, target, crops[~held_out])
    rounded, otherwise = start(target, "int8"), exact_layers("int8")
    agreement = compare(start(exact.path, "fp32"), rounded, crops[held_out], exact.card)
    check(agreement)
    int8, slower = ms_a_crop([rounded, start(exact.path, otherwise)], crops[:PEOPLE])
    speed = Speed(int8, slower, otherwise)
    kept = exact.path.with_name(store.INT8)
    kept.unlink(missing_ok=True)
    if speed.pays:
        for suffix in (".bin", ".xml"):  # the one that is looked for comes last
            fresh = kept.with_name(f"{os.getpid()}-{kept.stem}{suffix}")
            shutil.copyfile(target.with_suffix(suffix), fresh)
            fresh.replace(kept.with_suffix(suffix))
    return agreement, speed


def ms_a_crop(networks: Sequence[Callable[[Crops], Any]], crops: Crops) -> list[float]:
    """Return each network's median of some turns, after one to warm up."""
    times: list[list[float]] = [[] for _ in networks]
    for _ in range(TURNS + 1):
        for network, own in zip(networks, times, strict=True):
            start = time.perf_counter()
            network(crops)
            own.append(1000 * (time.perf_counter() - start) / len(crops))
    return [float(np.median(own[1:])) for own in times]


def compare(exact: Callable[[Crops], Any], rounded: Callable[[Crops], Any], crops: Crops, card: PoseCard) -> Agreement:
    """Compare two networks' keypoints; those that the rounded one lost count as wrong."""
    processing, sigmas = PROCESSINGS[card.processing], skeleton(card.skeleton).sigmas
    similar, shifts = [], []
    for first in range(0, len(crops), BATCH):
        images = crops[first : first + BATCH]
        points, scores, size = processing.locate(processing.decode, exact, images, None)
        others, _, _ = processing.locate(processing.decode, rounded, images, None)
        box = np.array(size) / crop.PADDING  # the crop's is padded
        certain = scores > CERTAIN
        points = np.where(certain[..., None], points, np.nan)
        others = np.nan_to_num(others, nan=1e6)
        oks = paired_oks(points, others, np.full(len(points), box.prod()), sigmas=sigmas)
        similar.append(oks[certain.any(1)])
        shifts.append(100 * np.linalg.norm(points - others, axis=-1)[certain] / box[0])
    distances = np.concatenate([*shifts, np.zeros(0)])
    people = np.concatenate([*similar, np.zeros(0)])
    if not len(distances):
        return Agreement(0.0, np.inf, 0, 0)
    return Agreement(float(people.mean()), float(np.median(distances)), len(distances), len(people))


def check(agreement: Agreement) -> None:
    """Let a rounded network pass, or not.

    Raises:
        ModelError: it does not.
    """
    remedy = "Calibrate on more pictures like those it will see: --calibrate VIDEO or FOLDER."
    if agreement.keypoints < FEWEST:
        found = f"only {agreement.keypoints} certain keypoints in the held-out crops, and {FEWEST} are the least"
        raise ModelError(f"Whether int8 is good enough cannot be told: there are {found}. {remedy}")
    if agreement.oks < LEAST_OKS:
        raise ModelError(
            f"int8 moves this network's keypoints too far: an OKS of {agreement.oks:.3f} with fp32 on "
            f"{agreement.people} held-out crops, and {LEAST_OKS} is the least. {remedy} Or stay with bf16."
        )


def people_crops(frames: Iterable[Frame], detector: Callable[[Frame], Detections], card: PoseCard) -> Crops:
    """Crop the people of some frames.

    Args:
        frames: see `video.spread.spread_frames`.
        detector: person detector.
        card: of the network that the crops are for.

    Returns:
        (N, 3, h, w), `MOST_CROPS` at most.
    """
    processing, size = PROCESSINGS[card.processing], card.input_size
    crops = [np.zeros((0, 3, *size), np.float32)]
    for frame in frames:
        centers, sizes = processing.regions(detector(frame).boxes, size)
        cut = processing.warp(frame.image, processing.matrices(centers, sizes, size), input_size=size)
        crops.append(crop.normalize(cut))
    found = np.concatenate(crops)
    return found[np.linspace(0, len(found) - 1, MOST_CROPS).round().astype(int)] if len(found) > MOST_CROPS else found
