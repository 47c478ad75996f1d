"""Output of an evaluation: tables on the terminal, and files with metrics and results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ..partial import PartialFile

TITLES = {"keypoints": "Keypoints", "boxes": "Person boxes"}
WIDEST = 12  # maximum number of columns in 80 characters


def print_scores(tables: dict[str, dict[str, float]], console: Console, titles: dict[str, str]) -> None:
    """Print each table as one row of metrics, or as a list if there are many; a dash for a metric without people."""
    for part, figures in tables.items():
        values = ["-" if value < 0 else f"{value:.3f}" for value in figures.values()]
        table = Table(
            title=f"{TITLES[part]} ({titles[part]})",
            title_justify="left",
            box=None,
            padding=(0, 1, 0, 0),
            show_header=len(figures) <= WIDEST,
        )
        if len(figures) <= WIDEST:
            for name in figures:
                table.add_column(name, justify="right")
            table.add_row(*values)
        else:
            for row in zip(figures, values, strict=True):
                table.add_row(*row)
        console.print(table)


def results_files(path: str | Path | None, *, poses: bool, boxes: bool) -> dict[str, Path]:
    """Return the result files: `path` for poses, and a file next to it whose name ends in `-boxes` for boxes."""
    if path is None:
        return {}
    path = Path(path)
    files = {"poses": path, "boxes": path.with_name(f"{path.stem}-boxes{path.suffix}")}
    return {kind: file for kind, file in files.items() if {"poses": poses, "boxes": boxes}[kind]}


def write_json(content: Any, path: Path, *, overwrite: bool, indent: int | None = None) -> None:
    """Write a JSON file; it gets its name only when it is complete.

    Raises:
        OutputError: the file exists, or cannot be written.
    """
    with PartialFile(path, overwrite=overwrite) as file:
        file.write((json.dumps(content, indent=indent) + "\n").encode())
