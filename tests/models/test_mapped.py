"""What is given back is not lost, and what is not the file's any more is not given back."""

import mmap
import sys
from pathlib import Path

import pytest

from posetrack.models.mapped import release

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what is in memory")
SIZE = 2**20


def resident(path):
    """Return how many kB of a file this process holds in memory."""
    kept, total = False, 0
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
        if "-" in line.split()[0]:
            kept = line.endswith(str(path))
        elif kept and line.startswith("Rss:"):
            total += int(line.split()[1])
    return total


@linux
def test_weights_leave_the_memory_and_come_back(tmp_path):
    path, other = tmp_path / "weights.blob", tmp_path / "notes.txt"
    for file in (path, other):
        file.write_bytes(b"\7" * SIZE)
    with path.open("rb") as one, other.open("rb") as two:
        weights = mmap.mmap(one.fileno(), SIZE, access=mmap.ACCESS_READ)
        notes = mmap.mmap(two.fileno(), SIZE, access=mmap.ACCESS_READ)
        assert sum(weights[:]) == sum(notes[:]) == 7 * SIZE
        assert resident(path)
        assert resident(other)
        release(tmp_path)
        assert resident(path) == 0
        assert resident(other)  # neither code nor weights
        assert sum(weights[:]) == 7 * SIZE
        release(tmp_path / "elsewhere")
        assert resident(path)
        weights.close(), notes.close()


@linux
def test_what_was_written_stays(tmp_path):
    path = tmp_path / "weights.bin"
    path.write_bytes(bytes(SIZE))
    with path.open("rb") as file, mmap.mmap(file.fileno(), SIZE, access=mmap.ACCESS_COPY) as own:
        own[0] = 9
        release(path)
        assert own[0] == 9
