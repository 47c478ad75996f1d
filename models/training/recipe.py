"""What a training recipe states: network, data, augmentation, optimiser, schedule and teacher."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...errors import UsageError


@dataclass(frozen=True, slots=True)
class Network:
    """The network.

    Attributes:
        variant: a name of the zoo; of a detector, `yolov8n` or a larger one; `timm` for any backbone of timm.
        backbone: with `timm`: a name of `timm.list_models()`.
        head: with `timm`: `classic` or `simple` (ViTPose's), `transpose` (its encoder) or `bundled` (its decoder).
        input_size: (height, width) of its input in pixels.
        drop_path: stochastic depth of the last block.
        pretrained: initial weights of the backbone, a file or hf:OWNER/REPOSITORY/FILE; of a detector, the file or the
            name of a published YOLOv8; with `timm`, the file or `timm` for timm's weights; none if empty.
    """

    variant: str
    backbone: str = ""
    head: str = "classic"
    input_size: tuple[int, int] = (256, 192)
    drop_path: float = 0.0
    pretrained: str = ""


@dataclass(frozen=True, slots=True)
class Data:
    """The training data.

    Attributes:
        min_keypoints: people with fewer known keypoints are excluded.
        held_out: fraction of the images for validation, if no validation data is given.
        repeat_true: times per epoch that carefully annotated people are seen (`label_source` is `gt`, or missing).
        limit: maximum number of people, for trials; 0 for all.
        max_side: images in a cache are downscaled to this longer side, pixels.
        workers: processes that prepare batches, per training process; 0 for none.
    """

    min_keypoints: int = 1
    held_out: float = 0.02
    repeat_true: int = 1
    limit: int = 0
    max_side: int = 320
    workers: int = 4


@dataclass(frozen=True, slots=True)
class Augment:
    """Data augmentation; 0 disables a transformation.

    Attributes:
        flip: probability of a mirrored sample.
        half_body: probability of a loose crop of the upper or lower body of a person with more than 8 known keypoints
            (Wang et al. 2018).
        truncate: probability of a tight crop of the upper or lower body, as in a webcam image or behind a table.
        shift: largest displacement of the centre, in widths and heights of the box.
        shift_probability: of such a displacement.
        scale: the size is multiplied by 1 + scale n, n normal, clipped to 1 +- scale.
        rotation: degrees; the angle is rotation n, n normal, clipped to twice the rotation, in 60 % of samples.
        squeeze: maximum natural logarithm of the factor of the aspect ratio.
        color: strength of the changes of exposure, contrast and white balance.
        blur: probability of a blur.
        low_resolution: probability of the resolution of a person 2 to 5 times smaller.
        cutout: probability of a random rectangle over a part.
        paste: probability that a part of another person covers a keypoint.
        mosaic: of a detector: probability of four images per canvas.
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
    """The optimiser and its learning rates.

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
    """The learning-rate schedule.

    Attributes:
        kind: `milestones`, `cosine` or `plateau`; functions of `optim.py`.
        warmup: steps of linear warm-up.
        warmup_start: initial factor of the warm-up.
        at: epochs of the `milestones`.
        gamma: factor at each of the `milestones`.
        floor: final factor of `cosine`.
        decay: final epochs of linear decay to zero, of `plateau`.
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
    """A network for distillation, in addition to the annotated keypoints; see `teacher.py`.

    Attributes:
        network: a name of the zoo, or a weights file; none if empty.
        weight: of the distillation loss; that of the annotations is 1.
    """

    network: str = ""
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training run.

    Attributes:
        network: to train.
        loss: a name of `objectives.OBJECTIVES`, or `detection`.
        epochs: passes over the training data.
        batch: samples per step, over all devices.
        seed: of all random numbers.
        precision: `32-true` or `bf16-mixed`, in Lightning Fabric's terms.
        clip: maximum norm of the gradient; 0 for no limit.
        ema: decay of the moving average of the weights per step; 0 for no averaging.
        save_every: steps between checkpoints within an epoch; 0 for only at its end.
        validate_every: epochs between validations; the last epoch always ends with one.
        data: training data.
        augment: data augmentation.
        optim: optimiser.
        schedule: of the learning rate.
        teacher: of a pose network: network for distillation.
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
    validate_every: int = 1
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
            raise UsageError('network.backbone and network.variant = "timm" belong together. Set both or neither.')
        if self.network.variant == "timm" and self.optim.groups == "layer_decay":
            raise UsageError("optim.groups 'layer_decay' is for ViTPose. With a timm backbone choose slow_encoder.")
        if self.loss == "detection" and self.teacher.network:
            raise UsageError("teacher.network is for pose networks, not detectors. Remove it.")
        for key in ("epochs", "batch", "validate_every"):
            number = getattr(self, key)
            if number < 1:
                raise UsageError(f"{key} is {number}; give at least 1.")
