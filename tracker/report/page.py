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
from ..features.extraction.columns import SYMMETRIC
from . import tables
from .clip import Clip, data_uri
from .data import SIDES, as_json, label, page_data, shades
from .drawing import MOST_IN_LEGEND
from .facts import facts_in_words, in_words, subtitle, warnings_of
from .figures import Figures, PersonPlot, person_plots
from .measurements import Measurements
from .movement import PersonMovement
from .person import Person
from .person_tables import person_tables


def render(measurements: Measurements, *, facts: Mapping[str, Any], clip: Clip | None = None, logo: str = "") -> str:
    """Return the page.

    Args:
        measurements: complete measurements of the video.
        facts: metadata of the run, as in its sidecar; missing ones are omitted.
        clip: annotated video.
        logo: data URI of an image.
    """
    config = facts.get("config", {})
    source = str(facts.get("source") or "posetrack")
    size = _size(measurements, facts, clip)
    people = sorted(measurements.people.values(), key=lambda person: person.id)
    values: dict[str, Any] = {
        "title": config.get("title") or (source if "://" in source else PurePath(source).name),
        "notes": config.get("notes") or "",
        "logo": logo,
        "subtitle": subtitle(measurements, facts, size),
        "warnings": warnings_of(facts),
        "people": [_person(person) for person in people],
        "facts": facts_in_words(facts),
        "options": [(label(key), in_words(value)) for key, value in config.items()],
        "version": __version__,
        "style": _asset("page.css"),
        "size": size,
        "sides": SIDES,
        "most_in_legend": MOST_IN_LEGEND,
    }
    if people:
        values |= _plots(measurements, size) | _video(clip)
        data = page_data(measurements, clip, size=size)
        stills = clip.stills if clip else []
        data |= {
            "plots": [_plot(plot) for plot in values["plots"]],
            "images": [still.uri for still in stills] if data["times"] else [],
            "backdrop": stills[0].uri if stills else None,
            "first": max(people, key=lambda person: person.height).id,  # near the camera and present for long
        }
        values |= {
            "data": Markup(as_json(data)),  # noqa: S704 - escaped
            "scripts": [_asset(name) for name in ("save.js", "measure.js", "page.js")],
            "person_tables": person_tables(measurements),
            "quality": tables.quality(measurements),
            "events": tables.events(measurements) if measurements.events else None,
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
    cycles = _cycles(measurements)
    built = Figures(
        span=(measurements.start, measurements.end),
        people=len(measurements.people),
        size=size,
        plots=plots,
        cycles=cycles,
        uneven=[joint for joint in SYMMETRIC if any(joint in moves.asymmetry for moves in _moves(measurements))],
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
    return {
        "plots": plots,
        "cycles": cycles,
        "asymmetry": "asymmetry" in built.models,
        "figures": Markup(as_json(figures)),  # noqa: S704 - escaped
        "bokeh": Markup(bokeh),  # noqa: S704 - Bokeh's own script
    }


def _moves(measurements: Measurements) -> list[PersonMovement]:
    return list(measurements.movement.people.values()) if measurements.movement else []


def _cycles(measurements: Measurements) -> list[str]:
    """Return the joints with a curve over the gait cycle, without their sides."""
    seen = {
        joint.partition("_")[2]
        for moves in _moves(measurements)
        for joint, curve in moves.gait.curves.items()
        if curve.count.any()
    }
    return sorted(seen, key=["hip", "knee", "ankle"].index)


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
    return {"video": video, "images": stills, "poster": stills[0].uri if stills else ""}


def _size(measurements: Measurements, facts: Mapping[str, Any], clip: Clip | None) -> tuple[int, int]:
    size = facts.get("size") or {}
    if size.get("width") and size.get("height"):
        return int(size["width"]), int(size["height"])
    if clip and clip.size:
        return clip.size
    width, height = measurements.extent.tolist()
    return max(1, math.ceil(width)), max(1, math.ceil(height))


def _person(person: Person) -> dict[str, Any]:
    return {"id": person.id, "colors": shades(person.id), "start": f"{person.start:.2f}", "end": f"{person.end:.2f}"}
