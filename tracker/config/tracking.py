"""How people are tracked from frame to frame."""

from __future__ import annotations

from dataclasses import dataclass

from ..tracking.config import TrackerConfig
from .option import AUTO, check, every, not_negative, option

SMOOTH = ("none", "kalman", "one-euro")


@dataclass(frozen=True)
class Tracking:
    """How people are tracked from frame to frame."""

    smooth: str = option(
        "one-euro",
        "`none`; `kalman`: noise at rest 1.3 times lower, 1 ms lag; `one-euro`: 4 times lower, 10 ms lag",
        "NAME",
        choices=SMOOTH,
        see="decisions/0011-smoothing.md",
    )
    refine: bool = option(
        False,
        "files only: smooth in both directions, join tracks, interpolate gaps; draws in a second pass",
        common=True,
    )
    remember: float = option(
        TrackerConfig().remember_seconds,
        "restore the IDs of people who return within this time, by appearance; 0 turns this off",
        "SECONDS",
        unit="s",
        check=not_negative,
        remedy="a number of 0 or more",
        see="tracking.md",
    )
    camera: str = option(
        "auto",
        "`static` or `moving`; `auto` detects and compensates camera motion",
        "MODE",
        choices=("auto", "static", "moving"),
    )
    detect_every: int | str = option(
        1,
        "run the detector in every Nth frame; `auto` decides by motion",
        "N",
        check=every,
        remedy=f"a number of frames, 1 or more, or {AUTO}",
        see="speed.md",
    )
    pose_every: int | str = option(
        1,
        "run the pose network in every Nth frame, and predict in between; `auto` decides by motion",
        "N",
        check=every,
        remedy=f"a number of frames, 1 or more, or {AUTO}",
    )
    target_fps: float = option(
        0.0,
        "frame rate that `auto` options must reach; 0 is the source's, or for `--model` and `--detector` 25 live "
        "and 2 for files",
        "N",
        check=not_negative,
        remedy="frames per second, or 0 for the source's rate",
        live=True,
    )

    def __post_init__(self) -> None:
        check(self)
