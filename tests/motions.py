"""Synthetic exercises with ground truth: an articulated 3D body, projected to a camera at any side.

Each motion is a function of time, so that it can be sampled at any frame rate, or at irregular times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.types import Poses

Array = NDArray[np.float64]
Posture = dict[str, Array]  # name of `_JOINTS` -> (T,) degrees, and "jump" (T,) body heights

# Pitch rotates a segment forwards, spread outwards; at 0, arms and legs hang down and the trunk is upright.
_JOINTS = ("trunk", *(f"{s}_{j}" for s in ("left", "right") for j in ("thigh", "shank", "arm", "forearm")))
_NAMES = (*_JOINTS, "left_arm_spread", "right_arm_spread", "left_leg_spread", "right_leg_spread", "jump")
_FACE = {"nose": (0.06, 0.0), "left_eye": (0.045, 0.02), "right_eye": (0.045, -0.02)}  # in front and left of the ears
_THICKNESS = {
    "ankle": 0.039,
    "wrist": 0.01,
    "hip": 0.06,
    "shoulder": 0.06,
    "knee": 0.03,
}  # minimum height above the floor


@dataclass(frozen=True, slots=True)
class Build:
    """Lengths of a person's segments, body heights; the default is the average adult of Winter 2009."""

    trunk: float = 0.288
    neck: float = 0.118
    thigh: float = 0.245
    shank: float = 0.246
    arm: float = 0.186
    forearm: float = 0.146
    shoulder: float = 0.115  # from the middle, as the hip
    hip: float = 0.085


ADULT = Build()


