"""Everything that a run writes, behind one `write(frame, tracks)`; an output that was not asked for is not in it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from ...models.geometry.keypoints import Skeleton
from ..timings import Timings
from ..types import Frame, Tracks
from .notes import Notes
from .overlay import MIN_SCORE, draw
from .summary import FrameRate
from .trails import TrailHistory

Conceal = Callable[[Frame, Tracks], Frame]


class Sink(Protocol):
    """Somewhere that the people of a frame go. Left by an exception, what it wrote stays under a partial name."""

    def __enter__(self) -> Any: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> bool | None: ...

    def write(self, frame: Frame, tracks: Tracks) -> None:
        """Take the people of one frame."""


class Screen(Protocol):
    """Somewhere that pictures go: a video writer, a window."""

    def __enter__(self) -> Any: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> bool | None: ...

    def write(self, image: NDArray[np.uint8], time: float, /) -> None:
        """Take one picture (H, W, 3), BGR, and its time in seconds."""


class Together:
    """Context managers that are entered in order and left in the opposite one.

    Where one fails, those that are still open are left by its exception, so they know that they are incomplete.
    """

    def __init__(self, *members: Any) -> None:
        self._members = members
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for member in self._members:
                stack.enter_context(member)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._stack.__exit__(kind, error, trace)

    @property
    def closed(self) -> bool:
        """Whether the user has closed the window, which ends the run."""
        return any(getattr(member, "closed", False) for member in self._members)


class OverlaySink(Together):
    """Draw the people into the frame, once, and give the picture to every screen; nobody needs the bare one any more.

    Args:
        screens: each with `write(image, time)`.
        skeleton: of the keypoints.
        show_fps: whether the rate of this run stands in the corner.
        min_score: keypoints below it are hidden.
        notes: tells what stands beside each id.
        colors: of the limbs, `id` or `side`.
        boxes: whether boxes are drawn.
        trails: seconds of each person's path that are drawn.
        timings: where the stage "draw" is counted.
    """

    def __init__(
        self,
        *screens: Screen,
        skeleton: Skeleton,
        show_fps: bool = True,
        min_score: float = MIN_SCORE,
        notes: Notes | None = None,
        colors: str = "id",
        boxes: bool = True,
        trails: float = 0.0,
        timings: Timings | None = None,
    ) -> None:
        super().__init__(*screens)
        self._notes = notes
        self._screens = screens
        self._skeleton = skeleton
        self._rate = FrameRate() if show_fps else None
        self._look: dict[str, Any] = {"min_score": min_score, "colors": colors, "boxes": boxes}
        self._trails = TrailHistory(trails)
        self._timings = timings or Timings()

    def write(self, frame: Frame, tracks: Tracks) -> None:
        """Show one frame with its people, which are in its picture from then on."""
        if not self._screens:
            return
        with self._timings.stage("draw"):
            fps = self._rate.tick() if self._rate else None
            notes = self._notes(frame, tracks) if self._notes else None
            now = {"fps": fps, "notes": notes, "trails": self._trails.update(tracks, frame.time)}
            image = draw(frame.image, tracks, skeleton=self._skeleton, **self._look, **now)
        for screen in self._screens:
            screen.write(image, frame.time)


class Sinks(Together):
    """Every output of a run as one.

    Args:
        sinks: each with `write(frame, tracks)`.
        conceal: `(frame, tracks) -> Frame` with a picture that does not show who everybody is.
        select: `(tracks) -> Tracks` of the people who are meant.
        timings: where the stage "write" is counted.
    """

    def __init__(
        self,
        *sinks: Sink,
        conceal: Conceal | None = None,
        select: Callable[[Tracks], Tracks] | None = None,
        timings: Timings | None = None,
    ) -> None:
        super().__init__(*sinks)
        self._sinks = sinks
        self._conceal, self._select = conceal, select
        self._timings = timings or Timings()

    def write(self, frame: Frame, tracks: Tracks) -> None:
        """Give the people of one frame to every output."""
        if self._conceal:
            with self._timings.stage("conceal"):
                frame = self._conceal(frame, tracks)
        if self._select:
            tracks = self._select(tracks)
        with self._timings.stage("write"):
            for sink in self._sinks:
                sink.write(frame, tracks)
