"""The measures that a user gives for calibration: the scale in pixels per metre, and the floor. Loads nothing heavy.

Source of the floor's line: Pagnon and Kim 2024, Sports2D, `convert_px_to_meters`, which gives the same coordinates for
the same floor and scale. Source of the scale by depth: for a camera without lens distortion, the pixels per metre of a
place on the floor are proportional to its distance from the horizon in the image (Hartley and Zisserman 2004, 8.6).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

from ....errors import UsageError

if TYPE_CHECKING:
    from ..kinematics.points import Array

Corner = tuple[float, float]

CLICK = 1.0  # pixels, standard deviation of each coordinate of a point that is read from an image
PROPORTIONS = 0.03  # standard deviation of height / (trunk + thigh + shank) if each segment varies by 5 % of its length
_STEEPEST = 45.0  # degrees
_LEAST_LENGTH = 10.0  # pixels of a known length, and of the depth between two


@dataclass(frozen=True, slots=True)
class Floor:
    """A line along which people move, in the image.

    Attributes:
        start: left end (x, y), pixels; the origin of coordinates in metres.
        end: right end.
        uncertainty: standard deviation of the angle, degrees.
    """

    start: Corner
    end: Corner
    uncertainty: float

    @property
    def angle(self) -> float:
        """Degrees from the horizontal, anticlockwise in the image."""
        return math.degrees(math.atan2(self.start[1] - self.end[1], self.end[0] - self.start[0]))

    def level(self, points: Array) -> Array:
        """Return points (..., 2) as pixels along the floor from its start, and below the floor."""
        return (points - self.start) @ self._rotation()

    def tilt(self, points: Array) -> Array:
        """Return points (..., 2) from `level` as pixels of the image."""
        (a, b), (c, d) = self._rotation()
        return points @ ((a, c), (b, d)) + self.start

    def _rotation(self) -> tuple[Corner, Corner]:
        turn = math.radians(self.angle)
        return (math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn))


@dataclass(frozen=True, slots=True)
class Length:
    """A known length in the image, on the floor or standing on it, parallel to the image plane.

    Attributes:
        start: one end (x, y), pixels.
        end: the other end.
        metres: its length.
    """

    start: Corner
    end: Corner
    metres: float

    @property
    def pixels(self) -> float:
        """Its length in the image."""
        return math.dist(self.start, self.end)

    @property
    def scale(self) -> float:
        """Pixels per metre."""
        return self.pixels / self.metres

    @property
    def uncertainty(self) -> float:
        """Standard deviation of the scale, as a share of it, if each end is read with an error of `CLICK`."""
        return math.sqrt(2) * CLICK / self.pixels

    def row(self, floor: Floor | None) -> float:
        """Return how far the lower end is below the floor's line, or below the image's top without a line."""
        return max(_below(floor, corner) for corner in (self.start, self.end))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Scale, given by at most one of three measures, and floor.

    Attributes:
        person_height: metres of each person; their height in pixels is the scale.
        scale: pixels per metre, for people who move in one plane.
        lengths: one known length in the plane in which people move, or two at different depths on the floor, between
            which the scale changes with the place of the feet.
        floor: its line; angles and heights are measured from it. None is horizontal.
        finds_floor: whether the line is estimated from the feet after the last frame; until then `floor` is None.

    Raises:
        UsageError: a measure is not above 0, more than one is given, or two lengths are at the same depth.
    """

    person_height: float | None = None
    scale: float | None = None
    lengths: tuple[Length, ...] = ()
    floor: Floor | None = None
    finds_floor: bool = False

    def __post_init__(self) -> None:
        for name, unit in (("person_height", "metres"), ("scale", "pixels per metre")):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, Real) and 0 < float(value) < math.inf):
                raise UsageError(f"{name} is {value!r}; give {unit} above 0.")
        given = [name for name in ("person_height", "scale", "lengths") if getattr(self, name)]
        if len(given) > 1:
            names = " and ".join(name.replace("lengths", "known_length") for name in given)
            raise UsageError(f"{names} are given, and each sets the scale. Give one of them.")
        if self.by_depth:
            first, second = (length.row(self.floor) for length in self.lengths)
            if abs(first - second) < _LEAST_LENGTH:
                raise UsageError(
                    f"Both known lengths are at the same depth, {first:.0f} and {second:.0f} pixels down. Give one of "
                    "them, or one that is nearer to the camera."
                )

    @property
    def metric(self) -> bool:
        """Whether lengths in metres are known."""
        return bool(self.person_height or self.scale or self.lengths)

    @property
    def by_depth(self) -> bool:
        """Whether the scale changes with the place of the feet."""
        return len(self.lengths) > 1

    @property
    def positions(self) -> bool:
        """Whether there are positions in metres: on a floor, in one plane."""
        return self.metric and (self.floor is not None or self.finds_floor) and not self.by_depth

    def facts(self) -> dict[str, Any]:
        """Return the calibration and its uncertainty for a sidecar."""
        lengths = [
            {"px": [*each.start, *each.end], "m": each.metres, "px_per_m": each.scale, "sd_pct": 100 * each.uncertainty}
            for each in self.lengths
        ]
        floor = self.floor and {
            "px": [*self.floor.start, *self.floor.end],
            "angle_deg": self.floor.angle,
            "angle_sd_deg": self.floor.uncertainty,
        }
        return {
            "person_height_m": self.person_height,
            "scale_px_per_m": self.scale,
            "known_lengths": lengths,
            "floor": floor,
            "uncertainty": self.doubt(),
        }

    def doubt(self) -> str:
        """Return a sentence that says what the uncertainty of lengths in metres includes."""
        if not self.metric:
            return "no lengths in metres"
        what = f"proportions of the body, {PROPORTIONS:.0%}"
        if not self.person_height:
            what = "that of the given scale is unknown" if self.scale else f"points read with an error of {CLICK:g} px"
        return (
            f"1 SD: {what}; not included: people off the plane of the scale, by their distance from it / the camera's"
        )


