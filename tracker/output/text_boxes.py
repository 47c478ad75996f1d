"""Write texts on an image, each in a box of one colour, of which none covers another."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .palette import Color

Image = NDArray[np.uint8]

FONT = cv2.FONT_HERSHEY_DUPLEX
CAP_HEIGHT = 22  # pixels of a capital letter at font scale 1
DEGREE = "°"  # at the end of a text; the font has none


class TextBoxes:
    """Draw text boxes on an image, moved inside it and beside existing ones.

    Args:
        image: (H, W, 3) BGR uint8; modified.
    """

    def __init__(self, image: Image) -> None:
        self._image = image
        self._taken = np.empty((0, 4), int)  # x1, y1, x2, y2

    def put(self, box: Image, x: int, y: int, *, steps: int) -> bool:
        """Draw a box with its upper left corner at (x, y), or where there is room for it above or below.

        Args:
            box: (h, w, 3); cropped to the size of the image.
            x: of the preferred place, pixels.
            y: of the preferred place, pixels.
            steps: how many of its heights it may move.

        Returns:
            False if there is no room, and nothing is drawn.
        """
        height, width = self._image.shape[:2]
        rows, columns = min(box.shape[0], height), min(box.shape[1], width)
        x, y = min(max(x, 0), width - columns), min(max(y, 0), height - rows)
        moves = sorted(range(-steps, steps + 1), key=abs)  # the nearest first
        tops = y + (rows + 1) * np.array(moves)
        tops = tops[(tops >= 0) & (tops <= height - rows)]
        x1, y1, x2, y2 = self._taken.T
        covered = (x1 < x + columns) & (x < x2) & (y1 < tops[:, None] + rows) & (tops[:, None] < y2)
        free = tops[~covered.any(1)]
        if not len(free):
            return False
        top = int(free[0])
        self._image[top : top + rows, x : x + columns] = box[:rows, :columns]
        self._taken = np.concatenate([self._taken, [[x, top, x + columns, top + rows]]])
        return True


@lru_cache(maxsize=1024)
def text_box(text: str, cap: int, color: Color, ink: Color) -> Image:
    """Return the image of a text on a colour; cached, because texts recur in every frame.

    Args:
        text: a degree sign at its end is drawn as a ring.
        cap: height of a capital letter, pixels.
        color: of the background.
        ink: of the text.
    """
    height, width, _ = text_size(text, cap)
    image = np.full((height, width, 3), color, dtype=np.uint8)
    write(image, text, cap, ink)
    image.flags.writeable = False
    return image


@lru_cache(maxsize=1024)
def text_size(text: str, cap: int) -> tuple[int, int, int]:
    """Return height and width of a text including its margin, and the margin, for capitals `cap` pixels high."""
    (width, _), _ = cv2.getTextSize(text.removesuffix(DEGREE), FONT, cap / CAP_HEIGHT, _weight(cap))
    margin = max(3, round(0.45 * cap))
    ring = round(0.6 * cap) if text.endswith(DEGREE) else 0
    return cap + 2 * margin, width + ring + 2 * margin, margin


def write(image: Image, text: str, cap: int, color: Color) -> None:
    """Write a text on an image of its size, in place."""
    _, width, margin = text_size(text, cap)
    scale, weight = cap / CAP_HEIGHT, _weight(cap)
    cv2.putText(image, text.removesuffix(DEGREE), (margin, margin + cap), FONT, scale, color, weight, cv2.LINE_AA)
    if text.endswith(DEGREE):
        radius = max(1, round(0.16 * cap))
        cv2.circle(image, (width - margin - radius, margin + radius), radius, color, weight, cv2.LINE_AA)


def _weight(cap: int) -> int:
    return max(1, round(cap / 13))
