"""Fetch a detector that the Hugging Face hub has: the few files that its weights are read from."""

from __future__ import annotations

import re
from pathlib import Path

from ...errors import ModelError
from ..cache import is_offline

FILES = ("config.json", "preprocessor_config.json", "model.safetensors")
_NAME = re.compile(r"[\w.-]+/[\w.-]+(?<!\.pt)(?<!\.pth)(?<!\.safetensors)")  # OWNER/NAME, and no file


def find(name: str, *, offline: bool = False) -> Path | None:
    """Return the weights of a repository, fetched if need be; None if the name cannot be one.

    The files go into the cache that other programs share ($HF_HOME); a download resumes after an interruption.

    Args:
        name: `OWNER/NAME`, such as `PekingU/rtdetr_r50vd_coco_o365`.
        offline: never use the network.

    Raises:
        ModelError: the repository cannot be fetched, or has no such weights.
    """
    if not _NAME.fullmatch(name):
        return None
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        folder = snapshot_download(name, allow_patterns=list(FILES), local_files_only=is_offline(offline))
    except LocalEntryNotFoundError as error:
        raise ModelError(
            f"Cannot find the detector '{name}': it is neither a file nor in the cache of the hub, and "
            "huggingface.co does not answer or downloads are off. Check the name, or connect."
        ) from error
    except (HfHubHTTPError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelError(f"Cannot fetch the detector '{name}' from the hub: {reason}. Check the name.") from error
    path = Path(folder) / FILES[-1]
    if not path.is_file():
        raise ModelError(f"The repository '{name}' of the hub has no {FILES[-1]}. Give another detector.")
    return path
