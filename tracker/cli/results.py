"""Print which files a command wrote."""

from __future__ import annotations

import sys
from pathlib import Path


def print_files(*files: str | Path | None) -> int:
    """Print the files that were written, one a line, also for scripts; return the exit code of success."""
    for file in filter(None, files):
        sys.stdout.write(f"{file}\n")
    return 0
