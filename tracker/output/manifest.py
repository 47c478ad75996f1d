"""The manifest of a batch: `manifest.jsonl` in the folder of its results, a line for each state of each source."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from ...errors import OutputError
from ...models.cache import sha256

NAME = "manifest.jsonl"
_FIRST = ("csv", "save")  # whose folder has the manifest; else the first one that is given


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
        size: bytes of the source; None if it cannot be read.
        mtime: seconds since 1970 of its last change.
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
    sha256: str | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    frames: int | None = None
    people: int | None = None
    seconds: float | None = None
    error: str = ""

    def is_of(self, source: Path) -> bool:
        """Return whether the source is the same file as then, by size and time, or by its SHA-256 if that is known."""
        size, mtime = stamp(source)
        if size != self.size:
            return False
        return mtime == self.mtime or (self.sha256 is not None and sha256(source) == self.sha256)


def stamp(source: Path) -> tuple[int | None, float | None]:
    """Return bytes and time of last change of a file; None if it cannot be read."""
    with suppress(OSError):
        status = source.stat()
        return status.st_size, status.st_mtime
    return None, None


def place(targets: Mapping[str, Path]) -> Path | None:
    """Return the folder of the manifest among the folders of the results; None without results."""
    return next((targets[name] for name in (*_FIRST, *targets) if name in targets), None)


def name(folder: Path, targets: Mapping[str, Path]) -> str:
    """Return the name of a source's first result, relative to the folder of the manifest."""
    first = place(targets)
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
