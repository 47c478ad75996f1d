"""Find, fetch, recognise and load checkpoints of pose networks; a network is known by its keys and shapes alone."""

from __future__ import annotations

import difflib
import pickle
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ..errors import ModelError, UsageError
from . import potr, transpose
from .cache import is_offline
from .convvit import ConvViT
from .skeletons import DATASETS
from .vitpose import PATCH, ViTPose
from .vitpose_plus import ViTPosePlus
from .zoo import BUNDLED, ZOO, Variant

State = dict[str, Tensor]

_VITPOSE_HEADS = {384: 12, 768: 12, 1024: 16, 1280: 16}


def variant(name: str) -> Variant:
    """Return the entry of the zoo that a name stands for.

    Raises:
        UsageError: the name is not known; the nearest one is offered.
    """
    found = ZOO.get(BUNDLED if name == "bundled" else name)
    if found is None:
        near = difflib.get_close_matches(name, ZOO, n=1)
        hint = f"Did you mean {near[0]}?" if near else "`posetrack models` lists the names."
        raise UsageError(f"Model '{name}' is neither a file nor a known name. {hint}")
    return found


def find(name: str, *, offline: bool = False) -> Path:
    """Return the file with the weights of a model, fetching it when it is on the hub.

    Args:
        name: a name of the zoo, "bundled", or a path.
        offline: never use the network.

    Raises:
        UsageError: the name is neither known nor a file.
        ModelError: the weights are not here and cannot be fetched.
    """
    if Path(name).is_file():
        return Path(name)
    known = variant(name)
    if known.bundled is not None:
        return Path(str(files(__package__) / "bundled" / known.bundled))
    if known.url is not None:
        raise ModelError(f"The weights of {name} are at {known.url}. Download that file and give it: --model PATH.")
    if known.hub is None:
        raise ModelError(
            f"The weights of {name} are published on {known.page} only, without a fixed address. "
            "Download them there by hand and give the file: --model PATH."
        )
    return _fetch(name, *known.hub, offline=offline)


def cached(name: str) -> bool:
    """Whether the weights of a zoo name are on this machine."""
    variant = ZOO[name]
    if variant.bundled is not None:
        return True
    if variant.hub is None:
        return False
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(*variant.hub), str)


def _fetch(name: str, repository: str, file: str, *, offline: bool) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    offline = is_offline(offline)
    try:
        return Path(hf_hub_download(repository, file, local_files_only=offline, etag_timeout=10))
    except LocalEntryNotFoundError as error:
        why = "posetrack is offline" if offline else "the hub does not answer"
        raise ModelError(
            f"The weights of {name} ({repository}) are not on this machine and {why}. Run once with a connection, "
            "or use the bundled model, or give a file: --model PATH."
        ) from error
    except (HfHubHTTPError, OSError) as error:
        raise ModelError(f"Cannot download {name} from {repository}: {error}. Try again, or give a file.") from error


def load_checkpoint(
    source: str | Path | Mapping[str, Tensor],
    device: str | torch.device = "cpu",
    *,
    input_size: tuple[int, int] | None = None,
    dataset: str | None = None,
) -> nn.Module:
    """Build the network that a checkpoint belongs to and load it, strictly.

    Args:
        source: a file (safetensors, or a pickle of tensors), or a state dict.
        device: where the network goes.
        input_size: (height, width) of the crop, for the one family whose weights cannot tell (POTR with XCiT); a
            Lightning file knows it by itself.
        dataset: a name of `skeletons.DATASETS`: of a ViTPose+ only this dataset's part, as a plain ViTPose.

    Returns:
        The network in eval mode, float32.

    Raises:
        ModelError: the file cannot be read safely, its keys or shapes fit no known network, or it has no such dataset.
    """
    label = str(source) if isinstance(source, str | Path) else "The state dict"
    raw = _read(Path(source)) if isinstance(source, str | Path) else dict(source)
    state = {key: value.float() if value.is_floating_point() else value for key, value in _unwrap(raw, label).items()}
    if "backbone.embeddings.patch_embeddings.projection.weight" in state:
        state = _from_transformers(state)
    network, kept = _recognise(state, label, **_arguments(raw) | ({"input_size": input_size} if input_size else {}))
    _load_strictly(network, kept, label)
    if dataset is not None:
        network = _split(network, dataset, label)
    return network.to(device).eval()


def read_state(path: Path) -> State:
    """Return the tensors of a file of weights, in float32 and without a training framework's wrapper.

    Raises:
        ModelError: the file cannot be read safely, or holds no tensors.
    """
    state = _unwrap(_read(path), str(path))
    return {key: value.float() if value.is_floating_point() else value for key, value in state.items()}


