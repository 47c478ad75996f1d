"""Hard synthetic scenes with ground truth: walking people, occlusion, and the errors of a detector.

The image is 1280 x 720. People whose feet are lower in the image are nearer and occlude those behind; poles occlude
all people.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...models.geometry.keypoints import COCO
from ..types import Poses
from .synthetic import Scene, bodies, irregular, regular

SIZE = (1280, 720)
_NOISE = np.array(COCO.sigmas) / np.mean(COCO.sigmas)  # a hip is harder to localize than an eye
_TURNING = 0.1  # seconds that a turn takes
_POINTS = np.array([0.1, 0.3, 0.5, 0.7, 0.9])  # grid in a box on which its occluded share is sampled


@dataclass(frozen=True, slots=True)
class Walker:
    """A person who walks straight on.

    Attributes:
        start: center of the person at the time `enter`, pixels.
        velocity: pixels per second.
        height: pixels.
        turn: seconds after `enter` at which the person turns back; infinite for never.
        enter: time of entry, seconds.
        leave: time of exit, seconds.
    """

    start: tuple[float, float]
    velocity: tuple[float, float] = (0.0, 0.0)
    height: float = 220.0
    turn: float = np.inf
    enter: float = 0.0
    leave: float = np.inf


@dataclass(frozen=True, slots=True)
class Setup:
    """A scene and the errors of a simulated detector.

    Attributes:
        walkers: people in the scene; their ids count from 1 in this order.
        times: (T,) seconds.
        poles: (left, right) edges in pixels of poles in front of all people.
        pan: amplitude of the camera's horizontal motion in pixels; its period is four seconds.
        noise: standard deviation of keypoints, in heights of the person; half of it applies to the box's edges.
        misses: share of people without a detection in each frame.
        ghosts: mean number of false detections per frame, with scores from low to high.
        swaps: share of people whose left and right keypoints are swapped in each frame.
    """

    walkers: tuple[Walker, ...]
    times: NDArray[np.float64] = field(default_factory=lambda: regular(6, 30))
    poles: tuple[tuple[float, float], ...] = ()
    pan: float = 0.0
    noise: float = 0.01
    misses: float = 0.02
    ghosts: float = 0.0
    swaps: float = 0.0

    def scene(self) -> tuple[Scene, NDArray[np.bool_], NDArray[np.float64]]:
        """Return the truth, a mask (T, N, 17) of occluded keypoints, and the visible share (T, N) of each person."""
        walkers, times = self.walkers, self.times[:, None]
        walked = times - [w.enter for w in walkers]  # (T, N) seconds
        turns = np.array([min(w.turn, 1e6) for w in walkers])
        forward = turns - np.hypot(walked - turns, _TURNING)
        centres = np.array([w.start for w in walkers]) + forward[..., None] * [w.velocity for w in walkers]
        moving = np.array([any(w.velocity) for w in walkers])
        scene = bodies(self.times, centres, heights=[w.height for w in walkers], moving=moving)
        swing = self.pan * np.sin(2 * np.pi * times / 4)  # (T, 1)
        scene.boxes[..., ::2] += swing[..., None]
        scene.keypoints[..., 0] += swing[..., None]
        here = (times >= [w.enter for w in walkers]) & (times < [w.leave for w in walkers])
        covered = self._covered(scene.boxes, scene.keypoints, here, swing)
        steps = np.stack(np.meshgrid(_POINTS, _POINTS), axis=-1).reshape(-1, 2)  # (P, 2)
        grid = scene.boxes[..., None, :2] + steps * (scene.boxes[..., None, 2:] - scene.boxes[..., None, :2])
        share = here * (1 - self._covered(scene.boxes, grid, here, swing).mean(-1))
        return Scene(scene.times, scene.ids, scene.boxes, scene.keypoints, share > 0), covered, share

    def _covered(self, boxes: NDArray, points: NDArray, here: NDArray[np.bool_], swing: NDArray) -> NDArray[np.bool_]:
        """Return a mask (T, N, P) of points behind a nearer person, behind a pole or outside the image."""
        covered = np.asarray(((points < 0) | (points >= SIZE)).any(-1))
        for left, right in self.poles:
            x = points[..., 0] - swing[..., None]
            covered |= (x >= left) & (x < right)
        for other in range(boxes.shape[1]):
            box = boxes[:, other, None, None]  # (T, 1, 1, 4)
            trunk = (box[..., 2:] - box[..., :2]) * [0.25, 0.0]  # a body fills the middle half of its box
            inside = ((points >= box[..., :2] + trunk) & (points < box[..., 2:] - trunk)).all(-1)
            nearer = here[:, other, None] & (boxes[:, other, None, 3] > boxes[..., 3])  # (T, N)
            covered |= inside & nearer[..., None]
        return covered

    def frames(self, *, seed: int = 0) -> Iterator[tuple[float, Poses]]:
        """Yield the time and the simulated poses: scores fall with occlusion, and most occluded keypoints are missing.

        Args:
            seed: seed of the random numbers; the same seed gives the same frames.
        """
        rng = np.random.default_rng(seed)
        scene, covered, share = self.scene()
        flip = COCO.flip_order
        for t, time in enumerate(scene.times):
            seen = np.flatnonzero((share[t] > 0.25) & (rng.random(len(scene.ids)) >= self.misses))
            scale = self.noise * np.array([self.walkers[i].height for i in seen])[:, None, None]  # (N, 1, 1)
            points = scene.keypoints[t, seen] + scale * _NOISE[:, None] * rng.standard_normal((len(seen), 17, 2))
            hidden = covered[t, seen]
            points += (
                4 * scale * hidden[..., None] * rng.standard_normal(points.shape)
            )  # occluded keypoints are inaccurate
            scores = np.where(hidden, 0.25, 0.9)
            lost = hidden & (rng.random(hidden.shape) < 0.7)
            points[lost], scores[lost] = np.nan, 0.0
            swapped = rng.random(len(seen)) < self.swaps
            points[swapped], scores[swapped] = points[swapped][:, flip], scores[swapped][:, flip]
            boxes = scene.boxes[t, seen] + scale[..., 0] / 2 * rng.standard_normal((len(seen), 4))
            ghosts, marks, doubts = self._ghosts(rng)
            yield (
                float(time),
                Poses(
                    np.concatenate([boxes, ghosts]),
                    np.concatenate([points, marks]),
                    np.concatenate([scores, np.full((len(ghosts), 17), 0.2)]),
                    np.concatenate([np.clip(0.95 * share[t, seen], 0.15, 0.95), doubts]),
                ),
            )

    def _ghosts(self, rng: np.random.Generator) -> tuple[NDArray, NDArray, NDArray]:
        """Return boxes, keypoints and box scores of false detections."""
        count = rng.poisson(self.ghosts)
        low = rng.uniform((0, 0), (SIZE[0] - 80, SIZE[1] - 200), (count, 2))
        boxes = np.concatenate([low, low + np.array([80, 200])], axis=1)
        points = low[:, None] + rng.uniform((0, 0), (80, 200), (count, 17, 2))
        return boxes, points, rng.uniform(0.1, 0.6, count)


_PAIR = (Walker((200, 400), (180, 0)), Walker((1080, 385), (-180, 0), 210))
_TRIO = (Walker((80, 300), (150, 0)), Walker((1200, 360), (-170, 0), 240), Walker((640, 520), (60, 0), 260))
_GROUP = tuple(Walker((150 + 85 * i, 300 + 70 * (i % 3)), (35.0 * (-1) ** i, 0), 200 + 10 * (i % 3)) for i in range(12))
_QUEUE = tuple(
    Walker((60, 300 + 60 * (i % 3)), (220, 0), 200 + 20 * (i % 3), enter=0.8 * i, leave=0.8 * i + 4) for i in range(6)
)

SETUPS = {
    "walking": Setup(_TRIO),
    "crossing": Setup(_PAIR),
    "pole": Setup((Walker((150, 360), (170, 0)), Walker((1150, 420), (-150, 0), 240)), poles=((570, 670),)),
    "group of 12": Setup(_GROUP),
    "fast turn": Setup(
        (Walker((300, 350), (400, 0), turn=1.5), Walker((900, 420), (-300, 0), 240, turn=2)), times=regular(3.6, 30)
    ),
    "camera pan": Setup(_TRIO, pan=250),
    "15 fps": Setup(_TRIO + _PAIR, times=regular(6, 15)),
    "30 fps": Setup(_TRIO + _PAIR),
    "60 fps": Setup(_TRIO + _PAIR, times=regular(6, 60)),
    "variable rate": Setup(_TRIO + _PAIR, times=irregular(6, 20)),
    "30 % missed": Setup(_TRIO + _PAIR, misses=0.3),
    "false positives": Setup(_TRIO + _PAIR, ghosts=0.5),
    "swapped sides": Setup(_TRIO + _PAIR, swaps=0.15),
    "entries and exits": Setup(_QUEUE, times=regular(8, 30)),
}
