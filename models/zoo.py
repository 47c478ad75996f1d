"""The one list of networks: every name that `--model` takes, its size, its published figures and where weights live."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from . import potr
from .convvit import ConvViT
from .transpose import SIZES as TRANSPOSE_SIZES
from .transpose import TransPose
from .vitpose import ViTPose
from .vitpose_plus import ViTPosePlus


@dataclass(frozen=True, slots=True)
class Variant:
    """One network of the literature, or ours.

    Attributes:
        name: what the user types.
        family: network architecture.
        build: makes it with fresh weights.
        published: accuracy as its authors report it, with the protocol.
        licence: of the weights.
        hub: (repository, file) on the Hugging Face hub, where its weights are there.
        bundled: file in models/bundled, where its weights ship with the package.
        page: where to find the weights by hand.
        url: fixed address of the weights.
    """

    name: str
    family: str
    build: Callable[[], nn.Module]
    published: str
    licence: str
    hub: tuple[str, str] | None = None
    bundled: str | None = None
    page: str | None = None
    url: str | None = None


_VITPOSE_PAGE = "https://github.com/ViTAE-Transformer/ViTPose"
_VITPOSE_SIZES: dict[str, dict[str, Any]] = {
    "s": {"dim": 384, "depth": 12, "num_heads": 12, "drop_path": 0.1},
    "b": {"dim": 768, "depth": 12, "num_heads": 12, "drop_path": 0.3},
    "l": {"dim": 1024, "depth": 24, "num_heads": 16, "drop_path": 0.5},
    "h": {"dim": 1280, "depth": 32, "num_heads": 16, "drop_path": 0.55},
}
_VITPOSE_AP = {
    "vitpose-s": 73.8,
    "vitpose-b": 75.8,
    "vitpose-l": 78.3,
    "vitpose-h": 79.1,
    "vitpose-s-simple": 73.5,
    "vitpose-b-simple": 75.5,
    "vitpose-l-simple": 78.2,
    "vitpose-h-simple": 78.9,
}
_HUB = {
    "vitpose-b": ("usyd-community/vitpose-base", "model.safetensors"),
    "vitpose-b-simple": ("usyd-community/vitpose-base-simple", "model.safetensors"),
}


def _vitpose(name: str, ap: float) -> Variant:
    return Variant(
        name=name,
        family="ViTPose",
        build=partial(ViTPose, **_VITPOSE_SIZES[name.split("-")[1]], simple=name.endswith("-simple")),
        published=f"COCO val AP {ap} (detector of AP 56.4, flip test)",
        licence="Apache-2.0",
        hub=_HUB.get(name),
        page=_VITPOSE_PAGE,
    )


_PLUS = {  # width of an expert's part, average precision, name on the hub
    "s": (96, 75.8, "small"),  # the repository's own configuration says 192, the released weights are of 96
    "b": (192, 77.0, "base"),
    "l": (256, 78.6, "large"),
    "h": (320, 79.4, "huge"),
}


def _vitpose_plus(size: str, part: int, ap: float, hub: str) -> Variant:
    return Variant(
        name=f"vitpose-plus-{size}",
        family="ViTPose+",
        build=partial(ViTPosePlus, **_VITPOSE_SIZES[size], part=part),
        published=f"COCO val AP {ap} (detector of AP 56.4, flip test)",
        licence="Apache-2.0",
        hub=(f"usyd-community/vitpose-plus-{hub}", "model.safetensors"),  # COCO's head only; the page has all six
        page=_VITPOSE_PAGE,
    )


_TRANSPOSE_PAGE = "https://github.com/yangsenius/TransPose"
_TRANSPOSE = {  # average precision, file of the release
    "transpose-r-a3": (71.7, "tp_r_256x192_enc3_d256_h1024_mh8.pth"),
    "transpose-r-a4": (72.6, "tp_r_256x192_enc4_d256_h1024_mh8.pth"),
    "transpose-h-s": (74.2, "tp_h_32_256x192_enc4_d64_h128_mh1.pth"),
    "transpose-h-a4": (75.3, "tp_h_48_256x192_enc4_d96_h192_mh1.pth"),
    "transpose-h-a6": (75.8, "tp_h_48_256x192_enc6_d96_h192_mh1.pth"),
}


def _transpose(name: str, ap: float, file: str) -> Variant:
    return Variant(
        name=name,
        family="TransPose",
        build=partial(TransPose, **TRANSPOSE_SIZES[name]),
        published=f"COCO val AP {ap} (detector of AP 56.4, flip test)",
        licence="MIT",
        page=_TRANSPOSE_PAGE,
        url=f"{_TRANSPOSE_PAGE}/releases/download/Hub/{file}",
    )


_POTR_FIGURES = {  # with the encoder's pre-training that the figure belongs to
    "potr-deit-s16": "62.2 (distilled DeiT)",
    "potr-deit-dino-s8": "70.6 (DINO)",
    "potr-xcit-s12-p16": "66.2 (68.0 with DINO)",
    "potr-xcit-s12-p8": "71.6 (DINO)",
    "potr-xcit-s12-p16-288x384": "70.2 (distilled; 70.7 with DINO)",
    "potr-xcit-s12-p8-288x384": "72.6 (DINO)",
    "potr-resnet50": "63.4 (61.0 with DINO)",
    "potr-vab-deit-s16": "63.2",
    "potr-vab-resnet50": None,
}


def _potr(name: str, ap: str | None) -> Variant:
    return Variant(
        name=name,
        family="POTR",
        build=potr.SIZES[name],
        published=f"COCO val AP {ap}, detector of AP 56.4, flip test" if ap else "no figure published",
        licence="see page",
        page="https://github.com/padeler/PE-former",
    )


BUNDLED = "convvit"

ZOO: dict[str, Variant] = {
    BUNDLED: Variant(
        name=BUNDLED,
        family="ConvViT",
        build=partial(ConvViT, input_size=(192, 144)),
        published="see models/bundled/MODEL_CARD.md",
        licence="AGPL-3.0-or-later",
        bundled="pose.safetensors",
    ),
    **{name: _vitpose(name, ap) for name, ap in _VITPOSE_AP.items()},
    **{f"vitpose-plus-{size}": _vitpose_plus(size, *facts) for size, facts in _PLUS.items()},
    **{name: _transpose(name, ap, file) for name, (ap, file) in _TRANSPOSE.items()},
    **{name: _potr(name, ap) for name, ap in _POTR_FIGURES.items()},
}
