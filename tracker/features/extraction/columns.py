"""The columns of the feature table: names, units and meanings, in order."""

from __future__ import annotations

from ..kinematics.angles import ANGLES, JOINTS
from ..kinematics.body import MEASURES, MIN_MASS
from ..kinematics.points import SIDES

LANDMARKS = (
    "nose",
    *(
        f"{side}_{name}"
        for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        for side in ("left", "right")
    ),
)
_IN_HEIGHTS = (  # of `MEASURES`
    *("left_hand_rise", "right_hand_rise", "hand_height", "hip_height", "stride", "spread", "lift"),
    *(f"{side}_{end}_offset" for side in SIDES for end in ("rear", "front")),
)
_UNITS = {"px": "_px", "body heights": "_bh"}  # ends of headers; the other units end the names themselves
ASYMMETRY_SECONDS = 2.0
SYMMETRIC = tuple(name.removeprefix("left_") for name in JOINTS if name.startswith("left_"))

LEAD = {
    "frame": ("", "number of the frame in the source, from 0"),
    "time_s": ("s", "presentation time of the frame in the source"),
    "track_id": ("", "the person, as in the keypoint table"),
    "state": ("", "measured, predicted or interpolated; nothing is computed from a predicted pose"),
    "view": ("", "direction that the person faces: right or left of the image, front or back"),
    "posture": ("", "standing, sitting, lying or bending"),
    "flags": ("", "angles outside their anatomical range and segments that are too long; empty if there are none"),
}


def columns(*, metres: bool, positions: bool = False) -> dict[str, tuple[str, str]]:
    """Return the numeric columns in order, each with unit and meaning; the columns of `LEAD` come first.

    Args:
        metres: whether to add columns in metres.
        positions: whether to add positions in metres, along the floor and above it.
    """
    table = {"posture_confidence": ("", "0 to 1"), "height_px": ("px", "the person's upright height")}
    table |= {f"{name}_deg": ("deg", angle.meaning) for name, angle in ANGLES.items()}
    table |= {f"{name}_deg_s": ("deg/s", f"angular velocity of {name.replace('_', ' ')}") for name in ANGLES}
    table |= {
        "com_x": ("px", "centre of mass, from the left edge of the image"),
        "com_y": ("px", "centre of mass, from the top edge of the image"),
        "feet_y": ("px", "the lower foot, from the top edge of the image; its big toe, or ankle without feet"),
        "com_mass": ("", f"share of the body's mass that is seen; below {MIN_MASS} there is no centre of mass"),
    }
    if metres:
        table["px_per_m"] = ("px/m", "scale of this person in this frame")
        table["metre_sd_pct"] = ("%", "standard deviation of lengths in metres, see calibration; empty if unknown")
    if positions:
        table["com_x_m"] = ("m", "centre of mass along the floor, from the left end of its line")
        table["com_height_m"] = ("m", "centre of mass above the floor's line")
    lengths = {"px": "px", "bh": "body heights"} | ({"m": "m"} if metres else {})
    for name in ("com", *LANDMARKS):
        name_in_words = "centre of mass" if name == "com" else name.replace("_", " ")
        for short, unit in lengths.items():
            table[f"{name}_speed_{short}_s"] = (f"{unit}/s", f"speed of the {name_in_words}")
            table[f"{name}_acceleration_{short}_s2"] = (f"{unit}/s2", f"size of the {name_in_words}'s acceleration")
    table |= {
        f"{name}_asymmetry_pct": (
            "%",
            f"asymmetry index of the {name}s' ranges over the last {ASYMMETRY_SECONDS:g} s; 0 is even, positive where "
            "the left one moves more",
        )
        for name in SYMMETRIC
    }
    table |= {name: ("body heights" if name in _IN_HEIGHTS else "", meaning) for name, meaning in MEASURES.items()}
    table |= {"descent_bh_s": ("body heights/s", "speed downwards, mean of shoulders and hips")}
    table |= {f"{name}_quality": ("", "reliability of the angle, 0 to 1; 0 if flagged") for name in ANGLES}
    scored = "score of its keypoints, 0 to 1; half if they are interpolated and a quarter if predicted"
    return table | {f"{name}_score": ("", scored) for name in ("com", *LANDMARKS, "pose")}


def unit_of(measure: str) -> str:
    """Return the unit of an angle or a body measure, or of the mean of both sides; empty for a ratio."""
    names = {measure, f"left_{measure}"}
    return "deg" if names & {*ANGLES} else "body heights" if names & {*_IN_HEIGHTS} else ""


def header(name: str, unit: str) -> str:
    """Return the header of a column in a file: its name, with its unit at the end."""
    end = _UNITS.get(unit, "")
    return name if name.endswith(end) else name + end
