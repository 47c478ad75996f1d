"""Networks as transformers saves them, in a folder or on the Hugging Face hub, where their revision is fixed."""

from __future__ import annotations

import json
import logging
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...errors import ModelError
from ..cache import cache_folder, is_offline, sha256

log = logging.getLogger("posetrack")

CONFIG, PICTURES, WEIGHTS = FILES = ("config.json", "preprocessor_config.json", "model.safetensors")
_NAME = re.compile(r"([\w.-]+/[\w.-]+(?<!\.pt)(?<!\.pth)(?<!\.safetensors)(?<!\.onnx))(?:@([0-9a-f]{40}))?")


def find(name: str, *, offline: bool = False) -> Path | None:
    """Return the weights of a repository, fetched if need be; None if the name cannot be one.

    Without a revision in the name, the newest one of the first use is recorded and stays. The files go into the cache
    that other programs share ($HF_HOME); a download resumes after an interruption, and its SHA-256 is compared with the
    one that the hub states.

    Args:
        name: `OWNER/NAME` or `OWNER/NAME@REVISION`, such as `PekingU/rtdetr_r50vd_coco_o365`; a revision has 40
            hexadecimal digits.
        offline: never use the network.

    Raises:
        ModelError: the repository cannot be fetched, or has no such weights.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    repository, revision = match.groups()
    record = cache_folder() / "hub" / f"{repository.replace('/', '--')}.revision"
    if revision is None and record.is_file():
        revision = record.read_text(encoding="ascii").strip()
    folder = _cached(repository, revision) or _downloaded(repository, revision, offline=is_offline(offline))
    with suppress(OSError):  # a read-only cache is maintained by others
        record.parent.mkdir(parents=True, exist_ok=True)
        if not record.is_file():
            record.write_text(f"{folder.name}\n", encoding="ascii")
    return folder / WEIGHTS


def _cached(repository: str, revision: str | None) -> Path | None:
    """Return the folder of a revision, the newest known one for None, if all its files are on this machine."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(repository, revision=revision, local_files_only=True))
    except (LocalEntryNotFoundError, ValueError):
        return None
    return folder if (folder / WEIGHTS).is_file() else None


def _downloaded(repository: str, revision: str | None, *, offline: bool) -> Path:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    absent = ModelError(
        f"Cannot find the network '{repository}': it is neither a file nor in the cache of the hub, and "
        "huggingface.co does not answer or downloads are off. Check the name, or connect."
    )
    if offline:
        raise absent
    hub: Any = HfApi()
    try:
        facts = hub.model_info(repository, revision=revision, files_metadata=True, timeout=20)
        wanted = [file for file in facts.siblings if file.rfilename in FILES]
        size = sum(file.size or 0 for file in wanted) / 1e6
        licence = getattr(facts.card_data, "license", None) or "not stated"
        log.info("Downloading %s@%s: %.1f MB, licence %s ...", repository, facts.sha, size, licence)
        paths = [Path(hub.hf_hub_download(repository, file.rfilename, revision=facts.sha)) for file in wanted]
    except LocalEntryNotFoundError as error:
        raise absent from error
    except (HfHubHTTPError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelError(f"Cannot fetch '{repository}' from the hub: {reason}. Check the name.") from error
    for file, path in zip(wanted, paths, strict=True):
        if file.lfs and sha256(path) != file.lfs.sha256:
            path.resolve().unlink()  # the file that the cache links to
            path.unlink(missing_ok=True)
            raise ModelError(f"{path} was damaged: its sha256 was not {file.lfs.sha256}. It is removed; run again.")
    if not any(path.name == WEIGHTS for path in paths):
        raise ModelError(f"The repository '{repository}' of the hub has no {WEIGHTS}. Give another network.")
    return paths[0].parent


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
