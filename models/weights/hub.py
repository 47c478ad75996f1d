"""Networks as transformers saves them, in a folder or on the Hugging Face hub, where their revision is fixed."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...errors import ModelError
from ..cache import cache_folder, is_offline
from .fetch import fetch

_RECORD = "revision"  # file with the revision of the first use
TIMEOUT = 20.0  # seconds for the hub to respond

CONFIG, PICTURES, WEIGHTS = FILES = ("config.json", "preprocessor_config.json", "model.safetensors")
_NAME = re.compile(r"([\w.-]+/[\w.-]+(?<!\.pt)(?<!\.pth)(?<!\.safetensors)(?<!\.onnx))(?:@([0-9a-f]{40}))?")


def find(name: str, *, offline: bool = False) -> Path | None:
    """Return the weights of a repository, fetched if need be; None if the name cannot be one.

    Without a revision in the name, the newest one of the first use is recorded and stays. Files in the cache that other
    programs share ($HF_HOME) are taken; others are downloaded into our own.

    Args:
        name: `OWNER/NAME` or `OWNER/NAME@REVISION`, such as `PekingU/rtdetr_r50vd_coco_o365`; a revision has 40
            hexadecimal digits.
        offline: never access the internet.

    Raises:
        ModelError: the repository cannot be fetched, or has no such weights.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    repository, revision = match.groups()
    path = local(name) or _downloaded(repository, revision, _folder(repository), is_offline(offline))
    record = _folder(repository) / _RECORD
    with suppress(OSError):  # a read-only cache is maintained by others
        if not record.is_file():
            record.parent.mkdir(parents=True, exist_ok=True)
            record.write_text(f"{path.parent.name}\n", encoding="ascii")
    return path


def local(name: str) -> Path | None:
    """Return the weights of a repository if they are on this machine; `name` as of `find`."""
    from huggingface_hub import try_to_load_from_cache

    match = _NAME.fullmatch(name)
    if match is None:
        return None
    repository, revision = match.groups()
    folder = _folder(repository)
    if revision is None and (folder / _RECORD).is_file():
        revision = (folder / _RECORD).read_text(encoding="ascii").strip()
    if revision and (own := folder / revision / WEIGHTS).is_file():
        return own
    shared = try_to_load_from_cache(repository, WEIGHTS, revision=revision)
    return Path(shared) if isinstance(shared, str) and Path(shared).with_name(CONFIG).is_file() else None


def _folder(repository: str) -> Path:
    return cache_folder() / "hub" / repository.replace("/", "--")


def _downloaded(repository: str, revision: str | None, folder: Path, offline: bool) -> Path:
    from huggingface_hub import HfApi, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError

    absent = ModelError(
        f"Cannot find the network '{repository}': it is neither a file nor in the cache of the hub, and "
        "huggingface.co does not answer or downloads are off. Check the name, or connect."
    )
    if offline:
        raise absent
    try:
        facts = HfApi().model_info(repository, revision=revision, files_metadata=True, timeout=TIMEOUT)
    except (HfHubHTTPError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelError(f"Cannot find '{repository}' on the hub: {reason}. Check the name.") from error
    except Exception as error:  # of the hub's HTTP library, which depends on its version
        raise absent from error
    digests = {file.rfilename: file.lfs.sha256 if file.lfs else None for file in facts.siblings or ()}
    if WEIGHTS not in digests or facts.sha is None:
        raise ModelError(f"The repository '{repository}' of the hub has no {WEIGHTS}. Give another network.")
    licence = getattr(facts.card_data, "license", None) or "not stated"
    for name in (name for name in FILES if name in digests):  # the weights come last
        url = hf_hub_url(repository, name, revision=facts.sha)
        fetch(url, folder / facts.sha / name, licence=licence, expected=digests[name])
    return folder / facts.sha / WEIGHTS


def read_json(path: Path) -> dict[str, Any]:
    """Return the settings in a file; none if it is missing or broken."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def model_type(path: Path) -> str:
    """Return what transformers calls the network of a file of weights, such as `vitpose`; empty if it saved none."""
    kind = read_json(path.with_name(CONFIG)).get("model_type") if path.name == WEIGHTS else None
    return kind if isinstance(kind, str) else ""
