"""The manifest of a batch: `manifest.jsonl` in the folder of its results, a line for each state of each source."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ...errors import OutputError
from ...models.cache import sha256
from ..video.place import Remote

NAME = "manifest.jsonl"
FIRST = ("csv", "save")  # whose folder has the manifest; else the first one that is given


T = TypeVar("T")


class SourceState(StrEnum):
    """How far a source is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # the source cannot be tracked
    STOPPED = "stopped"  # something else prevented it, such as a full disk


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the manifest.

    Attributes:
        result: name of the first result, relative to the manifest; one source, one name.
        input: the source as it was given.
        size: bytes of the source; None if it cannot be read, or if a store does not state them.
        mtime: seconds since 1970 of its last change, as far as known.
        etag: what its store calls this version of it, if stated.
        sha256: of the source, on request.
        state: see `SourceState`.
        attempt: how often it was started in this run.
        outputs: path of each result by the name of its option.
        frames: read; None before the end, as the next ones.
        people: track IDs that were written.
        seconds: from the first frame to the last result.
        error: a sentence; empty if there is none.
        at: seconds since 1970 of this line.
    """

    result: str
    input: str
    size: int | None
    mtime: float | None
    state: SourceState
    at: float
    attempt: int = 1
    etag: str | None = None
    sha256: str | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    frames: int | None = None
    people: int | None = None
    seconds: float | None = None
    error: str = ""

    def is_of(self, source: Path | Remote) -> bool:
        """Return whether the source is the same file as then, by its size and time.

        With another time, it is the same if its version in the store, or the SHA-256 of a file, is known and equal.
        """
        then, now = Stamp(self.size, self.mtime, self.etag), stamp(source)
        if then.size != now.size:
            return False
        if then.mtime == now.mtime or (then.etag and then.etag == now.etag):
            return True
        return isinstance(source, Path) and self.sha256 is not None and sha256(source) == self.sha256


class Stamp(NamedTuple):
    """Bytes of a source, the time of its last change, and its version in a store; None if unknown."""

    size: int | None = None
    mtime: float | None = None
    etag: str | None = None


def stamp(source: str | int | Path | Remote) -> Stamp:
    """Return the stamp of a source; that of a file in a store is as it was listed."""
    if isinstance(source, Remote):
        return Stamp(source.size, source.mtime, source.etag)
    with suppress(OSError):
        if isinstance(source, Path):
            status = source.stat()
            return Stamp(status.st_size, status.st_mtime)
    return Stamp()


def place(targets: Mapping[str, T]) -> T | None:
    """Return the folder of the manifest among the folders of the results; None without results."""
    return next((targets[name] for name in (*FIRST, *targets) if name in targets), None)


def name(folder: Path | Remote, targets: Mapping[str, Path | Remote]) -> str:
    """Return the name of a source's first result, relative to the folder of the manifest."""
    first: Any = place(targets)
    assert first, "a source with results"
    return first.relative_to(folder).as_posix()


def read(folder: Path) -> dict[str, Entry]:
    """Return the newest entry of each source by the name of its first result; lines that were cut off are ignored."""
    entries: dict[str, Entry] = {}
    known = {each.name for each in fields(Entry)}
    with suppress(FileNotFoundError), (folder / NAME).open(encoding="utf-8") as lines:
        for line in lines:
            with suppress(ValueError, TypeError, KeyError):
                values: dict[str, Any] = {key: value for key, value in dict(json.loads(line)).items() if key in known}
                entries[values["result"]] = Entry(**(values | {"state": SourceState(values["state"])}))
    return entries


class Manifest:
    """Appends entries, each flushed to the disk before the next source is done.

    Args:
        folder: of the results; None writes nothing.

    Raises:
        OutputError: it cannot be written.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = folder / NAME if folder else None
        self._begun = False

    def add(self, entry: Entry) -> None:
        """Append an entry."""
        if self._path is None:
            return
        line = json.dumps(asdict(entry), ensure_ascii=False).encode(errors="backslashreplace") + b"\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a+b") as file:
                if not self._begun and file.tell():
                    file.seek(-1, os.SEEK_END)
                    line = line if file.read(1) == b"\n" else b"\n" + line  # a run that was killed cuts its last line
                file.write(line)
                file.flush()
                if entry.state is not SourceState.RUNNING:
                    os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(f"Cannot write '{self._path}': {error.strerror}. Free some space.") from error
        self._begun = True
