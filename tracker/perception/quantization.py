"""Quantize a pose network to int8 and check its accuracy and speed against the exact network."""

from __future__ import annotations

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

LEAST_OKS = 0.98  # minimum OKS with the exact network; bf16 reaches .9998, and a good int8 network .997 to .999
CERTAIN = 0.2  # minimum score of the exact network's keypoints that are compared
FEWEST = 50  # minimum number of such keypoints on held-out crops
LEAST_GAIN = 1.05  # minimum speed-up that is worth the loss of accuracy
MOST_CROPS = 300
BATCH = 16
PEOPLE, TURNS = 5, 9  # size of the timed batch, and number of timed calls

Crops = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of a quantized network with the exact one.

    Attributes:
        oks: mean object keypoint similarity over people.
        shift: median distance of keypoints, percent of the box's height.
        keypoints: number of compared keypoints.
        people: number of compared crops.
    """

    oks: float
    shift: float
    keypoints: int
    people: int


@dataclass(frozen=True, slots=True)
class Speed:
    """Inference time per crop on this machine.

    Attributes:
        int8: ms in int8.
        exact: ms in the precision used otherwise.
        precision: the precision used otherwise.
    """

    int8: float
    exact: float
    precision: str

    @property
    def is_worthwhile(self) -> bool:
        """Whether the speed-up of int8 is large enough."""
        return self.exact > LEAST_GAIN * self.int8


def make_int8(key: str, read: Callable[[], store.Loaded], crops: Crops, target: Path) -> tuple[Agreement, Speed]:
    """Quantize a pose network to int8; if it is faster, also store it where `--runtime auto` finds it.

    Every third crop is held out for the comparison.

    Args:
        key: key from `runtimes.load.network_key`.
        read: reads the network's weights.
        crops: (N, 3, h, w) crops of people for calibration and comparison.
        target: `.xml` file; the weights are written to `.bin` next to it.

    Returns:
        Agreement and speed of the int8 network.

    Raises:
        ConversionError: the network cannot be written, or NNCF is not installed.
        ModelError: there are too few people, or int8 is too inaccurate.
    """
    from ...models.export.quantize import to_int8
    from .runtimes.choice import Choice
    from .runtimes.openvino import OpenVinoRuntime, exact_layers

    def start(path: Path, precision: str) -> OpenVinoRuntime:
        return OpenVinoRuntime(path, Choice("openvino", "cpu", precision, "for the comparison"))

    exact = store.converted(key, ".xml", read)
    assert isinstance(exact.card, PoseCard)
    held_out = np.arange(len(crops)) % 3 == 2
    to_int8(exact.path, target, crops[~held_out])
    quantized, otherwise = start(target, "int8"), exact_layers("int8")
    agreement = compare(start(exact.path, "fp32"), quantized, crops[held_out], exact.card)
    check(agreement)
    int8, slower = ms_per_crop([quantized, start(exact.path, otherwise)], crops[:PEOPLE])
    speed = Speed(int8, slower, otherwise)
    kept = exact.path.with_name(store.INT8)
    with store.exclusive():
        store.discard(kept)
        if speed.is_worthwhile:
            for suffix in (".bin", ".xml"):
                shutil.copyfile(target.with_suffix(suffix), kept.with_suffix(suffix))
            store.store_sums(kept)
    return agreement, speed


def ms_per_crop(networks: Sequence[Callable[[Crops], Any]], crops: Crops) -> list[float]:
    """Return each network's median time per crop in ms, measured in turns after a warm-up call."""
    times: list[list[float]] = [[] for _ in networks]
    for _ in range(TURNS + 1):
        for network, own in zip(networks, times, strict=True):
            start = time.perf_counter()
            network(crops)
            own.append(1000 * (time.perf_counter() - start) / len(crops))
    return [float(np.median(own[1:])) for own in times]


def compare(
    exact: Callable[[Crops], Any], quantized: Callable[[Crops], Any], crops: Crops, card: PoseCard
) -> Agreement:
    """Compare the keypoints of two networks; keypoints that the quantized one misses count as wrong."""
    processing, sigmas = PROCESSINGS[card.processing], skeleton(card.skeleton).sigmas
    similar, shifts = [], []
    for first in range(0, len(crops), BATCH):
        images = crops[first : first + BATCH]
        points, scores, size = processing.locate(exact, images)
        others, _, _ = processing.locate(quantized, images)
        box = np.array(size) / processing.padding
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
    """Check the agreement of a quantized network.

    Raises:
        ModelError: the agreement is too low, or is based on too few keypoints.
    """
    remedy = "Calibrate on more images like those in use: --calibrate VIDEO or FOLDER."
    if agreement.keypoints < FEWEST:
        found = f"only {agreement.keypoints} confident keypoints, at least {FEWEST} are needed"
        raise ModelError(f"Cannot check the accuracy of int8: the held-out crops have {found}. {remedy}")
    if agreement.oks < LEAST_OKS:
        raise ModelError(
            f"int8 moves this network's keypoints too far: the OKS with fp32 is {agreement.oks:.3f} on "
            f"{agreement.people} held-out crops, at least {LEAST_OKS} is needed. {remedy} Or use bf16."
        )


def people_crops(frames: Iterable[Frame], detector: Callable[[Frame], Detections], card: PoseCard) -> Crops:
    """Crop the people of some frames.

    Args:
        frames: see `video.evenly_spaced`.
        detector: person detector.
        card: of the network that the crops are for.

    Returns:
        (N, 3, h, w), `MOST_CROPS` at most.
    """
    processing, size = PROCESSINGS[card.processing], card.input_size
    crops = [np.zeros((0, 3, *size), np.float32)]
    for frame in frames:
        centers, sizes = processing.regions(detector(frame).boxes, size)
        cut = processing.warp(frame.image, processing.matrices(centers, sizes, input_size=size), input_size=size)
        crops.append(crop.normalize(cut))
    found = np.concatenate(crops)
    return found[np.linspace(0, len(found) - 1, MOST_CROPS).round().astype(int)] if len(found) > MOST_CROPS else found
