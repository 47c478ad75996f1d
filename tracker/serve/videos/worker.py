"""Run one job in a separate process: options come in on standard input, progress goes out as lines of JSON.

A process keeps a damaged video or a full memory away from the server, can be ended at any time, and ends with the
server.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from rich.console import Console

from ....errors import PosetrackError
from ...batch.track import track
from ...config.run import RunConfig
from ...run.plan import make_plan

_PAUSE = 0.2  # seconds between two lines of progress
_NICE = 5  # live pages come first


def main() -> int:
    """Run the job that standard input describes; return an exit code."""
    options = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_server, daemon=True).start()
    with suppress(AttributeError, OSError):  # Windows has no such call
        os.nice(_NICE)
    try:
        config = RunConfig.of(**options)
        plan = make_plan(config, [config.source.source])
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - a device
            for message in track(plan, console=Console(file=nowhere), progress=_progress):
                _say(warning=str(message))
    except PosetrackError as error:
        _say(error=str(error))
        return 1
    return 0


def _end_with_server() -> None:
    """End at once when the server's end of the pipe closes, however the server ended."""
    while os.read(sys.stdin.fileno(), 1):  # unbuffered: a waiting buffer delays the end of the interpreter
        pass
    os._exit(1)


@contextmanager
def _progress(*, total: int | None, label: str, **_: Any) -> Iterator[Callable[[int], None]]:
    """Take the place of the terminal's bar; see `output.summary.progress`."""
    step, done, said = ("Second pass" if label == "Second pass" else "Tracking"), 0, 0.0

    def count(people: int) -> None:
        nonlocal done, said
        done += 1
        if time.monotonic() - said >= _PAUSE:
            said = time.monotonic()
            _say(step=step, progress=min(1.0, done / total) if total else 0.0)

    yield count


def _say(**message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
