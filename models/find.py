"""From the name of a network to the file of its weights: find it, fetch it."""

from __future__ import annotations

import difflib
from importlib.resources import files
from pathlib import Path

from ..errors import ModelError, UsageError
from .cache import is_offline
from .zoo import BUNDLED, ZOO, Variant


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
