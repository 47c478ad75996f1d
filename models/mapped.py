"""Give back the pages of files that were needed for loading only: a network's weights, a compiler's code."""

from __future__ import annotations

import ctypes
from pathlib import Path

_DONTNEED = 4  # MADV_DONTNEED of Linux
_WEIGHTS = (".bin", ".blob")


def release(*places: Path) -> None:
    """Give back the pages of code and weights that this process holds in memory.

    They only repeat what stands in the files. The system may take them whenever it is short of memory; until then they
    count as this process's. Who touches one again gets it again. On systems other than Linux nothing happens.

    Args:
        places: the files, or folders that they are in.
    """
    try:
        mappings = Path("/proc/self/maps").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return
    roots = [str(place.resolve()) for place in places]
    for line in mappings.splitlines():
        span, mode, _, _, _, *rest = line.split(maxsplit=5)
        if not rest or not rest[0].startswith(tuple(roots)):
            continue
        if mode.startswith("r-x") or (mode.startswith("r--") and rest[0].endswith(_WEIGHTS)):  # not what was written to
            start, end = (int(place, 16) for place in span.split("-"))
            ctypes.CDLL(None).madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _DONTNEED)
