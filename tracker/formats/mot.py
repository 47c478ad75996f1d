"""Boxes with ids as the MOT Challenge has them: `frame,id,left,top,width,height,conf,x,y,z`, frames from 1.

Truth has `...,flag,class,visibility` from the seventh column on (Milan et al. 2016, section 3.3).
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from ...errors import SourceError
from .trajectories import BOXES, Trajectories, from_columns

_PEDESTRIAN = 1


def read_mot(text: str, path: Path) -> Trajectories:
    """Read results or truth; truth with flag 0 or of a class other than pedestrians is not to be judged.

    Args:
        text: of the file.
        path: named in errors.

    Raises:
        SourceError: it is no such file.
    """
    rows = [row for row in csv.reader(text.splitlines()) if any(cell.strip() for cell in row)]
    values = np.full((len(rows), 9), -1.0)  # what is left out counts as not known
    for number, row in enumerate(rows):
        try:
            cells = [float(cell) for cell in row[:9]]
            values[number, : len(cells)] = cells
            broken = len(cells) < 6 or cells[0] < 1 or not np.isfinite(cells).all()
        except ValueError:
            broken = True
        if broken:
            example = "give frame,id,left,top,width,height,conf with frames from 1"
            raise SourceError(f"'{path}' is no MOT file: row {number + 1} is '{','.join(row)}'; {example}.")
    flag, label, visibility = values[:, 6:].T
    truth = label >= 0  # results have -1,-1,-1 there
    judged = (flag != 0) & (label == _PEDESTRIAN)
    scores = np.where(truth, np.where(judged, visibility, np.nan), np.where(flag < 0, 1.0, flag))
    boxes = np.concatenate([values[:, 2:4], values[:, 2:4] + values[:, 4:6]], axis=1)
    return from_columns(BOXES, frames=values[:, 0] - 1, ids=values[:, 1], boxes=boxes, box_scores=scores)


def mot_text(people: Trajectories) -> str:
    """Return the people's boxes as a MOT result file."""
    sizes = people.boxes[:, 2:] - people.boxes[:, :2]
    return "".join(
        f"{frame + 1},{person},{left:.2f},{top:.2f},{width:.2f},{height:.2f},{score:.4f},-1,-1,-1\n"
        for frame, person, (left, top), (width, height), score in zip(
            people.frames.tolist(),
            people.ids.tolist(),
            people.boxes[:, :2].tolist(),
            sizes.tolist(),
            people.box_scores.tolist(),
        )
    )
