"""Gait cycles of people who walk across the image: events, times, mean curves and a summary.

Events follow the coordinate-based method of Zeni, Richards and Higginson 2008, Gait & Posture 27:710: a heel strike is
where the heel is farthest in front of the pelvis, a toe-off where the toes are farthest behind it. With skeletons
without feet the ankle is used for both, as in Stenum, Rossi and Roemmich 2021, PLoS Comput Biol 17:e1008935.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..kinematics.angles import unwrapped
from ..kinematics.points import SIDES, Array
from ..kinematics.signals import asymmetry_index, resample, smooth, turning_points
from .passage import Passage

GAIT_JOINTS = tuple(f"{side}_{name}" for name in ("hip", "knee", "ankle") for side in SIDES)
PERCENT = np.arange(101)  # of the cycle
_SMOOTH = 0.05  # seconds; a walk has little above 3 Hz
_SWING = 0.15  # body heights between the foremost and the hindmost place of a foot; an ordinary walk has 0.4
_SHORTEST, _LONGEST = 0.5, 2.5  # seconds of a cycle
_LEAST, _MOST = 0.7, 1.4  # of the passage's median cycle; a heel strike that is missed makes a cycle of 1.5 or 2
LEAST_CYCLES = 3  # of one side, for a band and for an asymmetry; steps are measured in whole frames
LEAST_STRIDES = 5  # for a standard deviation; the 95 % interval of that of 5 is still 0.6 to 2.9 times it
_SIGNS = {"right": 1.0, "left": -1.0}  # of the image's direction by view; gait is not measured in other views


@dataclass(frozen=True, slots=True)
class GaitEvents:
    """Times in seconds of one foot's events.

    Attributes:
        strikes: (S,) heel strikes.
        offs: (O,) toe-offs.
    """

    strikes: Array
    offs: Array


@dataclass(frozen=True, slots=True)
class GaitCycle:
    """One cycle, from a heel strike to the next one of the same foot. All times in seconds.

    Attributes:
        track: ID of the person.
        side: "left" or "right".
        start: heel strike.
        opposite_off: toe-off of the other foot.
        opposite_strike: heel strike of the other foot.
        toe_off: of this foot.
        end: next heel strike of this foot.
        length: distance that the centre of mass travels, body heights; 0 on a treadmill.
        speed_bh_s: body heights per second.
        speed_m_s: metres per second; NaN if not calibrated.
        quality: mean quality of the hip's and the knee's angle.
    """

    track: int
    side: str
    start: float
    opposite_off: float
    opposite_strike: float
    toe_off: float
    end: float
    length: float
    speed_bh_s: float
    speed_m_s: float
    quality: float

    @property
    def stride(self) -> float:
        """Seconds of the whole cycle."""
        return self.end - self.start

    @property
    def step(self) -> float:
        """Seconds from the other foot's heel strike to this foot's."""
        return self.end - self.opposite_strike

    @property
    def length_m(self) -> float:
        """Metres of `length`; NaN if not calibrated."""
        return self.speed_m_s * self.stride

    @property
    def stance(self) -> float:
        """Seconds on the ground."""
        return self.toe_off - self.start

    @property
    def double_support(self) -> float:
        """Seconds with both feet on the ground."""
        return (self.opposite_off - self.start) + (self.toe_off - self.opposite_strike)


@dataclass(slots=True)
class Curve:
    """Mean of a joint's angle over the cycle, from 0 to 100 %, with its standard deviation.

    Attributes:
        count: (101,) number of cycles in which the angle is known.
        total: (101,) sum of the angles, degrees.
        squares: (101,) sum of their squares.
    """

    count: Array = field(default_factory=lambda: np.zeros(101))
    total: Array = field(default_factory=lambda: np.zeros(101))
    squares: Array = field(default_factory=lambda: np.zeros(101))

    def add(self, angles: Array) -> None:
        """Add one cycle (101,) in degrees; NaN where unknown."""
        known = np.isfinite(angles)
        self.count += known
        self.total += np.where(known, angles, 0.0)
        self.squares += np.where(known, angles, 0.0) ** 2

    @property
    def mean(self) -> Array:
        """(101,) degrees; NaN where the angle is never known."""
        return self.total / np.where(self.count, self.count, np.nan)

    @property
    def sd(self) -> Array:
        """(101,) degrees, of the sample; NaN with fewer than `LEAST_CYCLES`."""
        count = np.where(self.count >= LEAST_CYCLES, self.count, np.nan)
        return np.sqrt(np.maximum(self.squares - count * self.mean**2, 0) / (count - 1))


class BothSides(NamedTuple):
    """Means of a measure of the left and the right cycles; NaN without any.

    Attributes:
        left: in the unit of the measure.
        right: the same.
        asymmetry: 200 (L - R) / (L + R), %; NaN with fewer than `LEAST_CYCLES` of each side.
    """

    left: float
    right: float
    asymmetry: float


@dataclass(frozen=True, slots=True)
class GaitSummary:
    """Figures of one person's gait; means are over the cycles.

    Attributes:
        cycles: number.
        cadence: steps per minute.
        stride: mean seconds of a cycle.
        stride_sd: its standard deviation, seconds; NaN with fewer than `LEAST_STRIDES`.
        stride_cv: the same in percent of the mean.
        step: seconds.
        stance: share of the cycle on the ground, %.
        double_support: share of the cycle with both feet on the ground, %.
        length: body heights in a cycle.
        length_m: metres; NaN if not calibrated.
        speed_bh_s: body heights per second.
        speed_m_s: metres per second; NaN if not calibrated.
    """

    cycles: int
    cadence: float
    stride: float
    stride_sd: float
    stride_cv: float
    step: BothSides
    stance: BothSides
    double_support: float
    length: float
    length_m: float
    speed_bh_s: float
    speed_m_s: float


def gait_events(times: Array, rear: Array, front: Array) -> GaitEvents:
    """Find the heel strikes and toe-offs of one foot by the method of Zeni et al. 2008.

    Args:
        times: (T,) seconds.
        rear: (T,) how far the heel is in front of the hips, in body heights; NaN where unknown.
        front: (T,) the same of the toes.
    """
    grid, heel = resample(times, rear)
    _, toe = resample(times, front)
    peaks, _ = turning_points(smooth(heel, _SMOOTH), _SWING)
    _, valleys = turning_points(smooth(toe, _SMOOTH), _SWING)
    return GaitEvents(grid[peaks], grid[valleys])


def gait_cycles(passage: Passage) -> list[GaitCycle]:
    """Return the gait cycles of a passage in which both feet alternate, in order of their ends."""
    sign = np.array([_SIGNS.get(view, np.nan) for view in passage.views.tolist()])
    feet = {
        side: gait_events(passage.times, sign * passage[f"{side}_rear_offset"], sign * passage[f"{side}_front_offset"])
        for side in SIDES
    }
    cycles = []
    for side, other in (SIDES, SIDES[::-1]):
        for start, end in zip(feet[side].strikes[:-1].tolist(), feet[side].strikes[1:].tolist()):
            times = (feet[other].offs, feet[other].strikes, feet[side].offs)
            inner = [at[(at > start) & (at < end)].tolist() for at in times]
            if not _SHORTEST <= end - start <= _LONGEST or any(len(at) != 1 for at in inner):
                continue
            (opposite_off,), (opposite_strike,), (toe_off,) = inner
            if opposite_off < opposite_strike < toe_off:
                measures = _measures(passage, side, start, end)
                cycles.append(
                    GaitCycle(passage.track, side, start, opposite_off, opposite_strike, toe_off, end, *measures)
                )
    usual = float(np.median([cycle.stride for cycle in cycles])) if cycles else math.nan
    even_ones = [cycle for cycle in cycles if _LEAST * usual <= cycle.stride <= _MOST * usual]
    return sorted(even_ones, key=lambda cycle: cycle.end)


def _measures(passage: Passage, side: str, start: float, end: float) -> tuple[float, float, float, float]:
    """Return length, speeds and quality of a cycle."""
    grid, place = resample(passage.times, passage["com_x"])
    smoothed = smooth(place, _SMOOTH)
    known = np.isfinite(smoothed)
    ends = np.interp([start, end], grid[known], smoothed[known]) if known.any() else np.full(2, np.nan)
    length = float(abs(ends[1] - ends[0])) / passage.mean("height_px", start, end)
    quality = (passage.mean(f"{side}_{joint}_quality", start, end) for joint in ("hip", "knee"))
    metres = passage.mean("com_speed_m_s", start, end) if "com_speed_m_s" in passage else math.nan
    relative = passage.mean("com_speed_bh_s", start, end)
    speed = length / (end - start)
    return length, speed, metres * speed / relative, float(np.mean(list(quality)))


def normalised(times: Array, degrees: Array, start: float, end: float) -> Array:
    """Return an angle (T,) at 0 to 100 % of a cycle (101,), degrees; NaN where unknown."""
    near = (times >= start - 0.5) & (times <= end + 0.5)
    if near.sum() < 2:
        return np.full(len(PERCENT), np.nan)
    grid, values = resample(times[near], unwrapped(degrees[near]))
    at = start + (end - start) * PERCENT / 100
    return np.asarray(np.interp(at, grid, values, left=np.nan, right=np.nan))


def summarise(cycles: Sequence[GaitCycle]) -> GaitSummary:
    """Return the figures of one person's cycles; NaN where there are too few."""
    strides = np.array([cycle.stride for cycle in cycles])
    sd = float(strides.std(ddof=1)) if len(strides) >= LEAST_STRIDES else math.nan
    mean = _mean(strides.tolist())
    return GaitSummary(
        cycles=len(cycles),
        cadence=60 / _mean([cycle.step for cycle in cycles]),
        stride=mean,
        stride_sd=sd,
        stride_cv=100 * sd / mean,
        step=_both([(cycle.side, cycle.step) for cycle in cycles]),
        stance=_both([(cycle.side, 100 * cycle.stance / cycle.stride) for cycle in cycles]),
        double_support=100 * _mean([cycle.double_support / cycle.stride for cycle in cycles]),
        length=_mean([cycle.length for cycle in cycles]),
        length_m=_mean([cycle.length_m for cycle in cycles]),
        speed_bh_s=_mean([cycle.speed_bh_s for cycle in cycles]),
        speed_m_s=_mean([cycle.speed_m_s for cycle in cycles]),
    )


