"""Body measures: height in pixels, centre of mass, view direction and posture measures.

Lengths and masses are those of an average adult: Winter 2009, Biomechanics and Motor Control of Human Movement, 4th
edition, figure 4.1 (lengths after Drillis and Contini 1966) and table 4.1 (masses and centres of mass).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .angles import VIEWS
from .points import POINTS, SIDES, Array, index

LENGTHS = {"trunk": 0.288, "thigh": 0.245, "shank": 0.246, "arm": 0.186, "forearm": 0.146}  # in body heights
ANKLE_HEIGHT = 0.039  # of the ankle above the floor, in body heights

_LEGS = (("hip", "knee"), ("knee", "ankle"))
_TOO_LONG = 1.35  # typical lengths, for a trunk that is seen in its whole length

# (share of the body's mass, share of the way from the first point to the second, first, second)
MASSES: dict[str, tuple[float, float, str, str]] = {
    "head and neck": (0.081, 0.0, "ears", "ears"),
    "trunk": (0.497, 0.5, "neck", "mid_hip"),
    **{
        f"{side} {name}": (mass, way, f"{side}_{a}", f"{side}_{b}")
        for side in SIDES
        for name, mass, way, a, b in (
            ("upper arm", 0.028, 0.436, "shoulder", "elbow"),
            ("forearm and hand", 0.022, 0.682, "elbow", "wrist"),
            ("thigh", 0.100, 0.433, "hip", "knee"),
            ("shank and foot", 0.061, 0.606, "knee", "ankle"),
        )
    },
}
MIN_MASS = 0.8  # minimum observed share of the body's mass; one leg may be occluded, not both
_SHARES = np.array([row[0] for row in MASSES.values()])
_WAYS = np.array([row[1] for row in MASSES.values()])[:, None]
_FIRST = np.array([index(row[2]) for row in MASSES.values()])
_SECOND = np.array([index(row[3]) for row in MASSES.values()])

SIDE_WIDTH, FRONT_WIDTH = 0.65, 0.8  # of the breadth in a front view: thresholds towards the side and the front view
# A lens shows people near the edge of the image broader than they are, by the tangent of their angle from its axis: a
# walker who passes the camera seems to turn. Both thresholds are higher while the face is seen from the side.
_STRETCH, _PROFILE = 0.2, 0.045  # of the breadth; body heights of the nose in front of the ears, 0.06 from the side
_BREADTH = 0.38  # of shoulders and hips together, in body heights, as annotated in images

MEASURES = {
    "trunk_rise": "height of the neck above the hips, in trunk lengths; 1 upright, 0 level, -1 upside down",
    "thigh_drop": "height of the hips above the knees, in thigh lengths, mean of both legs; 1 standing, 0 sitting",
    "thigh_split": "difference between the thighs' drops; 0 where both legs do the same, 1 at the bottom of a lunge",
    "hip_height": "height of the hips above the lower ankle, in body heights; 0.49 standing",
    "shank_drop": "height of the knees above the ankles, in shank lengths, mean of both legs; 1 standing",
    "left_arm_raise": "height of the left wrist above its shoulder, in arm lengths; -1 hanging, 1 overhead",
    "right_arm_raise": "height of the right wrist above its shoulder, in arm lengths; -1 hanging, 1 overhead",
    "left_hand_rise": "height of the left wrist above the ears, in body heights",
    "right_hand_rise": "height of the right wrist above the ears, in body heights",
    "elbow_drop": "height of the shoulders above the elbows, in upper arm lengths, mean of both sides; 1 hanging",
    "hand_height": "height of the wrists above the ankles, mean of both sides, in body heights",
    "stride": "how far the left ankle is on the right of the other in the image, in body heights",
    "spread": "how far the ankles are apart sideways in the image, in body heights",
    "lift": "how far the left ankle is above the other in the image, in body heights",
    **{
        f"{side}_{end}_offset": f"how far the {end} of the {side} foot is on the right of the hips in the image, in "
        "body heights; the ankle with a skeleton without feet"
        for end in ("rear", "front")
        for side in SIDES
    },
}


def centre_of_mass(values: Array) -> tuple[Array, Array]:
    """Return the centre of mass, or its velocity or acceleration, from those of the points.

    Args:
        values: (..., P, 2); NaN where missing.

    Returns:
        (..., 2), NaN where the observed share is below `MIN_MASS`, and the observed share (...) of the mass.
    """
    segments = values[..., _FIRST, :] * (1 - _WAYS) + values[..., _SECOND, :] * _WAYS
    known = np.isfinite(segments).all(-1)
    seen = (known * _SHARES).sum(-1)
    weighted = np.where(known[..., None], segments, 0.0) * _SHARES[:, None]
    centre = weighted.sum(-2) / np.maximum(seen, 1e-9)[..., None]
    return np.where((seen >= MIN_MASS)[..., None], centre, np.nan), seen


def height(points: Array) -> Array:
    """Estimate the upright height of people in pixels, from the lengths of trunk, thighs and shanks.

    A limb that points at the camera appears shorter, so the longer of left and right is used, and the result is a
    lower bound: see `update_length`. A limb that is too long for the trunk leads to the other leg's keypoint and is
    left out.

    Args:
        points: (..., P, 2) pixels.

    Returns:
        (...) pixels; NaN where the trunk is missing.
    """
    trunk = _length(points, "neck", "mid_hip")
    thigh, shank = (
        np.fmax(
            *(
                np.where(length > _TOO_LONG * LENGTHS[name] / LENGTHS["trunk"] * trunk, np.nan, length)
                for length in (_length(points, f"{side}_{a}", f"{side}_{b}") for side in SIDES)
            )
        )
        for name, (a, b) in zip(("thigh", "shank"), _LEGS)
    )
    total, share = trunk, np.full(points.shape[:-2], LENGTHS["trunk"])
    for length, name in ((thigh, "thigh"), (shank, "shank")):
        known = np.isfinite(length) & (share >= LENGTHS["trunk"])
        total, share = np.where(known, total + length, total), np.where(known, share + LENGTHS[name], share)
    return total / share


def arm_length(points: Array) -> Array:
    """Return the length (...) of each person's longer arm in pixels, shoulder to wrist; see `update_length`."""
    return np.fmax(
        *(
            _length(points, f"{side}_shoulder", f"{side}_elbow") + _length(points, f"{side}_elbow", f"{side}_wrist")
            for side in SIDES
        )
    )


