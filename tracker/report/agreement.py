"""Bland-Altman plots: the difference of two tables over their mean, for each angle.

Source: Bland and Altman 1986, Lancet 327, figure 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...errors import UsageError
from ..features.kinematics.angles import JOINTS, wrap
from ..summary.agreement import LEAST_PAIRS, agreement, pairs_of
from ..summary.measures import Array, Measure, Session
from .data import SIDES
from .drawing import draw_panel, new_figure, write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAMES = {"frame": "of both tables", "session": "range of both sessions"}


def save_agreement(path: Path, first: Session, others: Sequence[Session], *, by: str) -> None:
    """Draw a panel for each joint angle with enough pairs, for each other table.

    Args:
        path: of the figure, checked by `drawing.check_figure`.
        first: the reference.
        others: compared with it.
        by: `frame`, each frame is a pair; or `session`, the ranges of motion of each person are.

    Raises:
        UsageError: no angle has enough pairs.
        OutputError: the figure cannot be written.
    """
    found = [
        (other, measure, a, b)
        for other in others
        for measure, a, b in pairs_of(first, other, by=by)
        if measure.base in JOINTS and (np.isfinite(a) & np.isfinite(b)).sum() >= LEAST_PAIRS
    ]
    if not found:
        unit = "frames" if by == "frame" else "people"
        raise UsageError(
            f"No joint angle is known in {LEAST_PAIRS} {unit} of two tables. Compare more {unit}, or leave --plot out."
        )
    rows = -(-len(found) // 2)
    figure = new_figure(2.3 * rows)
    for number, (other, measure, a, b) in enumerate(found):
        ax = figure.add_subplot(rows, 2, number + 1)
        draw_panel(ax, partial(_panel, names=(first.name, other.name), measure=measure, a=a, b=b, by=by))
    write_figure(path, figure)


def _panel(ax: Axes, names: tuple[str, str], measure: Measure, a: Array, b: Array, by: str) -> None:
    found = agreement(a, b, period=measure.period if by == "frame" else None, icc=False)
    gaps = wrap(b - a, 360.0)
    crowd = min(1.0, 8 / np.sqrt(len(a)))
    ax.plot(a + gaps / 2, gaps, ".", ms=4, alpha=crowd, color=SIDES[measure.side]["light"], mew=0)
    for name, style in (("difference", "-"), ("loa_low", "--"), ("loa_high", "--")):
        ax.axhline(found[name], color="0.2", lw=1, ls=style)
        ax.annotate(
            f"{found[name]:.1f}",
            (1, found[name]),
            xycoords=("axes fraction", "data"),
            fontsize=7,
            va="bottom",
            ha="right",
        )
    ax.set_title(f"{measure.base.replace('_', ' ')}, {found['pairs']} pairs", fontsize=8, loc="left")
    ax.set(xlabel=f"mean {_NAMES[by]} (deg)", ylabel=f"{names[1]}\n- {names[0]} (deg)")