def _both(values: Sequence[tuple[str, float]]) -> BothSides:
    """Return the means of both sides; values are of one side each."""
    left, right = ([value for at, value in values if at == side] for side in SIDES)
    compared = min(len(left), len(right)) >= LEAST_CYCLES
    means = _mean(left), _mean(right)
    return BothSides(*means, float(asymmetry_index(*map(np.array, means), least=0.0)) if compared else math.nan)


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


@dataclass(slots=True)
class Gait:
    """Gait of one person, added up over all passages.

    Attributes:
        cycles: all cycles.
        curves: by joint of `GAIT_JOINTS`; empty without cycles, because few IDs walk and curves take 15 kB.
    """

    cycles: list[GaitCycle] = field(default_factory=list)
    curves: dict[str, Curve] = field(default_factory=dict)

    def add(self, passage: Passage) -> list[GaitCycle]:
        """Add a passage; return its cycles."""
        cycles = gait_cycles(passage)
        if cycles and not self.curves:
            self.curves = {joint: Curve() for joint in GAIT_JOINTS}
        for cycle in cycles:
            for joint in GAIT_JOINTS:
                if joint.startswith(cycle.side):
                    angles = normalised(passage.times, passage[f"{joint}_deg"], cycle.start, cycle.end)
                    self.curves[joint].add(angles)
        self.cycles += cycles
        return cycles
