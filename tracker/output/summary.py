"""Output of a run in the terminal: progress, and at the end what was done; for a batch, a row per source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from ..timings import LATENCY, FrameRate, Timings
from ..video.place import Remote
from .sidecar import Counts

NAME = 40  # columns of a source's name in the table of a batch


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a source.

    Attributes:
        counts: of its frames.
        people: track IDs that were written.
        seconds: from the first frame to the last result.
        files: that were written.
    """

    counts: Counts
    people: int
    seconds: float
    files: tuple[Path | Remote, ...] = ()

    @property
    def pace(self) -> str:
        """Duration and frame rate, for display."""
        fps = self.counts.read / self.seconds if self.seconds else 0.0
        return f"{_duration(self.seconds)}, {fps:.1f} fps"


@contextmanager
def progress(
    *, total: int | None = None, label: str = "Tracking", quiet: bool = False, console: Console | None = None
) -> Iterator[Callable[[int], None]]:
    """Show frames, people, frame rate and remaining time; yields a function to call after each frame.

    Args:
        total: number of frames; None if unknown, as for a camera.
        label: text before the bar.
        quiet: show nothing, as if stderr is not a terminal.
        console: stderr if omitted.

    Yields:
        A function that takes the number of people of a frame.
    """
    console = console or Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("frames  {task.fields[people]} people  {task.fields[fps]} fps"),
        TimeElapsedColumn(),
        *([] if total is None else [TextColumn("left"), TimeRemainingColumn()]),
        console=console,
        disable=quiet or not console.is_terminal,
        transient=True,
    )
    rate = FrameRate()
    with bar:
        task = bar.add_task(label, total=total, people=0, fps="-")

        def step(people: int) -> None:
            fps = rate.tick()
            bar.update(task, advance=1, people=people, fps="-" if fps is None else f"{fps:.1f}")

        yield step


class BatchProgress:
    """One line for a batch: sources done and failed, frame rate, and the remaining time by the bytes that are left.

    Args:
        sizes: of the sources, in bytes.
        quiet: show nothing, as if the console is no terminal.
        console: where it is shown.
    """

    def __init__(self, sizes: Sequence[int], *, quiet: bool, console: Console) -> None:
        self._sizes = [max(1, size) for size in sizes]
        self._rate = FrameRate(window=10.0)
        self._bar = Progress(
            TextColumn("{task.fields[ended]} of {task.fields[sources]} sources"),
            BarColumn(),
            TextColumn("{task.fields[fps]} fps  {task.fields[failed]} failed"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            disable=quiet or not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("", total=sum(self._sizes), sources=len(sizes), ended=0, failed=0, fps="-")
        self._ended = self._failed = 0

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def frames(self, count: int = 1) -> None:
        """Count frames that were read."""
        for _ in range(count):
            fps = self._rate.tick()
        if count and fps is not None:
            self._bar.update(self._task, fps=f"{fps:.1f}")

    def done(self, number: int, *, failed: bool = False) -> None:
        """Count a source that has ended."""
        self._ended += 1
        self._failed += failed
        self._bar.update(self._task, advance=self._sizes[number], ended=self._ended, failed=self._failed)


def summary_table(
    timings: Timings,
    outcome: Outcome,
    *,
    device: str,
    modes: Mapping[str, int] | None = None,
    gaps: Sequence[float] = (),
) -> RenderableType:
    """Return the summary of a run for the terminal: milliseconds per stage, frames, people, frame rate and files.

    Args:
        timings: of the run.
        outcome: of the run.
        device: of the networks.
        modes: number of frames by mode.
        gaps: seconds without a connection to a live source, one value per loss.
    """
    stages = Table(box=None, pad_edge=False)
    stages.add_column("stage")
    stages.add_column("median ms", justify="right")
    stages.add_column("p95 ms", justify="right")
    for name in (name for name in timings.stages if name != LATENCY):
        stages.add_row(name, *(f"{timings.percentile(name, percent):.1f}" for percent in (50, 95)))

    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold")
    facts.add_column(overflow="fold")
    facts.add_row("frames", _frames(outcome.counts))
    facts.add_row("people", str(outcome.people))
    facts.add_row("time", outcome.pace)
    if modes:
        facts.add_row("modes", ", ".join(f"{count} {mode}" for mode, count in modes.items()))
    if LATENCY in timings.stages:
        median, p95 = (timings.percentile(LATENCY, percent) for percent in (50, 95))
        facts.add_row("latency", f"{median:.0f} ms from capture to output (p95 {p95:.0f} ms)")
    if gaps:
        facts.add_row("lost", f"{len(gaps)} times, {sum(gaps):.1f} s in all")
    facts.add_row("device", Text(device))
    # A table would break a long path into pieces, which cannot be copied.
    files = [Text.assemble(("wrote", "bold"), f"   {file}", no_wrap=True, overflow="ignore") for file in outcome.files]
    return Group(stages, "", facts, *files) if timings.stages else Group(facts, *files)


class BatchTable:
    """The rows of a batch, each printed when its source is done, and the total.

    Args:
        console: where they are printed.
        sources: names of all sources.
    """

    def __init__(self, console: Console, sources: Sequence[str]) -> None:
        self._console = console
        self._width = max(len("total"), *(min(len(name), NAME) for name in sources))
        self._outcomes: list[Outcome] = []

    @property
    def rows(self) -> int:
        """Number of sources that are done."""
        return len(self._outcomes)

    def add(self, source: str, outcome: Outcome) -> None:
        """Print the row of a source."""
        if not self._outcomes:
            self._print("source", "frames", "people", "time")
        self._outcomes.append(outcome)
        name = source if len(source) <= NAME else f"...{source[3 - NAME :]}"
        self._print(name, _frames(outcome.counts), str(outcome.people), outcome.pace)

    def total(self, sources: int, *, seconds: float) -> None:
        """Print the total in so many seconds, the number of sources done, out of all of them, and their folders."""
        if not self._outcomes:
            return
        done = self._outcomes
        fields = ("read", "dropped", "failed")
        counts = Counts(**{name: sum(getattr(each.counts, name) for each in done) for name in fields})
        total = Outcome(counts, sum(each.people for each in done), seconds)
        self._print("total", _frames(counts), str(total.people), f"{total.pace}, {len(done)} of {sources} sources")
        files = [file for each in done for file in each.files]
        if files:
            folders = ", ".join(sorted({str(file.parent) for file in files}))
            self._say(f"wrote {len(files)} files in {folders}")

    def _print(self, name: str, frames: str, people: str, rest: str) -> None:
        self._say(f"{name:<{self._width}}  {frames:>8}  {people:>6}  {rest}")

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)


def _frames(counts: Counts) -> str:
    losses = [f"{n} {what}" for n, what in ((counts.dropped, "dropped"), (counts.failed, "failed")) if n]
    return ", ".join([str(counts.read), *losses])


def _duration(seconds: float) -> str:
    """Return a duration for display, e.g. `8.2 s`, `4:05 min` or `1:02:05 h`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02} h" if hours else f"{minutes}:{rest:02} min"
