"""Networks as transformers saves them, in a folder or on the Hugging Face hub, where their revision is fixed."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from ...errors import ModelError
from ..cache import cache_folder, is_offline
from .fetch import fetch

_RECORD = "revision"  # file with the revision of the first use
TIMEOUT = 20.0  # seconds for the hub to respond
LOG_IN = "log in with `hf auth login` or set HF_TOKEN"

CONFIG, PREPROCESSOR, WEIGHTS = FILES = ("config.json", "preprocessor_config.json", "model.safetensors")
_NAME = re.compile(r"([\w.-]+/[\w.-]+(?<!\.pt)(?<!\.pth)(?<!\.safetensors)(?<!\.onnx))(?:@([0-9a-f]{40}))?")


def find(name: str, *, option: str, types: Collection[str], offline: bool = False) -> Path | None:
    """Return the weights of a repository, fetched if need be; None if the name cannot be one.

    Without a revision in the name, the newest one of the first use is recorded and stays. Files in the cache that other
    programs share ($HF_HOME) are taken; others are downloaded into our own.

    Args:
        name: `OWNER/NAME` or `OWNER/NAME@REVISION`, such as `PekingU/rtdetr_r50vd_coco_o365`; a revision has 40
            hexadecimal digits.
        option: `--model` or `--detector`, for messages.
        types: what transformers calls the networks that the option takes.
        offline: never access the internet.

    Raises:
        ModelError: the repository cannot be fetched, has no such weights, or is of another type; that is found before
            its weights are downloaded.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    repository, revision = match.groups()
    if path := local(name):
        check_type(path, name, option=option, types=types)
    else:
        path = _downloaded(repository, revision, is_offline(offline), option=option, types=types)
    record = _folder(repository) / _RECORD
    with suppress(OSError):  # a read-only cache is maintained by others
        if not record.is_file():
            record.parent.mkdir(parents=True, exist_ok=True)
            record.write_text(f"{path.parent.name}\n", encoding="ascii")
    return path


def is_name(name: str) -> bool:
    """Return whether a name may be that of a repository."""
    return _NAME.fullmatch(name) is not None


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


def _downloaded(repository: str, revision: str | None, offline: bool, *, option: str, types: Collection[str]) -> Path:
    from huggingface_hub import HfApi, constants, get_token, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError

    absent = f"Cannot find the network '{repository}': it is neither a file nor in the cache of the hub"
    if offline:
        raise ModelError(f"{absent}, and downloads are off. Check the name, or run once with an internet connection.")
    try:
        facts = HfApi().model_info(repository, revision=revision, files_metadata=True, timeout=TIMEOUT)
    except (HfHubHTTPError, ValueError) as error:
        if getattr(getattr(error, "response", None), "status_code", None) in (401, 403, 404):
            raise ModelError(  # the hub hides whether a private one exists
                f"The hub has no network '{repository}'{f' of revision {revision}' if revision else ''}, or it is "
                f"private. Check the name, or {LOG_IN}."
            ) from error
        reason = str(error).strip().splitlines()[0].rstrip(".")
        raise ModelError(f"Cannot find '{repository}' on the hub: {reason}. Check the name.") from error
    except Exception as error:  # of the hub's HTTP library, which depends on its version
        raise ModelError(f"{absent}, and {constants.ENDPOINT} does not answer. Check the name, or connect.") from error
    digests = {file.rfilename: file.lfs.sha256 if file.lfs else None for file in facts.siblings or ()}
    if WEIGHTS not in digests or facts.sha is None:
        raise ModelError(f"The repository '{repository}' of the hub has no {WEIGHTS}. Give another network.")
    licence = getattr(facts.card_data, "license", None) or "not stated"
    folder = _folder(repository) / facts.sha
    for name in (name for name in FILES if name in digests):  # the weights come last
        if name == WEIGHTS:
            check_type(folder / WEIGHTS, repository, option=option, types=types)
        url = hf_hub_url(repository, name, revision=facts.sha)
        try:
            fetch(url, folder / name, licence=licence, expected=digests[name], token=get_token())
        except ModelError as error:
            if isinstance(error.__cause__, HTTPError) and error.__cause__.code in (401, 403):
                page = f"{constants.ENDPOINT}/{repository}"
                raise ModelError(
                    f"The network '{repository}' is gated. Accept its terms at {page}, and {LOG_IN}."
                ) from error
            raise
    return folder / WEIGHTS


def check_type(path: Path, name: str, *, option: str, types: Collection[str]) -> None:
    """Check what transformers calls the network of a file of weights; files that it did not save pass.

    Raises:
        ModelError: it is none of `types`.
    """
    kind = model_type(path)
    if kind and kind not in types:
        raise ModelError(
            f"'{name}' is a {kind} of transformers, of whose networks {option} takes {', '.join(types)}. "
            "Give another network."
        )


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
