"""Compose videos of people who leave, hide and come back: cut-out people over a background, with exact truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import SourceError
from ..formats.trajectories import BOXES, Trajectories, from_columns

Image = NDArray[np.uint8]

_STEPS = 2.0  # per second
_BOB, _SWAY = 0.01, 0.03  # of the height: up and down, and sideways at the head
_WALL = 0.38, 0.62  # edges, shares of the width
_PACE = 0.15  # of a walk, widths per second
_OPAQUE = 0.5  # alpha from which a pixel belongs to the person


@dataclass(frozen=True, slots=True)
class CutOut:
    """A person without background.

    Attributes:
        image: (h, w, 3) BGR; the person fills the height.
        alpha: (h, w) in [0, 1].
    """

    image: Image
    alpha: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Visit:
    """One appearance of a person.

    Attributes:
        person: index of the cut-out; the id of the person is `person + 1`.
        path: (time, x, y) of the point between the feet, seconds and shares of the image's width and height; straight
            lines in between. The person exists from the first to the last time, and faces the direction of the walk.
        height: share of the image's height.
        light: factor of the brightness.
    """

    person: int
    path: tuple[tuple[float, float, float], ...]
    height: float = 0.5
    light: float = 1.0

    def foot(self, time: float) -> tuple[float, float]:
        """Return the point between the feet, shares of the image's width and height."""
        times, x, y = np.array(self.path).T
        return float(np.interp(time, times, x)), float(np.interp(time, times, y))


@dataclass(frozen=True, slots=True)
class Composition:
    """A scene.

    Attributes:
        visits: of all people.
        seconds: duration.
        walls: (left, right) edges of walls in front of all people, shares of the width.
    """

    visits: tuple[Visit, ...]
    seconds: float
    walls: tuple[tuple[float, float], ...] = ()

    def frames(
        self, cutouts: Sequence[CutOut], background: Image, *, fps: float = 25.0
    ) -> Iterator[tuple[Image, NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]]:
        """Yield each image with its ids (N,), boxes (N, 4) inside the image and visible shares (N,)."""
        height, width = background.shape[:2]
        walls = np.zeros((height, width), dtype=bool)
        for left, right in self.walls:
            walls[:, round(left * width) : round(right * width)] = True
        for time in np.arange(round(self.seconds * fps)) / fps:
            here = [visit for visit in self.visits if visit.path[0][0] <= time <= visit.path[-1][0]]
            here.sort(key=lambda visit: visit.foot(time)[1])  # whose feet are lower is nearer
            image, bodies = background.copy(), []
            for visit in here:
                bodies.append(_draw(image, cutouts[visit.person], visit, time))
            image[walls] = background[walls] // 2 + 64  # a plain wall of the background's colours
            covered, shares = walls.copy(), np.zeros(len(here))
            for row in reversed(range(len(here))):
                place, body, whole = bodies[row]
                shares[row] = (body & ~covered[place]).sum() / whole
                covered[place] |= body
            rows = [row for row in range(len(here)) if bodies[row][1].any()]
            yield (
                image,
                np.array([here[row].person + 1 for row in rows], dtype=np.int64),
                np.array([_box(*bodies[row][:2]) for row in rows], dtype=np.float64).reshape(-1, 4),
                shares[rows],
            )


