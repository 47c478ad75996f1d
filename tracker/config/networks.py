"""The two networks, and where they run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .option import check, not_negative, option

MAX_DETECT_SIZE = 8192  # pixels; an image of twice the side would need gigabytes


@dataclass(frozen=True)
class Networks:
    """The two networks, and where they run."""

    model: str = option(
        "bundled",
        "pose network: a name from `posetrack models`, a weights or ONNX file, a single-stage network such as "
        "`yolo11n-pose.pt`, which needs no detector, or `auto`, the best one on this machine that is fast enough",
        "NAME",
        see="models.md",
        common=True,
    )
    dataset: str = option(
        "auto",
        "skeleton: `auto` is the network's; a ViTPose+ has `coco`, `aic`, `mpii`, `ap10k`, `apt36k` and `wholebody`",
        "NAME",
    )
    detector: str | Callable[..., Any] = option(  # noqa: RUF009  # declares a field
        "bundled",
        "person detector: `bundled`, a name such as `yolo11n.pt`, a weights or ONNX file, a file of boxes, or `auto`",
        "NAME",
    )
    device: str = option(
        "auto", "`auto`, `cpu`, `cuda`, `cuda:N` or `mps`; an unavailable device is an error", "NAME", common=True
    )
    runtime: str = option(
        "auto", "inference backend: `auto`, `torch`, `openvino` or `onnxruntime`", "NAME", see="speed.md"
    )
    precision: str = option("auto", "numeric precision: `auto`, `fp32`, `bf16` or `fp16`", "NAME")
    conf: float = option(
        0.2,
        "ignore detections with a lower confidence",
        "SCORE",
        check=lambda value: 0 <= value <= 1,
        remedy="a score between 0 and 1",
    )
    max_people: int = option(
        0,
        "maximum number of people per frame, by confidence; 0 is no limit",
        "N",
        check=not_negative,
        remedy="a positive number, or 0 for no limit",
    )
    detect_size: int = option(
        0,
        "longer side of the detector's input; 0 is its training size",
        "PIXELS",
        unit="pixels",
        check=lambda value: value == 0 or 32 <= value <= MAX_DETECT_SIZE,
        remedy=f"at least 32 and at most {MAX_DETECT_SIZE}, or 0 for its training size",
    )
    flip: bool = option(
        False, "average each pose with that of the mirrored crop: slightly more accurate, twice the pose computation"
    )
    offline: bool = option(False, "never access the internet")

    @property
    def files(self) -> list[str]:
        """The names of the networks, and the file of boxes; a bundled or published network is no file."""
        return [name for name in (self.model, self.detector) if isinstance(name, str)]

    def __post_init__(self) -> None:
        check(self)
