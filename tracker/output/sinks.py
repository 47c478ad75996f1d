"""Everything that a run writes, behind one `write(frame, tracks)`; it contains only the requested outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from ...models.geometry.keypoints import Skeleton
from ..features.events.regions import Line, Zone
from ..timings import Timings
from ..types import Frame, Tracks
from .arcs import Arc
from .overlay import draw_people
from .places import draw_outlines, write_counts
from .trails import TrailHistory

Conceal = Callable[[Frame, Tracks], Frame]
Labels = Callable[[Frame], Mapping[int, str]]  # text next to each ID
Arcs = Callable[[Frame], Mapping[int, Sequence[Arc]]]  # joint angles of each ID
PlaceCounts = Callable[[Frame], Mapping[str, str]]  # text of each zone and line


class Sink(Protocol):
    """Output of tracks. After an exception, its file keeps its partial name."""

    def __enter__(self) -> Any: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> bool | None: ...

    def write(self, frame: Frame, tracks: Tracks) -> None:
        """Write the people of one frame."""


class Screen(Protocol):
    """Output of images: a video writer or a window."""

    def __enter__(self) -> Any: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> bool | None: ...

    def write(self, image: NDArray[np.uint8], time: float, /) -> None:
        """Write one image (H, W, 3), BGR, which stays unchanged, and its time in seconds."""


class ContextGroup:
    """Context managers that are entered in order and exited in reverse order.

    If one fails, its exception is passed to those that are still open, so that they mark their files incomplete.
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


class OverlaySink(ContextGroup):
    """Draw the people into the frame's image, once, and pass it to every screen.

    Args:
        screens: each with `write(image, time)`.
        skeleton: of the keypoints.
        labels: `(frame) -> text next to each ID`; only the ID if omitted.
        arcs: `(frame) -> joint angles of each ID`; none if omitted.
        places: zones and lines that are drawn.
        counts: `(frame) -> text of each of them`; only the name if omitted.
        colors: of the limbs, `id` or `side`.
        boxes: whether boxes are drawn.
        trails: length of the drawn path of each person, seconds.
        timings: collects the stage "draw".
    """

    def __init__(
        self,
        *screens: Screen,
        skeleton: Skeleton,
        labels: Labels | None = None,
        arcs: Arcs | None = None,
        places: Sequence[Zone | Line] = (),
        counts: PlaceCounts | None = None,
        colors: str = "id",
        boxes: bool = True,
        trails: float = 0.0,
        timings: Timings | None = None,
    ) -> None:
        super().__init__(*screens)
        self._labels, self._arcs = labels, arcs
        self._places, self._counts = places, counts
        self._screens = screens
        self._draw = partial(draw_people, skeleton=skeleton, colors=colors, boxes=boxes)
        self._trails = TrailHistory(trails)
        self._timings = timings or Timings()

    def write(self, frame: Frame, tracks: Tracks) -> None:
        """Draw the people into the image of a frame, and write it."""
        if not self._screens:
            return
        with self._timings.stage("draw"):
            labels = self._labels(frame) if self._labels else None
            trails = self._trails.update(tracks, frame.time)
            arcs = self._arcs(frame) if self._arcs else None
            draw_outlines(frame.image, self._places)
            image = self._draw(frame.image, tracks, labels=labels, trails=trails, arcs=arcs)
            write_counts(image, self._places, self._counts(frame) if self._counts else {})
        for screen in self._screens:
            screen.write(image, frame.time)


class Sinks(ContextGroup):
    """All outputs of a run in one pass.

    Args:
        sinks: each with `write(frame, tracks)`, called in this order.
        conceal: `(frame, tracks) -> Frame` with an image in which no person is recognisable; gets all people.
        select: `(tracks) -> Tracks`, the people who are written and drawn.
        timings: collects the stages "conceal" and "write".
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
        """Write the people of one frame to every output."""
        if self._conceal:
            with self._timings.stage("conceal"):
                frame = self._conceal(frame, tracks)
        if self._select:
            tracks = self._select(tracks)
        with self._timings.stage("write"):
            for sink in self._sinks:
                sink.write(frame, tracks)
