"""The data of a report's page: all series, spans and colours as JSON."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..features.movement.gait import PERCENT
from ..output.palette import GOLDEN, Color, oklch, palette
from ..types import State
from .clip import Clip
from .measurements import POINTS, Measurements

_NEAR = 0.25  # largest gap in seconds within a line, unless frames are farther apart
_HEIGHTS = {State.MEASURED: 0.62, State.INTERPOLATED: 0.34, State.PREDICTED: 0.12}  # of a bar, in rows


def page_data(measurements: Measurements, clip: Clip | None, *, size: tuple[int, int]) -> dict[str, Any]:
    """Return the data for the page's script.

    Series are little-endian float32 in base64. A row of NaN interrupts a line. Columns without values are omitted.

    Args:
        measurements: complete measurements of the video.
        clip: annotated video.
        size: (width, height) pixels of a frame.
    """
    order = sorted(measurements.people.values(), key=lambda person: person.id)
    rows = {person.id: row for row, person in enumerate(order)}
    stills = clip.stills if clip else []
    return {
        "start": measurements.start,
        "end": measurements.end,
        "exact": measurements.series.bucket == 0,
        "video": bool(clip and clip.video),
        "origin": clip.start if clip else measurements.start,
        "frames": _base64(np.array(clip.times)) if clip and clip.video else "",
        "sides": SIDES,
        "times": [still.time for still in stills] if not (clip and clip.video) else [],
        "size": size,
        "point": _best_point(measurements),
        "points": [{"name": name, "label": label(name)} for name in POINTS],
        "speed": measurements.columns[-2 * len(POINTS) - 1].rpartition("_speed_")[2],
        "people": [
            {
                "id": person.id,
                "colors": shades(person.id),
                "spans": [[start, end, _HEIGHTS[state]] for start, end, state in person.spans],
                "series": _columns(measurements, person.id),
                "cycle": _cycle(measurements, person.id),
                "asymmetry": _asymmetry(measurements, person.id),
            }
            for person in order
        ],
        "events": [
            {"t": event.time, "row": rows[event.track], "text": f"{label(event.event)}, person {event.track}"}
            for event in measurements.events
            if event.track in rows
        ],
    }


def as_json(data: Any) -> str:
    """Return JSON for a <script> element: no text in it can end the element or begin another."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def label(name: str) -> str:
    """Return a name as text: "left wrist" for left_wrist."""
    return "centre of mass" if name == "com" else name.replace("_", " ")


def shades(identity: int) -> dict[str, str]:
    """Return the colours of a person: that of the overlay, and a darker one of the same hue for lines on white."""
    base = css(palette(identity).base)
    return {"chip": base, "light": css(oklch(0.6, 0.15, identity * GOLDEN % 1)), "dark": base}


def css(color: Color) -> str:
    """Return a BGR colour in CSS notation."""
    blue, green, red = color
    return f"#{red:02x}{green:02x}{blue:02x}"


# Left blue and right orange, as the limbs with --colors side; they differ also in lightness, for prints without colour.
SIDES = {
    "left": {"light": css(oklch(0.45, 0.17, 0.71)), "dark": css(oklch(0.66, 0.16, 0.68))},
    "right": {"light": css(oklch(0.67, 0.17, 0.14)), "dark": css(oklch(0.82, 0.15, 0.18))},
}


def _columns(measurements: Measurements, identity: int) -> dict[str, str]:
    table = with_gaps(measurements.series.table(identity), measurements.series.bucket)
    columns = {"t": table[:, 0], **dict(zip(measurements.columns, table[:, 1:].T))}
    return {name: _base64(values) for name, values in columns.items() if np.isfinite(values).any()}


def with_gaps(table: NDArray[np.float64], bucket: float) -> NDArray[np.float64]:
    """Insert a row of NaN with a time into each gap of a series (R, 1 + C)."""
    steps = np.diff(table[:, 0])
    if not len(steps):
        return table
    gaps = np.flatnonzero(steps > max(_NEAR, 3 * bucket, 3 * float(np.median(steps))))
    rows = np.full((len(gaps), table.shape[1]), np.nan)
    rows[:, 0] = table[gaps, 0]
    return np.insert(table, gaps + 1, rows, axis=0)


def _base64(values: NDArray[np.float64]) -> str:
    return b64encode(values.astype("<f4").tobytes()).decode()


def _cycle(measurements: Measurements, identity: int) -> dict[str, list[float | None]] | None:
    """Return mean and band (101,) of each joint in the gait cycle, degrees; None without a cycle."""
    moves = measurements.movement.people.get(identity) if measurements.movement else None
    if not moves or not moves.gait.cycles:
        return None
    columns = {"percent": PERCENT.astype(float)}
    for joint, curve in moves.gait.curves.items():
        columns |= {joint: curve.mean, f"{joint}_low": curve.mean - curve.sd, f"{joint}_high": curve.mean + curve.sd}
    return {name: [None if np.isnan(v) else round(v, 1) for v in values.tolist()] for name, values in columns.items()}


def _asymmetry(measurements: Measurements, identity: int) -> dict[str, float]:
    """Return the asymmetry of each pair of joints, %."""
    moves = measurements.movement.people.get(identity) if measurements.movement else None
    return {name: round(value, 1) for name, value in moves.asymmetry.items()} if moves else {}


def _best_point(measurements: Measurements) -> str:
    """Return the initial point: the centre of mass, or a point known more than twice as often."""
    known = np.zeros(len(POINTS))
    for identity in measurements.people:
        known += np.isfinite(measurements.series.table(identity)[:, -2 * len(POINTS) :: 2]).sum(0)
    best = int(known.argmax())
    return POINTS[0 if 2 * known[0] >= known[best] else best]
