"""The JSON of an answer, as the API's description states it; `Answer.to_dict` makes it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from ...types import STATES

Coordinate = float | None  # pixels; None where the keypoint is missing
NDJSON = {"application/x-ndjson": {"schema": {"$ref": "#/components/schemas/People"}}}


class Person(BaseModel):
    """A person in a frame, in pixels."""

    id: int
    state: str = Field(description=", ".join(STATES))
    score: float
    box: tuple[float, float, float, float] = Field(description="x1, y1, x2, y2")
    keypoints: list[tuple[Coordinate, Coordinate, float]] = Field(description="x, y, score; see /api/skeleton")
    angles: dict[str, float] = Field(description="degrees")
    posture: str
    counts: dict[str, int] = Field(description="repetitions by name")
    height_m: float | None = None
    speed_m_s: float | None = None


class People(BaseModel):
    """The people of a frame."""

    frame: int
    time: float = Field(description="seconds")
    size: tuple[int, int] = Field(description="width and height")
    people: list[Person]
    places: dict[str, dict[str, Any]] = Field(default={}, description="counts by the name of a region or line")


class Skeleton(BaseModel):
    """The names of the keypoints, and the limbs as pairs of their indices."""

    name: str
    keypoints: list[str]
    limbs: list[tuple[int, int]]
