"""What the people of a video did: ranges of motion, repetitions, gait, and impossible values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..features.events.repetitions import LEAST_QUALITY
from ..features.extraction.columns import SYMMETRIC
from ..features.extraction.features import Features
from ..features.kinematics.angles import JOINTS, mean_angle, unwrapped, wrap
from ..features.kinematics.derivatives import smoothed
from ..features.kinematics.points import SIDES
from ..features.kinematics.signals import LEAST_KNOWN, asymmetry_index
from ..features.movement.balance import Jump, Stand, jumps, stands
from ..features.movement.gait import Gait
from ..features.movement.passage import Passage
from ..features.movement.phases import Repetition

MAX_REPETITIONS = 5000  # number of repetitions that are kept


@dataclass(slots=True)
class AngleStatistics:
    """The values of one angle over time.

    Attributes:
        low: least value, degrees; infinite without any.
        high: greatest value, degrees.
        count: number of values.
        total: their sum.
        squares: sum of their squares.
        quality: sum of their qualities.
    """

    low: float = math.inf
    high: float = -math.inf
    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    quality: float = 0.0

    def add(self, degrees: np.ndarray, qualities: np.ndarray) -> None:
        """Add the values (T,) of an angle, NaN where unknown, and their qualities (T,).

        Values are counted from their circular mean, so that one beyond 180 degrees is not one below -180.
        """
        known = np.isfinite(degrees)
        if not known.any():
            return
        centre = np.nan_to_num(mean_angle(degrees[known]))
        values = centre + wrap(degrees[known] - centre)
        self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))
        self.count += len(values)
        self.total += float(values.sum())
        self.squares += float(np.square(values).sum())
        self.quality += float(np.nan_to_num(qualities[known]).sum())

    @property
    def range(self) -> float:
        """Degrees; NaN without values."""
        return self.high - self.low if self.count else math.nan

    @property
    def mean(self) -> float:
        """Degrees; NaN without values."""
        return self.total / self.count if self.count else math.nan

    @property
    def sd(self) -> float:
        """Standard deviation over time, degrees; NaN with fewer than two values."""
        if self.count < 2:
            return math.nan
        return math.sqrt(max(self.squares - self.count * self.mean**2, 0.0) / (self.count - 1))

    @property
    def mean_quality(self) -> float:
        """Mean quality of the angle, 0 to 1; NaN without values."""
        return self.quality / self.count if self.count else math.nan


@dataclass(slots=True)
class Flag:
    """One kind of impossible value of one person.

    Attributes:
        first: seconds, when it appears first.
        frames: number of frames with it.
    """

    first: float
    frames: int = 0


@dataclass(slots=True)
class PersonMovement:
    """What one person did.

    Attributes:
        frames: number of frames of its passages.
        extents: by joint of `angles.JOINTS`; impossible values are left out.
        gait: cycles and curves.
        flags: by name, see `quality.Quality`.
        stands: times of quiet standing.
        jumps: in order.
    """

    frames: int = 0
    extents: dict[str, AngleStatistics] = field(default_factory=lambda: {joint: AngleStatistics() for joint in JOINTS})
    gait: Gait = field(default_factory=Gait)
    flags: dict[str, Flag] = field(default_factory=dict)
    stands: list[Stand] = field(default_factory=list)
    jumps: list[Jump] = field(default_factory=list)

    @property
    def asymmetry(self) -> dict[str, float]:
        """Asymmetry index of the ranges of each pair of joints, %.

        Pairs that hardly move, are poorly seen, or of which a side is rarely known, are left out.
        """
        pairs = {joint: [self.extents[f"{side}_{joint}"] for side in SIDES] for joint in SYMMETRIC}
        ranges = {
            joint: [side.range for side in sides]
            for joint, sides in pairs.items()
            if all(
                side.mean_quality >= LEAST_QUALITY and 100 * side.count >= LEAST_KNOWN * self.frames for side in sides
            )
        }
        indices = {joint: float(asymmetry_index(*map(np.array, sides))) for joint, sides in ranges.items()}
        return {joint: index for joint, index in indices.items() if not math.isnan(index)}


class Movement:
    """Collect what all people did, in bounded memory.

    Attributes:
        people: by ID.
        repetitions: the first `MAX_REPETITIONS`, in order of their ends.
    """

    def __init__(self) -> None:
        self.people: dict[int, PersonMovement] = {}
        self.repetitions: list[Repetition] = []

    def restart(self) -> None:
        """Forget all people."""
        self.people.clear()
        self.repetitions.clear()

    def take(self, features: Features) -> None:
        """Add the people of one frame and their flags."""
        for track, flags in zip(features.ids.tolist(), features.flags):
            person = self.people.setdefault(track, PersonMovement())
            for name in flags.split():
                person.flags.setdefault(name, Flag(features.time)).frames += 1

    def add(self, passages: Sequence[Passage], repetitions: Sequence[Repetition]) -> None:
        """Add completed movements of people who have been in a frame."""
        for passage in passages:
            person = self.people[passage.track]
            person.frames += len(passage.times)
            person.gait.add(passage)
            person.stands += stands(passage)
            person.jumps += jumps(passage)
            turned = np.stack([unwrapped(passage[f"{joint}_deg"]) for joint in JOINTS], axis=-1)  # (T, J)
            for joint, angles in zip(JOINTS, smoothed(passage.times, turned).T):
                person.extents[joint].add(angles, passage[f"{joint}_quality"])
        self.repetitions += repetitions[: MAX_REPETITIONS - len(self.repetitions)]
