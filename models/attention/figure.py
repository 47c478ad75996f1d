"""Draw the attention figure: a grid of crops overlaid with attention maps, with titles, labels and a colour scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]  # uint8 BGR, which OpenCV's annotations do not state

PANEL = 320  # height of one panel in pixels
GAP = 12
MARGIN = 36
INK, GREY, WHITE = (34, 34, 34), (120, 120, 120), (255, 255, 255)
SUPERSAMPLING = 4  # text is drawn larger and downscaled, for smooth edges


@dataclass(frozen=True, slots=True)
class Row:
    """One layer: its label and two maps (H, W) of the crop's size."""

    label: str
    depends: NDArray[Any]
    affects: NDArray[Any]


def draw_figure(
    crop: Image,
    rows: list[Row],
    *,
    query: NDArray[np.floating],
    heatmap: NDArray[Any],
    title: str,
    subtitle: str,
    caption: str,
) -> Image:
    """Return the figure: the crop and its heat map on the left, then one row per layer, in up to three blocks.

    Args:
        crop: the crop (H, W, 3) BGR.
        rows: layers from the first to the last.
        query: (x, y) in pixels of the crop, marked in every panel.
        heatmap: (h, w) of the keypoint.
        title: first line.
        subtitle: second line.
        caption: under the crop.
    """
    blocks = min(-(-len(rows) // 4), 3)
    lines = max(-(-len(rows) // blocks), 2)  # the left column has two panels
    width = round(PANEL * crop.shape[1] / crop.shape[0])
    top, label, step = 150, 34, PANEL + GAP
    left = MARGIN + width + 2 * GAP
    block = label + 2 * (width + GAP) + GAP
    canvas = np.full((top + lines * step + 64, left + blocks * block + MARGIN - 2 * GAP, 3), 255, np.uint8)

    _text(canvas, title, (MARGIN, 58), size=30, color=INK, bold=True)
    _text(canvas, subtitle, (MARGIN, 92), size=18, color=GREY)
    peak = cv2.resize(heatmap, crop.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    for i, (shown, words) in enumerate(((None, caption), (peak, "heat map"))):
        y = top + i * step
        canvas[y : y + PANEL, MARGIN : MARGIN + width] = _panel(crop, shown, query, width)
        _shadowed(canvas, words, (MARGIN + 10, y + PANEL - 12))
    _text(canvas, "input", (MARGIN + width // 2, top - 14), size=19, color=INK, center=True)

    for i, row in enumerate(rows):
        x, y = left + i // lines * block, top + i % lines * step
        _label(canvas, row.label, (x, y))
        for j, (column, shown) in enumerate((("depends on", row.depends), ("affects", row.affects))):
            at = x + label + j * (width + GAP)
            canvas[y : y + PANEL, at : at + width] = _panel(crop, shown, query, width)
            words = f"max {shown.max():.2g}" if shown.max() > 0 else "below the threshold"
            _shadowed(canvas, words, (at + 10, y + PANEL - 12))
            if i % lines == 0:
                _text(canvas, column, (at + width // 2, top - 14), size=19, color=INK, center=True)
    _scale(canvas, (left + label, top + lines * step + 8), width=width)
    return canvas


def _panel(crop: Image, shown: NDArray[Any] | None, query: NDArray[np.floating], width: int) -> Image:
    """Return the crop with a map over it, coloured from 0 to the map's own maximum, and the query marked."""
    zoom = PANEL / crop.shape[0]
    panel = cv2.resize(crop, (width, PANEL), interpolation=cv2.INTER_CUBIC)
    if shown is not None:
        grey = cv2.cvtColor(cv2.cvtColor(panel, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        weight = cv2.resize(np.maximum(shown, 0) / max(float(shown.max()), 1e-12), (width, PANEL))
        panel = _colored(weight, background=0.55 * grey + 40)
    center = tuple(round(float(value) * zoom + (zoom - 1) / 2) for value in query)
    for color, thickness in (((0, 0, 0), 4), (WHITE, 2)):
        cv2.circle(panel, center, 8, color, thickness, cv2.LINE_AA)
    cv2.circle(panel, center, 2, (0, 0, 0), -1, cv2.LINE_AA)
    return panel


def _colored(weight: NDArray[Any], *, background: NDArray) -> Image:
    """Overlay colours on a background (H, W, 3): transparent at weight 0, bright and nearly opaque at 1."""
    weight = np.clip(weight, 0, 1)
    color = cv2.applyColorMap(np.round(255 * weight).astype(np.uint8), cv2.COLORMAP_INFERNO)
    opacity = np.minimum(1.6 * weight**0.7, 0.75)[..., None]
    return np.clip((1 - opacity) * background + opacity * color, 0, 255).astype(np.uint8)


def _scale(canvas: Image, at: tuple[int, int], *, width: int) -> None:
    """Draw the colour scale, from 0 to the maximum of a map."""
    x, y = at
    ramp = np.repeat(np.linspace(0, 1, width, dtype=np.float32)[None], 14, axis=0)
    canvas[y : y + 14, x : x + width] = _colored(ramp, background=np.full((14, width, 3), 105.0))
    _text(canvas, "0", (x, y + 34), size=15, color=GREY)
    _text(canvas, "max of each map", (x + width, y + 34), size=15, color=GREY, right=True)


def _label(canvas: Image, words: str, at: tuple[int, int]) -> None:
    """Write a label that reads upwards at the left of a row."""
    strip = np.full((26, PANEL, 3), 255, np.uint8)
    _text(strip, words, (PANEL // 2, 19), size=19, color=INK, center=True)
    canvas[at[1] : at[1] + PANEL, at[0] : at[0] + 26] = cv2.rotate(strip, cv2.ROTATE_90_COUNTERCLOCKWISE)


def _shadowed(canvas: Image, words: str, at: tuple[int, int]) -> None:
    for x, y in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        _text(canvas, words, (at[0] + x, at[1] + y), size=16, color=(0, 0, 0))
    _text(canvas, words, at, size=16, color=WHITE)


def _text(
    canvas: Image,
    words: str,
    at: tuple[int, int],
    *,
    size: int,
    color: tuple[int, int, int],
    bold: bool = False,
    center: bool = False,
    right: bool = False,
) -> None:
    """Draw a line of text with its baseline's start, centre or end at a position; `size` is about a letter's height."""
    s, font = SUPERSAMPLING, cv2.FONT_HERSHEY_DUPLEX
    scale, thickness = s * size / 30, round(s * size / 30 * (1.4 if bold else 0.6))
    (width, height), below = cv2.getTextSize(words, font, scale, thickness)
    mask: Image = np.zeros((-(-(height + below + 4 * s) // s) * s, -(-(width + 4 * s) // s) * s), np.uint8)
    cv2.putText(mask, words, (2 * s, height + 2 * s), font, scale, 255, thickness, cv2.LINE_AA)
    mask = cv2.resize(mask, (mask.shape[1] // s, mask.shape[0] // s), interpolation=cv2.INTER_AREA)
    x = at[0] - 2 - (mask.shape[1] // 2 - 2 if center else mask.shape[1] - 4 if right else 0)
    y = at[1] - height // s - 2
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + mask.shape[1], canvas.shape[1]), min(y + mask.shape[0], len(canvas))
    if x0 >= x1 or y0 >= y1:
        return
    opacity = mask[y0 - y : y1 - y, x0 - x : x1 - x, None] / 255
    canvas[y0:y1, x0:x1] = (1 - opacity) * canvas[y0:y1, x0:x1] + opacity * np.array(color)
