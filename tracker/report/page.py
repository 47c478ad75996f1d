"""The page of a report: one HTML file that contains its images, plots, data and scripts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from importlib.resources import files
from pathlib import PurePath
from typing import Any

import jinja2
from bokeh.document import Document
from bokeh.embed.util import standalone_docs_json_and_render_items
from bokeh.resources import Resources
from markupsafe import Markup

from ...version import __version__
from ..types import State
from .clip import Clip, data_uri
from .data import as_json, css, label, page_data
from .data import palette as palette_of
from .facts import facts_in_words, in_words, subtitle, warnings_of
from .figures import Figures, PersonPlot, person_plots
from .measurements import Measurements, Person

MAX_EVENTS = 300  # in the page's table


def render(measurements: Measurements, *, facts: Mapping[str, Any], clip: Clip | None = None) -> str:
    """Return the page.

    Args:
        measurements: complete measurements of the video.
        facts: metadata of the run, as in its sidecar; missing ones are omitted.
        clip: annotated video.
    """
    source = str(facts.get("source") or "posetrack")
    size = _size(measurements, facts, clip)
    people = sorted(measurements.people.values(), key=lambda person: person.id)
    values: dict[str, Any] = {
        "title": facts.get("config", {}).get("title") or (source if "://" in source else PurePath(source).name),
        "subtitle": subtitle(measurements, facts, size),
        "warnings": warnings_of(facts),
        "people": [_quality(person) for person in people],
        "facts": facts_in_words(facts),
        "options": [(label(key), in_words(value)) for key, value in facts.get("config", {}).items()],
        "version": __version__,
        "style": _asset("page.css"),
        "size": size,
    }
    if people:
        values |= _plots(measurements, size) | _events(measurements) | _video(clip)
        data = page_data(measurements, clip, size=size)
        stills = clip.stills if clip else []
        data |= {
            "plots": [_plot(plot) for plot in values["plots"]],
            "pictures": [still.uri for still in stills] if data["times"] else [],
            "backdrop": stills[0].uri if stills else None,
            "first": max(people, key=lambda person: person.height).id,  # near the camera and present for long
        }
        values |= {
            "data": Markup(as_json(data)),  # noqa: S704 - escaped
            "script": _asset("page.js"),
            "start": measurements.start,
            "end": measurements.end,
            "unit": measurements.unit,
            "bucket": f"{measurements.series.bucket:.2g} s" if measurements.series.bucket else "",
        }
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(_asset("page.html")).render(values)


def _asset(name: str) -> Markup:
    return Markup((files(__package__) / "template" / name).read_text(encoding="utf-8"))  # noqa: S704 - our own


def _plots(measurements: Measurements, size: tuple[int, int]) -> dict[str, Any]:
    known = {name for identity in measurements.people for name in _known(measurements, identity)}
    plots = person_plots(sorted(known), measurements.unit)
    built = Figures(
        span=(measurements.start, measurements.end), people=len(measurements.people), size=size, plots=plots
    )
    ids = sorted(measurements.people)
    axis = built.models["timeline"].yaxis[0]
    shown = range(len(ids)) if len(ids) <= 40 else []
    axis.ticker = list(shown)
    axis.major_label_overrides = {row: str(ids[row]) for row in shown}
    document = Document()
    for model in built.models.values():
        document.add_root(model)
    docs, items = standalone_docs_json_and_render_items(document)
    item = items[0].to_json()
    item["roots"] = {plot.id: f"plot-{name}" for name, plot in built.models.items()}
    figures = {"docs": docs, "items": [item], "names": list(built.models)}
    bokeh = Resources(mode="inline", components=["bokeh"], minified=True).render_js()
    return {"plots": plots, "figures": Markup(as_json(figures)), "bokeh": Markup(bokeh)}  # noqa: S704


def _known(measurements: Measurements, identity: int) -> list[str]:
    table = measurements.series.table(identity)
    return [name for name, values in zip(measurements.columns, table[:, 1:].T) if not _empty(values)]


def _empty(values: Any) -> bool:
    return all(map(math.isnan, values.tolist()))


def _plot(plot: PersonPlot) -> dict[str, Any]:
    return {"name": plot.name, "columns": plot.columns, "decimals": plot.decimals}


def _video(clip: Clip | None) -> dict[str, Any]:
    stills = clip.stills if clip else []
    video = data_uri("video/mp4", clip.video) if clip and clip.video else ""
    return {"video": video, "pictures": stills, "poster": stills[0].uri if stills else ""}


def _size(measurements: Measurements, facts: Mapping[str, Any], clip: Clip | None) -> tuple[int, int]:
    size = facts.get("size") or {}
    if size.get("width") and size.get("height"):
        return int(size["width"]), int(size["height"])
    if clip and clip.size:
        return clip.size
    width, height = measurements.extent.tolist()
    return max(1, math.ceil(width)), max(1, math.ceil(height))


def _quality(person: Person) -> dict[str, Any]:
    score, jitter = person.mean_score, person.mean_jitter
    return {
        "id": person.id,
        "color": css(palette_of(person.id).base),
        "start": f"{person.start:.2f}",
        "end": f"{person.end:.2f}",
        "frames": person.states.total(),
        "coverage": f"{100 * person.coverage:.0f} %",
        "interpolated": person.states[State.INTERPOLATED],
        "predicted": person.states[State.PREDICTED],
        "score": "-" if math.isnan(score) else f"{score:.2f}",
        "jitter": "-" if math.isnan(jitter) else f"{jitter:.1f} px",
    }


def _events(measurements: Measurements) -> dict[str, Any]:
    ordered = sorted(measurements.events, key=lambda event: (event.time, event.track))
    return {
        "events": [
            {
                "time": event.time,
                "clock": f"{event.time:.2f} s",
                "person": event.track,
                "color": css(palette_of(event.track).base),
                "text": label(event.event),
                "value": "" if math.isnan(event.value) else f"{event.value:.4g}",
                "confidence": f"{event.confidence:.2f}",
            }
            for event in ordered[:MAX_EVENTS]
        ],
        "event_counts": [(label(name), n) for name, n in measurements.event_counts.most_common()],
        "more_events": max(0, measurements.event_counts.total() - MAX_EVENTS),
    }
