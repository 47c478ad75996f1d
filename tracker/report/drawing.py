"""Figures for papers and slides: timeline, paths, angles and speeds of all people."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import OutputError, UsageError
from ..partial import check_target, partial_path
from ..types import State
from .data import SIDES, shades, with_gaps
from .libraries import require
from .measurements import Measurements

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = ("timeline", "path", "speed", "angles")
SUFFIXES = (".png", ".pdf", ".svg")
DPI = 160
WIDTH = 9.0  # inches
MOST_IN_LEGEND = 12  # people; more colours cannot be distinguished
_JOINTS = ("knee", "hip", "ankle", "shoulder", "elbow")
_WEIGHTS = {State.MEASURED: 7.0, State.INTERPOLATED: 4.0, State.PREDICTED: 1.2}  # points


def check_figure(path: Path, *, overwrite: bool) -> None:
    """Check that a figure can be written.

    Raises:
        UsageError: Matplotlib is missing, or the suffix is unknown.
        OutputError: the name is taken.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"Cannot draw '{path}'. Give a name that ends in {', '.join(SUFFIXES)}.")
    require("matplotlib", "A figure")
    check_target(path, overwrite=overwrite)


def save_figure(path: Path, measurements: Measurements, *, kinds: tuple[str, ...] = KINDS) -> None:
    """Draw figures; panels without values are omitted.

    Args:
        path: of the figure, checked by `check_figure`.
        measurements: complete measurements of the video.
        kinds: of `KINDS`, from top to bottom.

    Raises:
        UsageError: there is nothing to draw.
        OutputError: the figure cannot be written.
    """
    from matplotlib.lines import Line2D

    rows = [row for kind in kinds for row in _rows(measurements, kind)]
    if not rows:
        raise UsageError(f"There are no values to draw as {', '.join(kinds)}. Choose another --kind, or another table.")
    heights = [height for height, _ in rows]
    figure = new_figure(sum(heights) + 0.4)
    grid = figure.add_gridspec(len(rows), 2, height_ratios=heights)
    for number, (_, panels) in enumerate(rows):
        for column, draw in enumerate(panels):
            ax = figure.add_subplot(grid[number, column if len(panels) > 1 else slice(None)])
            draw_panel(ax, draw)
    if 1 < len(measurements.people) <= MOST_IN_LEGEND:
        ids = sorted(measurements.people)
        lines = [Line2D([], [], color=_color(identity), lw=2, label=str(identity)) for identity in ids]
        figure.legend(
            handles=lines,
            title="person",
            loc="outside upper right",
            ncols=len(ids),
            frameon=False,
            fontsize=8,
            title_fontsize=8,
        )
    write_figure(path, figure)


Panel = Callable[["Axes"], None]


def new_figure(height: float) -> Figure:
    """Return an empty figure, `WIDTH` by `height` inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def draw_panel(ax: Axes, draw: Panel) -> None:
    """Draw one panel in the style of all figures."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=8)
    draw(ax)
    ax.set_xlabel(ax.get_xlabel(), fontsize=8)
    ax.set_ylabel(ax.get_ylabel(), fontsize=8)


def write_figure(path: Path, figure: Figure) -> None:
    """Write a figure to a path checked by `check_figure`.

    Raises:
        OutputError: it cannot be written.
    """
    unfinished = partial_path(path)
    try:
        figure.savefig(unfinished)
        unfinished.replace(path)
    except OSError as error:
        raise OutputError(f"Cannot write '{path}': {error.strerror}. Choose another folder.") from error


def _rows(measurements: Measurements, kind: str) -> list[tuple[float, list[Panel]]]:
    """Return the rows of a figure, each with its height in inches and one or two panels."""
    if not measurements.people:
        return []
    if kind == "timeline":
        return [(0.6 + 0.22 * min(len(measurements.people), 40), [partial(_timeline, measurements=measurements)])]
    if kind == "path":
        return [(4.0, [partial(_path, measurements=measurements)])] if _known(measurements, "com_x") else []
    if kind == "speed":
        (speed,) = (name for name in measurements.columns if name.startswith("com_speed_"))
        label = f"speed of the centre\nof mass ({measurements.unit})"
        draw = partial(_lines, measurements=measurements, names=[speed], label=label)
        return [(1.8, [draw])] if _known(measurements, speed) else []
    angles = {f"{joint} flexion": [f"left_{joint}_deg", f"right_{joint}_deg"] for joint in _JOINTS}
    angles |= {f"{part} inclination": [f"{part}_inclination_deg"] for part in ("trunk", "neck")}
    panels: list[Panel] = [
        partial(_lines, measurements=measurements, names=names, label=f"{label}\n(degrees)")
        for label, names in angles.items()
        if any(_known(measurements, name) for name in names)
    ]
    return [(1.6, panels[i : i + 2]) for i in range(0, len(panels), 2)]


def _known(measurements: Measurements, name: str) -> bool:
    return any(np.isfinite(_column(measurements, identity, name)[1]).any() for identity in measurements.people)


def _column(measurements: Measurements, identity: int, name: str) -> tuple[Any, Any]:
    """Return seconds and values of a measure."""
    table = with_gaps(measurements.series.table(identity), measurements.series.bucket)
    return table[:, 0], table[:, 1 + measurements.columns.index(name)]


def _span(measurements: Measurements) -> tuple[float, float]:
    return measurements.start, max(measurements.end, measurements.start + 0.01)


def _color(identity: int) -> str:
    return shades(identity)["light"]


def _timeline(ax: Axes, measurements: Measurements) -> None:
    ids = sorted(measurements.people)
    for row, identity in enumerate(ids):
        for start, end, state in measurements.people[identity].spans:
            ax.plot([start, end], [row, row], color=_color(identity), lw=_WEIGHTS[state], solid_capstyle="butt")
    rows = {identity: row for row, identity in enumerate(ids)}
    events = [event for event in measurements.events if event.track in rows]
    ax.plot(
        [event.time for event in events], [rows[event.track] for event in events], "D", color="black", ms=4, mec="w"
    )
    if len(ids) <= 40:
        ax.set_yticks(range(len(ids)), [str(identity) for identity in ids])
    ax.set(ylim=(len(ids) - 0.4, -0.6), xlim=_span(measurements), ylabel="person", xlabel="time (s)")


def _path(ax: Axes, measurements: Measurements) -> None:
    for identity in sorted(measurements.people):
        x, y = (_column(measurements, identity, name)[1] for name in ("com_x", "com_y"))
        ax.plot(x, y, color=_color(identity), lw=1.5)
    ax.set(xlabel="x of the centre of mass (px)", ylabel="y (px)", aspect="equal")
    ax.margins(0.1)
    ax.invert_yaxis()


def _lines(ax: Axes, measurements: Measurements, names: list[str], label: str) -> None:
    sides = ("left", "right") if len(names) > 1 else ("",)
    for identity in sorted(measurements.people):
        for name, side in zip(names, sides):
            times, values = _column(measurements, identity, name)
            alone = len(measurements.people) == 1
            color = SIDES[side]["light"] if side and alone else _color(identity)
            ax.plot(times, values, color=color, lw=1.2, ls="--" if side == "left" else "-")
    ax.set(ylabel=label, xlabel="time (s)" + ("; left dashed, right solid" if len(names) > 1 else ""))
    ax.set_xlim(*_span(measurements))
    ax.grid(axis="y", color="0.9")
    ax.set_axisbelow(True)
