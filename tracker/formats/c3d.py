"""Biomechanics' C3D files of markers: one per person, in pixels or millimetres, y up, z 0.

The axes are those of `trc`, and a missing marker has the residual -1. Frames follow each other at one rate, so that
times are not stored. Files are written and not read: ezc3d ends the process at a damaged one.
Source: https://www.c3d.org, "The C3D File Format User Guide"; ezc3d: Michaud and Begon 2021, JOSS 6(58) 2911.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np

from ..features.calibration.measures import UNCALIBRATED, Calibration
from .individuals import blocks, spans_of
from .libraries import library
from .metres import metres_of
from .recording import Recording, check_empty

_BLOCK = 512  # bytes
_PER_METRE = 1000.0  # millimetres, the field's unit


def write_c3d(path: Path, recording: Recording, *, calibration: Calibration = UNCALIBRATED) -> None:
    """Write `NAME_person3.c3d` and so on, each from the person's first frame to the last.

    Args:
        path: `NAME.c3d` in the folder of the files.
        recording: with times.
        calibration: scale and floor; without a scale, pixels are written.
    """
    ezc3d = library("ezc3d", "C3D")
    spans, (known, _), rate = spans_of(recording)
    ids, places = sorted(spans), metres_of(recording, calibration)
    frames = max((span.last + 1 for span in spans.values()), default=0)
    check_empty(recording.path, people=len(known), frames=frames)
    factor = _PER_METRE if calibration.metric else 1.0
    found = [block.points[..., :2] for block in blocks(recording, ids, frames)]
    for p, person in enumerate(ids):
        span = spans[person]
        markers = np.concatenate([part[:, p] for part in found])[span.first : span.last + 1]  # (F, K, 2)
        markers = places(person, markers.astype(np.float64)) * factor
        file = ezc3d.c3d()
        file["header"]["points"]["first_frame"] = span.first
        for name, value in {
            "RATE": [rate],
            "LABELS": list(recording.skeleton.keypoints),
            "UNITS": ["mm" if calibration.metric else "px"],
            "X_SCREEN": ["+X"],
            "Y_SCREEN": ["+Y"],
        }.items():
            file.add_parameter("POINT", name, value)
        seen = np.isfinite(markers).all(-1).T  # (K, F)
        points = np.zeros((4, *seen.shape))
        points[:2], points[3] = np.where(seen, markers.T, np.nan), 1.0
        points[2] = np.where(seen, 0.0, np.nan)
        file["data"]["points"] = points
        file["data"]["meta_points"] = {
            "residuals": np.where(seen, 0.0, -1.0)[None],
            "camera_masks": np.zeros((7, *seen.shape), dtype=bool),
        }
        target = path.with_name(f"{path.stem}_person{person}.c3d")
        file.write(str(target))
        _check_written(target, points.size)


def _check_written(path: Path, count: int) -> None:
    """Check that a file has all its numbers: ezc3d reports no full disk.

    Raises:
        OSError: it is cut.
    """
    with path.open("rb") as file:
        header = file.read(18)
    block = int.from_bytes(header[16:], "little")  # of 512 bytes, from 1: where the numbers begin
    if not block or path.stat().st_size < _BLOCK * (block - 1) + 4 * count:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
