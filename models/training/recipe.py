"""What a training run is asked to do: a TOML recipe, overridden key by key, checked, and saved as it was resolved."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from ... import configs
from ...errors import UsageError

FOLDER = "train"  # of configs, where the shipped recipes are


@dataclass(frozen=True, slots=True)
class Network:
    """Which network.

    Attributes:
        variant: a name of the zoo; of a detector, `yolov8n` or a larger one; `timm` for any backbone of timm.
        backbone: with `timm`: a name of `timm.list_models()`.
        head: with `timm`: `classic` or `simple` (ViTPose's), `transpose` (its encoder) or `bundled` (its decoder).
        input_size: (height, width) of what it sees, in pixels.
        drop_path: stochastic depth of the last block.
        pretrained: weights that the backbone begins from, a file or hf:OWNER/REPOSITORY/FILE; of a detector, the file
            or the name of a published YOLOv8; with `timm`, the file or `timm` for its own; none when empty.
    """

    variant: str
    backbone: str = ""
    head: str = "classic"
    input_size: tuple[int, int] = (256, 192)
    drop_path: float = 0.0
    pretrained: str = ""


@dataclass(frozen=True, slots=True)
class Data:
    """Which of the annotated people.

    Attributes:
        min_keypoints: people with fewer known keypoints are not learnt from.
        held_out: part of the pictures that is kept for validation, where no other data is given for it.
        repeat_true: times per epoch that carefully annotated people are seen (`label_source` is `gt`, or missing).
        limit: learn from no more than so many people, for trials; 0 is all.
        max_side: pictures are shrunk to this in a cache of decoded pictures.
        workers: processes that prepare batches, each process of the training its own; 0 does without.
    """

    min_keypoints: int = 1
    held_out: float = 0.02
    repeat_true: int = 1
    limit: int = 0
    max_side: int = 320
    workers: int = 4


@dataclass(frozen=True, slots=True)
class Augment:
    """How a sample is varied; 0 leaves a variation out.

    Attributes:
        flip: probability of a mirrored sample.
        half_body: probability of showing only the upper or the lower body of a person with more than 8 known keypoints
            (Wang et al. 2018), loosely.
        truncate: probability of showing only the upper or the lower body, tightly, as a webcam or a table does.
        shift: largest displacement of the centre, in widths and heights of the box.
        shift_probability: of such a displacement.
        scale: the size varies by a factor 1 + scale n, n normal, within 1 +- scale.
        rotation: degrees; the angle is rotation n, n normal, within twice the rotation, in 6 of 10 samples.
        squeeze: largest natural logarithm of the factor on the aspect ratio.
        color: strength of the changes of exposure, contrast and white balance.
        blur: probability.
        low_resolution: probability of a crop as of a person 2 to 5 times smaller.
        cutout: probability that something covers a part.
        paste: probability that a part of another person covers a keypoint.
        mosaic: of a detector: probability that four pictures share the canvas.
    """

    flip: float = 0.5
    half_body: float = 0.0
    truncate: float = 0.0
    shift: float = 0.0
    shift_probability: float = 0.0
    scale: float = 0.0
    rotation: float = 0.0
    squeeze: float = 0.0
    color: float = 0.0
    blur: float = 0.0
    low_resolution: float = 0.0
    cutout: float = 0.0
    paste: float = 0.0
    mosaic: float = 0.0


@dataclass(frozen=True, slots=True)
class Optim:
    """Which optimiser, and how fast each part learns.

    Attributes:
        name: `adamw` or `adam`.
        groups: `single`, `matrix_decay`, `slow_encoder` or `layer_decay`; functions of `optim.py`.
        lr: learning rate for a batch of the recipe's size.
        weight_decay: of AdamW.
        encoder_lr: of the encoder, with `slow_encoder`.
        layer_decay: factor from layer to layer, with `layer_decay`.
    """

    name: str = "adamw"
    groups: str = "matrix_decay"
    lr: float = 5e-4
    weight_decay: float = 0.1
    encoder_lr: float = 1e-5
    layer_decay: float = 0.75


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the learning rate goes.

    Attributes:
        kind: `milestones`, `cosine` or `plateau`; functions of `optim.py`.
        warmup: steps in which it rises.
        warmup_start: factor that it rises from.
        at: epochs in which it falls, of `milestones`.
        gamma: by which factor it falls there.
        floor: last factor of `cosine`.
        decay: epochs at the end in which it falls to zero, of `plateau`.
    """

    kind: str = "plateau"
    warmup: int = 0
    warmup_start: float = 0.0
    at: tuple[float, ...] = ()
    gamma: float = 0.1
    floor: float = 0.0
    decay: float = 0.0


@dataclass(frozen=True, slots=True)
class Teacher:
    """Another network to learn from, beside the true keypoints; see `teacher.py`.

    Attributes:
        network: a name of the zoo, or a file of weights; none when empty.
        weight: of the distance from its heat maps; that from the truth has 1.
    """

    network: str = ""
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training run.

    Attributes:
        network: which one.
        loss: a name of `objectives.OBJECTIVES`, or `detection`.
        epochs: times that everybody is seen.
        batch: samples a step, over all devices together.
        seed: of everything that is left to chance.
        precision: `32-true` or `bf16-mixed`, as Lightning Fabric calls them.
        clip: largest norm of the gradient; 0 for any.
        ema: the averaged weights keep this part of themselves at each step; 0 for no averaging.
        save_every: steps between checkpoints within an epoch; 0 for its end only.
        data: which people.
        augment: how samples are varied.
        optim: optimiser.
        schedule: of the learning rate.
        teacher: of a pose network: another one to learn from.
    """

    network: Network
    loss: str
    epochs: int
    batch: int
    seed: int = 0
    precision: str = "32-true"
    clip: float = 0.0
    ema: float = 0.0
    save_every: int = 0
    data: Data = field(default_factory=Data)
    augment: Augment = field(default_factory=Augment)
    optim: Optim = field(default_factory=Optim)
    schedule: Schedule = field(default_factory=Schedule)
    teacher: Teacher = field(default_factory=Teacher)

    def __post_init__(self) -> None:
        choices = {
            "precision": (self.precision, ("32-true", "bf16-mixed")),
            "optim.name": (self.optim.name, ("adamw", "adam")),
            "optim.groups": (self.optim.groups, ("single", "matrix_decay", "slow_encoder", "layer_decay")),
            "schedule.kind": (self.schedule.kind, ("milestones", "cosine", "plateau")),
        }
        for key, (value, allowed) in choices.items():
            if value not in allowed:
                raise UsageError(f"{key} is '{value}'; choose one of {', '.join(allowed)}.")
        if (self.network.variant == "timm") != bool(self.network.backbone):
            raise UsageError(
                'network.backbone goes with network.variant = "timm", and only with that. Set both or none.'
            )
        if self.network.variant == "timm" and self.optim.groups == "layer_decay":
            raise UsageError("optim.groups 'layer_decay' is for ViTPose. With a timm backbone choose slow_encoder.")
        if self.loss == "detection" and self.teacher.network:
            raise UsageError("teacher.network teaches pose networks, not detectors. Leave it out.")
        for key, number in {"epochs": self.epochs, "batch": self.batch}.items():
            if number < 1:
                raise UsageError(f"{key} is {number}; give at least 1.")


def read(name: str, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe and override some of its keys.

    Args:
        name: a shipped recipe, or a TOML file.
        overrides: each `key=value`, such as `optim.lr=1e-4`; the value as in TOML, a text also without quotes.

    Raises:
        UsageError: there is no such recipe, or a key or a value is not a recipe's.
    """
    table = configs.read(name, FOLDER)
    for override in overrides:
        _override(table, override)
    return _build(Recipe, table, prefix="", origin=f"Recipe {name}")


def write(recipe: Recipe, path: Path) -> None:
    """Write a resolved recipe, every key of it, as TOML that `read` takes."""
    import tomli_w

    path.write_text(tomli_w.dumps(dataclasses.asdict(recipe)), encoding="utf-8")


def _override(table: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals:
        raise UsageError(f"--set {override} has no value. Give it as key=value, such as optim.lr=1e-4.")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    *parents, last = key.split(".")
    for parent in parents:
        table = table.setdefault(parent, {})
        if not isinstance(table, dict):
            raise UsageError(f"--set {override}: {parent} is a value and has no keys. Leave out what follows the dot.")
    table[last] = value


def _build(kind: Any, table: Mapping[str, Any], *, prefix: str, origin: str) -> Any:
    """Make a dataclass from a table, checking keys and types on all levels."""
    types = get_type_hints(kind)
    values = {}
    for key, value in table.items():
        if key not in types:
            near = difflib.get_close_matches(prefix + key, _keys(Recipe), n=1)
            hint = f"Did you mean {near[0]}?" if near else f"The keys here are {', '.join(types)}."
            raise UsageError(f"{origin} has the unknown key '{prefix}{key}'. {hint}")
        wanted = types[key]
        if dataclasses.is_dataclass(wanted) and isinstance(value, dict):
            values[key] = _build(wanted, value, prefix=f"{prefix}{key}.", origin=origin)
        else:
            values[key] = _convert(value, wanted, key=prefix + key, origin=origin)
    for entry in dataclasses.fields(kind):
        if (
            entry.name not in values
            and entry.default is dataclasses.MISSING
            and entry.default_factory is dataclasses.MISSING
        ):
            raise UsageError(f"{origin} lacks the key '{prefix}{entry.name}'. Add it, or --set it.")
    return kind(**values)


def _keys(kind: Any, prefix: str = "") -> list[str]:
    keys = []
    for key, wanted in get_type_hints(kind).items():
        keys += _keys(wanted, f"{prefix}{key}.") if dataclasses.is_dataclass(wanted) else [prefix + key]
    return keys


def _convert(value: Any, wanted: Any, *, key: str, origin: str) -> Any:
    if get_origin(wanted) is tuple and isinstance(value, list):
        items = get_args(wanted)
        if items[-1] is Ellipsis:
            items = (items[0],) * len(value)
        if len(items) == len(value):
            return tuple(_convert(v, w, key=key, origin=origin) for v, w in zip(value, items, strict=True))
    if wanted is float and type(value) in (int, float):
        return float(value)
    if wanted in (int, str) and type(value) is wanted:
        return value
    name = "table" if dataclasses.is_dataclass(wanted) else str(getattr(wanted, "__name__", wanted))
    if get_origin(wanted) is tuple:
        name = (
            "list like [256, 192]" if len(get_args(wanted)) == 2 and get_args(wanted)[1] is int else "list of numbers"
        )
    raise UsageError(f"{origin} sets {key} to {value!r}, which is no {name}. Give a value of that type.")
