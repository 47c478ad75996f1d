"""Draw anti-aliased lines with rims and round ends: a pixel's colour is mixed by the covered share."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..tracking.compiled import kernel, subroutine

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)


@partial(kernel, nogil=True)
def draw_strokes(
    image: NDArray[np.uint8], strokes: NDArray[np.float32], visible: NDArray[np.bool_], colors: NDArray[np.uint8]
) -> None:
    """Draw strokes in order, in place.

    Args:
        image: (H, W, 3).
        strokes: (M, 7): x, y, x, y of both ends in pixels, half the width of the line, width of the rim, opacity in
            [0, 1]. Both ends of a dot are the same point.
        visible: (M,) which of them are drawn.
        colors: (M, 2, 3) of line and rim.
    """
    height, width, _ = image.shape
    distances = np.empty(max(height, width), np.float32)
    for m in range(len(strokes)):
        if visible[m]:
            _draw_stroke(image.reshape(-1), height, width, strokes[m], colors[m], distances)


@subroutine
def _draw_stroke(
    values: NDArray[np.uint8],
    height: int,
    width: int,
    stroke: NDArray[np.float32],
    colors: NDArray[np.uint8],
    distances: NDArray[np.float32],
) -> None:
    """Draw one stroke, row by row.

    Args:
        values: (H W 3) of the image.
        height: of the image, pixels.
        width: of the image, pixels.
        stroke: (7,).
        colors: (2, 3) of line and rim.
        distances: (L,) room for the distances of a row's pixels from the line.
    """
    x0, y0, x1, y1 = stroke[0], stroke[1], stroke[2], stroke[3]
    columns, rows, across, down = width, height, 3, 3 * width
    if abs(y1 - y0) > abs(x1 - x0):  # rows run along the line, so that neighbouring pixels take the same branch
        x0, y0, x1, y1 = y0, x0, y1, x1
        columns, rows, across, down = rows, columns, down, across
    inner = stroke[4] + _HALF  # from the centre to where the line covers nothing
    outer = inner + stroke[5]  # and to where the rim covers nothing
    opacity, line, rim = stroke[6], colors[0], colors[1]
    dx, dy = x1 - x0, y1 - y0
    squared = dx * dx + dy * dy
    inverse = _ONE / squared if squared > 0 else _ZERO
    slope = _ONE / dy if dy != 0 else _ZERO
    top = max(math.floor(min(y0, y1) - outer), 0)
    bottom = min(math.ceil(max(y0, y1) + outer), rows - 1)
    for y in range(top, bottom + 1):
        py = np.float32(y) - y0
        start, end = _ZERO, _ONE  # the part of the line that is within reach of this row
        if dy != 0:
            a, b = (py - outer) * slope, (py + outer) * slope
            start, end = max(start, min(a, b)), min(end, max(a, b))
        a, b = x0 + start * dx, x0 + end * dx
        first = max(int(min(a, b) - outer), 0)
        count = min(int(max(a, b) + outer) + 2, columns) - first
        px0 = np.float32(first) - x0
        for i in range(count):  # without branches, so that the compiler vectorises it
            px = px0 + np.float32(i)
            along = min(max((px * dx + py * dy) * inverse, _ZERO), _ONE)
            ex, ey = px - along * dx, py - along * dy
            distances[i] = np.sqrt(ex * ex + ey * ey)
        place = y * down + first * across
        for i in range(count):
            if distances[i] < outer:
                of_line = min(max(inner - distances[i], _ZERO), _ONE) * opacity
                of_rim = min(outer - distances[i], _ONE) * opacity - of_line
                rest = _ONE - of_line - of_rim
                for c in range(3):
                    mixed = values[place + c] * rest + line[c] * of_line + rim[c] * of_rim
                    values[place + c] = np.uint8(mixed + _HALF)
            place += across
