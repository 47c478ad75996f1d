"""The cache of converted networks, which are loaded without importing torch."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from ....errors import OutputError
from ....models.cache import cache_folder
from ....models.weights.card import Card, PoseCard, from_text, to_text
from ....version import __version__

log = logging.getLogger("posetrack")

REVISION = 4
INT8 = "int8.xml"  # next to a converted network: its int8 version, if it exists
ORIGIN = "origin.json"  # the source weights of a folder, and the network's card


@dataclass(frozen=True, slots=True)
class Loaded:
    """A network read from its weights: the file, the torch module and its card."""

    path: Path
    network: Any
    card: Card


@dataclass(frozen=True, slots=True)
class Converted:
    """A converted network in the cache: its file and its card."""

    path: Path
    card: Card


def converted(key: str, suffix: str, read: Callable[[], Loaded]) -> Converted:
    """Return a converted network; convert it if it is not cached, or if the file of its weights changed.

    Args:
        key: key of the network in this installation.
        suffix: `.xml` or `.onnx`.
        read: reads the weights, called only for a conversion.

    Raises:
        ModelError: the weights cannot be read, or the network cannot be converted.
        OutputError: the cache cannot be written.
    """
    folder = _folder(key, suffix)
    found = _kept(folder, suffix)
    if found is None:
        kind, *_, name = key.split("\n")
        log.info("Converting the %s network %s for this machine, once: some seconds ...", kind, Path(name).name)
        found = _make(folder, suffix, read())
    return found


def in_int8(key: str) -> Converted | None:
    """Return the int8 version of a network, if it was made from the current weights; otherwise None."""
    found = _kept(_folder(key, ".xml"), ".xml")
    if found is None or not isinstance(found.card, PoseCard):  # detectors are never quantized
        return None
    path = found.path.with_name(INT8)
    return Converted(path, replace(found.card, int8=True)) if path.is_file() else None


def forget(key: str, suffix: str) -> None:
    """Remove a broken converted network."""
    shutil.rmtree(_folder(key, suffix), ignore_errors=True)


def _folder(key: str, suffix: str) -> Path:
    package = str(Path(__file__).parents[3])  # another installation has other code and bundled weights
    words = "\n".join((package, __version__, str(REVISION), suffix, key))
    return _root() / hashlib.sha256(words.encode()).hexdigest()[:24]


def _root() -> Path:
    return cache_folder() / "converted"


def _kept(folder: Path, suffix: str) -> Converted | None:
    try:
        origin = json.loads((folder / ORIGIN).read_text(encoding="utf-8"))
        if not _same(origin):
            return None
        path, card = folder / f"network{suffix}", from_text(origin["card"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Converted(path, card) if path.is_file() else None


def _same(origin: dict[str, Any]) -> bool:
    return origin["stamp"] == _stamp(Path(origin["weights"]))


def _stamp(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]


def _make(folder: Path, suffix: str, weights: Loaded) -> Converted:
    from ....models.export import files

    try:
        _root().mkdir(parents=True, exist_ok=True)
        _prune()
        fresh = Path(mkdtemp(dir=_root(), prefix="new-"))
        try:
            files.write(weights.network, fresh / f"network{suffix}", weights.card)
            origin = {
                "weights": str(weights.path.absolute()),
                "stamp": _stamp(weights.path),
                "card": to_text(weights.card),
            }
            (fresh / ORIGIN).write_text(json.dumps(origin), encoding="utf-8")
            shutil.rmtree(folder, ignore_errors=True)
            fresh.rename(folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        raise OutputError(
            f"Cannot store the converted network in {_root()}: {error.strerror or error}. "
            "Free some space, or set $POSETRACK_CACHE to another folder."
        ) from error
    return Converted(folder / f"network{suffix}", weights.card)


def _prune() -> None:
    """Remove networks whose weights are missing or changed."""
    for file in _root().glob(f"*/{ORIGIN}"):
        try:
            stale = not _same(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            stale = True
        if stale:
            shutil.rmtree(file.parent, ignore_errors=True)
