"""Zones and lines of the image: on which side of one a place is, and how a recipe states them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ....errors import InputError, UsageError
from ....numeric import as_number
from ..calibration.measures import Corner


@dataclass(frozen=True, slots=True)
class Zone:
    """An area of the image.

    Attributes:
        name: prefix of its events, `NAME_in`, `NAME_out` and `NAME_lost`.
        corners: of the polygon, pixels.

    Raises:
        InputError: there are fewer than three corners.
    """

    name: str
    corners: Sequence[Corner]

    def __post_init__(self) -> None:
        if len(self.corners) < 3:
            raise InputError(f"The zone '{self.name}' has {len(self.corners)} corners. Give three or more.")

    def side(self, place: Corner) -> bool:
        """Return whether a place is inside, by the number of edges on its right."""
        inside = False
        (x, y), last = place, self.corners[-1]
        for corner in self.corners:
            (x1, y1), (x2, y2) = last, corner
            if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
                inside = not inside
            last = corner
        return inside

    def crossed(self, before: Corner, after: Corner) -> bool:
        """Return whether a change of side is one into the zone or out of it: always."""
        return True


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the image; crossing to its left side, seen from its start, counts as in.

    Attributes:
        name: prefix of its events, `NAME_in` and `NAME_out`.
        start: pixels.
        end: pixels.
    """

    name: str
    start: Corner
    end: Corner

    def side(self, place: Corner) -> bool:
        """Return whether a place is on the left, seen from the start towards the end."""
        return _turn(self.start, self.end, place) < 0  # y points downwards

    def crossed(self, before: Corner, after: Corner) -> bool:
        """Return whether the way between two places on different sides passes between the line's ends."""
        return (_turn(before, after, self.start) > 0) != (_turn(before, after, self.end) > 0)


def zones_from_config(zones: Mapping[str, Any], lines: Mapping[str, Any]) -> tuple[Zone | Line, ...]:
    """Parse the tables `[zones.NAME]` and `[lines.NAME]` of a recipe, each with `points`, a list of [x, y] in pixels.

    Raises:
        UsageError: a table has another key, too few points, or a name twice.
    """
    if twice := set(zones) & set(lines):
        raise UsageError(f"'{min(twice)}' is a zone and a line. Give one of them another name.")
    found: list[Zone | Line] = [
        Zone(name, _corners(f"[zones.{name}]", table, "3 or more", range(3, 1000))) for name, table in zones.items()
    ]
    for name, table in lines.items():
        start, end = _corners(f"[lines.{name}]", table, "2 different", range(2, 3))
        if start == end:
            raise UsageError(f"[lines.{name}] starts and ends at {start}. Give two different points.")
        found.append(Line(name, start, end))
    return tuple(found)


def _corners(where: str, table: Any, wanted: str, number: range) -> tuple[Corner, ...]:
    try:
        (given,) = [table["points"]] if set(table) == {"points"} else []
        corners = tuple((as_number(x), as_number(y)) for x, y in given)
    except (TypeError, ValueError):
        corners = ()
    if len(corners) not in number or not all(math.isfinite(x + y) for x, y in corners):
        raise UsageError(
            f"{where} must have {wanted} points in pixels and nothing else: points = [[10, 400], [630, 400]]."
        )
    return corners


def _turn(a: Corner, b: Corner, c: Corner) -> float:
    """Return the side of point c from the line a to b: positive on the right in an image, whose y points down."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
