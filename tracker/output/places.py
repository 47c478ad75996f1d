"""Draw zones and lines of a recipe with their counts so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from ..features.events.regions import Line, Zone
from ..features.events.zones import Count, ZoneCounter
from ..types import Tracks
from .palette import INK, PAPER, Color
from .scale import FAR, cap_height, side
from .text_boxes import Image, TextBoxes, text_box


class PlaceTexts:
    """Callable `(tracks) -> counts of each zone and line as text, by name`.

    Args:
        zones: has processed the frames up to now.
    """

    def __init__(self, zones: ZoneCounter) -> None:
        self._zones = zones

    def __call__(self, tracks: Tracks) -> dict[str, str]:
        """Return the text of each zone and line."""
        return {place.name: _text(place, self._zones.counts[place.name]) for place in self._zones.places}


def _text(place: Zone | Line, count: Count) -> str:
    """Return the counts of a place: for a zone also who is inside now."""
    inside = f"  {count.inside} inside" if isinstance(place, Zone) else ""
    return f"{place.name}  {count.entered} in  {count.left} out{inside}"


def draw_outlines(image: Image, places: Sequence[Zone | Line]) -> None:
    """Draw zones as polygons, and lines with an arrow towards the side that is `in`; in place.

    Args:
        image: (H, W, 3) BGR uint8.
        places: in pixels of this image.
    """
    width = _width(image)
    for place in places:
        if isinstance(place, Zone):
            _stroke(image, np.array([*place.corners, place.corners[0]]), width)
            continue
        start, end = np.array(place.start), np.array(place.end)
        along = (end - start) / np.linalg.norm(end - start)
        left = np.array([along[1], -along[0]])  # seen from the start; y points downwards
        tip = (start + end) / 2 + 12 * width * left
        _stroke(image, np.array([start, end]), width)
        _stroke(image, np.array([(start + end) / 2, tip]), width)
        barbs = [tip - 5 * width * (left + sign * along) for sign in (-1, 1)]
        _stroke(image, np.array([barbs[0], tip, barbs[1]]), width)


def write_counts(image: Image, places: Sequence[Zone | Line], texts: Mapping[str, str]) -> None:
    """Write the text of each zone and line at its first point, in place.

    Args:
        image: (H, W, 3) BGR uint8.
        places: in pixels of this image.
        texts: by name.
    """
    text_boxes = TextBoxes(image)
    cap = cap_height(side(image))
    for place in places:
        x, y = place.corners[0] if isinstance(place, Zone) else place.start
        x, y = (int(min(max(value, -FAR), FAR)) for value in (x, y))
        text_boxes.put(text_box(texts.get(place.name, place.name), cap, PAPER, INK), x, y, steps=6)


def _stroke(image: Image, points: np.ndarray, width: int) -> None:
    """Draw a white line with a dark rim through points (P, 2), pixels."""
    line = points.clip(-FAR, FAR).round().astype(np.int32)
    shades: tuple[tuple[Color, int], ...] = ((INK, 3 * width), (PAPER, width))
    for color, thick in shades:
        cv2.polylines(image, [line], False, color, thick, cv2.LINE_AA)


def _width(image: Image) -> int:
    return max(1, round(0.0016 * side(image)))
