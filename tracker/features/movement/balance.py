"""Quiet standing and jumps: the path of the centre of mass, and the height of a jump from its time of flight."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..kinematics.points import Array
from ..kinematics.signals import RATE, resample, smooth
from .passage import Passage

GRAVITY = 9.81  # m/s2
LEAST_STAND = 5.0  # seconds
_STILL = 0.05  # body heights per second, of centre of mass and feet; people who stand sway by 0.01, who step by 0.5
_STILL_SMOOTH = 0.25  # seconds
_SWAY_SMOOTH = 0.15  # seconds; sway has little above 1 Hz
_JUMP_SMOOTH = 0.02  # seconds
_RISE = 0.04  # body heights; from here on both feet are surely off the ground
_UPRIGHT = 0.6  # trunk_rise in flight
_AGREE = 0.7, 3.4  # metres of a jump's height per body height of rise: half and double of bodies of 1.4 and 1.7 m
_FLIGHT = 0.15, 1.2  # seconds; 1.2 s are a jump of 1.8 m
_BASE_SECONDS = 2.0  # before and after a jump, in which the floor is searched


@dataclass(frozen=True, slots=True)
class Stand:
    """A time of quiet standing. Lengths are in body heights, in the image plane.

    Attributes:
        track: ID of the person.
        start: seconds.
        end: seconds.
        plane: what a sideways movement in the image is: "sagittal", forwards and backwards, or "frontal".
        path: way of the centre of mass along the image's horizontal.
        spread: from the leftmost to the rightmost place, without the outer 5 %.
        metres: metres per body height; NaN if not calibrated.
        quality: mean score of the centre of mass.
    """

    track: int
    start: float
    end: float
    plane: str
    path: float
    spread: float
    metres: float
    quality: float

    @property
    def speed(self) -> float:
        """Mean speed of the sway, body heights per second."""
        return self.path / (self.end - self.start)


@dataclass(frozen=True, slots=True)
class Jump:
    """A jump.

    Attributes:
        track: ID of the person.
        start: take-off, seconds.
        end: landing, seconds.
        height: rise of the centre of mass in metres, g t^2 / 8 of the time of flight t.
        uncertainty: of the height in metres, for an error of the flight of one frame.
        rise: rise of the centre of mass in the image from take-off, body heights; a check that needs no gravity.
        quality: mean score of the ankles.
    """

    track: int
    start: float
    end: float
    height: float
    uncertainty: float
    rise: float
    quality: float

    @property
    def flight(self) -> float:
        """Time of flight in seconds."""
        return self.end - self.start


def stands(passage: Passage) -> list[Stand]:
    """Return the times of quiet standing of at least `LEAST_STAND` seconds."""
    height = passage["height_px"]
    places = [passage["com_x"] / height, passage["com_y"] / height]
    places += [passage[f"{side}_rear_offset"] for side in ("left", "right")]
    upright = np.where(passage.postures == "standing", 1.0, 0.0)
    grid, standing = resample(passage.times, upright)
    rests = smooth(standing, _STILL_SMOOTH) > 0.5
    for place in places if len(grid) > 1 else ():
        speed = np.gradient(smooth(resample(passage.times, place)[1], _STILL_SMOOTH), 1 / RATE)
        rests &= ~(np.abs(speed) >= _STILL)  # what is missing does not move
    return [
        _stand(passage, float(grid[first]), float(grid[last]))
        for first, last in _runs(rests)
        if (last - first) / RATE >= LEAST_STAND
    ]


def _stand(passage: Passage, start: float, end: float) -> Stand:
    inside = (passage.times >= start) & (passage.times <= end)
    times, views = passage.times[inside], passage.views[inside].tolist()
    height = passage.mean("height_px", start, end)
    mass = passage["com_mass"][inside]
    whole = np.abs(mass - np.nanmedian(mass)) < 0.01  # a segment that comes or goes moves the centre of mass
    place = smooth(resample(times, np.where(whole, passage["com_x"][inside] / height, np.nan))[1], _SWAY_SMOOTH)
    low, high = np.nanpercentile(place, (2.5, 97.5))
    sideways = sum(view in ("left", "right") for view in views) * 2 > len(views)
    return Stand(
        track=passage.track,
        start=start,
        end=end,
        plane="sagittal" if sideways else "frontal",
        path=float(np.nansum(np.abs(np.diff(place)))),
        spread=float(high - low),
        metres=_metres(passage, start, end),
        quality=passage.mean("com_score", start, end),
    )


def _metres(passage: Passage, start: float, end: float) -> float:
    """Return the metres per body height; NaN if not calibrated."""
    if "com_speed_m_s" not in passage:
        return math.nan
    relative = passage.mean("com_speed_bh_s", start, end)
    return passage.mean("com_speed_m_s", start, end) / relative if relative else math.nan


def jumps(passage: Passage) -> list[Jump]:
    """Return the jumps: times in which both feet are off the ground and the centre of mass rises."""
    grid, feet, body, height = _heights(passage)
    found = []
    rises = (feet - _floor(feet)) / height  # body heights
    for first, last in _runs(rises > _RISE):
        start, end = _flight(grid[first : last + 1], rises[first : last + 1])
        if not (_FLIGHT[0] <= end - start <= _FLIGHT[1] and grid[0] < start and end < grid[-1]):
            continue
        known = np.isfinite(body)
        take_off = float(np.interp(start, grid[known], body[known])) if known.any() else math.nan
        rise = (float(np.fmax.reduce(body[first : last + 1])) - take_off) / float(height[first])
        flight = end - start
        height_m = GRAVITY * flight**2 / 8
        agrees = rise * _AGREE[0] <= height_m <= rise * _AGREE[1]
        if not (rise >= _RISE and agrees and passage.mean("trunk_rise", start, end) >= _UPRIGHT):
            continue
        frame = float(np.median(np.diff(passage.times)))
        scores = [passage.mean(f"{side}_ankle_score", start, end) for side in ("left", "right")]
        found.append(
            Jump(
                track=passage.track,
                start=start,
                end=end,
                height=height_m,
                uncertainty=GRAVITY * flight * frame / 4,
                rise=rise,
                quality=float(np.mean(scores)),
            )
        )
    return found


def _heights(passage: Passage) -> tuple[Array, Array, Array, Array]:
    """Return the even grid (G,), and feet, centre of mass and body height in it, pixels upwards."""
    grid, feet = resample(passage.times, -passage["feet_y"])
    _, body = resample(passage.times, -passage["com_y"])
    _, height = resample(passage.times, passage["height_px"])
    return grid, smooth(feet, _JUMP_SMOOTH), smooth(body, _JUMP_SMOOTH), height


def _floor(feet: Array) -> Array:
    """Return the height of the floor at each sample: the lower quartile of the feet's heights around it."""
    reach = int(_BASE_SECONDS * RATE)
    step = reach // 4
    centres = np.arange(0, len(feet), step)
    windows = (feet[max(row - reach, 0) : row + reach] for row in centres)
    levels = [np.nanpercentile(window, 25) if np.isfinite(window).any() else np.nan for window in windows]
    return np.interp(np.arange(len(feet)), centres, levels) if len(feet) else feet


def _flight(times: Array, rise: Array) -> tuple[float, float]:
    """Return take-off and landing, seconds: where the parabola through the feet's rise meets the floor."""
    known = np.isfinite(rise)
    if known.sum() < 3:
        return float(times[0]), float(times[-1])
    middle = float(times.mean())
    a, b, c = np.polyfit(times[known] - middle, rise[known], 2)
    root = b * b - 4 * a * c
    if a >= 0 or root <= 0:
        return float(times[0]), float(times[-1])
    half = math.sqrt(root) / (2 * -a)
    top = middle - b / (2 * a)
    return top - half, top + half


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """Return the first and last index of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    return [(int(first), int(last) - 1) for first, last in edges.reshape(-1, 2)]
