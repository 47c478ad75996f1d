"""Parse the values of `--person` and `--roi`. Imports no heavy library."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ...errors import UsageError

Corner = tuple[float, float]


@dataclass(frozen=True, slots=True)
class AtPlace:
    """The person at this place, in pixels, at this time, in seconds."""

    x: float
    y: float
    time: float


def parse_person(text: str) -> str | int | AtPlace:
    """Parse `largest`, `longest`, an id, or `x,y@t`.

    Raises:
        UsageError: the text is none of these.
    """
    if text in ("largest", "longest"):
        return text
    if re.fullmatch(r"[1-9]\d*", text):
        return int(text)
    try:
        x, y, time = (float(part) for part in re.fullmatch(r"(.+),(.+)@(.+)", text).groups())  # type: ignore[union-attr]
        if math.isfinite(x + y + time):
            return AtPlace(x, y, time)
    except (AttributeError, ValueError):
        pass
    raise UsageError(f"person is '{text}'; give largest, longest, an id, or x,y@t in pixels and seconds: 320,240@1.5.")


def parse_roi(text: str) -> tuple[Corner, ...]:
    """Parse `x,y,w,h`, or the corners of a polygon, `x1,y1,x2,y2,x3,y3,...`, in pixels.

    Raises:
        UsageError: the text is neither.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not all(map(math.isfinite, numbers)):
        numbers = []
    if len(numbers) == 4 and min(numbers[2:]) > 0:
        x, y, width, height = numbers
        return (x, y), (x + width, y), (x + width, y + height), (x, y + height)
    if len(numbers) >= 6 and len(numbers) % 2 == 0:
        return tuple(zip(numbers[::2], numbers[1::2]))
    raise UsageError(f"roi is '{text}'; give x,y,width,height or the corners x1,y1,x2,y2,x3,y3,... in pixels.")
