"""What a client marks in an image: regions and lines at which people are counted, and the scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError

from ....errors import UsageError
from ...features.calibration.measures import Calibration, parse_lengths
from ...features.events.regions import Line, Zone, zones_from_config

MAX_MARKS, MAX_CORNERS = 20, 50
Number = Annotated[float, Strict()]  # of JSON, in which true and "5" are none
Coordinate = Annotated[Number, Field(ge=-100_000, le=100_000)]
Corners = Annotated[list[tuple[Coordinate, Coordinate]], Field(max_length=MAX_CORNERS)]
Name = Annotated[str, Field(min_length=1, max_length=40)]
Height = Annotated[Number, Field(gt=0, le=3)]


class Scene(BaseModel):
    """Marks of an image, in its pixels; a new scene takes the place of the last one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zones: dict[Name, Corners] = Field(default={}, max_length=MAX_MARKS, description="corners of each region")
    lines: dict[Name, Corners] = Field(default={}, max_length=MAX_MARKS, description="start and end of each line")
    person_height: Height | None = Field(default=None, description="metres")
    known_length: str | None = Field(default=None, max_length=200, description="two points and metres: x1,y1,x2,y2,m")

    @property
    def options(self) -> dict[str, Any]:
        """Options of a run."""
        tables = {"zones": self.zones, "lines": self.lines}
        return self.model_dump() | {
            kind: {name: {"points": corners} for name, corners in table.items()} for kind, table in tables.items()
        }

    @property
    def places(self) -> tuple[Zone | Line, ...]:
        """Regions and lines.

        Raises:
            UsageError: one has too few corners, or a name is given twice.
        """
        options = self.options
        return zones_from_config(options["zones"], options["lines"])

    @property
    def calibration(self) -> Calibration:
        """Scale in pixels per metre.

        Raises:
            UsageError: both measures are given, or a length is too short.
        """
        return Calibration(self.person_height, lengths=parse_lengths(self.known_length) if self.known_length else ())

    def check(self) -> Scene:
        """Return the scene itself.

        Raises:
            UsageError: it has a mistake.
        """
        _ = self.places, self.calibration
        return self


EMPTY = Scene()


def read_scene(text: str) -> Scene:
    """Return the scene of a JSON text; an empty text is an empty scene.

    Raises:
        UsageError: it has a mistake.
    """
    try:
        return Scene.model_validate_json(text or "{}").check()
    except ValidationError as error:
        raise UsageError(f"scene is not what docs/serve.md describes: {as_sentence(error)}.") from None


def as_sentence(error: ValidationError) -> str:
    """Return the first mistake of a message as words."""
    return first_mistake(error.errors())


def first_mistake(mistakes: Sequence[Any]) -> str:
    """Return the first of pydantic's mistakes as words, without its input, which may be long or no valid text."""
    where = ".".join(map(str, mistakes[0]["loc"])).encode(errors="replace").decode()
    return f"{where}: {mistakes[0]['msg']}" if where else mistakes[0]["msg"]
