"""From the name of a network to the file of its weights: shipped, in the cache, or fetched into it."""

from __future__ import annotations

import difflib
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ...errors import ModelError, UsageError
from .cache import cache_folder, is_offline, sha256
from .fetch import fetch
from .variants import BUNDLED, HUB_FILE, ZOO, Variant

SUFFIXES = (".pth", ".safetensors")  # the first is what a person puts there


@dataclass(frozen=True, slots=True)
class Weights:
    """A file of weights.

    Attributes:
        path: where it is.
        sha256: of the file.
        input_size: (height, width) of the crop, for a name of the zoo; None for a path, whose contents tell.
    """

    path: Path
    sha256: str
    input_size: tuple[int, int] | None = None


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


def find(name: str, *, offline: bool = False) -> Weights:
    """Return the file with the weights of a network, fetching it when it has an address.

    Args:
        name: a name of the zoo, "bundled", or a path.
        offline: never use the network.

    Raises:
        UsageError: the name is neither known nor a file.
        ModelError: the weights are not here and cannot be fetched, or they changed since they were first used.
    """
    if Path(name).is_file():
        return Weights(Path(name), sha256(Path(name)))
    known = variant(name)
    path = local(known) or _fetched(known, offline=offline)
    digest = sha256(path)
    if path.parent == cache_folder():
        _hold_to_record(path, digest)
    elif known.sha256 not in (None, digest):
        raise ModelError(f"{path} is damaged: its sha256 is {digest}, not {known.sha256}. Delete it and run again.")
    return Weights(path, digest, known.input_size)


def local(known: Variant) -> Path | None:
    """Return the weights of a network of the zoo if they are on this machine."""
    if known.bundled is not None:
        return Path(str(files(__package__) / "bundled" / known.bundled))
    for suffix in SUFFIXES:
        if (path := place(known, suffix)).is_file():
            return path
    if known.hub is not None:  # other programs share this cache
        from huggingface_hub import try_to_load_from_cache

        repository, revision = known.hub
        found = try_to_load_from_cache(repository, HUB_FILE, revision=revision)
        return Path(found) if isinstance(found, str) else None
    return None


def place(known: Variant, suffix: str = SUFFIXES[0]) -> Path:
    """Return where in the cache the weights of a network of the zoo are looked for."""
    return cache_folder() / f"{known.name}{suffix}"


def address(known: Variant) -> str | None:
    """Return the fixed address of a network's weights, where they have one; $HF_ENDPOINT may name a mirror."""
    if known.hub is None:
        return known.url
    from huggingface_hub import hf_hub_url

    repository, revision = known.hub
    return hf_hub_url(repository, HUB_FILE, revision=revision)


def _fetched(known: Variant, *, offline: bool) -> Path:
    url = address(known)
    if url is None:
        raise ModelError(
            f"The weights of {known.name} are published on {known.page} only, without a fixed address. "
            f"Download them there by hand and put the file at {place(known)}, or give it: --model PATH."
        )
    if is_offline(offline):
        raise ModelError(
            f"The weights of {known.name} are not on this machine and posetrack is offline. Run once with a "
            f"connection, or put the file of {url} at {place(known, Path(url).suffix)}."
        )
    path = place(known, Path(url).suffix)
    fetch(url, path, expected=known.sha256)
    return path


def _hold_to_record(path: Path, digest: str) -> None:
    """Hold a file of the cache to the sha256 that it had when it was first used; most have no published one."""
    record = path.with_name(f"{path.name}.sha256")
    if not record.is_file():
        with suppress(OSError):  # a cache that cannot be written to is not ours to keep
            record.write_text(f"{digest}  {path.name}\n", encoding="utf-8")
    elif (recorded := record.read_text(encoding="utf-8").split()[:1]) != [digest]:
        raise ModelError(
            f"{path} changed since it was first used: its sha256 is {digest}, not {' '.join(recorded) or 'recorded'}. "
            f"If you replaced it yourself, delete {record.name} beside it; otherwise delete both and run again."
        )
