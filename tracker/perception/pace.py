"""Keep up with a live source: run the networks less often while this machine is too slow for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from .schedule import Limits, Schedule

log = logging.getLogger("posetrack")

LEVELS = (  # each about halves the work of the previous one
    Limits(),
    Limits(0.1, detect_seconds=0.3, change_seconds=0.2, follow_seconds=0.1, pose_seconds=0.07, surprise=0.03),
    Limits(0.25, detect_seconds=0.6, change_seconds=0.4, follow_seconds=0.2, pose_seconds=0.13, surprise=1.0),
    Limits(0.5, detect_seconds=1.0, change_seconds=0.8, follow_seconds=0.3, pose_seconds=0.25, surprise=1.0),
)
WINDOW = 1.0  # seconds over which the frame rate is measured
ENOUGH = 0.9  # of the target rate, above which the level stays
PATIENCE = 5.0, 80.0  # seconds on a level before the previous one is retried: initial and maximum; doubled on failure


class Pace:
    """Callable `(dropped)`, to be called before each frame by the thread that uses the schedule; adjusts its limits.

    The level rises while frames are dropped and the rate is below the target. If a return to the previous level fails,
    the next attempt waits twice as long, so that the level does not oscillate.

    Args:
        schedule: schedule whose `auto` limits are set.
        fps: target rate, frames per second.
        clock: returns seconds.
    """

    def __init__(self, schedule: Schedule, *, fps: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._schedule, self._fps, self._clock = schedule, fps, clock
        self.level = 0
        self._patience = PATIENCE[0]
        self._since: float | None = None  # the first frame includes the warm-up
        self._changed, self._frames, self._dropped = clock(), 0, 0

    def __call__(self, dropped: int) -> None:
        """Count a frame.

        Args:
            dropped: total number of dropped frames of the source.
        """
        now = self._clock()
        if self._since is None:
            self._since, self._dropped = now, dropped
            return
        self._frames += 1
        elapsed = now - self._since
        if elapsed < WINDOW:
            return
        rate, lost = self._frames / elapsed, dropped > self._dropped
        self._since, self._frames, self._dropped = now, 0, dropped
        if lost and rate < ENOUGH * self._fps:
            if self.level < len(LEVELS) - 1:
                self._patience = min(2 * self._patience, PATIENCE[1])
                self._set(self.level + 1, now, f"{rate:.0f} frames/s of {self._fps:.0f}")
        elif self.level and now - self._changed >= self._patience:
            self._set(self.level - 1, now, "trying more work per frame again")

    def _set(self, level: int, now: float, reason: str) -> None:
        self.level, self._changed = level, now
        self._schedule.limits = LEVELS[level]
        log.warning("Pace %d of %d: %s. %s.", level, len(LEVELS) - 1, reason, self._schedule.description.capitalize())