def _length(points: Array, a: str, b: str) -> Array:
    return np.linalg.norm(points[..., index(a), :] - points[..., index(b), :], axis=-1)


def is_upright(points: Array) -> NDArray[np.bool_]:
    """Return a mask (...) of people whose trunk and legs are upright in the image and have plausible proportions."""
    trunk, breadth = _length(points, "neck", "mid_hip"), _length(points, "left_shoulder", "right_shoulder")
    straight = _rise(points, "neck", "mid_hip") > 0.85 * trunk
    legs = []
    for side in SIDES:
        thigh = _length(points, f"{side}_hip", f"{side}_knee")
        length = thigh + _length(points, f"{side}_knee", f"{side}_ankle")
        legs.append((_rise(points, f"{side}_hip", f"{side}_ankle") > 0.9 * length) & (thigh > 0.6 * trunk))
    return straight & (trunk > breadth) & (legs[0] | legs[1])


def update_length(before: float, now: float, dt: float, *, trusted: bool) -> float:
    """Update the running estimate of a length: it rises fast and falls slowly, because limbs may be foreshortened.

    Args:
        before: pixels; NaN for a new person.
        now: pixels in this frame; NaN if unknown.
        dt: seconds since the last frame.
        trusted: whether the length is not foreshortened, so that the estimate may also fall fast.
    """
    if np.isnan(before) or np.isnan(now):
        return before if np.isnan(now) else now
    seconds = 0.5 if trusted else 0.2 if now > before else 30.0
    return before + (1 - np.exp(-dt / seconds)) * (now - before)


