"""Start a network from a backbone that was pre-trained on ImageNet, as the published recipes do.

ViTPose starts from MAE, POTR from DeiT, DINO, XCiT or a ResNet-50, TransPose from a ResNet-50 or an HRNet, the bundled
pose network from YOLOv8n-pose; in the layout of the authors' files or of timm's. What a file holds beyond the
backbone (classifier, decoder, later stages) is left aside; everything of the backbone must be there.
"""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import ModelError, UsageError
from ..networks import yolo
from ..networks.convvit import ConvViT
from ..networks.csp_pan import CSPPAN, from_published
from ..networks.potr import POTR
from ..networks.resnet import ResNetTokens
from ..networks.transpose import TransPose
from ..networks.vitpose import Backbone, ViTPose
from ..networks.vitpose_plus import ExpertMlp, ViTPosePlus
from ..networks.xcit import XCiT
from ..weights.cache import is_offline
from ..weights.checkpoint import misfit, read_state

State = dict[str, Tensor]

_LEFT_ASIDE = re.compile(
    r"""^(
    head | head_dist | fc | classifier | pre_logits        # what named ImageNet's classes
    | norm | fc_norm | cls_token | dist_token              # of the tokens, where the backbone has none of these
    | mask_token | decoder_\w+                             # what painted MAE's missing patches
    | layer[34]                                            # of a ResNet-50, of which TransPose-R is the first half
    | transition3 | stage4 | stage3\.3\.fuse_layers\.[12]  # of an HRNet, of which TransPose-H is the first part
    | incre_modules | downsamp_modules | final_layer
    )(\.|$)""",
    re.VERBOSE,
)


def load_backbone(network: nn.Module, source: str | Path, *, offline: bool = False) -> None:
    """Replace the weights of a network's backbone with pre-trained ones; the rest of the network stays as it is.

    Position embeddings of another grid are resized as the originals do it.

    Args:
        network: a ViTPose, ViTPose+, POTR, TransPose or ConvViT.
        source: a file (safetensors, or a pickle of tensors; for a ConvViT also Ultralytics' YOLOv8 nano), or
            "hf:OWNER/REPOSITORY/FILE" on the Hugging Face hub.
        offline: never use the network.

    Raises:
        UsageError: the source is no name on the hub, or the network has no backbone that is pre-trained.
        ModelError: the file is not there, cannot be read safely, or does not fit; the first keys are named.
    """
    from ..networks.deit import DeiT  # brings timm

    backbone = _backbone(network)
    path = _find(str(source), offline=offline)
    # Ultralytics' files hold a network, not its tensors.
    state = yolo.load(path).state_dict() if isinstance(backbone, CSPPAN) and path.suffix == ".pt" else read_state(path)
    wanted = backbone.state_dict()
    match backbone:
        case Backbone():
            state = _as_vitpose(backbone, state)
        case DeiT():
            # The original resizes to (columns, rows), although the tokens stand in rows of columns.
            state = _resize_positions(state, tokens=wanted["pos_embed"].shape[1], grid=backbone.grid[::-1])
        case XCiT():
            state = _as_xcit(state)
        case CSPPAN():
            state = from_published(state)
    state = {key: value for key, value in state.items() if key in wanted or not _LEFT_ASIDE.match(key)}
    if problems := misfit(wanted, state):
        raise ModelError(
            f"{source} does not fit the backbone of this {type(network).__name__} ({problems}). "
            "Give weights of the same architecture and width."
        )
    backbone.load_state_dict(state, strict=False)  # only the counters of batch normalisation may be absent


def _backbone(network: nn.Module) -> nn.Module:
    match network:
        case ViTPose() | ViTPosePlus():
            return network.backbone
        case POTR():
            encoder = network.get_submodule("transformer.encoder" if network.backbone is None else "backbone.body")
            return encoder[0] if isinstance(encoder, ResNetTokens) else encoder
        case TransPose() | ConvViT():
            return network.backbone
    raise UsageError(f"{type(network).__name__} has no pre-trained backbone. Train it from fresh weights.")


