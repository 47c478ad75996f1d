"""Keep the manifest of a batch, in a folder or in a store."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..output.manifest import NAME, Entry, Manifest, read
from ..remote.scratch import scratch
from ..remote.store import fetch, look, put
from ..video.place import Remote

EVERY = 30.0  # seconds; a store has no lines, so each time the whole manifest is put


def recorded(place: Path | Remote | None) -> dict[str, Entry]:
    """Return what the manifest of earlier runs says, as `output.manifest.read` does.

    Raises:
        PosetrackError: the store does not answer, or refuses.
    """
    if not isinstance(place, Remote):
        return read(place) if place else {}
    with scratch() as folder:
        _fetch(place, folder)
        return read(folder)


def _fetch(place: Remote, folder: Path) -> None:
    if there := look(place / NAME):
        fetch(there, folder).rename(folder / NAME)


@contextmanager
def recording(place: Path | Remote | None) -> Iterator[Callable[[Entry], None]]:
    """Give a function that adds an entry to the manifest.

    That of a store is fetched, continued on this machine, and put at once, before anything is tracked, every `EVERY`
    seconds and at the end.

    Args:
        place: folder of the manifest; None writes nothing.

    Raises:
        OutputError: it cannot be written.
        PosetrackError: the store does not answer, or refuses.
    """
    if not isinstance(place, Remote):
        yield Manifest(place).add
        return
    with scratch() as folder:
        _fetch(place, folder)
        local, there = folder / NAME, place / NAME
        manifest, last = Manifest(folder), -math.inf

        def add(entry: Entry) -> None:
            nonlocal last
            manifest.add(entry)
            if time.monotonic() - last > EVERY:
                put(local, there)
                last = time.monotonic()

        try:
            yield add
        finally:
            if local.exists():
                put(local, there)
