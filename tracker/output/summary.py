"""Output of a run in the terminal: progress, and at the end the time of each stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from ..timings import LATENCY, FrameRate, Timings
from .sidecar import Counts


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


def summary_table(
    timings: Timings,
    *,
    device: str,
    files: Sequence[str | Path] = (),
    counts: Counts | None = None,
    modes: Mapping[str, int] | None = None,
    gaps: Sequence[float] = (),
) -> RenderableType:
    """Return the summary of a run for the terminal: milliseconds per stage, device and files.

    Args:
        timings: of the run.
        device: of the networks.
        files: that were written.
        counts: of frames.
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
    if counts is not None:
        losses = [f"{n} {what}" for n, what in ((counts.dropped, "dropped"), (counts.failed, "failed")) if n]
        facts.add_row("frames", ", ".join([str(counts.read), *losses]))
    if modes:
        facts.add_row("modes", ", ".join(f"{count} {mode}" for mode, count in modes.items()))
    if LATENCY in timings.stages:
        median, p95 = (timings.percentile(LATENCY, percent) for percent in (50, 95))
        facts.add_row("latency", f"{median:.0f} ms from capture to output (p95 {p95:.0f} ms)")
    if gaps:
        facts.add_row("lost", f"{len(gaps)} times, {sum(gaps):.1f} s in all")
    facts.add_row("device", Text(device))
    for file in files:
        facts.add_row("wrote", Text(str(file)))
    return Group(stages, "", facts) if timings.stages else facts
