"""Joint angles in the image: an arc from the straight position to the limb, with its degrees (`--label angles`)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..features.extraction.stream import ActionFeatures
from ..features.kinematics.points import index, points
from ..types import Tracks
from .palette import PAPER, Palette
from .text_boxes import DEGREE, TextBoxes, text_box

SHIFT = 3  # fractional bits of OpenCV's fixed-point coordinates
RADIUS = 0.3  # of the shorter one of both limbs
SMALLEST = 4.0  # pixels; people whose arcs are smaller get none
SIDES = ("left", "right")
_LIMBS = {  # joint: from, to of the limb whose extension is straight, and the end of the limb that bends
    "knee": ("{}_hip", "{}_knee", "{}_ankle"),
    "hip": ("neck", "mid_hip", "{}_knee"),
    "elbow": ("{}_shoulder", "{}_elbow", "{}_wrist"),
}
JOINTS = {
    f"{side}_{name}": tuple(index(point.format(side)) for point in (*limbs, f"{{}}_{name}"))
    for name, limbs in _LIMBS.items()
    for side in SIDES
}


@dataclass(frozen=True, slots=True)
class Arc:
    """The angle of a joint.

    Attributes:
        center: of the joint, pixels.
        radius: pixels.
        start: direction in which the joint is straight, degrees clockwise from the image's right.
        sweep: from there to the limb, degrees in [-180, 180], clockwise.
        degrees: the joint's angle, as in the table of features.
    """

    center: tuple[float, float]
    radius: float
    start: float
    sweep: float
    degrees: float


class AngleArcs:
    """Callable `(tracks) -> arcs of knees, hips and elbows, by ID`.

    Args:
        actions: has processed these tracks; provides the view of each person.
    """

    def __init__(self, actions: ActionFeatures) -> None:
        self._actions = actions

    def __call__(self, tracks: Tracks) -> dict[int, list[Arc]]:
        """Return the arcs of each person."""
        found = {}
        for (identity, angles), places in zip(
            self._actions.angles(tracks).items(), points(tracks.keypoints, self._actions.skeleton)
        ):
            arcs = [_arc(places[list(rows)], float(angles[joint])) for joint, rows in JOINTS.items()]
            found[identity] = [arc for arc in arcs if arc]
        return found


def _arc(places: NDArray[np.floating], degrees: float) -> Arc | None:
    """Return the arc of a joint; None if it is unknown or too small.

    Args:
        places: (4, 2) pixels: both ends of the straight limb, the end of the bending one, the joint.
        degrees: the joint's angle.
    """
    first, second, end, joint = places
    straight, limb = second - first, end - joint
    radius = RADIUS * min(np.hypot(*straight), np.hypot(*limb))
    if not (np.isfinite(degrees) and radius >= SMALLEST):  # also if a place is unknown
        return None
    start, stop = (float(np.degrees(np.arctan2(y, x))) for x, y in (straight, limb))
    sweep = (stop - start + 180) % 360 - 180
    return Arc((float(joint[0]), float(joint[1])), float(radius), start, sweep, degrees)


def draw_arc(image: NDArray[np.uint8], arc: Arc, colors: Palette, *, width: float) -> None:
    """Draw an arc and the line from the joint in the straight direction, in place; `width` is that of a limb."""
    line = max(1, round(0.35 * width))
    center = np.array(arc.center)
    reach = center + arc.radius * _direction(arc.start)
    ends = (np.stack([center, reach]) * 2**SHIFT).round().astype(int).tolist()
    axes = (round(arc.radius * 2**SHIFT),) * 2
    for color, thickness in ((colors.dark, line + 2), (PAPER, line)):
        cv2.line(image, ends[0], ends[1], color, thickness, cv2.LINE_AA, SHIFT)
        turn = (0.0, arc.start, arc.start + arc.sweep)
        cv2.ellipse(image, ends[0], axes, *turn, color, thickness, cv2.LINE_AA, SHIFT)


def write_degrees(text_boxes: TextBoxes, arc: Arc, colors: Palette, *, cap: int) -> None:
    """Write the degrees of an arc beside the joint, on the side that the limb bends away from, if there is room."""
    text = text_box(f"{round(arc.degrees)}{DEGREE}", cap, colors.dark, colors.joint)
    height, width = text.shape[:2]
    away = _direction(arc.start + arc.sweep / 2 - (90 if arc.sweep >= 0 else -90))
    x, y = np.array(arc.center) + away * (width / 2 + cap, height / 2 + cap)
    text_boxes.put(text, round(x - width / 2), round(y - height / 2), steps=2)


def _direction(degrees: float) -> NDArray[np.float64]:
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
