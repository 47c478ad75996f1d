"""Load a pre-trained backbone into a network, as the published recipes do.

ViTPose starts from MAE, POTR from DeiT, DINO, XCiT or a ResNet-50, TransPose from a ResNet-50 or an HRNet, and the
bundled pose network from YOLOv8n-pose. Files may have the keys of the authors or of timm. Other parts of a file
(classifier, decoder, later stages) are ignored; the backbone must be complete.
"""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import ModelError, UsageError
from ..cache import is_offline
from ..networks.convvit import ConvViT
from ..networks.csp_pan import CSPPAN, rename_published
from ..networks.potr import POTR
from ..networks.resnet import ResNetTokens
from ..networks.transpose import TransPose
from ..networks.vitpose import Backbone, ViTPose
from ..networks.vitpose_plus import ExpertMlp, ViTPosePlus
from ..networks.xcit import XCiT
from ..weights import detectors
from ..weights.checkpoint import mismatch, read_state

State = dict[str, Tensor]

_IGNORED = re.compile(
    r"""^(
    head | head_dist | fc | classifier | pre_logits        # classifiers of ImageNet
    | norm | fc_norm | cls_token | dist_token              # of tokens that the backbone does not have
    | mask_token | decoder_\w+                             # MAE's decoder
    | layer[34]                                            # second half of a ResNet-50, for TransPose-R
    | transition3 | stage4 | stage3\.3\.fuse_layers\.[12]  # last stage of an HRNet, for TransPose-H
    | incre_modules | downsamp_modules | final_layer
    )(\.|$)""",
    re.VERBOSE,
)


def load_backbone(network: nn.Module, source: str | Path, *, offline: bool = False) -> None:
    """Replace the weights of a network's backbone with pre-trained ones; the rest of the network is unchanged.

    Position embeddings of another grid are resized as in the originals.

    Args:
        network: a ViTPose, ViTPose+, POTR, TransPose or ConvViT.
        source: a file (safetensors, or a pickle of tensors; for a ConvViT also Ultralytics' YOLOv8 nano), or
            "hf:OWNER/REPOSITORY/FILE" on the Hugging Face hub.
        offline: never download.

    Raises:
        UsageError: the source is not a valid name on the hub, or the network has no pre-trained backbone.
        ModelError: the file is missing, cannot be read safely, or does not fit; the message names the first keys.
    """
    from ..networks.deit import DeiT  # imports timm

    backbone = _backbone(network)
    path = _locate(str(source), offline=offline)
    # Ultralytics' files hold a network, not a state dict.
    state = (
        detectors.load(path).state_dict() if isinstance(backbone, CSPPAN) and path.suffix == ".pt" else read_state(path)
    )
    wanted = backbone.state_dict()
    match backbone:
        case Backbone():
            state = _as_vitpose(backbone, state)
        case DeiT():
            # The original resizes to (columns, rows), although the tokens are ordered by rows.
            state = _resize_positions(state, tokens=wanted["pos_embed"].shape[1], grid=backbone.grid[::-1])
        case XCiT():
            state = _as_xcit(state)
        case CSPPAN():
            state = rename_published(state)
    state = {key: value for key, value in state.items() if key in wanted or not _IGNORED.match(key)}
    if problems := mismatch(wanted, state):
        raise ModelError(
            f"{source} does not fit the backbone of this {type(network).__name__} ({problems}). "
            "Give weights of the same architecture and width."
        )
    backbone.load_state_dict(state, strict=False)  # only the counters of batch norms may be missing


def _backbone(network: nn.Module) -> nn.Module:
    match network:
        case ViTPose() | ViTPosePlus():
            return network.backbone
        case POTR():
            encoder = network.get_submodule("transformer.encoder" if network.backbone is None else "backbone.body")
            return encoder[0] if isinstance(encoder, ResNetTokens) else encoder
        case TransPose() | ConvViT():
            return network.backbone
    raise UsageError(f"{type(network).__name__} has no pre-trained backbone. Remove network.pretrained.")


