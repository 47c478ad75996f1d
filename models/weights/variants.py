"""The list of pose networks: every name that `--model` takes, with its size, published figures and weights.

torch is imported when a network is built: the list itself is shown without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

# How the average precision of every variant was measured, as its authors report it.
PROTOCOL = "COCO val2017, person boxes of a detector of AP 56.4, flip test"
HUB_FILE = "model.safetensors"


@dataclass(frozen=True, slots=True)
class Variant:
    """One published network, or the bundled one.

    Attributes:
        name: for `--model`.
        family: network architecture.
        build: returns it with random weights; takes another `input_size`, and another value of its keywords.
        parameters: millions.
        gmacs: billions of multiply-accumulate operations per crop.
        ap: average precision by `PROTOCOL`; followed by the name of the pre-training if several are published.
        licence: of the weights.
        page: where the weights are published.
        input_size: (height, width) of the crop in pixels.
        hub: (repository, revision) of the weights on the Hugging Face hub, if any.
        url: fixed address of the weights, if any.
        sha256: of the file of `hub` or `url`, if known.
        bundled: file in weights/bundled, if the weights ship with the package.
    """

    name: str
    family: str
    build: partial[nn.Module]
    parameters: float
    gmacs: float
    ap: str
    licence: str
    page: str
    input_size: tuple[int, int] = (256, 192)
    hub: tuple[str, str] | None = None
    url: str | None = None
    sha256: str | None = None
    bundled: str | None = None


def _build_convvit(**arguments: Any) -> nn.Module:
    from ..networks.convvit import ConvViT

    return ConvViT(**arguments)


def _build_vitpose(**arguments: Any) -> nn.Module:
    from ..networks.vitpose import ViTPose

    return ViTPose(**arguments)


def _build_vitpose_plus(**arguments: Any) -> nn.Module:
    from ..networks.vitpose_plus import ViTPosePlus

    return ViTPosePlus(**arguments)


def _build_transpose(name: str, **arguments: Any) -> nn.Module:
    from ..networks.transpose import SIZES, TransPose

    return TransPose(**SIZES[name], **arguments)


def _build_potr(name: str, **arguments: Any) -> nn.Module:
    from ..networks import potr

    return potr.SIZES[name](**arguments)


_VITPOSE_PAGE = "https://github.com/ViTAE-Transformer/ViTPose"
_VITPOSE_SIZES: dict[str, dict[str, Any]] = {
    "s": {"dim": 384, "depth": 12, "num_heads": 12, "drop_path": 0.1},
    "b": {"dim": 768, "depth": 12, "num_heads": 12, "drop_path": 0.3},
    "l": {"dim": 1024, "depth": 24, "num_heads": 16, "drop_path": 0.5},
    "h": {"dim": 1280, "depth": 32, "num_heads": 16, "drop_path": 0.55},
}
_VITPOSE = {  # parameters (M), GMACs, average precision
    "vitpose-s": (24.3, 5.6, "73.8"),
    "vitpose-b": (90.0, 18.5, "75.8"),
    "vitpose-l": (308.5, 61.6, "78.3"),
    "vitpose-h": (637.2, 125.8, "79.1"),
    "vitpose-s-simple": (21.7, 4.7, "73.5"),
    "vitpose-b-simple": (85.9, 17.5, "75.5"),
    "vitpose-l-simple": (303.5, 60.4, "78.2"),
    "vitpose-h-simple": (631.1, 124.6, "78.9"),
}
# On the hub, by name: repository, revision, sha256 of the file. The revisions were the newest in May 2026. The hub does
# not state digests without a download; these are the ones that other projects have pinned.
_HUB: dict[str, tuple[str, str, str | None]] = {
    "vitpose-b": (
        "usyd-community/vitpose-base",
        "95be2991424e646950d656bb7fc15ec9be119700",
        "cd9a4e6cefc33c51ddcc32dd509fc4114b5845256463a69a10ea2dfde402b2f8",
    ),
    "vitpose-b-simple": (
        "usyd-community/vitpose-base-simple",
        "a93ac0c67e0b7e2c55287d21d4c460c8f3c54d45",
        "85375373893ddd3641f3912821073e53f5435f9e966e1dca59d004454bfe4fdf",
    ),
    "vitpose-plus-s": (
        "usyd-community/vitpose-plus-small",
        "0c30b6534bb621af0162b481176742577264e36e",
        "f7bad8ed09eeeb2a7de6b38faaa8a88d07838e23e9c06a2a782099bca7467cb9",
    ),
    "vitpose-plus-b": (
        "usyd-community/vitpose-plus-base",
        "92be54d7a29e42fad47b6e2ca01dd9e685a61e0d",
        "640225e4a9dd544239f1da0ae36af865a6e76e21e5f33a12656aa7b77fa5a5fa",
    ),
    "vitpose-plus-l": ("usyd-community/vitpose-plus-large", "e211df377e49c89dba508ab3e83ddef13c0832b4", None),
    "vitpose-plus-h": (
        "usyd-community/vitpose-plus-huge",
        "9f36d7aec1800d23e97f10c2e74393aee92aa53f",
        "0ecb49f1ab0b18cc2f18446b8100442cec88bd99dd53779ad5a7f8c71aa08506",
    ),
}


def _on_hub(name: str) -> dict[str, Any]:
    if name not in _HUB:
        return {}
    repository, revision, sha256 = _HUB[name]
    return {"hub": (repository, revision), "sha256": sha256}


def _vitpose(name: str, parameters: float, gmacs: float, ap: str) -> Variant:
    return Variant(
        name=name,
        family="ViTPose",
        build=partial(_build_vitpose, **_VITPOSE_SIZES[name.split("-")[1]], simple=name.endswith("-simple")),
        parameters=parameters,
        gmacs=gmacs,
        ap=ap,
        licence="Apache-2.0",
        page=_VITPOSE_PAGE,
        **_on_hub(name),
    )


_PLUS = {  # channels of an expert, parameters (M) with all six heads, GMACs for one dataset, average precision
    "s": (96, 46.3, 5.6, "75.8"),  # the repository's configuration has 192, but the released weights have 96
    "b": (192, 146.4, 18.5, "77.0"),
    "l": (256, 460.7, 61.6, "78.6"),
    "h": (320, 930.9, 125.8, "79.4"),
}


def _vitpose_plus(size: str, part: int, parameters: float, gmacs: float, ap: str) -> Variant:
    name = f"vitpose-plus-{size}"
    return Variant(
        name=name,
        family="ViTPose+",
        build=partial(_build_vitpose_plus, **_VITPOSE_SIZES[size], part=part),
        parameters=parameters,
        gmacs=gmacs,
        ap=ap,
        licence="Apache-2.0",
        page=_VITPOSE_PAGE,
        **_on_hub(name),  # all experts, but only COCO's head; the files on the page have all six heads
    )


_TRANSPOSE_PAGE = "https://github.com/yangsenius/TransPose"
_TRANSPOSE = {  # parameters (M), GMACs, average precision, file of the release
    "transpose-r-a3": (5.2, 5.4, "71.7", "tp_r_256x192_enc3_d256_h1024_mh8.pth"),
    "transpose-r-a4": (6.0, 6.3, "72.6", "tp_r_256x192_enc4_d256_h1024_mh8.pth"),
    "transpose-h-s": (8.0, 9.9, "74.2", "tp_h_32_256x192_enc4_d64_h128_mh1.pth"),
    "transpose-h-a4": (17.3, 17.2, "75.3", "tp_h_48_256x192_enc4_d96_h192_mh1.pth"),
    "transpose-h-a6": (17.5, 21.3, "75.8", "tp_h_48_256x192_enc6_d96_h192_mh1.pth"),
}


def _transpose(name: str, parameters: float, gmacs: float, ap: str, file: str) -> Variant:
    return Variant(
        name=name,
        family="TransPose",
        build=partial(_build_transpose, name),
        parameters=parameters,
        gmacs=gmacs,
        ap=ap,
        licence="MIT",
        page=_TRANSPOSE_PAGE,
        url=f"{_TRANSPOSE_PAGE}/releases/download/Hub/{file}",
    )


_POTR = {  # parameters (M), GMACs, average precision and the encoder's pre-training
    "potr-deit-s16": (36.4, 6.4, "62.2 distilled"),
    "potr-deit-dino-s8": (38.7, 25.4, "70.6 DINO"),
    "potr-xcit-s12-p16": (40.6, 6.7, "68.0 DINO"),
    "potr-xcit-s12-p8": (40.5, 21.8, "71.6 DINO"),
    "potr-xcit-s12-p16-288x384": (40.6, 13.2, "70.7 DINO"),
    "potr-xcit-s12-p8-288x384": (40.5, 47.2, "72.6 DINO"),
    "potr-resnet50": (39.0, 5.6, "63.4"),
    "potr-vab-deit-s16": (47.3, 8.7, "63.2"),
    "potr-vab-resnet50": (49.9, 6.2, "-"),
}


def _potr(name: str, parameters: float, gmacs: float, ap: str) -> Variant:
    return Variant(
        name=name,
        family="POTR",
        build=partial(_build_potr, name),
        parameters=parameters,
        gmacs=gmacs,
        ap=ap,
        licence="see page",
        page="https://github.com/padeler/PE-former",
        input_size=(384, 288) if name.endswith("-288x384") else (256, 192),
    )


BUNDLED = "convvit"

ZOO: dict[str, Variant] = {
    BUNDLED: Variant(
        name=BUNDLED,
        family="ConvViT",
        build=partial(_build_convvit, input_size=(256, 192), drop_path=0.0),
        parameters=3.9,
        gmacs=0.9,
        ap="see page",
        licence="AGPL-3.0",
        page="models/weights/bundled/MODEL_CARD.md",
        input_size=(256, 192),
        bundled="pose.safetensors",
    ),
    **{name: _vitpose(name, *facts) for name, facts in _VITPOSE.items()},
    **{f"vitpose-plus-{size}": _vitpose_plus(size, *facts) for size, facts in _PLUS.items()},
    **{name: _transpose(name, *facts) for name, facts in _TRANSPOSE.items()},
    **{name: _potr(name, *facts) for name, facts in _POTR.items()},
}
