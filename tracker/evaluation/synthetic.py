"""Synthetic people with ground truth: walking, crossing, occluded, at rest, and a crowd.

The truth is a function of time, so that a scene can be sampled at any frame rate, or at irregular times.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..types import Poses

# COCO keypoints of an upright person: x and y from the middle of the box, in body heights.
_SIDE = np.array(
    [[0.02, -0.44], [0.04, -0.43], [0.11, -0.31], [0.13, -0.15], [0.14, 0], [0.07, 0.02], [0.07, 0.24], [0.07, 0.46]]
)
_BODY = np.vstack([[[0.0, -0.42]], np.stack([_SIDE, _SIDE * [-1, 1]], axis=1).reshape(16, 2)])  # (17, 2)
# How far each keypoint swings with the gait, in body heights; left and right are opposed.
_SWING = np.array([0, 0, 0, 0, 0, 0.01, -0.01, 0.05, -0.05, 0.12, -0.12, 0, 0, -0.08, 0.08, -0.18, 0.18])
_STRIDES = 0.9  # per second, an ordinary walk


@dataclass(frozen=True, slots=True)
class Scene:
    """People with known positions.

    Attributes:
        times: (T,) seconds.
        ids: (N,) from 1.
        boxes: (T, N, 4) xyxy pixels.
        keypoints: (T, N, 17, 2) pixels.
        visible: (T, N) mask of the people that a detector can see.
    """

    times: NDArray[np.float64]
    ids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    keypoints: NDArray[np.float64]
    visible: NDArray[np.bool_]

    def frames(
        self, *, noise: float = 0.0, misses: float = 0.0, seed: int = 0
    ) -> Iterator[tuple[float, Poses, NDArray[np.int64]]]:
        """Yield time, simulated poses and their true ids for each frame.

        Args:
            noise: standard deviation of keypoints and box edges, in heights of the person's box.
            misses: share of people without a detection in each frame.
            seed: seed of the random numbers; the same seed gives the same frames.
        """
        rng = np.random.default_rng(seed)
        for time, boxes, keypoints, visible in zip(self.times, self.boxes, self.keypoints, self.visible):
            scale = noise * (boxes[:, 3] - boxes[:, 1])[:, None]  # (N, 1)
            seen_boxes = boxes + scale * rng.standard_normal(boxes.shape)
            seen_keypoints = keypoints + scale[..., None] * rng.standard_normal(keypoints.shape)
            seen = visible & (rng.random(len(boxes)) >= misses)
            poses = Poses(seen_boxes, seen_keypoints, np.full(keypoints.shape[:2], 0.9), np.full(len(boxes), 0.9))
            yield float(time), poses[seen], self.ids[seen]


def regular(seconds: float, fps: float) -> NDArray[np.float64]:
    """Return the times of a source with a steady frame rate."""
    return np.arange(round(seconds * fps)) / fps


def irregular(seconds: float, fps: float, *, seed: int = 0) -> NDArray[np.float64]:
    """Return times with a mean rate of `fps`, whose steps vary between 0.5 and 1.5 frames."""
    steps = np.random.default_rng(seed).uniform(0.5, 1.5, round(seconds * fps)) / fps
    return np.cumsum(steps) - steps[0]


def people(times: ArrayLike, *, starts: ArrayLike, velocities: ArrayLike, heights: ArrayLike = 200.0) -> Scene:
    """Return N people who walk straight on, or stand if their velocity is 0.

    Args:
        times: (T,) seconds.
        starts: (N, 2) pixels, center of each person at time 0.
        velocities: (N, 2) pixels per second.
        heights: pixels, one or (N,).
    """
    times, starts, velocities = (np.asarray(value, dtype=np.float64) for value in (times, starts, velocities))
    heights = np.broadcast_to(np.asarray(heights, dtype=np.float64), len(starts))
    centres = starts + times[:, None, None] * velocities  # (T, N, 2)
    return bodies(times, centres, heights=heights, moving=np.abs(velocities).sum(-1) > 0)


def bodies(times: ArrayLike, centres: ArrayLike, *, heights: ArrayLike, moving: ArrayLike) -> Scene:
    """Return an articulated body on each of N paths; it strides while it moves.

    Args:
        times: (T,) seconds.
        centres: (T, N, 2) pixels, center of each person.
        heights: (N,) pixels.
        moving: (N,) or (T, N) mask of walking people.
    """
    times, centres, heights = (np.asarray(value, dtype=np.float64) for value in (times, centres, heights))
    ids = np.arange(1, centres.shape[1] + 1)
    phases = 2 * np.pi * _STRIDES * times[:, None] + ids  # (T, N)
    body = np.broadcast_to(_BODY, (*centres.shape[:2], *_BODY.shape)).copy()  # (T, N, 17, 2)
    body[..., 0] += (np.asarray(moving) * np.sin(phases))[..., None] * _SWING
    keypoints = centres[:, :, None] + heights[:, None, None] * body
    half = heights[:, None] * [0.2, 0.5]  # (N, 2)
    boxes = np.concatenate([centres - half, centres + half], axis=-1)
    return Scene(times, ids, boxes, keypoints, np.ones(centres.shape[:2], dtype=bool))


def standing(times: ArrayLike) -> Scene:
    """Return one person at rest."""
    return people(times, starts=[[320, 240]], velocities=[[0, 0]])


def walking(times: ArrayLike, *, speed: float = 150.0) -> Scene:
    """Return one person who walks to the right, `speed` in pixels per second."""
    return people(times, starts=[[100, 240]], velocities=[[speed, 0]])


def jumping_jack(times: ArrayLike, *, rate: float = 1.0) -> Scene:
    """Return one person who swings arms and legs up and down `rate` times per second."""
    height = 200.0  # pixels
    times = np.asarray(times, dtype=np.float64)
    scene = people(times, starts=[[320, 240]], velocities=[[0, 0]], heights=height)
    up = (1 - np.cos(2 * np.pi * rate * times)) / 2  # (T,) from 0 to 1
    for limb, lengths, start, swing in (((5, 7, 9), (0.17, 0.33), 0.15, 2.9), ((11, 13, 15), (0.22, 0.44), 0.0, 0.45)):
        angle = start + swing * up  # from straight down, to the side
        for side in (1, -1):
            away = height * np.stack([side * np.sin(angle), np.cos(angle)], axis=-1)  # (T, 2)
            first, *rest = np.array(limb) + (side < 0)
            for joint, length in zip(rest, lengths):
                scene.keypoints[:, 0, joint] = scene.keypoints[:, 0, first] + length * away
    return fitted(scene, 0.05 * height)


def fitted(scene: Scene, margin: float) -> Scene:
    """Return the scene with boxes around the keypoints, `margin` pixels away, which follow the limbs."""
    low, high = scene.keypoints.min(2) - margin, scene.keypoints.max(2) + margin
    return replace(scene, boxes=np.concatenate([low, high], axis=-1))


def raised_arms(times: ArrayLike) -> Scene:
    """Return one person who raises both arms at .5 s and lowers them at 2 s, each within half a second."""
    times = np.asarray(times, dtype=np.float64)
    phase = np.interp(times, [0.5, 1.0, 2.0, 2.5], [0, 0.5, 0.5, 1])
    return replace(jumping_jack(phase), times=times)


def crossing(times: ArrayLike) -> Scene:
    """Return two people who pass each other after 2 s; the farther one is occluded while they overlap."""
    speed, meet = 150.0, 2.0  # pixels per second, seconds
    times = np.asarray(times, dtype=np.float64)
    starts = [[320 - speed * meet, 240], [320 + speed * meet, 232]]
    scene = people(times, starts=starts, velocities=[[speed, 0], [-speed, 0]], heights=[200, 190])
    visible = scene.visible.copy()
    visible[:, 1] = 2 * speed * np.abs(times - meet) > 50  # half of the farther person's box is visible
    return replace(scene, visible=visible)


def occlusion(times: ArrayLike, *, hidden: tuple[float, float] = (1.5, 2.5), speed: float = 150.0) -> Scene:
    """Return a walking person who is occluded between two times."""
    scene = walking(times, speed=speed)
    seen = (scene.times < hidden[0]) | (scene.times >= hidden[1])
    return replace(scene, visible=seen[:, None])


def crowd(times: ArrayLike, *, count: int, seed: int = 0) -> Scene:
    """Return `count` people who move near their places on a grid, without occlusion."""
    rng = np.random.default_rng(seed)
    columns = int(np.ceil(np.sqrt(count)))
    places = np.stack(np.divmod(np.arange(count), columns)[::-1], axis=-1) * [120.0, 230.0] + [100, 150]
    return people(times, starts=places, velocities=rng.uniform(-20, 20, (count, 2)))