def _draw(
    image: Image, cutout: CutOut, visit: Visit, time: float
) -> tuple[tuple[slice, slice], NDArray[np.bool_], int]:
    """Draw a person, who bobs and sways while walking, into an image, in place.

    Returns:
        The place in the image, a mask of the body there, and the number of the body's pixels inside and outside.
    """
    height, width = image.shape[:2]
    tall = max(round(visit.height * height), 1)
    broad = max(round(cutout.alpha.shape[1] * tall / len(cutout.alpha)), 1)
    (x, y), (ahead, _) = visit.foot(time), visit.foot(time + 0.1)
    side, phase = (-1.0 if ahead < x else 1.0), 2 * np.pi * _STEPS * time + visit.person
    sway, bob = _SWAY * np.sin(phase / 2), _BOB * tall * np.sin(phase)
    margin = round(_SWAY * tall) + 2
    size = broad + 2 * margin, tall + 2 * margin
    left, top = x * width - size[0] / 2, y * height + bob - tall - margin
    matrix = np.array(
        [
            [side, sway, left % 1 + size[0] / 2 - side * broad / 2 - sway * tall],
            [0.0, 1.0, top % 1 + margin],
        ]
    )
    person, alpha = (
        cv2.warpAffine(cv2.resize(layer, (broad, tall), interpolation=cv2.INTER_AREA), matrix, size).astype(np.float32)
        for layer in (cutout.image, cutout.alpha)
    )
    left, top = int(left // 1), int(top // 1)
    across, down = (
        (np.clip([start, start + length], 0, end))
        for start, length, end in ((left, size[0], width), (top, size[1], height))
    )
    place = slice(*down), slice(*across)
    inner = slice(*(down - top)), slice(*(across - left))
    ground = image[place].astype(np.float32)
    image[place] = ground + alpha[inner][..., None] * (np.minimum(visit.light * person[inner], 255) - ground)
    return place, alpha[inner] > _OPAQUE, int((alpha > _OPAQUE).sum())


def _box(place: tuple[slice, slice], body: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Return the box of a body in the image."""
    (rows, columns), (top, left) = body.nonzero(), (side.start for side in place)
    return left + columns.min(), top + rows.min(), left + columns.max() + 1, top + rows.max() + 1


def truth_of(
    frames: Sequence[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]], fps: float
) -> Trajectories:
    """Return the truth of composed frames, given ids, boxes and visible shares of each, as `box_scores`."""
    counts = [len(ids) for ids, _, _ in frames]
    numbers = np.repeat(np.arange(len(frames)), counts)
    ids, boxes, shares = (np.concatenate(parts) for parts in zip(*frames))
    none = np.zeros((len(ids), 0, 2))
    return from_columns(
        BOXES,
        frames=numbers,
        ids=ids,
        boxes=boxes,
        keypoints=none,
        scores=none[..., 0],
        box_scores=shares,
        times=numbers / fps,
    )


def read_cutouts(folder: str | Path) -> list[CutOut]:
    """Read the people of a folder of PNG files with alpha, in the order of their names.

    Raises:
        SourceError: there is no such file, or one has no alpha.
    """
    files = sorted(Path(folder).glob("*.png"))
    if not files:
        raise SourceError(f"{folder} contains no PNG file. Give a folder of cut-out people with alpha.")
    cutouts = []
    for file in files:
        image = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        if image is None or image.ndim != 3 or image.shape[2] != 4:
            raise SourceError(f"{file} is not an image with alpha. Remove it, or cut the person out.")
        cutouts.append(CutOut(image[..., :3], image[..., 3].astype(np.float32) / 255))
    return cutouts


def _walk(start: float, *, leftwards: bool, floor: float) -> tuple[tuple[float, float, float], ...]:
    """Return the path across the image from one side to the other."""
    ends = (1.15, -0.15) if leftwards else (-0.15, 1.15)
    return (start, ends[0], floor), (start + 1.3 / _PACE, ends[1], floor)


def _stop_behind_wall(
    start: float, *, leftwards: bool, hidden: float, floor: float, turns_back: bool = False
) -> tuple[tuple[float, float, float], ...]:
    """Return the path to the middle of the wall and, after `hidden` seconds behind it, onwards or back."""
    outside = (1.15, -0.15) if leftwards else (-0.15, 1.15)
    reach = 0.65 / _PACE  # seconds to the middle of the wall
    rest = max(hidden - (_WALL[1] - _WALL[0]) / _PACE, 0.0)
    return (
        (start, outside[0], floor),
        (start + reach, 0.5, floor),
        (start + reach + rest, 0.5, floor),
        (start + 2 * reach + rest, outside[0 if turns_back else 1], floor),
    )


def leave_and_return(count: int, *, away: Sequence[float] = (5.0, 10.0, 15.0, 20.0), seed: int = 0) -> Composition:
    """Return a scene of `count` people who cross the image one after the other; every second one comes back.

    Those come back after the seconds `away` in turn, from a random side, a little taller or smaller and in other light.
    The others come for the first time while those are away.
    """
    rng, visits = np.random.default_rng(seed), []
    for person in range(count):
        start = 3.0 * person + rng.uniform(0, 1.0)
        times = [start] if person % 2 else [start, start + 1.3 / _PACE + away[person // 2 % len(away)]]
        for time in times:
            visits.append(
                Visit(
                    person,
                    _walk(time, leftwards=bool(rng.random() < 0.5), floor=rng.uniform(0.86, 0.96)),
                    height=rng.uniform(0.45, 0.6),
                    light=rng.uniform(0.9, 1.1),
                )
            )
    return Composition(tuple(visits), max(visit.path[-1][0] for visit in visits) + 0.5)


def behind_a_wall(count: int, *, hidden: float = 5.0, seed: int = 0) -> Composition:
    """Return a scene of people who walk behind a wall, stay there for `hidden` seconds, and walk on."""
    rng, visits = np.random.default_rng(seed), []
    for person in range(count):
        floor = rng.uniform(0.86, 0.96)
        path = _stop_behind_wall(2.5 * person, leftwards=bool(person % 2), hidden=hidden, floor=floor)
        visits.append(Visit(person, path, height=rng.uniform(0.45, 0.6)))
    return Composition(tuple(visits), max(visit.path[-1][0] for visit in visits) + 0.5, (_WALL,))


def change_places(count: int, *, hidden: float = 5.0, turn_back: bool = False, seed: int = 0) -> Composition:
    """Return a scene of pairs who meet behind a wall from both sides for `hidden` seconds.

    Both walk on and come out on the other's side, or turn back and come out on their own.
    """
    rng, visits = np.random.default_rng(seed), []
    for person in range(count - count % 2):
        start, floor = 12.0 * (person // 2), rng.uniform(0.88, 0.94)
        words = {"leftwards": bool(person % 2), "turns_back": turn_back}
        path = _stop_behind_wall(start, hidden=hidden, floor=floor, **words)
        visits.append(Visit(person, path, height=rng.uniform(0.5, 0.55)))
    return Composition(tuple(visits), max(visit.path[-1][0] for visit in visits) + 0.5, (_WALL,))