def _read(path: Path) -> dict:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ModelError(f"There is no weights file {path}. Check the path.") from error
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{path} is not a plain file of weights: reading it could run code. If it is a checkpoint that you trust, "
            "convert it in a sandbox: torch.load(..., weights_only=False)['state_dict'] -> safetensors.torch.save_file."
        ) from error
    except (SafetensorError, RuntimeError, EOFError, ValueError, KeyError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"{path} is not a readable weights file ({reason}). Download it again.") from error


def _unwrap(raw: Mapping, label: str) -> State:
    """Take the tensors out of a training framework's wrapper and the prefix of DataParallel off their names."""
    for key in ("state_dict", "ema", "model"):
        if isinstance(raw.get(key), Mapping):
            raw = raw[key]
            break
    state = {key: value for key, value in raw.items() if isinstance(value, Tensor)} if isinstance(raw, Mapping) else {}
    if not state:
        raise ModelError(f"{label} holds no tensors. Give a checkpoint of a pose network.")
    if all(key.startswith("module.") for key in state):
        state = {key.removeprefix("module."): value for key, value in state.items()}
    if any(key.startswith("vitdetr.") for key in state):  # POTR's Lightning module holds its criterion beside it
        state = {key.removeprefix("vitdetr."): value for key, value in state.items() if key.startswith("vitdetr.")}
        return _unwrap(state, label)  # DataParallel may stand inside, too
    return state


def _arguments(raw: Mapping) -> dict[str, Any]:
    """Return what a Lightning file's hyper-parameters tell of POTR that its weights do not."""
    match raw.get("hyper_parameters"):
        case {"input_size": [int(width), int(height)], "activation": "gelu" | "relu" as activation}:
            return {"input_size": (height, width), "activation": activation}
        case {"input_size": [int(width), int(height)]}:
            return {"input_size": (height, width)}
    return {}


_TRANSFORMERS_NAMES = (
    (r"^backbone\.embeddings\.patch_embeddings\.projection\.", "backbone.patch_embed.proj."),
    (r"^backbone\.embeddings\.position_embeddings$", "backbone.pos_embed"),
    (r"^backbone\.encoder\.layer\.", "backbone.blocks."),
    (r"\.attention\.output\.dense\.", ".attn.proj."),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"^backbone\.layernorm\.", "backbone.last_norm."),
    (r"^head\.deconv1\.", "keypoint_head.deconv_layers.0."),
    (r"^head\.batchnorm1\.", "keypoint_head.deconv_layers.1."),
    (r"^head\.deconv2\.", "keypoint_head.deconv_layers.3."),
    (r"^head\.batchnorm2\.", "keypoint_head.deconv_layers.4."),
    (r"^head\.conv\.", "keypoint_head.final_layer."),
)


def _from_transformers(state: State) -> State:
    """Give the names of the original to a state dict of transformers' VitPoseForPoseEstimation."""
    result: State = {}
    for key, value in state.items():
        if ".attention.attention." in key:
            if ".query." in key:
                parts = [state[key.replace(".query.", f".{part}.")] for part in ("query", "key", "value")]
                name = re.sub(r"encoder\.layer\.(\d+)\.attention\.attention\.query", r"blocks.\1.attn.qkv", key)
                result[name] = torch.cat(parts)
            continue
        for pattern, replacement in _TRANSFORMERS_NAMES:
            key = re.sub(pattern, replacement, key)
        result[key] = value
    return result


def _recognise(state: State, label: str, **arguments: Any) -> tuple[nn.Module, State]:
    """Build the network that the keys and shapes ask for; return it with the entries that belong to it."""
    if "stem.0.0.weight" in state and "pos_embed" in state:
        return _convvit(state), state
    if "backbone.patch_embed.proj.weight" in state and "keypoint_head.final_layer.weight" in state:
        if _has_experts(state):
            state = {key: value for key, value in state.items() if key != "backbone.cls_token"}
            return _vitpose_plus(state, label), state
        # Multi-task checkpoints carry further heads and the pre-training's class token; the files that ViTPose's
        # model_split.py cuts out of a ViTPose+ also its experts, of which one is already in fc2.
        extra = re.compile(r"^associate_keypoint_heads\.|^backbone\.cls_token$|\.mlp\.experts\.")
        state = {key: value for key, value in state.items() if not extra.search(key)}
        return _vitpose(state, label), state
    if (network := transpose.from_state(state)) is not None:
        # A file may leave out the fixed table.
        return network, {"pos_embedding": network.get_parameter("pos_embedding"), **state}
    if (sets := potr.from_state(state, **arguments)) is not None:
        return sets, state
    raise ModelError(
        f"{label} is not a checkpoint of a pose network that posetrack knows; its first keys are {list(state)[:3]}. "
        "`posetrack models` lists the networks."
    )