def _locate(source: str, *, offline: bool) -> Path:
    if not source.startswith("hf:"):
        return Path(source)
    owner, _, rest = source.removeprefix("hf:").partition("/")
    repository, _, file = rest.partition("/")
    if not (owner and repository and file):
        raise UsageError(f"'{source}' names no file on the hub. Give hf:OWNER/REPOSITORY/FILE.")
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    offline = is_offline(offline)
    try:
        return Path(hf_hub_download(f"{owner}/{repository}", file, local_files_only=offline, etag_timeout=10))
    except LocalEntryNotFoundError as error:
        reason = "posetrack is offline" if offline else "the hub does not respond"
        raise ModelError(
            f"{source} is not on this machine and {reason}. Run once with an internet connection, or give a file."
        ) from error
    except (HfHubHTTPError, OSError) as error:
        raise ModelError(f"Cannot download {source}: {error}. Check the name, or give a file.") from error


def _as_vitpose(backbone: Backbone, state: State) -> State:
    """Convert MAE's positions, patches and MLPs to ViTPose's; its last norm is new and keeps its initial weights."""
    wanted = backbone.state_dict()
    state = _resize_positions(state, tokens=wanted["pos_embed"].shape[1], grid=backbone.grid)
    state |= {key: value for key, value in wanted.items() if key.startswith("last_norm.")}
    if (kernel := state.get("patch_embed.proj.weight")) is not None:
        missing = wanted["patch_embed.proj.weight"].shape[-1] - kernel.shape[-1]  # 2 for patches of 14 pixels
        before = max(missing, 0) // 2
        after = max(missing, 0) - before
        state["patch_embed.proj.weight"] = F.pad(kernel, (before, after, before, after))
    for i, block in enumerate(backbone.blocks):
        mlp = block.get_submodule("mlp")
        if isinstance(mlp, ExpertMlp):  # each expert starts from the last channels of the MLP
            for part in ("weight", "bias"):
                if (whole := state.get(f"blocks.{i}.mlp.fc2.{part}")) is not None:
                    state[f"blocks.{i}.mlp.fc2.{part}"] = whole[: -mlp.part]
                    state |= {f"blocks.{i}.mlp.experts.{k}.{part}": whole[-mlp.part :] for k in range(len(mlp.experts))}
    return state


def _as_xcit(state: State) -> State:
    """Rename timm's keys to the authors', and concatenate separate projections of class attention."""
    result = {}
    for key, value in state.items():
        if match := re.fullmatch(r"(cls_attn_blocks\.\d+\.attn)\.q\.(weight|bias)", key):
            block, part = match.groups()
            parts = [state[name] for name in (f"{block}.{x}.{part}" for x in "qkv") if name in state]
            result[f"{block}.qkv.{part}"] = torch.cat(parts)
        elif not re.fullmatch(r"cls_attn_blocks\.\d+\.attn\.[kv]\.(weight|bias)", key):
            result[re.sub(r"^pos_embed\.", "pos_embeder.", key)] = value
    return result


def _resize_positions(state: State, *, tokens: int, grid: tuple[int, int]) -> State:
    """Resize learned positions (1, extra + n n, D) to (1, 1 + h w, D), bicubic; keep the first of the extra ones."""
    positions = state.get("pos_embed")
    if positions is None or positions.ndim != 3 or positions.shape[1] == tokens:
        return dict(state)
    extra = 2 if "dist_token" in state else 1
    side = round(max(positions.shape[1] - extra, 0) ** 0.5)
    if side**2 + extra != positions.shape[1]:
        return dict(state)  # not of a square image: the check of shapes reports it
    patches = positions[:, extra:].unflatten(1, (side, side)).permute(0, 3, 1, 2)  # (1, D, n, n)
    patches = F.interpolate(patches, size=grid, mode="bicubic", align_corners=False)
    return state | {"pos_embed": torch.cat([positions[:, :1], patches.flatten(2).transpose(1, 2)], dim=1)}
