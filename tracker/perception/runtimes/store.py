"""The cache of converted networks, which are loaded without importing torch."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from filelock import FileLock, Timeout

from ....errors import OutputError
from ....models.cache import cache_folder, sha256
from ....models.weights.card import Card, PoseCard, from_text, to_text
from ....version import __version__
from . import bundled

log = logging.getLogger("posetrack")

REVISION = 5
PATIENCE = 10.0  # seconds of waiting for another process until a message says so
HOUR = 3600.0  # seconds after which an unfinished conversion is a leftover
INT8 = "int8.xml"  # next to a converted network: its int8 version, if it exists
ORIGIN = "origin.json"  # the source weights of a folder, and the network's card


@dataclass(frozen=True, slots=True)
class Loaded:
    """A network of a file of weights: the file, the torch module or its bundled OpenVINO form's path, and the card."""

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
    with exclusive():
        found = _kept(folder, suffix)
        if found is None or not is_intact(found.path):
            found = _make(folder, suffix, read(), key)
    return found


def in_int8(key: str) -> Converted | None:
    """Return the int8 version of a network, if it was made from the current weights; otherwise None."""
    found = _kept(_folder(key, ".xml"), ".xml")
    if found is None or not isinstance(found.card, PoseCard):  # detectors are never quantized
        return None
    path = found.path.with_name(INT8)
    with exclusive():
        if path.is_file() and not is_intact(path):
            discard(path)
            log.warning("The int8 version of %s is broken and was removed.", Path(key.rpartition("\n")[2]).name)
    return Converted(path, replace(found.card, int8=True)) if path.is_file() else None


@contextmanager
def exclusive() -> Iterator[None]:
    """Let one thread of one process at a time read and change the converted networks and their compiled graphs.

    The lock ends with its process. The thread that holds it may take it again. Without it, a process could remove a
    graph as unfinished while another one writes it. A cache that cannot be written has no lock.
    """
    lock = FileLock(cache_folder() / "networks.lock", is_singleton=True)
    held = _take(lock)
    try:
        yield
    finally:
        if held:
            lock.release()


def _take(lock: FileLock) -> bool:
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=PATIENCE)
        except Timeout:
            log.warning("Waiting for another process that prepares networks and holds '%s'.", lock.lock_file)
            lock.acquire()
    except OSError:
        return False
    return True


def store_sums(file: Path) -> None:
    """Store the SHA-256 of a finished file of the cache, and of the weights beside it, for `is_intact`."""
    _sums_file(file).write_text(json.dumps(_sums(file)), encoding="utf-8")


def is_intact(file: Path) -> bool:
    """Return whether a file of the cache, and the weights beside it, are unchanged since `store_sums`."""
    try:
        return bool(json.loads(_sums_file(file).read_text(encoding="utf-8")) == _sums(file))
    except (OSError, ValueError):
        return False


def has_sums(file: Path) -> bool:
    """Return whether the SHA-256 of a file of the cache is stored."""
    return _sums_file(file).is_file()


def discard(file: Path) -> None:
    """Remove a file of the cache, the weights beside it and their SHA-256."""
    for part in (file, file.with_suffix(".bin"), _sums_file(file)):
        part.unlink(missing_ok=True)


def _sums_file(file: Path) -> Path:
    return file.with_name(f"{file.name}.sha256")


def _sums(file: Path) -> dict[str, str]:
    weights = file.with_suffix(".bin")
    return {part.name: sha256(part) for part in (file, weights) if part == file or part.is_file()}


def forget(key: str, suffix: str) -> None:
    """Remove a broken converted network."""
    with exclusive():
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


def _make(folder: Path, suffix: str, weights: Loaded, key: str) -> Converted:
    try:
        _root().mkdir(parents=True, exist_ok=True)
        _prune()
        fresh = Path(mkdtemp(dir=_root(), prefix="new-"))
        try:
            _write(weights, fresh / f"network{suffix}", key)
            origin = {
                "weights": str(weights.path.absolute()),
                "stamp": _stamp(weights.path),
                "card": to_text(weights.card),
            }
            store_sums(fresh / f"network{suffix}")
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


def _write(weights: Loaded, file: Path, key: str) -> None:
    """Write a network in the format of the file's suffix."""
    if isinstance(weights.network, Path):
        bundled.write_complete(weights.network, weights.path, file)
        return
    from ....models.export import files

    kind, *_, name = key.split("\n")
    log.info("Converting the %s network %s for this machine, once: a few seconds ...", kind, Path(name).name)
    files.write(weights.network, file, weights.card)


def _prune() -> None:
    """Remove networks whose weights are missing or changed, and what an interrupted conversion left."""
    for folder in _root().glob("new-*"):
        with suppress(OSError):  # another user's
            if time.time() - folder.stat().st_mtime > HOUR:
                shutil.rmtree(folder)
    for file in _root().glob(f"*/{ORIGIN}"):
        try:
            stale = not _same(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            stale = True
        if stale:
            shutil.rmtree(file.parent, ignore_errors=True)
