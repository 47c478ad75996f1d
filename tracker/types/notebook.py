"""Show the people of a frame in a notebook: a small table, and their skeletons as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from ...models.geometry.skeletons import SKELETONS
from .person import Person

HEIGHT = 200  # CSS pixels of the drawing
MIN_SCORE = 0.2  # keypoints below it are not drawn, as in the overlay
GOLDEN = 137.508  # degrees of hue from one ID to the next; neighbours differ


def people_html(people: Sequence[Person], names: tuple[str, ...]) -> str:
    """Return a fragment of HTML.

    Args:
        people: of one frame.
        names: of their K keypoints; limbs are drawn for the known skeletons.
    """
    title = f"<b>{len(people)} {'person' if len(people) == 1 else 'people'}</b>"
    if not people:
        return f"<div>{title}</div>"
    rows = "".join(_row(person) for person in people)
    head = "".join(f"<th>{name}</th>" for name in ("id", "state", "score", "box (pixels)", "keypoints"))
    return f"<div>{title}{_drawing(people, names)}<table><tr>{head}</tr>{rows}</table></div>"


def _row(person: Person) -> str:
    box = ", ".join(f"{value:.0f}" for value in person.box.tolist())
    seen = int(np.isfinite(person.keypoints.xy).all(-1).sum())
    cells = (
        f'<span style="color:{_color(person)}">&#9632;</span> {person.id}',
        escape(str(person.state)),
        f"{person.score:.2f}",
        box,
        f"{seen} of {len(person.keypoints)}",
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _drawing(people: Sequence[Person], names: tuple[str, ...]) -> str:
    """Return the skeletons in the smallest rectangle that holds them; empty if no keypoint is known."""
    points = np.concatenate([person.keypoints.xy for person in people])
    known = points[np.isfinite(points).all(-1)]
    if not len(known):
        return ""
    (left, top), (right, bottom) = known.min(0).tolist(), known.max(0).tolist()
    margin = 0.05 * max(right - left, bottom - top, 1)
    limbs = next((skeleton.limbs for skeleton in SKELETONS.values() if skeleton.keypoints == names), ())
    shapes = [shape for person in people for shape in _figure(person, limbs, width=margin / 4)]
    frame = f"{left - margin:.1f} {top - margin:.1f} {right - left + 2 * margin:.1f} {bottom - top + 2 * margin:.1f}"
    return f'<svg viewBox="{frame}" height="{HEIGHT}" style="display:block;max-width:100%">{"".join(shapes)}</svg>'


def _figure(person: Person, limbs: tuple[tuple[int, int], ...], *, width: float) -> list[str]:
    xy, color = person.keypoints.xy, _color(person)
    seen = np.isfinite(xy).all(-1) & (person.keypoints.scores >= MIN_SCORE)
    lines = [
        f'<line x1="{xy[a, 0]:.1f}" y1="{xy[a, 1]:.1f}" x2="{xy[b, 0]:.1f}" y2="{xy[b, 1]:.1f}" '
        f'stroke="{color}" stroke-width="{width:.1f}" stroke-linecap="round"/>'
        for a, b in limbs
        if seen[a] and seen[b]
    ]
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{width:.1f}" fill="{color}"/>' for x, y in xy[seen].tolist()]
    return lines + dots


def _color(person: Person) -> str:
    return f"hsl({person.id * GOLDEN % 360:.0f} 70% 45%)"
