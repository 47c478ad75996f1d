"""Recognise the network of a checkpoint by its keys and shapes, and build it."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import ModelError
from ..networks import potr, transpose
from ..networks.checkpoint_sizes import count, crop_size
from ..networks.convvit import ConvViT
from ..networks.csp_pan import BASE
from ..networks.vitpose import PATCH, ViTPose
from ..networks.vitpose_plus import ViTPosePlus

State = dict[str, Tensor]

_VITPOSE_HEADS = {384: 12, 768: 12, 1024: 16, 1280: 16}


def recognise(state: State, label: str, **arguments: Any) -> tuple[nn.Module, State]:
    """Return the network that fits the keys and shapes, and the entries of the state dict that belong to it."""
    if "backbone.layers.0.conv.weight" in state and "pos_embed" in state:
        return _convvit(state), state
    if "backbone.patch_embed.proj.weight" in state and "keypoint_head.final_layer.weight" in state:
        if _has_experts(state):
            state = {key: value for key, value in state.items() if key != "backbone.cls_token"}
            return _vitpose_plus(state, label), state
        # Multi-task checkpoints also have further heads and the class token of the pre-training. The files that
        # ViTPose's model_split.py cuts out of a ViTPose+ also have its experts, one of which is merged into fc2.
        extra = re.compile(r"^associate_keypoint_heads\.|^backbone\.cls_token$|\.mlp\.experts\.")
        state = {key: value for key, value in state.items() if not extra.search(key)}
        return _vitpose(state, label), state
    if (with_maps := transpose.from_state(state)) is not None:
        # A file may omit the fixed table.
        return with_maps, {"pos_embedding": with_maps.get_parameter("pos_embedding"), **state}
    if (with_sets := potr.from_state(state, **arguments)) is not None:
        return with_sets, state
    raise ModelError(
        f"{label} is not a checkpoint of a pose network that posetrack knows; its first keys are {list(state)[:3]}. "
        "`posetrack models` lists the networks."
    )


def _convvit(state: State) -> ConvViT:
    return ConvViT(
        input_size=(state["pos_embed"].shape[2] * 16, state["pos_embed"].shape[3] * 16),
        backbone_width=state["backbone.layers.0.conv.weight"].shape[0] / BASE[0],
        width=state["pos_embed"].shape[1],
        depth=count(state, "blocks."),
        decoder=(state["fuse8.mix.1.weight"].shape[0], state["fuse4.mix.1.weight"].shape[0]),
        num_keypoints=state["final_layer.weight"].shape[0],
    )


def _vitpose(state: State, label: str) -> ViTPose:
    return ViTPose(
        **_vitpose_size(state, label),
        simple="keypoint_head.deconv_layers.0.weight" not in state,
        num_keypoints=state["keypoint_head.final_layer.weight"].shape[0],
    )


def _has_experts(state: State) -> bool:
    """Return whether experts compute a part of the output of fc2."""
    fc2, expert = (state.get(f"backbone.blocks.0.mlp.{layer}.weight") for layer in ("fc2", "experts.0"))
    return fc2 is not None and expert is not None and fc2.shape[0] < state["backbone.patch_embed.proj.weight"].shape[0]


def _vitpose_plus(state: State, label: str) -> ViTPosePlus:
    further = [f"associate_keypoint_heads.{i}" for i in range(count(state, "associate_keypoint_heads."))]
    layers = [state.get(f"{head}.final_layer.weight") for head in ("keypoint_head", *further)]
    return ViTPosePlus(
        **_vitpose_size(state, label),
        part=state["backbone.blocks.0.mlp.experts.0.weight"].shape[0],
        num_experts=count(state, "backbone.blocks.0.mlp.experts."),
        num_keypoints=tuple(
            0 if layer is None else layer.shape[0] for layer in layers
        ),  # 0 if missing: loading then names the key
    )


def _vitpose_size(state: State, label: str) -> dict[str, Any]:
    dim = state["backbone.patch_embed.proj.weight"].shape[0]
    tokens = state["backbone.pos_embed"].shape[1] - 1
    if dim not in _VITPOSE_HEADS:
        raise ModelError(f"{label} is a ViTPose of width {dim}; the known widths are {sorted(_VITPOSE_HEADS)}.")
    return {
        "dim": dim,
        "depth": count(state, "backbone.blocks."),
        "num_heads": _VITPOSE_HEADS[dim],
        "input_size": crop_size(tokens, PATCH),
    }


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


def from_transformers(state: State) -> State:
    """Rename the keys of a state dict of transformers' VitPoseForPoseEstimation to the original's."""
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