def _depth(state: State, prefix: str) -> int:
    return len({key[len(prefix) :].split(".")[0] for key in state if key.startswith(prefix)})


def _convvit(state: State) -> ConvViT:
    return ConvViT(
        input_size=(state["pos_embed"].shape[2] * 16, state["pos_embed"].shape[3] * 16),
        widths=(state["stem.2.0.weight"].shape[0], state["down8.0.0.weight"].shape[0], state["pos_embed"].shape[1]),
        convs=(_depth(state, "stage4."), _depth(state, "stage8.")),
        depth=_depth(state, "blocks."),
        num_keypoints=state["final_layer.weight"].shape[0],
    )


def _vitpose(state: State, label: str) -> ViTPose:
    return ViTPose(
        **_vitpose_size(state, label),
        simple="keypoint_head.deconv_layers.0.weight" not in state,
        num_keypoints=state["keypoint_head.final_layer.weight"].shape[0],
    )


def _has_experts(state: State) -> bool:
    """Whether fc2 leaves a part of its output to experts."""
    fc2, expert = (state.get(f"backbone.blocks.0.mlp.{layer}.weight") for layer in ("fc2", "experts.0"))
    return fc2 is not None and expert is not None and fc2.shape[0] < state["backbone.patch_embed.proj.weight"].shape[0]


def _vitpose_plus(state: State, label: str) -> ViTPosePlus:
    further = [f"associate_keypoint_heads.{i}" for i in range(_depth(state, "associate_keypoint_heads."))]
    layers = [state.get(f"{head}.final_layer.weight") for head in ("keypoint_head", *further)]
    return ViTPosePlus(
        **_vitpose_size(state, label),
        part=state["backbone.blocks.0.mlp.experts.0.weight"].shape[0],
        num_experts=_depth(state, "backbone.blocks.0.mlp.experts."),
        num_keypoints=tuple(0 if layer is None else layer.shape[0] for layer in layers),  # 0: loading names the key
    )


def _split(network: nn.Module, dataset: str, label: str) -> ViTPose:
    heads = list(DATASETS)[: len(network.heads)] if isinstance(network, ViTPosePlus) else []
    if not isinstance(network, ViTPosePlus) or dataset not in heads:
        raise ModelError(
            f"{label} has no part for the dataset '{dataset}'"
            + (f", only for {', '.join(heads)}." if heads else f": {type(network).__name__} is of one dataset.")
            + " Leave the dataset out, or give a full checkpoint of ViTPose+."
        )
    return network.split(heads.index(dataset))


def _vitpose_size(state: State, label: str) -> dict[str, Any]:
    dim = state["backbone.patch_embed.proj.weight"].shape[0]
    tokens = state["backbone.pos_embed"].shape[1] - 1
    if dim not in _VITPOSE_HEADS:
        raise ModelError(f"{label} is a ViTPose of width {dim}; the known widths are {sorted(_VITPOSE_HEADS)}.")
    rows = round((tokens * 4 / 3) ** 0.5)  # every published crop is 4:3
    return {
        "dim": dim,
        "depth": _depth(state, "backbone.blocks."),
        "num_heads": _VITPOSE_HEADS[dim],
        "input_size": (rows * PATCH, tokens // rows * PATCH),
    }


def _load_strictly(network: nn.Module, state: State, label: str) -> None:
    if problems := misfit(network.state_dict(), state):
        raise ModelError(
            f"{label} looks like {type(network).__name__} but does not fit it ({problems}). "
            "Give a checkpoint of one of the networks that `posetrack models` lists."
        )
    network.load_state_dict(state, strict=False)  # only the counters of batch normalisation may be absent


def misfit(wanted: State, state: State) -> str:
    """Say how a state dict differs in keys and shapes from the one that is wanted; empty when it fits.

    Counters of batch normalisation may be absent: old files have none, and nothing depends on them.
    """
    missing = [key for key in wanted if key not in state and not key.endswith("num_batches_tracked")]
    unknown = [key for key in state if key not in wanted]
    misshapen = [
        f"{key} {tuple(state[key].shape)} instead of {tuple(value.shape)}"
        for key, value in wanted.items()
        if key in state and state[key].shape != value.shape
    ]
    return "; ".join(
        f"{len(found)} {word}: {', '.join(found[:3])}"
        for word, found in (("missing", missing), ("unknown", unknown), ("misshapen", misshapen))
        if found
    )
