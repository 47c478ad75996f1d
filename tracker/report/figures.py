"""The plots of a report: axes, lines and tools. The page's script adds data, colours and cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bokeh.models import (
    BoxZoomTool,
    ColumnDataSource,
    CustomJS,
    CustomJSTickFormatter,
    DataRange1d,
    FactorRange,
    HoverTool,
    ImageURL,
    Line,
    MultiLine,
    Plot,
    Range1d,
    Span,
    VArea,
)
from bokeh.plotting import figure

from ..features.kinematics.points import SIDES

_STATIC: dict[str, Any] = {
    "sizing_mode": "stretch_width",
    "tools": [],
    "toolbar_location": None,
    "min_border_left": 44,
    "min_border_right": 8,
}
ROW = 22  # pixels of a person's row in the timeline
MAX_ROWS_HEIGHT = 480
DEGREES = "degrees"
_SECONDS = """
const span = ticks.length > 1 ? ticks[1] - ticks[0] : 1
const digits = span >= 1 ? 0 : span >= 0.1 ? 1 : 2
const minutes = Math.floor(tick / 60), seconds = (tick - 60 * minutes).toFixed(digits)
return ticks[ticks.length - 1] < 60 ? seconds : `${minutes}:${seconds.padStart(digits ? 3 + digits : 2, "0")}`
"""


@dataclass(frozen=True, slots=True)
class PersonPlot:
    """One or two lines of the selected person over time.

    Attributes:
        name: of the plot and its figure.
        title: of the plot.
        unit: of the values.
        columns: of the left and the right side, or a single one.
    """

    name: str
    title: str
    unit: str
    columns: tuple[str, ...]

    @property
    def decimals(self) -> int:
        """Decimals of displayed values."""
        return 0 if self.unit == DEGREES else 2


def person_plots(columns: Sequence[str], unit: str) -> list[PersonPlot]:
    """Return the plots of a person.

    Args:
        columns: with values.
        unit: of the speeds.
    """
    short = "m" if unit == "m/s" else "bh"
    sides = ("left", "right")
    wanted = [
        *(
            PersonPlot(joint, f"{joint.capitalize()} {motion}", DEGREES, tuple(f"{side}_{joint}_deg" for side in sides))
            for joint, motion in (
                *(("knee", "flexion"), ("hip", "flexion"), ("ankle", "dorsiflexion")),
                *(("shoulder", "flexion"), ("elbow", "flexion")),
            )
        ),
        PersonPlot("trunk", "Trunk inclination", DEGREES, ("trunk_inclination_deg",)),
        PersonPlot("neck", "Neck inclination", DEGREES, ("neck_inclination_deg",)),
        PersonPlot("com_speed", "Body speed", unit, (f"com_speed_{short}_s",)),
        *(
            PersonPlot(
                f"{joint}_speed",
                f"{joint.capitalize()} speed",
                unit,
                tuple(f"{s}_{joint}_speed_{short}_s" for s in sides),
            )
            for joint in ("wrist", "ankle")
        ),
    ]
    known = set(columns)
    return [plot for plot in wanted if known.intersection(plot.columns)]


class Figures:
    """All plots of a page, with a common time axis and cursor.

    Args:
        span: seconds of the first and the last frame.
        people: number of people.
        size: (width, height) pixels of a frame.
        plots: of a person.
        cycles: joints with curves over the gait cycle.
        uneven: joints with bars of asymmetry.

    Attributes:
        models: Bokeh's figures by name.
    """

    def __init__(
        self,
        *,
        span: tuple[float, float],
        people: int,
        size: tuple[int, int],
        plots: Sequence[PersonPlot],
        cycles: Sequence[str] = (),
        uneven: Sequence[str] = (),
    ) -> None:
        start, end = span
        room = max(0.01 * (end - start), 0.02)
        self._time = Range1d(start - room, end + room, bounds=(start - room, end + room), name="time")
        self._cursor = Span(dimension="height", name="cursor", line_width=1.5, level="overlay")
        self._person = ColumnDataSource(
            name="person", data={"t": span, **{c: (0, 1) for p in plots for c in p.columns}}
        )
        columns = [f"{side}_{joint}{end}" for joint in cycles for side in SIDES for end in ("", "_low", "_high")]
        self._curves = ColumnDataSource(name="curves", data={"percent": (0, 100), **dict.fromkeys(columns, (0, 1))})
        self._blank = {"xs": [span], "ys": [(0, 1)], "color": ["white"], "alpha": [0]}  # ranges need a value
        self.models = {"timeline": self._timeline(people), "speed": self._speed(), "path": self._path(size)}
        self.models |= {plot.name: self._person_plot(plot) for plot in plots}
        if uneven:
            self.models["asymmetry"] = self._asymmetry(uneven)
        self.models |= {f"cycle_{joint}": self._cycle(joint) for joint in cycles}

    def _over_time(self, name: str, height: int, y_range: Range1d | DataRange1d) -> figure:
        zoom = BoxZoomTool(dimensions="width")
        plot = figure(
            name=name,
            height=height,
            sizing_mode="stretch_width",
            x_range=self._time,
            y_range=y_range,
            tools=[zoom],
            active_drag=zoom,
            toolbar_location=None,
            min_border_left=44,  # wide enough for all numbers, so that the time axes are aligned
            min_border_right=8,
        )
        plot.xaxis.formatter = CustomJSTickFormatter(code=_SECONDS)
        plot.xaxis.ticker.desired_num_ticks = 5
        plot.yaxis.ticker.desired_num_ticks = 4
        plot.add_layout(self._cursor)
        return _interactive(plot)

    def _timeline(self, people: int) -> Plot:
        height = min(MAX_ROWS_HEIGHT, ROW * people) + 34
        plot = self._over_time("timeline", height, Range1d(people - 0.5, -0.5))
        bars = ColumnDataSource(name="spans", data={key: [] for key in ("row", "from", "to", "height", "color")})
        plot.hbar("row", left="from", right="to", height="height", fill_color="color", line_color=None, source=bars)
        events = ColumnDataSource(name="events", data={key: [] for key in ("t", "row", "text")})
        marks = plot.scatter("t", "row", size=8, marker="diamond", source=events, name="marks")
        plot.add_tools(HoverTool(renderers=[marks], tooltips="@text"))
        plot.ygrid.visible = False
        plot.yaxis.minor_tick_line_color = None
        return plot

    def _speed(self) -> Plot:
        plot = self._over_time("speed", 200, DataRange1d(start=0, min_interval=0.1))
        plot.add_glyph(
            ColumnDataSource(name="speeds", data=self._blank),
            MultiLine(xs="xs", ys="ys", line_color="color", line_alpha="alpha", line_width=1.6, line_join="round"),
        )
        return plot

    def _path(self, size: tuple[int, int]) -> Plot:
        width, height = size
        zoom = BoxZoomTool(match_aspect=True)
        plot = figure(
            name="path",
            aspect_ratio=width / height,
            sizing_mode="stretch_width",
            x_range=Range1d(0, width),
            y_range=Range1d(height, 0),
            tools=[zoom],
            active_drag=zoom,
            toolbar_location=None,
            min_border=0,
        )
        plot.axis.visible = plot.grid.visible = False
        plot.add_glyph(
            ColumnDataSource(name="backdrop", data={"url": [], "x": [], "y": [], "w": [], "h": []}),
            ImageURL(url="url", x="x", y="y", w="w", h="h", global_alpha=0.45, anchor="top_left"),
        )
        plot.add_glyph(
            ColumnDataSource(name="paths", data=self._blank),
            MultiLine(xs="xs", ys="ys", line_color="color", line_alpha="alpha", line_width=2, line_join="round"),
        )
        here = ColumnDataSource(name="here", data={"x": [], "y": [], "color": []})
        plot.scatter("x", "y", size=11, fill_color="color", line_color="#181818", line_width=1.5, source=here)
        return _interactive(plot)

    def _person_plot(self, plot: PersonPlot) -> Plot:
        limits = DataRange1d(min_interval=20) if plot.unit == DEGREES else DataRange1d(start=0, min_interval=0.1)
        drawn = self._over_time(plot.name, 130, limits)
        for column, side in zip(plot.columns, ("left", "right") if len(plot.columns) > 1 else ("base",)):
            line = Line(x="t", y=column, line_width=1.6, line_join="round", tags=[side])
            drawn.add_glyph(self._person, line)
        return drawn

    def _cycle(self, joint: str) -> Plot:
        """Mean curves of both sides over the gait cycle, each with a band of one standard deviation."""
        plot = figure(
            **_STATIC,
            name=f"cycle_{joint}",
            height=150,
            x_range=Range1d(0, 100),
            y_range=DataRange1d(min_interval=20),
        )
        for side in ("left", "right"):
            name = f"{side}_{joint}"
            band = {"y1": f"{name}_low", "y2": f"{name}_high", "fill_alpha": 0.25, "tags": [side]}
            plot.add_glyph(self._curves, VArea(x="percent", **band))
            plot.add_glyph(self._curves, Line(x="percent", y=name, line_width=1.8, line_join="round", tags=[side]))
        plot.yaxis.ticker.desired_num_ticks = 4
        return _plain(plot)

    def _asymmetry(self, joints: Sequence[str]) -> Plot:
        """Bars to the side that moves more."""
        plot = figure(
            **_STATIC,
            name="asymmetry",
            height=ROW * len(joints) + 34,
            x_range=Range1d(100, -100, name="asymmetries"),
            y_range=FactorRange(factors=list(reversed(joints))),
        )
        plot.xaxis.formatter = CustomJSTickFormatter(code="return Math.abs(tick)")
        bars = ColumnDataSource(name="bars", data={key: [] for key in ("joint", "value", "color")})
        plot.hbar("joint", right="value", left=0, height=0.6, fill_color="color", line_color=None, source=bars)
        plot.add_layout(Span(dimension="height", location=0, name="even"))
        plot.ygrid.visible = False
        return _plain(plot)


def _interactive(plot: figure) -> figure:
    """Send clicks on a plot to the page, and make its background transparent."""
    for event in ("tap", "doubletap"):
        detail = f'{{figure: "{plot.name}", kind: "{event}", x: cb_obj.x, y: cb_obj.y}}'
        plot.js_on_event(event, CustomJS(code=f'document.dispatchEvent(new CustomEvent("plot", {{detail: {detail}}}))'))
    return _plain(plot)


def _plain(plot: figure) -> figure:
    """Make the background transparent, and the axes subtle."""
    plot.background_fill_color = plot.border_fill_color = plot.outline_line_color = None
    plot.axis.axis_line_color = plot.axis.minor_tick_line_color = None
    plot.axis.major_tick_line_color = None
    plot.axis.major_label_text_font = "system-ui, sans-serif"
    plot.axis.major_label_text_font_size = "11px"
    plot.xgrid.grid_line_color = None
    return plot
