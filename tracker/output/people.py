"""Count the people of a run: the track IDs that are written."""

from __future__ import annotations

from typing import Self

from ..types import Frame, Tracks


class PeopleCount:
    """Table of nothing but the IDs that were seen."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def __len__(self) -> int:
        return len(self._seen)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def write(self, frame: Frame, tracks: Tracks) -> None:
        """Count the people of one frame."""
        self.write_rows(frame.index, frame.time, tracks)

    def write_rows(self, index: int, time: float, tracks: Tracks) -> None:
        """Count the people of the frame with this number."""
        self._seen.update(tracks.ids.tolist())

    def restart(self) -> None:
        """Forget all people."""
        self._seen.clear()
