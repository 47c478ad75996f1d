"""Tasks for the tests of workers, importable in a separate process; and the processes of Ray's workers."""

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


def actors():
    """Return the processes of Ray's actors that this process has started."""
    parents, names = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            names[int(folder.name)] = (folder / "cmdline").read_text()
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended
            continue

    def is_ours(pid):
        return pid == os.getpid() or (pid in parents and is_ours(parents[pid]))

    return [pid for pid, name in names.items() if name.startswith("ray::Worker") and is_ours(pid)]
