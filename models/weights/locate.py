"""Locate the weights of a pose network by name: bundled, in the cache, or downloaded into it."""

from __future__ import annotations

import difflib
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ...errors import ModelError, UsageError
from ..cache import cache_folder, is_offline, sha256
from . import hub
from .fetch import fetch
from .variants import BUNDLED, HUB_FILE, ZOO, Variant

POSE_TYPES = ("vitpose",)  # of transformers' pose networks
SUFFIXES = (".pth", ".safetensors")  # the first is the one for files that users download by hand


@dataclass(frozen=True, slots=True)
class Weights:
    """A file of weights.

    Attributes:
        path: of the file.
        sha256: of the file.
        input_size: (height, width) of the crop, for a name of the zoo; None for a path, since the file states it.
    """

    path: Path
    sha256: str
    input_size: tuple[int, int] | None = None


def variant(name: str) -> Variant:
    """Return the entry of the zoo with a name.

    Raises:
        UsageError: the name is unknown; the message suggests the nearest one.
    """
    known = ZOO.get(BUNDLED if name == "bundled" else name)
    if known is None:
        near = difflib.get_close_matches(name, ["bundled", *ZOO], n=1)
        hint = f"Did you mean {near[0]}?" if near else "`posetrack models` lists the names."
        raise UsageError(f"Model '{name}' is neither a file nor a known name. {hint}")
    return known


def check_name(name: str) -> None:
    """Check, before anything large is loaded, that a name is that of a file, of the zoo, or may be one of the hub.

    Raises:
        UsageError: it is none; the message suggests the nearest name.
    """
    if not (Path(name).exists() or hub.is_name(name)):
        variant(name)


def locate_weights(name: str, *, offline: bool = False) -> Weights:
    """Return the file with the weights of a network, downloading it if it has an address.

    Args:
        name: a name of the zoo, "bundled", a path, a folder of transformers, or a repository of the hub (`hub.find`).
        offline: never download.

    Raises:
        UsageError: the name is neither a file nor a known name.
        ModelError: the weights are not on this machine and cannot be downloaded, or changed since they were first used.
    """
    for path in (Path(name), Path(name) / HUB_FILE):
        if path.is_file():
            hub.check_type(path, name, option="--model", types=POSE_TYPES)
            return Weights(path, sha256(path))
    if found := hub.find(name, option="--model", types=POSE_TYPES, offline=offline):
        return Weights(found, sha256(found))
    known = variant(name)
    path = local(known) or _downloaded(known, offline=offline)
    digest = sha256(path)
    if path.parent == cache_folder():
        _check_recorded_digest(path, digest)
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
    if known.hub is not None:  # the Hugging Face cache, shared with other programs
        from huggingface_hub import try_to_load_from_cache

        repository, revision = known.hub
        cached = try_to_load_from_cache(repository, HUB_FILE, revision=revision)
        return Path(cached) if isinstance(cached, str) else None
    return None


def place(known: Variant, suffix: str = SUFFIXES[0]) -> Path:
    """Return the path in the cache for the weights of a network of the zoo."""
    return cache_folder() / f"{known.name}{suffix}"


def address(known: Variant) -> str | None:
    """Return the fixed URL of a network's weights, or None; $HF_ENDPOINT may name a mirror."""
    if known.hub is None:
        return known.url
    from huggingface_hub import hf_hub_url

    repository, revision = known.hub
    return hf_hub_url(repository, HUB_FILE, revision=revision)


def _downloaded(known: Variant, *, offline: bool) -> Path:
    url = address(known)
    if url is None:
        raise ModelError(
            f"The weights of {known.name} are published only on {known.page}, without a fixed address. "
            f"Download them there and put the file at {place(known)}, or give its path: --model PATH."
        )
    if is_offline(offline):
        raise ModelError(
            f"The weights of {known.name} are not on this machine and posetrack is offline. Run once with an "
            f"internet connection, or put the file of {url} at {place(known, Path(url).suffix)}."
        )
    path = place(known, Path(url).suffix)
    fetch(url, path, licence=known.licence, expected=known.sha256)
    return path


def _check_recorded_digest(path: Path, digest: str) -> None:
    """Check that a file in the cache has the sha256 of its first use; most files have no published one."""
    record = path.with_name(f"{path.name}.sha256")
    if not record.is_file():
        with suppress(OSError):  # a read-only cache is maintained by others
            record.write_text(f"{digest}  {path.name}\n", encoding="utf-8")
    elif (recorded := record.read_text(encoding="utf-8").split()[:1]) != [digest]:
        raise ModelError(
            f"{path} changed since it was first used: its sha256 is {digest}, not {' '.join(recorded) or 'recorded'}. "
            f"If you replaced it yourself, delete {record.name} beside it; otherwise delete both and run again."
        )