def _find(source: str, *, offline: bool) -> Path:
    if not source.startswith("hf:"):
        return Path(source)
    owner, _, rest = source.removeprefix("hf:").partition("/")
    repository, _, file = rest.partition("/")
    if not (owner and repository and file):
        raise UsageError(f"'{source}' names no file on the hub. Write hf:OWNER/REPOSITORY/FILE.")
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    offline = is_offline(offline)
    try:
        return Path(hf_hub_download(f"{owner}/{repository}", file, local_files_only=offline, etag_timeout=10))
    except LocalEntryNotFoundError as error:
        why = "posetrack is offline" if offline else "the hub does not answer"
        raise ModelError(
            f"{source} is not on this machine and {why}. Run once with a connection, or give a file."
        ) from error
    except (HfHubHTTPError, OSError) as error:
        raise ModelError(f"Cannot download {source}: {error}. Check the name, or give a file.") from error


def _as_vitpose(backbone: Backbone, state: State) -> State:
    """Fit MAE's tokens, patches and perceptrons to ViTPose; its last norm is not MAE's and stays fresh."""
    wanted = backbone.state_dict()
    state = _resize_positions(state, tokens=wanted["pos_embed"].shape[1], grid=backbone.grid)
    state |= {key: value for key, value in wanted.items() if key.startswith("last_norm.")}
    if (kernel := state.get("patch_embed.proj.weight")) is not None:
        missing = wanted["patch_embed.proj.weight"].shape[-1] - kernel.shape[-1]  # of patches of 14 pixels: 2
        before = max(missing, 0) // 2
        after = max(missing, 0) - before
        state["patch_embed.proj.weight"] = F.pad(kernel, (before, after, before, after))
    for i, block in enumerate(backbone.blocks):
        mlp = block.get_submodule("mlp")
        if isinstance(mlp, ExpertMlp):  # each expert starts as the last channels of the one perceptron
            for part in ("weight", "bias"):
                if (whole := state.get(f"blocks.{i}.mlp.fc2.{part}")) is not None:
                    state[f"blocks.{i}.mlp.fc2.{part}"] = whole[: -mlp.part]
                    state |= {f"blocks.{i}.mlp.experts.{k}.{part}": whole[-mlp.part :] for k in range(len(mlp.experts))}
    return state


def _as_xcit(state: State) -> State:
    """Give the authors' names to timm's keys; where class attention's projections are apart, join them."""
    result = {}
    for key, value in state.items():
        if found := re.fullmatch(r"(cls_attn_blocks\.\d+\.attn)\.q\.(weight|bias)", key):
            block, part = found.groups()
            parts = [state[name] for name in (f"{block}.{x}.{part}" for x in "qkv") if name in state]
            result[f"{block}.qkv.{part}"] = torch.cat(parts)
        elif not re.fullmatch(r"cls_attn_blocks\.\d+\.attn\.[kv]\.(weight|bias)", key):
            result[re.sub(r"^pos_embed\.", "pos_embeder.", key)] = value
    return result


def _resize_positions(state: State, *, tokens: int, grid: tuple[int, int]) -> State:
    """Bring learnt positions (1, extra + n n, D) to (1, 1 + h w, D), bicubic; of the extra ones the first is kept."""
    positions = state.get("pos_embed")
    if positions is None or positions.ndim != 3 or positions.shape[1] == tokens:
        return dict(state)
    extra = 2 if "dist_token" in state else 1
    side = round(max(positions.shape[1] - extra, 0) ** 0.5)
    if side**2 + extra != positions.shape[1]:
        return dict(state)  # not of a square picture: the check of shapes says so
    patches = positions[:, extra:].unflatten(1, (side, side)).permute(0, 3, 1, 2)  # (1, D, n, n)
    patches = F.interpolate(patches, size=grid, mode="bicubic", align_corners=False)
    return state | {"pos_embed": torch.cat([positions[:, :1], patches.flatten(2).transpose(1, 2)], dim=1)}
