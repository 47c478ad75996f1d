"""OpenSim's marker files: one per person, in pixels or metres, y up.

The origin is the left end of the floor's line, or without a floor the upper left corner of the image, within which y is
negative; z is 0. Missing markers are empty cells;
rows end with a tab, because OpenSim rejects an empty last cell without one.
Source: https://opensimconfluence.atlassian.net, "Marker (.trc) Files".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import SourceError, UsageError
from ...models.geometry.keypoints import Skeleton
from ..features.calibration.measures import UNCALIBRATED, Calibration
from .individuals import Span, blocks, person_in, spans_of
from .metres import metres_of
from .recording import Recording, TimedTracks, check_empty, checked_rate, tracks_of
from .trajectories import skeleton_of

_PER_METRE = {"m": 1.0, "mm": 1000.0}
_HEAD = 5  # lines


def write_trc(path: Path, recording: Recording, *, calibration: Calibration = UNCALIBRATED) -> None:
    """Write `NAME_person3.trc` and so on, each from the person's first frame to the last.

    Args:
        path: `NAME.trc` in the folder of the files.
        recording: with times.
        calibration: scale and floor; without a scale, pixels are written, which OpenSim
            cannot convert to lengths.
    """
    places_in_metres = metres_of(recording, calibration)
    spans, (known, moments), rate = spans_of(recording)
    ids = sorted(spans)
    files = {person: path.with_name(f"{path.stem}_person{person}.trc") for person in ids}
    for person in ids:
        head = _head(files[person].name, recording.skeleton, spans[person], rate, "m" if calibration.metric else "px")
        files[person].write_text(head, encoding="utf-8", newline="\n")
    decimals = 5 if calibration.metric else 2
    count = max((span.last + 1 for span in spans.values()), default=0)
    check_empty(recording.path, people=len(known), frames=count)
    for block in blocks(recording, ids, count):
        pixels = block.points[..., :2].astype(np.float64)
        times = np.interp(block.first + np.arange(len(block.times)), known, moments).tolist()
        for p, person in enumerate(ids):
            span = spans[person]
            shown = range(max(block.first, span.first), min(block.first + len(times), span.last + 1))
            if not len(shown):
                continue
            places, rows = places_in_metres(person, pixels[:, p]), []
            for index in shown:
                cells = (
                    f"{x:.{decimals}f}\t{y:.{decimals}f}\t{0:.{decimals}f}" if x == x else "\t\t"
                    for x, y in places[index - block.first].tolist()
                )
                rows.append("\t".join([str(index), f"{times[index - block.first]:.6f}", *cells]) + "\t\n")
            with files[person].open("a", encoding="utf-8", newline="\n") as file:
                file.writelines(rows)


def _head(name: str, skeleton: Skeleton, span: Span, rate: float, unit: str) -> str:
    """Return the five header lines."""
    facts = {
        "DataRate": f"{rate:.6g}",
        "CameraRate": f"{rate:.6g}",
        "NumFrames": span.frames,
        "NumMarkers": len(skeleton),
        "Units": unit,
        "OrigDataRate": f"{rate:.6g}",
        "OrigDataStartFrame": span.first,
        "OrigNumFrames": span.frames,
    }
    axes = [f"{axis}{n}" for n in range(1, len(skeleton) + 1) for axis in "XYZ"]
    lines: tuple[Iterable[Any], ...] = (
        ("PathFileType", 4, "(X/Y/Z)", name),
        facts,
        facts.values(),
        ("Frame#", "Time", *(cell for keypoint in skeleton.keypoints for cell in (keypoint, "", ""))),
        ("", "", *axes),
    )
    return "".join("\t".join(map(str, line)) + "\n" for line in lines)


def read_trc(path: Path, *, scale: float | None = None) -> Recording:
    """Read the file of one person; the ID is that in its name, or 1, and all markers have score 1.

    Raises:
        SourceError: the file is invalid.
        UsageError: the file is in metres and `scale` is missing.
    """
    with path.open(encoding="utf-8-sig") as file:
        head = [file.readline().rstrip("\r\n").split("\t") for _ in range(_HEAD)]
    try:
        facts = dict(zip(head[1], head[2]))
        unit, fps = facts["Units"], float(facts["DataRate"])
        skeleton = skeleton_of([name for name in head[3][2:] if name.strip()])
    except (KeyError, ValueError) as error:
        raise SourceError(f"'{path}' is not a marker file: {error} in its header. Give one of OpenSim.") from error
    if unit not in _PER_METRE and unit != "px":
        raise SourceError(f"'{path}' is in '{unit}'. Give a file in m, mm or px.")
    if unit != "px" and not scale:
        raise UsageError(f"'{path}' is in {unit}. Add --scale with the pixels per metre.")
    factor = scale / _PER_METRE[unit] if scale and unit != "px" else 1.0
    return Recording(skeleton, partial(_frames, path, skeleton, person_in(path), factor), path, fps=checked_rate(fps))


def _frames(path: Path, skeleton: Skeleton, person: int, factor: float) -> Iterator[TimedTracks]:
    width = 2 + 3 * len(skeleton)
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if number <= _HEAD or not line.strip():
                continue
            cells = line.rstrip("\r\n").split("\t")
            cells += [""] * (width - len(cells))
            try:
                values = np.array([float(cell) if cell.strip() else np.nan for cell in cells[2:width]])
                index, time = int(cells[0]), float(cells[1])
            except ValueError as error:
                raise SourceError(f"'{path}' is invalid in line {number}: {error}. Export it again.") from error
            markers = values.reshape(1, len(skeleton), 3)
            missing = ~np.isfinite(markers).all(-1, keepdims=True) | (markers == 0).all(-1, keepdims=True)
            places = np.where(missing, np.nan, markers[..., :2] * (factor, -factor))
            if not missing.all():
                yield index, time, tracks_of([person], places, np.isfinite(places).all(-1).astype(float))
