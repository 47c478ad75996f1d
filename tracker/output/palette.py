"""One colour per ID: consecutive IDs have distant hues, and all colours are equally bright."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

Color = tuple[int, int, int]

GOLDEN = 0.618033988749895  # hue step per ID, in turns: the first n IDs are at least 1 / (2.6 n) apart
INK: Color = (24, 24, 24)
PAPER: Color = (245, 245, 245)


@dataclass(frozen=True, slots=True)
class Palette:
    """The shades of one ID, BGR.

    Attributes:
        base: limbs in the middle, box, background of the label.
        left: limbs on the person's left side, lighter.
        right: limbs on the person's right side, darker.
        dark: rims, which separate the lines from a bright background.
        joint: nearly white.
        ink: text on the base colour.
    """

    base: Color
    left: Color
    right: Color
    dark: Color
    joint: Color
    ink: Color = INK

    @property
    def sides(self) -> dict[int, Color]:
        """Limbs by side: -1 left, 0 middle, 1 right."""
        return {-1: self.left, 0: self.base, 1: self.right}


@lru_cache(maxsize=4096)
def palette(identity: int) -> Palette:
    """Return the shades of an ID, the same in every run."""
    hue = identity * GOLDEN % 1
    return Palette(
        base=oklch(0.76, 0.16, hue),
        left=oklch(0.86, 0.12, hue),
        right=oklch(0.68, 0.18, hue),
        dark=oklch(0.24, 0.05, hue),
        joint=oklch(0.97, 0.03, hue),
    )


DARK, LEFT, MIDDLE, RIGHT, JOINT = range(5)  # rows of `shades`


@lru_cache(maxsize=256)
def shades(identities: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return the shades (N, 5, 3) of IDs: rim, limbs on the left, in the middle and on the right, joints."""
    palettes = [palette(identity) for identity in identities]
    rows = [(colors.dark, colors.left, colors.base, colors.right, colors.joint) for colors in palettes]
    return np.array(rows, dtype=np.uint8).reshape(-1, 5, 3)


def oklch(lightness: float, chroma: float, hue: float) -> Color:
    """Convert perceived lightness (0 to 1), chroma (0 to 0.3) and hue (turns) to BGR, clipped to sRGB.

    Source: Ottosson 2020, "A perceptual color space for image processing", https://bottosson.github.io/posts/oklab.
    """
    a, b = chroma * cos(2 * pi * hue), chroma * sin(2 * pi * hue)
    cones = np.array(
        [
            lightness + 0.3963377774 * a + 0.2158037573 * b,
            lightness - 0.1055613458 * a - 0.0638541728 * b,
            lightness - 0.0894841775 * a - 1.2914855480 * b,
        ]
    )
    to_rgb = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear = np.clip(to_rgb @ cones**3, 0, 1)
    rgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    red, green, blue = np.rint(255 * rgb).astype(int).tolist()
    return blue, green, red