def _rise(points: Array, upper: str, lower: str) -> Array:
    return points[..., index(lower), 1] - points[..., index(upper), 1]


def measures(points: Array, heights: Array, arms: Array) -> Array:
    """Return the posture measures of people, from vertical distances, which do not depend on the view.

    Args:
        points: (N, P, 2) pixels.
        heights: (N,) pixels.
        arms: (N,) lengths of the arms, pixels.

    Returns:
        (N, M) in the order of `MEASURES`; NaN where unknown.
    """
    at = {name: points[:, row] for row, name in enumerate(POINTS)}

    def above(upper: str, lower: str) -> Array:
        return (at[lower][:, 1] - at[upper][:, 1]) / heights

    def both(upper: str, lower: str) -> Array:
        left, right = (above(f"{side}_{upper}", f"{side}_{lower}") for side in SIDES)
        return np.where(np.isnan(left), right, np.where(np.isnan(right), left, (left + right) / 2))

    stride = (at["left_ankle"][:, 0] - at["right_ankle"][:, 0]) / heights
    return np.stack(
        [
            above("neck", "mid_hip") / LENGTHS["trunk"],
            both("hip", "knee") / LENGTHS["thigh"],
            np.abs(above("left_hip", "left_knee") - above("right_hip", "right_knee")) / LENGTHS["thigh"],
            np.fmax(above("mid_hip", "left_ankle"), above("mid_hip", "right_ankle")),
            both("knee", "ankle") / LENGTHS["shank"],
            *(above(f"{side}_wrist", f"{side}_shoulder") * heights / arms for side in SIDES),
            *(above(f"{side}_wrist", "ears") for side in SIDES),
            both("shoulder", "elbow") / LENGTHS["arm"],
            both("wrist", "ankle"),
            stride,
            np.abs(stride),
            above("left_ankle", "right_ankle"),
            *(
                (at[f"{side}_{end}"][:, 0] - at["mid_hip"][:, 0]) / heights
                for end in ("rear", "front")
                for side in SIDES
            ),
        ],
        axis=-1,
    )


def facing(points: Array, heights: Array) -> Array:
    """Return cues of the direction in which people face; average them over time and pass them to `view`.

    Args:
        points: (N, P, 2) pixels.
        heights: (N,) pixels.

    Returns:
        (N, 2): displacement of nose and toes to the right, in body heights, and signed breadth of shoulders and hips,
        1 in a front view and -1 in a back view. NaN where unknown.
    """
    at = {name: points[:, row, 0] / heights for row, name in enumerate(POINTS)}
    ahead = [at["nose"] - at["ears"], *(at[f"{side}_big_toe"] - at[f"{side}_heel"] for side in SIDES)]
    broad = at["left_shoulder"] - at["right_shoulder"] + at["left_hip"] - at["right_hip"]
    known = np.isfinite(ahead).any(0)
    return np.stack([np.where(known, np.nansum(ahead, axis=0), np.nan), broad / _BREADTH], axis=-1)


def view(cues: NDArray[np.floating], before: int) -> int:
    """Return the index into `VIEWS` for the cues (2,) of one person; ambiguous cues keep the view `before`."""
    ahead, broad = np.nan_to_num(cues)
    limit = SIDE_WIDTH if before >= VIEWS.index("front") else FRONT_WIDTH
    limit += _STRETCH * (abs(ahead) > _PROFILE)
    if abs(broad) > limit:
        return VIEWS.index("front" if broad > 0 else "back")
    if ahead == 0:
        return before if before < VIEWS.index("front") else VIEWS.index("right")
    return VIEWS.index("right" if ahead > 0 else "left")
