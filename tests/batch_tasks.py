"""Tasks for the tests of workers, importable in a separate process."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from posetrack.errors import SourceError


@dataclass(frozen=True)
class Double:
    """Returns twice its number."""

    number: int

    def __call__(self, pipeline, step):
        step()
        return 2 * self.number


@dataclass(frozen=True)
class Refuse:
    """Raises an error of ours."""

    def __call__(self, pipeline, step):
        raise SourceError("It cannot be read. Record it again.")


@dataclass(frozen=True)
class Kill:
    """Ends its process, as a crashing decoder or a full memory does, as long as a file has less than `times` lines."""

    log: Path
    times: int

    def __call__(self, pipeline, step):
        with self.log.open("a+") as log:
            log.seek(0)
            if len(log.readlines()) >= self.times:
                return "survived"
            log.write("killed\n")
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("killed")
