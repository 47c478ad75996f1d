"""The only import of transformers: its RT-DETR, RT-DETRv2 and RF-DETR detectors, whose files are read as data.

Zhao et al., "DETRs Beat YOLOs on Real-time Object Detection" (2023); Lv et al., "RT-DETRv2" (2024); Robinson et al.,
"RF-DETR" (2025).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import ModelError
from .hub import CONFIG, PREPROCESSOR, model_type, read_json


@dataclass(frozen=True, slots=True)
class Kind:
    """A family: its class in transformers, its name, its conventions, and the model_type of its backbone."""

    cls: str
    family: str
    processing: str
    backbone: str


KINDS = {  # by model_type
    "rt_detr": Kind("RTDetrForObjectDetection", "RT-DETR", "rt_detr", "rt_detr_resnet"),
    "rt_detr_v2": Kind("RTDetrV2ForObjectDetection", "RT-DETRv2", "rt_detr", "rt_detr_resnet"),
    "rf_detr": Kind("RfDetrForObjectDetection", "RF-DETR", "rf_detr_rows", "rf_detr_dinov2"),
}
SIZE, STRIDE = 640, 32  # pixels: of the published networks' input; of their coarsest map
_MOST = 10_000  # of any number in a configuration; the largest published one is the temperature of positions


class RtDetr(nn.Module):
    """Takes RGB images (B, 3, h, w); returns (B, Q, 6): xyxy in input pixels, score and class 0, people.

    Args:
        network: transformers' network.
        kind: its family.
        person: the class of people.
        size: pixels of either side of its input.
    """

    stride = (STRIDE,)

    def __init__(self, network: nn.Module, kind: Kind, *, person: int, size: int) -> None:
        super().__init__()
        self.family, self.processing = kind.family, kind.processing
        self.network, self.person, self.names = network, person, {0: "person"}
        self.size, self.input_size = size, (size, size)

    def forward(self, images: Tensor) -> Tensor:
        """Detect people."""
        found = self.network(images)
        centers, sizes = found.pred_boxes.split(2, dim=-1)  # (B, Q, 2), relative to the input
        scale = torch.tensor([images.shape[3], images.shape[2]], dtype=images.dtype, device=images.device)
        scores = found.logits[..., self.person : self.person + 1].sigmoid()  # (B, Q, 1)
        corners = [(centers - sizes / 2) * scale, (centers + sizes / 2) * scale]
        return torch.cat([*corners, scores, torch.zeros_like(scores)], dim=-1)


def is_one(path: Path) -> bool:
    """Return whether the configuration beside a file of weights is that of one of these detectors."""
    return model_type(path) in KINDS


def load(path: Path) -> RtDetr:
    """Read a network that transformers saved, ready to run: evaluation mode, float32, no gradients.

    Args:
        path: `model.safetensors`, with `config.json` beside it.

    Raises:
        ModelError: transformers is not installed, or the files are broken, unsafe or of another network.
    """
    try:
        import transformers
    except ImportError as error:
        raise ModelError(
            f"The detector '{path}' needs the package transformers, which is not installed. "
            "Run: pip install 'posetrack[transformers]'."
        ) from error
    settings = read_json(path.with_name(CONFIG))
    kind = KINDS[settings["model_type"]]
    cls: Any = getattr(transformers, kind.cls, None)
    if cls is None:
        raise ModelError(
            f"The detector '{path}' is an {kind.family}, which transformers {transformers.__version__} does not have. "
            "Run: pip install -U transformers."
        )
    try:
        _check(settings, kind)
        with _quiet(transformers):
            config = cls.config_class.from_dict(settings)
            with torch.device("meta"):
                wanted = sum(value.numel() for value in cls(config).parameters())
            if wanted > path.stat().st_size:  # a number has two bytes or more
                raise ValueError(f"its configuration asks for {wanted} numbers, more than the file has")
            network, found = cls.from_pretrained(
                path.parent, config=config, use_safetensors=True, local_files_only=True, output_loading_info=True
            )
        if found["missing_keys"]:
            raise ValueError(f"{len(found['missing_keys'])} weights are missing")
        person = {name: index for index, name in config.id2label.items()}["person"]
    except KeyError as error:
        raise ModelError(f"The detector '{path}' has no class 'person'. Give another one.") from error
    except (OSError, RuntimeError, TypeError, ValueError, AttributeError, ImportError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(f"Cannot load the detector '{path}': {reason}. Fetch its files again.") from error
    size = read_json(path.with_name(PREPROCESSOR)).get("size", {}).get("height", SIZE)
    return RtDetr(network, kind, person=person, size=size).eval().float().requires_grad_(False)


def _check(settings: dict[str, Any], kind: Kind) -> None:
    """Refuse a configuration that would fetch other weights, or take far more memory or time than published ones."""
    backbone = settings.get("backbone_config")
    if settings.get("backbone") or not isinstance(backbone, dict) or backbone.get("model_type") != kind.backbone:
        raise ValueError(f"its backbone is none of transformers' {kind.backbone}")

    def numbers(value: Any) -> Iterator[float]:
        if isinstance(value, dict | list):
            for each in value.values() if isinstance(value, dict) else value:
                yield from numbers(each)
        elif isinstance(value, int | float):
            yield value

    if largest := max((n for n in numbers(settings) if n > _MOST), default=0):
        raise ValueError(f"its configuration states {largest}, beyond {_MOST}")


@contextlib.contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Load without progress bars and warnings, and put back both."""
    logging = transformers.utils.logging
    shown, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()