UNCALIBRATED = Calibration()


def parse_lengths(text: str) -> tuple[Length, ...]:
    """Parse `x1,y1,x2,y2,m`, or two of them with a semicolon in between; pixels and metres.

    Raises:
        UsageError: the text is neither, or a length has fewer than 10 pixels.
    """
    lengths = []
    for part in text.split(";"):
        x1, y1, x2, y2, metres = _numbers(part, 5) or (0.0,) * 5
        length = Length((x1, y1), (x2, y2), metres)
        if metres <= 0 or length.pixels < _LEAST_LENGTH:
            raise UsageError(
                f"known_length is '{text}'; give two points at least {_LEAST_LENGTH:g} pixels apart and the metres "
                "between them: 310,620,830,622,2.5; or two of these with a semicolon between them."
            )
        lengths.append(length)
    if len(lengths) > 2:
        raise UsageError(f"known_length has {len(lengths)} lengths; give one, or two at different depths.")
    return tuple(lengths)


def parse_floor(text: str) -> Floor:
    """Parse `x1,y1,x2,y2`, two points of the floor's line in pixels.

    Raises:
        UsageError: the text is something else, or the line is steeper than 45 degrees.
    """
    x1, y1, x2, y2 = _numbers(text, 4) or (0.0,) * 4
    start, end = sorted([(x1, y1), (x2, y2)])
    length = math.dist(start, end)
    floor = Floor(start, end, math.degrees(math.sqrt(2) * CLICK / length) if length else math.inf)
    if length < _LEAST_LENGTH or abs(floor.angle) > _STEEPEST:
        raise UsageError(
            f"floor is '{text}'; give two points of a line on the floor at least {_LEAST_LENGTH:g} pixels apart, at "
            f"most {_STEEPEST:g} degrees steep: 100,640,1180,652; or auto."
        )
    return floor


def _numbers(text: str, count: int) -> list[float]:
    """Return the finite numbers of a text; none if there are more or fewer."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        return []
    return numbers if len(numbers) == count and all(map(math.isfinite, numbers)) else []


def _below(floor: Floor | None, corner: Corner) -> float:
    """Return how far a point is below the floor's line, or below the image's top without a line; pixels."""
    if floor is None:
        return corner[1]
    turn = math.radians(floor.angle)
    return (corner[0] - floor.start[0]) * math.sin(turn) + (corner[1] - floor.start[1]) * math.cos(turn)
