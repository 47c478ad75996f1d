"""Draw people on an image: limbs, joints, boxes and IDs, legible at any size and on any background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ...models.geometry.keypoints import Skeleton
from ..types import STATES, State, Tracks
from .arcs import SHIFT, Arc, draw_arc, write_degrees
from .palette import DARK, JOINT, LIMBS, MIDDLE, PAPER, Color, Palette, palette, shades
from .scale import FAR, cap_height, line_width, side
from .text_boxes import Image, TextBoxes, text_box, text_size, write

Trails = Mapping[int, Sequence[tuple[float, float]]]  # pixels, by ID

MIN_SCORE = 0.2  # keypoints with a lower score are hidden; the table keeps them
SURE, FAINTEST = 0.6, 0.35  # score from which a keypoint is opaque; lowest opacity
MOVES = 6  # heights that a label may move to find room
BROAD_SIGMA = 0.079  # of a shoulder; keypoints with a smaller COCO sigma, such as eyes, are drawn smaller


def draw_people(
    image: Image,
    tracks: Tracks,
    *,
    skeleton: Skeleton,
    min_score: float = MIN_SCORE,
    labels: Mapping[int, str] | None = None,
    colors: str = "id",
    boxes: bool = True,
    trails: Trails | None = None,
    arcs: Mapping[int, Sequence[Arc]] | None = None,
) -> Image:
    """Draw all people in place.

    Each ID has its own colour: left limbs have a lighter shade of it, right limbs a darker one. Predicted keypoints
    are small, with thin limbs; predicted and interpolated people have a dashed box. Limbs with a low score are fainter.
    Labels never cover each other: where there is no room, that of a person farther away is left out.

    Args:
        image: (H, W, 3) BGR uint8, contiguous; modified.
        tracks: people, in pixels of this image.
        skeleton: of their keypoints.
        min_score: keypoints with a lower score are hidden.
        labels: text next to each ID, by ID; only the ID if omitted.
        colors: `id`, or `side`: left limbs are blue, right limbs orange.
        boxes: whether boxes are drawn.
        trails: path of each person up to now, (L, 2) pixels, by ID.
        arcs: joint angles, by ID.

    Returns:
        The same image.

    Raises:
        UsageError: the colours are unknown.
    """
    from .strokes import draw_strokes  # loads a compiler, which only drawing needs

    if colors not in LIMBS:
        raise UsageError(f"The colours are '{colors}'; give {' or '.join(LIMBS)}.")
    poses = tracks.poses
    size = side(image)
    visible = np.isfinite(poses.keypoints).all(-1) & (poses.scores >= min_score)  # (N, K)
    points = np.where(visible[..., None], poses.keypoints.clip(-FAR, FAR), 0)
    drawable = np.isfinite(poses.boxes).all(-1).tolist()  # (N,)
    corners = np.nan_to_num(poses.boxes.clip(-FAR, FAR)).round().astype(int)
    places = corners.tolist()
    widths = [line_width(size, person=max(x2 - x1, y2 - y1)) for x1, y1, x2, y2 in places]
    predicted = tracks.keypoint_states == STATES.index(State.PREDICTED)  # (N, K)
    opacity = np.clip(poses.scores / SURE, FAINTEST, 1)  # (N, K)
    strokes, drawn = _strokes(points, visible, predicted, opacity, np.array(widths), skeleton)
    figures = shades(tuple(tracks.ids.tolist()), colors)[:, _figure(skeleton).colors]  # (N, S, 2, 3)

    # Nearer people, whose boxes reach lower, are drawn over others; labels are drawn over all people.
    order = np.argsort(corners[:, 3], kind="stable").tolist()
    for n in order:
        trail = (trails or {}).get(int(tracks.ids[n]), ())
        if len(trail) > 1:
            _draw_trail(image, np.asarray(trail), palette(int(tracks.ids[n])), width=widths[n])
        if boxes and drawable[n]:
            dashed = tracks.states[n] != State.MEASURED
            _draw_box(image, places[n], palette(int(tracks.ids[n])), width=widths[n], dashed=dashed)
        draw_strokes(image, strokes[n], drawn[n], figures[n])
        for arc in (arcs or {}).get(int(tracks.ids[n]), ()):
            draw_arc(image, arc, palette(int(tracks.ids[n])), width=widths[n])

    text_boxes = TextBoxes(image)
    order = [n for n in reversed(order) if drawable[n]]  # the nearest person has the first choice of a place
    for n in order:
        identity = int(tracks.ids[n])
        text = f"{identity}  {(labels or {}).get(identity, '')}".rstrip()
        own = palette(identity)
        label = text_box(text, cap_height(size, limb=widths[n]), own.base, own.ink)
        line = max(1, round(0.4 * widths[n]))
        text_boxes.put(label, places[n][0] - line // 2, places[n][1] - label.shape[0], steps=MOVES)
    for n in order:
        identity = int(tracks.ids[n])
        for arc in (arcs or {}).get(identity, ()):
            write_degrees(text_boxes, arc, palette(identity), cap=round(0.7 * cap_height(size, limb=widths[n])))
    return image


def draw_fps(image: Image, fps: float) -> None:
    """Write a frame rate on a dimmed plate in the upper right corner, in place.

    Args:
        image: (H, W, 3) BGR uint8.
        fps: frames per second.
    """
    text = f"{fps:.0f} fps" if fps >= 9.95 else f"{fps:.1f} fps"
    cap = round(max(8.0, 0.017 * side(image)))
    height, width, _ = text_size(text, cap)
    x, y = max(image.shape[1] - width - cap // 2, 0), max(min(cap // 2, image.shape[0] - height), 0)
    place = image[y : y + height, x : x + width]
    dimmed = np.asarray(cv2.convertScaleAbs(place, alpha=0.3), dtype=np.uint8)
    write(dimmed, text, cap, PAPER)
    place[:] = dimmed


@dataclass(frozen=True, slots=True)
class _Figure:
    """Drawing of a skeleton: S strokes, first the limbs, then the joints on top of them.

    Attributes:
        ends: (S, 2) keypoints; both ends of a joint are the same.
        widths: (S,) half the width of each stroke, in widths of a limb.
        colors: (S, 2) rows of `palette.shades` for line and rim.
    """

    ends: NDArray[np.intp]
    widths: NDArray[np.float32]
    colors: NDArray[np.intp]


@lru_cache(maxsize=16)
def _figure(skeleton: Skeleton) -> _Figure:
    sides = np.zeros(len(skeleton), dtype=int)  # -1 left, 0 middle, 1 right
    for left, right in skeleton.flip_pairs:
        sides[[left, right]] = -1, 1
    size = np.clip(np.array(skeleton.sigmas) / BROAD_SIGMA, 0.55, 1.0)
    limbs = np.array(skeleton.limbs, dtype=int).reshape(-1, 2)
    joints = np.arange(len(skeleton))
    line = np.concatenate([MIDDLE + np.sign(sides[limbs].sum(1)), np.full(len(skeleton), JOINT)])
    return _Figure(
        ends=np.concatenate([limbs, np.stack([joints, joints], axis=1)]),
        widths=np.concatenate([0.6 * size[limbs].min(1), 1.15 * size]).astype(np.float32),
        colors=np.stack([line, np.full(len(line), DARK)], axis=1),
    )


def _strokes(
    points: NDArray[np.floating],
    visible: NDArray[np.bool_],
    predicted: NDArray[np.bool_],
    opacity: NDArray[np.floating],
    widths: NDArray[np.floating],
    skeleton: Skeleton,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the strokes (N, S, 7) of all people for `draw_strokes`, and which of them are drawn (N, S).

    Args:
        points: (N, K, 2) pixels.
        visible: (N, K).
        predicted: (N, K); their strokes have half the width.
        opacity: (N, K) in [0, 1]; a limb has the lower one of its ends.
        widths: (N,) width of a full-sized limb, in pixels.
        skeleton: of the keypoints.
    """
    figure = _figure(skeleton)
    strokes = np.empty((len(points), len(figure.ends), 7), np.float32)
    strokes[..., :4] = points[:, figure.ends].reshape(len(points), len(figure.ends), 4)
    scale = np.where(predicted[:, figure.ends].any(-1), 0.5, 1.0) * widths[:, None]  # (N, S)
    strokes[..., 4] = np.maximum(scale * figure.widths, 0.5)
    strokes[..., 5] = np.maximum(0.3 * scale, 0.5)
    strokes[..., 6] = opacity[:, figure.ends].min(-1)
    return strokes, np.asarray(visible[:, figure.ends].all(-1))


