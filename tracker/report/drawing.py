"""Figures for papers and slides: who is there when, paths, angles and speeds of everybody as a picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import OutputError, UsageError
from ..partial import check_target, partial_path
from ..types import State
from .data import broken, shades
from .gather import Everybody
from .libraries import need

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KINDS = ("timeline", "path", "speed", "angles")
SUFFIXES = (".png", ".pdf", ".svg")
DPI = 160
WIDTH = 9.0  # inches
_JOINTS = ("knee", "hip", "ankle", "shoulder", "elbow")
_WEIGHTS = {State.MEASURED: 7.0, State.INTERPOLATED: 4.0, State.PREDICTED: 1.2}  # points


def check_figure(path: Path, *, overwrite: bool) -> None:
    """Refuse what cannot become a figure, before anything is computed.

    Raises:
        UsageError: Matplotlib is missing, or the suffix is unknown.
        OutputError: the name is taken.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"Cannot draw '{path}'. Give a name that ends in {', '.join(SUFFIXES)}.")
    need("matplotlib", "A figure")
    check_target(path, overwrite=overwrite)


def save_figure(path: Path, everybody: Everybody, *, kinds: tuple[str, ...] = KINDS) -> None:
    """Draw everybody; what has no values is left out.

    Args:
        path: of the figure, checked.
        everybody: gathered to the end.
        kinds: of `KINDS`, from top to bottom.

    Raises:
        UsageError: there is nothing to draw.
        OutputError: it cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = [row for kind in kinds for row in _rows(everybody, kind)]
    if not rows:
        raise UsageError(f"There is nothing to draw as {', '.join(kinds)}: nobody, or nothing of them, is known.")
    heights = [height for height, _ in rows]
    figure = Figure(figsize=(WIDTH, sum(heights) + 0.4), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(len(rows), 2, height_ratios=heights)
    for number, (_, panels) in enumerate(rows):
        for column, draw in enumerate(panels):
            ax = figure.add_subplot(grid[number, column if len(panels) > 1 else slice(None)])
            ax.spines[["top", "right"]].set_visible(False)
            ax.tick_params(labelsize=8)
            draw(ax)
            ax.set_xlabel(ax.get_xlabel(), fontsize=8)
            ax.set_ylabel(ax.get_ylabel(), fontsize=8)
    unfinished = partial_path(path)
    try:
        figure.savefig(unfinished)
        unfinished.replace(path)
    except OSError as error:
        raise OutputError(f"Cannot write '{path}': {error.strerror}. Choose another folder.") from error


Panel = Callable[["Axes"], None]


def _rows(everybody: Everybody, kind: str) -> list[tuple[float, list[Panel]]]:
    """Return the rows of a figure, each with its height in inches and one panel or two."""
    if not everybody.people:
        return []
    if kind == "timeline":
        return [(0.6 + 0.22 * min(len(everybody.people), 40), [partial(_timeline, everybody=everybody)])]
    if kind == "path":
        return [(4.0, [partial(_path, everybody=everybody)])] if _known(everybody, "com_x") else []
    if kind == "speed":
        (speed,) = (name for name in everybody.columns if name.startswith("com_speed_"))
        label = f"speed of the centre\nof mass ({everybody.unit})"
        draw = partial(_lines, everybody=everybody, names=[speed], label=label)
        return [(1.8, [draw])] if _known(everybody, speed) else []
    angles = {f"{joint} flexion": [f"left_{joint}_deg", f"right_{joint}_deg"] for joint in _JOINTS}
    angles |= {f"{part} inclination": [f"{part}_inclination_deg"] for part in ("trunk", "neck")}
    panels: list[Panel] = [
        partial(_lines, everybody=everybody, names=names, label=f"{label}\n(degrees)")
        for label, names in angles.items()
        if any(_known(everybody, name) for name in names)
    ]
    return [(1.6, panels[i : i + 2]) for i in range(0, len(panels), 2)]


def _known(everybody: Everybody, name: str) -> bool:
    return any(np.isfinite(_column(everybody, identity, name)[1]).any() for identity in everybody.people)


def _column(everybody: Everybody, identity: int, name: str) -> tuple[Any, Any]:
    """Return seconds and values of a measure."""
    table = broken(everybody.series.table(identity), everybody.series.bucket)
    return table[:, 0], table[:, 1 + everybody.columns.index(name)]


def _span(everybody: Everybody) -> tuple[float, float]:
    return everybody.start, max(everybody.end, everybody.start + 0.01)


def _color(identity: int, side: str = "base") -> str:
    return shades(identity)["light"][side]


def _timeline(ax: Axes, everybody: Everybody) -> None:
    ids = sorted(everybody.people)
    for row, identity in enumerate(ids):
        for start, end, state in everybody.people[identity].spans:
            ax.plot([start, end], [row, row], color=_color(identity), lw=_WEIGHTS[state], solid_capstyle="butt")
    rows = {identity: row for row, identity in enumerate(ids)}
    events = [event for event in everybody.events if event.track in rows]
    ax.plot(
        [event.time for event in events], [rows[event.track] for event in events], "D", color="black", ms=4, mec="w"
    )
    if len(ids) <= 40:
        ax.set_yticks(range(len(ids)), [str(identity) for identity in ids])
    ax.set(ylim=(len(ids) - 0.4, -0.6), xlim=_span(everybody), ylabel="person", xlabel="time (s)")


def _path(ax: Axes, everybody: Everybody) -> None:
    for identity in sorted(everybody.people):
        x, y = (_column(everybody, identity, name)[1] for name in ("com_x", "com_y"))
        ax.plot(x, y, color=_color(identity), lw=1.5, label=str(identity))
    ax.set(xlabel="x of the centre of mass (px)", ylabel="y (px)", aspect="equal")
    ax.margins(0.1)
    ax.invert_yaxis()
    if len(everybody.people) <= 12:
        ax.legend(
            title="person", fontsize=8, title_fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5)
        )


def _lines(ax: Axes, everybody: Everybody, names: list[str], label: str) -> None:
    sides = ("left", "right") if len(names) > 1 else ("base",)
    for identity in sorted(everybody.people):
        for name, side in zip(names, sides):
            times, values = _column(everybody, identity, name)
            ax.plot(times, values, color=_color(identity, side), lw=1.2, ls="--" if side == "left" else "-")
    ax.set(ylabel=label, xlabel="time (s)" + ("; left dashed, right solid" if len(names) > 1 else ""))
    ax.set_xlim(*_span(everybody))
    ax.grid(axis="y", color="0.9")
    ax.set_axisbelow(True)
