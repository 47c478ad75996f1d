"""Remember where people were, for the trails of the overlay."""

from __future__ import annotations

from collections import deque

from ..types import Tracks

Point = tuple[float, float]


class TrailHistory:
    """The path of each person over the last seconds.

    Args:
        seconds: length of a trail; 0 for none.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._paths: dict[int, deque[tuple[float, Point]]] = {}

    def update(self, tracks: Tracks, time: float) -> dict[int, list[Point]]:
        """Add the box centres of a frame and return the path of each person in it, by ID, in pixels.

        Args:
            tracks: of the frame; after a hard cut, paths start again.
            time: of the frame, seconds.
        """
        if not self._seconds:
            return {}
        if tracks.new_scene:
            self._paths.clear()
        centres = (tracks.boxes[:, :2] + tracks.boxes[:, 2:]) / 2
        for identity, (x, y) in zip(tracks.ids.tolist(), centres.tolist()):
            self._paths.setdefault(identity, deque()).append((time, (x, y)))
        for path in self._paths.values():
            while path and path[0][0] < time - self._seconds:
                path.popleft()
        self._paths = {identity: path for identity, path in self._paths.items() if path}
        return {identity: [point for _, point in self._paths[identity]] for identity in tracks.ids.tolist()}