def _draw_lines(image: Image, lines: Any, color: Color, thickness: int) -> None:
    """Draw lines (L, 2, 2) in fixed point in one call; OpenCV accepts an array, although its type stubs do not."""
    cv2.polylines(image, lines, False, color, thickness, cv2.LINE_AA, SHIFT)


def _draw_trail(image: Image, trail: NDArray[np.floating], colors: Palette, *, width: float) -> None:
    """Draw the path of one person, (L, 2) pixels, thinner than a limb."""
    points = trail[np.isfinite(trail).all(-1)].clip(-FAR, FAR)
    lines = (np.stack([points[:-1], points[1:]], axis=1) * 2**SHIFT).astype(np.int32)
    _draw_lines(image, lines, colors.base, max(1, round(0.5 * width)))


def _draw_box(image: Image, box: list[int], colors: Palette, *, width: float, dashed: bool) -> None:
    """Draw a box; lines wider than one pixel get a dark rim."""
    line = max(1, round(0.4 * width))
    strokes = [(colors.base, line)] if line == 1 else [(colors.dark, 2 * line), (colors.base, line)]
    if dashed:
        dashes = _dashes(box, step=max(4, round(3 * width)), size=image.shape[:2])
        for color, thickness in strokes:
            _draw_lines(image, dashes, color, thickness)
    else:
        for color, thickness in strokes:
            cv2.rectangle(image, box[:2], box[2:], color, thickness)


def _dashes(box: list[int], *, step: int, size: tuple[int, int]) -> NDArray[np.int32]:
    """Return the dashes (D, 2, 2) of a box's sides within an image of (height, width), in fixed point."""
    x1, y1, x2, y2 = box
    left, right = max(x1, -step), min(x2, size[1] + step)
    top, bottom = max(y1, -step), min(y2, size[0] + step)
    xs, ys = np.arange(left, right, 2 * step), np.arange(top, bottom, 2 * step)
    x_ends, y_ends = np.minimum(xs + step, right), np.minimum(ys + step, bottom)
    across = [np.stack([xs, np.full_like(xs, y), x_ends, np.full_like(xs, y)], axis=-1) for y in (y1, y2)]
    down = [np.stack([np.full_like(ys, x), ys, np.full_like(ys, x), y_ends], axis=-1) for x in (x1, x2)]
    return np.concatenate(across + down).reshape(-1, 2, 2).astype(np.int32) << SHIFT
