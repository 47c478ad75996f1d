"""List the sources of a batch in a store."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote

from ...errors import SourceError, UsageError
from ..video.address import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from ..video.batch import RESULT, Batch, Item, mirrors, reason_of
from ..video.place import Remote, is_in_store
from .store import files, look, place_of

UNSAFE, TWIN = "a name that no file can have", "its results would have the names of those of another"
_LONGEST = 200  # bytes of a part of a name, with room for the endings of results
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_FORBIDDEN = re.compile(rf'{_CONTROL.pattern}|[<>:"|?*\\]' if os.name == "nt" else rf"{_CONTROL.pattern}|\\")


def gather(addresses: Sequence[str], *, results: Iterable[Path | Remote] = ()) -> Batch:
    """List the sources of several addresses, each once, as `video.batch.gather` lists those of this machine.

    Numbered images are separate sources. A single file is no batch.

    Args:
        addresses: files, folders, and patterns with `*`, all of one kind of store.
        results: where this run's results go; files in such folders are results, unless the folder is itself a source.

    Raises:
        SourceError: nothing is found.
        UsageError: the addresses are of several kinds, or there are too many files.
        PosetrackError: the store does not answer or refuses, or fsspec is missing.
    """
    if not all(map(is_in_store, addresses)):
        raise UsageError("Some sources are in a store and others are not. Track them in two runs.")
    places = [place_of(address) for address in addresses]
    if len({place.scheme for place in places}) > 1:
        raise UsageError("The sources are in several kinds of stores. Track those of each in a run of their own.")
    singles = [_single(place) for place in places]
    if len(singles) == 1 and singles[0]:
        return Batch([Item(singles[0], Path(singles[0].name))], many=False, left_out={})
    roots = [_root(place, single) for place, single in zip(places, singles)]
    below = tuple(f"{each.path}/" for each in results if isinstance(each, Remote) and each.path not in roots)
    found = {each.path: each for place, one in zip(places, singles) for each in ([one] if one else files(place))}
    names: dict[Path, Remote] = {}
    left_out: dict[Path, str] = {}
    for path, place in found.items():
        name = _name(path, _common(roots))
        reason = UNSAFE if _is_unsafe(name) else reason_of(Path(name)) or (RESULT if path.startswith(below) else "")
        if reason:
            left_out[Path(_CONTROL.sub("?", name))] = reason
        else:
            names[Path(name)] = place
    items: dict[str, Item] = {}
    for file, mirror in zip(names, mirrors(list(names))):
        if items.setdefault(str(mirror).casefold(), Item(names[file], mirror)).source is not names[file]:
            left_out[file] = TWIN
    if not items:
        texts = ", ".join(f"'{place}'" for place in places)
        if not found:
            raise SourceError(f"There is nothing at {texts}. Check the address and your permissions.")
        kinds = " ".join(sorted(VIDEO_SUFFIXES | IMAGE_SUFFIXES))
        raise SourceError(f"There is no video or image at {texts}. Supported suffixes: {kinds}.")
    return Batch(list(items.values()), many=True, left_out=left_out)


def _single(place: Remote) -> Remote | None:
    """Return the file that an address names; None if it names many."""
    return None if "*" in place.path or place.scheme.startswith("http") else look(place)


def _root(place: Remote, single: Remote | None) -> str:
    """Return the folder that the results of an address mirror."""
    return place.path.partition("*")[0].rpartition("/")[0] if single or "*" in place.path else place.path.rstrip("/")


def _common(roots: Sequence[str]) -> str:
    """Return the deepest folder that contains all of these."""
    levels = itertools.takewhile(lambda level: len(set(level)) == 1, zip(*(root.split("/") for root in roots)))
    return "/".join(level[0] for level in levels)


def _name(path: str, root: str) -> str:
    """Return the name of a file below a folder; a server's is written without its %."""
    name = path.removeprefix(root).removeprefix("/")
    return unquote(name) if "://" in path else name


def _is_unsafe(name: str) -> bool:
    """Return whether a name leaves its folder, or is none of a file: the keys of an object store are any text."""
    return any(
        part in ("", ".", "..") or _FORBIDDEN.search(part) or len(part.encode(errors="replace")) > _LONGEST
        for part in name.split("/")
    )