@dataclass(frozen=True, slots=True)
class Motion:
    """The motion of one person, with its true events.

    Attributes:
        times: (T,) seconds.
        keypoints: (T, 17, 2) pixels.
        events: name and time in seconds of each event.
    """

    times: Array
    keypoints: Array
    events: tuple[tuple[str, float], ...]

    def frames(self, *, noise: float = 0.0, missing: float = 0.0, seed: int = 0) -> Iterator[tuple[int, float, Poses]]:
        """Yield index, time and simulated pose of each frame.

        Args:
            noise: standard deviation of keypoints, in heights of an upright person.
            missing: share of missing keypoints, each for three frames.
            seed: seed of the random numbers.
        """
        rng = np.random.default_rng(seed)
        tall = np.ptp(self.keypoints[0, :, 1])
        lost = np.repeat(rng.random((len(self.times) // 3 + 1, 17)) < missing, 3, axis=0)
        for index, (time, pose) in enumerate(zip(self.times, self.keypoints)):
            seen = pose + noise * tall * rng.standard_normal(pose.shape)
            seen[lost[index]] = np.nan
            box = np.concatenate([pose.min(0), pose.max(0)])
            yield index, float(time), Poses(box[None], seen[None], np.where(lost[index], 0.0, 0.9)[None])


Part = tuple[
    float, Callable[[Array], Mapping[str, ArrayLike]], tuple[tuple[str, float], ...]
]  # seconds, motion, events


def perform(
    parts: Sequence[Part],
    times: Array,
    *,
    yaw: float = 0.0,
    blend: float = 1.0,
    speed: float = 0.0,
    build: Build = ADULT,
) -> Motion:
    """Let one person perform several parts in turn, with smooth transitions.

    Args:
        parts: parts as `squats` and the other functions return them.
        times: (T,) seconds; after the last part the person stands still.
        yaw: direction in degrees; 0 faces right in the image, 90 the camera, 180 left, 270 away from the camera.
        blend: duration of each transition, seconds.
        speed: forward speed, body heights per second.
        build: the person's proportions.
    """
    posture = {name: np.zeros(len(times)) for name in _NAMES}
    events: list[tuple[str, float]] = []
    start, before = 0.0, dict.fromkeys(_NAMES, 0.0)
    for seconds, motion, happens in parts:
        inside = (times >= start + blend) & (times < start + blend + seconds)
        passing = (times >= start) & (times < start + blend)
        share = (1 - np.cos(np.pi * (times[passing] - start) / blend)) / 2
        first, last, now = (_whole(motion(np.atleast_1d(t))) for t in (0.0, seconds, times[inside] - start - blend))
        for name in _NAMES:
            posture[name][passing] = before[name] + share * (first[name][0] - before[name])
            posture[name][inside] = now[name]
        events += [(name, start + blend + time) for name, time in happens]
        start, before = start + blend + seconds, {name: float(value[0]) for name, value in last.items()}
        for name in _NAMES:
            posture[name][times >= start] = before[name]
    return Motion(times, project(body(posture, build), yaw=yaw, ahead=speed * times), tuple(events))


def _whole(posture: Mapping[str, ArrayLike]) -> Posture:
    """Add the joints that a motion leaves at rest; a name without side, such as "thigh", sets both sides."""
    count = max(np.size(value) for value in posture.values())
    both = {name: posture[name.split("_", 1)[-1]] for name in _NAMES if name.split("_", 1)[-1] in posture}
    return {name: np.zeros(count) + np.asarray({**both, **posture}.get(name, 0.0)) for name in _NAMES}


def body(posture: Posture, build: Build = ADULT) -> Array:
    """Return the keypoints (T, 17, 3) in body heights: forwards, to the left, and up from the floor."""
    angle = {name: np.radians(value) for name, value in posture.items() if name != "jump"}

    def way(pitch: Array, spread: ArrayLike = 0.0, side: int = 1) -> Array:
        out = 0 * pitch + side * np.sin(spread)
        return np.stack([np.sin(pitch) * np.cos(spread), out, -np.cos(pitch) * np.cos(spread)], axis=-1)

    at: dict[str, Array] = {}
    up = -way(-angle["trunk"])  # (T, 3)
    across = np.array([0.0, 1.0, 0.0])
    neck = build.trunk * up
    for side, sign in (("left", 1), ("right", -1)):
        arm, leg = angle[f"{side}_arm_spread"], angle[f"{side}_leg_spread"]
        at[f"{side}_shoulder"] = neck + sign * build.shoulder * across
        at[f"{side}_hip"] = sign * build.hip * across + 0 * up
        at[f"{side}_elbow"] = at[f"{side}_shoulder"] + build.arm * way(angle[f"{side}_arm"], arm, sign)
        at[f"{side}_wrist"] = at[f"{side}_elbow"] + build.forearm * way(angle[f"{side}_forearm"], arm, sign)
        at[f"{side}_knee"] = at[f"{side}_hip"] + build.thigh * way(angle[f"{side}_thigh"], leg, sign)
        at[f"{side}_ankle"] = at[f"{side}_knee"] + build.shank * way(angle[f"{side}_shank"], leg, sign)
        at[f"{side}_ear"] = neck + build.neck * up + 0.045 * sign * across
    front = np.stack([up[:, 2], 0 * up[:, 0], -up[:, 0]], axis=-1)
    for name, (ahead, left) in _FACE.items():
        at[name] = neck + build.neck * up + ahead * front + left * across
    points = np.stack([at[name] for name in COCO.keypoints], axis=1)
    thick = np.array([_THICKNESS.get(name.rpartition("_")[2], 0.0) for name in COCO.keypoints])
    points[..., 2] += posture["jump"][:, None] - (points[..., 2] - thick).min(-1, keepdims=True)
    feet = [COCO.keypoints.index(f"{side}_ankle") for side in ("left", "right")]
    points[..., 0] -= points[:, feet, 0].mean(-1)[:, None]  # the feet stay where they are
    return points


def project(points: Array, *, yaw: float, ahead: ArrayLike = 0.0, height: float = 220.0, far: float = 5.0) -> Array:
    """Project points to keypoints (T, 17, 2) in pixels, with the camera at hip height.

    Args:
        points: (T, 17, 3) from `body`.
        yaw: degrees, see `perform`.
        ahead: (T,) distance walked, body heights.
        height: height of the upright person at the start, pixels.
        far: distance of the start from the camera, body heights.
    """
    turn = np.radians(yaw)
    forwards, left = points[..., 0] + np.asarray(ahead)[..., None], points[..., 1]
    across = forwards * np.cos(turn) + left * np.sin(turn)
    depth = far - forwards * np.sin(turn) + left * np.cos(turn)
    scale = height * far / depth
    return np.stack([640 + across * scale, 400 - (points[..., 2] - 0.5) * scale], axis=-1)


def stand(seconds: float) -> Part:
    """Stand still."""
    return seconds, lambda t: {"trunk": 0 * t}, ()


def walk(steps: int, *, cadence: float = 110.0) -> Part:
    """Walk `steps` steps, `cadence` per minute; a step is at the largest distance of the feet."""
    rate = np.pi * cadence / 60  # radians per second

    def motion(t: Array) -> dict[str, Array]:
        going = np.clip(4 * rate * np.minimum(t, steps * np.pi / rate - t) / np.pi, 0, 1)  # from standing to standing
        swing = going * np.sin(rate * t)
        left, right = (5 + 55 * going * np.maximum(sign * np.cos(rate * t), 0) ** 2 for sign in (1, -1))
        thighs = {"left_thigh": 3 + 24 * swing, "right_thigh": 3 - 24 * swing}
        shanks = {"left_shank": thighs["left_thigh"] - left, "right_shank": thighs["right_thigh"] - right}
        arms = {"left_arm": -20 * swing, "right_arm": 20 * swing}
        return (
            thighs
            | shanks
            | arms
            | {"left_forearm": 15 - 20 * swing, "right_forearm": 15 + 20 * swing, "trunk": 3 + 0 * t}
        )

    return steps * np.pi / rate, motion, tuple(("step", (k + 0.5) * np.pi / rate) for k in range(steps))


# Sagittal angles of a healthy adult's walk at chosen points of the cycle, in percent and degrees, after the curves of
# Perry and Burnfield 2010, Gait Analysis, 2nd edition; the foot leaves the ground at 62 %.
TOE_OFF = 62.0
_GAIT = {
    "thigh": {0: 22, 12: 20, 31: 2, 50: -18, 62: -6, 75: 18, 87: 25},
    "knee": {0: 5, 12: 17, 31: 6, 40: 5, 50: 9, 62: 38, 72: 60, 87: 30, 96: 3},
    "foot": {0: 20, 8: 0, 40: 0, 50: -20, 62: -60, 75: -40, 87: 0, 95: 15},  # toes up from the floor
}


def _periodic(curve: Mapping[int, float], percent: Array) -> Array:
    """Return a curve of the cycle at any time, smoothed to its first five harmonics."""
    grid = np.arange(200) / 2
    at, values = np.array(list(curve)), np.array(list(curve.values()), dtype=np.float64)
    harmonics = np.fft.rfft(np.interp(grid, np.concatenate([at - 100, at, at + 100]), np.tile(values, 3))) / len(grid)
    turns = np.exp(2j * np.pi * np.outer(percent, np.arange(1, 6)) / 100)
    return np.asarray(harmonics[0].real + 2 * (turns * harmonics[1:6]).real.sum(-1))


def gait(strides: int, *, seconds: float = 1.1, lag: float = 50.0) -> Part:
    """Walk with the curves of a gait laboratory; events are the heel strikes and toe-offs of both feet.

    Args:
        strides: number.
        seconds: duration of each.
        lag: percent of the cycle by which the right foot follows the left one; 50 is even.
    """
    offsets = {"left": 0.0, "right": -lag}

    def motion(t: Array) -> dict[str, Array]:
        legs: dict[str, Array] = {}
        for side, offset in offsets.items():
            percent = (100 * np.asarray(t) / seconds + offset) % 100
            thigh = _periodic(_GAIT["thigh"], percent)
            legs |= {f"{side}_thigh": thigh, f"{side}_shank": thigh - _periodic(_GAIT["knee"], percent)}
        return legs

    happens = tuple(
        (f"{side}_{name}", time)
        for side, offset in offsets.items()
        for name, percent in (("heel_strike", 0.0), ("toe_off", TOE_OFF))
        for stride in range(strides + 2)
        if 0 <= (time := seconds * (stride - 1 + (percent - offset) / 100)) <= strides * seconds
    )
    return strides * seconds, motion, happens


def feet(times: Array, *, seconds: float = 1.1) -> dict[str, tuple[Array, Array]]:
    """Return how far the ends of one foot are in front of the hip in `gait`, heel and toes (T,), body heights.

    Args:
        times: (T,) seconds.
        seconds: duration of a stride.

    Returns:
        The ends of the foot as "feet", and the ankle twice as "ankles".
    """
    percent = 100 * times / seconds % 100
    thigh, knee, foot = (np.radians(_periodic(_GAIT[name], percent)) for name in ("thigh", "knee", "foot"))
    ankle = ADULT.thigh * np.sin(thigh) + ADULT.shank * np.sin(thigh - knee)
    sole = ankle + _THICKNESS["ankle"] * np.sin(foot)  # below the ankle
    return {"feet": (sole - 0.04 * np.cos(foot), sole + 0.11 * np.cos(foot)), "ankles": (ankle, ankle)}


def jump(*, flight: float = 0.5, pause: float = 1.0) -> Part:
    """Bend, jump with a time of flight in seconds, land and come up; the person is 1.75 m tall."""

    def motion(t: Array) -> dict[str, ArrayLike]:
        t = np.asarray(t)
        bend = np.interp(t, [0, 0.4, 0.6, 0.6 + flight, 0.75 + flight, 1.2 + flight], [0, 1, 0, 0, 0.8, 0])
        up = np.clip(t - 0.6, 0, flight)
        return {
            "thigh": 60 * bend,
            "shank": -30 * bend,
            "trunk": 25 * bend,
            "jump": 9.81 / 2 / 1.75 * up * (flight - up),
        }

    return 1.2 + flight + pause, motion, (("jump", 0.6),)


def repeated(name: str, times: int, seconds: float, motion: Callable[[Array], dict[str, ArrayLike]]) -> Part:
    """Repeat a movement from rest to its end and back."""
    shape = lambda t: motion((1 - np.cos(2 * np.pi * np.asarray(t) / seconds)) / 2)  # noqa: E731
    return times * seconds, shape, tuple((name, (k + 1) * seconds) for k in range(times) if name)


def squats(times: int, *, seconds: float = 2.0, depth: float = 95.0) -> Part:
    """Squat until the thighs have turned by `depth` degrees."""
    share = depth / 95
    return repeated(
        "squat",
        times,
        seconds,
        lambda d: {
            "thigh": depth * d,
            "shank": -25 * share * d,
            "trunk": 40 * share * d,
            "arm": 80 * d,
            "forearm": 80 * d,
        },
    )


def push_ups(times: int, *, seconds: float = 1.6) -> Part:
    """Do push-ups; begin and end with straight arms."""

    def motion(d: Array) -> dict[str, ArrayLike]:
        pitch = 68 + 13 * d
        return {"trunk": pitch, "thigh": -pitch, "shank": -pitch, "arm": 5 - 75 * d, "forearm": 5 + 5 * d}

    return repeated("push_up", times, seconds, motion)


def jumping_jacks(times: int, *, seconds: float = 1.1) -> Part:
    """Do jumping jacks."""
    return repeated(
        "jumping_jack",
        times,
        seconds,
        lambda d: {"arm_spread": 8 + 155 * d, "leg_spread": 3 + 24 * d, "jump": 0.1 * d * (1 - d)},
    )


def curls(times: int, *, seconds: float = 1.5) -> Part:
    """Bend both elbows."""
    return repeated("curl", times, seconds, lambda d: {"arm": 0 * d, "forearm": 5 + 130 * d})


def lunges(times: int, *, seconds: float = 2.4, first: str = "left") -> Part:
    """Lunge with one leg in front, from standing with the feet apart, and come up again."""
    rear = "right" if first == "left" else "left"

    def motion(d: Array) -> dict[str, ArrayLike]:
        front: dict[str, ArrayLike] = {f"{first}_thigh": 20 + 65 * d, f"{first}_shank": -8 + 6 * d}
        return front | {f"{rear}_thigh": -18 + 13 * d, f"{rear}_shank": -25 - 55 * d}

    return repeated("lunge", times, seconds, motion)


def presses(times: int, *, seconds: float = 2.0) -> Part:
    """Press from the shoulders to overhead, with the elbows in front of the body."""
    return repeated("shoulder_press", times, seconds, lambda d: {"arm": 35 + 135 * d, "forearm": 155 + 20 * d})


def chair_stands(times: int, *, seconds: float = 3.0) -> Part:
    """Rise from a chair and sit down again, after having sat for two seconds and with a pause on the seat."""

    def motion(t: Array) -> dict[str, ArrayLike]:
        phase = np.clip((np.asarray(t) - 2) % seconds / (seconds - 0.6), 0, 1)
        up = np.where(np.asarray(t) < 2, 0.0, (1 - np.cos(2 * np.pi * phase)) / 2)
        lean = 140 * up * (1 - up)  # forwards on the way up and down
        return {
            "thigh": 88 - 88 * up,
            "shank": -4 - 10 * up * (1 - up) + 4 * up,
            "trunk": -2 + lean,
            "arm": 25 * (1 - up),
        }

    happens = tuple(("sit_to_stand", 2 + (k + 1) * seconds - 0.6) for k in range(times))
    return 2 + times * seconds, motion, happens


def bows(times: int, *, seconds: float = 3.0) -> Part:
    """Bend down with straight legs; this is not counted."""
    return repeated("", times, seconds, lambda d: {"trunk": 85 * d, "arm": 60 * d, "forearm": 60 * d})


def sit(seconds: float) -> Part:
    """Sit on a chair."""
    return seconds, lambda t: {"thigh": 85 + 0 * t, "shank": 0.0, "trunk": -5.0, "forearm": 60.0, "arm": 20.0}, ()


def lie(seconds: float) -> Part:
    """Lie on the back."""
    return seconds, lambda t: {"trunk": -88 + 0 * t, "thigh": 88.0, "shank": 88.0, "arm": 80.0, "forearm": 80.0}, ()


def raise_hand(side: str, *, seconds: float = 2.0) -> Part:
    """Hold one hand overhead; it is raised during the transition."""
    return seconds, lambda t: {f"{side}_arm": 165 + 0 * t, f"{side}_forearm": 175.0}, ((f"{side}_hand_raised", -0.3),)


def fall(direction: int = 1, *, seconds: float = 0.9, rest: float = 3.0) -> Part:
    """Fall like a board, forwards (1) or backwards (-1), and lie."""

    def motion(t: Array) -> dict[str, ArrayLike]:
        pitch = direction * 86 * np.clip(t / seconds, 0, 1) ** 2.5
        return {"trunk": pitch, "thigh": -pitch, "shank": -pitch, "arm": 0.3 * pitch, "forearm": 0.3 * pitch}

    return seconds + rest, motion, (("fall", seconds),)
