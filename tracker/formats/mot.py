"""Boxes with IDs in the MOT Challenge format: `frame,id,left,top,width,height,conf,x,y,z`, frames from 1.

Ground truth has `...,flag,class,visibility` from the seventh column on (Milan et al. 2016, section 3.3).
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from ...errors import SourceError
from .csv_rows import shortened
from .placeholders import without_placeholders
from .recording import MAX_INDEX, Recording
from .trajectories import BOXES, from_columns

_PEDESTRIAN = 1


def read_mot(path: Path) -> Recording:
    """Read results or ground truth; truth with flag 0 or another class than pedestrian is not evaluated.

    The whole file is read into memory, because truth is in the order of its people.

    Raises:
        SourceError: the file is invalid.
    """
    text = path.read_text(encoding="utf-8-sig")
    rows = [row for row in csv.reader(text.splitlines()) if any(cell.strip() for cell in row)]
    values = np.full((len(rows), 9), -1.0)  # omitted values are unknown
    for number, row in enumerate(rows):
        try:
            cells = [float(cell) for cell in row[:9]]
            values[number, : len(cells)] = cells
            broken = len(cells) < 6 or not np.isfinite(cells).all() or not _is_frame(cells[0])
        except ValueError:
            broken = True
        if broken:
            example = "give frame,id,left,top,width,height,conf with frames from 1"
            raise SourceError(
                f"'{path}' is not a MOT file: row {number + 1} is '{shortened(','.join(row))}'; {example}."
            )
    flag, label, visibility = values[:, 6:].T
    truth = label >= 0  # results have -1,-1,-1 there
    judged = (flag != 0) & (label == _PEDESTRIAN)
    scores = np.where(truth, np.where(judged, visibility, np.nan), np.where(flag < 0, 1.0, flag))
    boxes = np.concatenate([values[:, 2:4], values[:, 2:4] + values[:, 4:6]], axis=1)
    people = from_columns(BOXES, frames=values[:, 0] - 1, ids=values[:, 1], boxes=boxes, box_scores=scores)
    return Recording(BOXES, without_placeholders(people, path).by_frame, path)


def _is_frame(value: float) -> bool:
    return value.is_integer() and 1 <= value < MAX_INDEX


def write_mot(path: Path, recording: Recording) -> None:
    """Write the people's boxes as a MOT result file."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for index, _, tracks in recording:
            corners = tracks.poses.boxes.tolist()
            for person, (x1, y1, x2, y2), score in zip(tracks.ids.tolist(), corners, tracks.poses.box_scores.tolist()):
                box = f"{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f}"
                file.write(f"{index + 1},{person},{box},{score:.4f},-1,-1,-1\n")
