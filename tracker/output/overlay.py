"""Draw people on an image: limbs, joints, boxes and IDs, legible at any size and on any background."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.geometry.keypoints import Skeleton
from ..types import State, Tracks
from .palette import DARK, JOINT, MIDDLE, PAPER, Color, Palette, palette, shades

Image = NDArray[np.uint8]

MIN_SCORE = 0.2  # keypoints with a lower score are hidden; the table keeps them
SHIFT = 3  # fractional bits of OpenCV's fixed-point coordinates
FAR = 30_000  # pixels; beyond it OpenCV's fixed point overflows
FONT = cv2.FONT_HERSHEY_DUPLEX
CAP_HEIGHT = 22  # pixels of a capital letter at font scale 1
BROAD_SIGMA = 0.079  # of a shoulder; keypoints with a smaller COCO sigma, such as eyes, are drawn smaller


def draw(
    image: Image,
    tracks: Tracks,
    *,
    skeleton: Skeleton,
    min_score: float = MIN_SCORE,
    labels: Mapping[int, str] | None = None,
) -> Image:
    """Draw all people in place.

    Each ID has its own colour: left limbs have a lighter shade of it, right limbs a darker one. Predicted people have
    thin limbs and a dashed box; interpolated people have a dashed box.

    Args:
        image: (H, W, 3) BGR uint8, contiguous; modified.
        tracks: people, in pixels of this image.
        skeleton: of their keypoints.
        min_score: keypoints with a lower score are hidden.
        labels: text next to each ID, by ID; only the ID if omitted.

    Returns:
        The same image.
    """
    from .strokes import paint  # loads a compiler, which only drawing needs

    poses = tracks.poses
    side = _side(image)
    visible = np.isfinite(poses.keypoints).all(-1) & (poses.scores >= min_score)  # (N, K)
    points = np.where(visible[..., None], poses.keypoints.clip(-FAR, FAR), 0)
    drawable = np.isfinite(poses.boxes).all(-1).tolist()  # (N,)
    corners = np.nan_to_num(poses.boxes.clip(-FAR, FAR)).round().astype(int)
    boxes = corners.tolist()
    widths = [_line_width(side, person=max(x2 - x1, y2 - y1)) for x1, y1, x2, y2 in boxes]
    limbs = [width / 2 if state == State.PREDICTED else width for width, state in zip(widths, tracks.states)]
    strokes, drawn = _strokes(points, visible, np.array(limbs), skeleton)
    colors = shades(tuple(tracks.ids.tolist()))[:, _figure(skeleton).colors]  # (N, S, 2, 3)

    # Nearer people, whose boxes reach lower, are drawn over others; labels are drawn over all people.
    order = np.argsort(corners[:, 3], kind="stable").tolist()
    for n in order:
        if drawable[n]:
            dashed = tracks.states[n] != State.MEASURED
            _draw_box(image, boxes[n], palette(int(tracks.ids[n])), width=widths[n], dashed=dashed)
        paint(image, strokes[n], drawn[n], colors[n])
    for n in order:
        if drawable[n]:
            identity = int(tracks.ids[n])
            text = f"{identity}  {(labels or {}).get(identity, '')}".rstrip()
            _draw_label(image, text, boxes[n][:2], palette(identity), width=widths[n], side=side)
    return image


def draw_fps(image: Image, fps: float) -> None:
    """Write a frame rate on a dimmed plate in the upper right corner, in place.

    Args:
        image: (H, W, 3) BGR uint8.
        fps: frames per second.
    """
    text = f"{fps:.0f} fps" if fps >= 9.95 else f"{fps:.1f} fps"
    cap = round(max(8.0, 0.017 * _side(image)))
    height, width, margin = _text_size(text, cap)
    place, _, _ = _place(image, image.shape[1] - width - cap // 2, cap // 2, size=(height, width))
    plate = np.asarray(cv2.convertScaleAbs(place, alpha=0.3), dtype=np.uint8)
    _write(plate, text, cap, margin, PAPER)
    place[:] = plate


def _side(image: Image) -> float:
    """Return the side in pixels of a square with the image's area."""
    return math.sqrt(image.shape[0] * image.shape[1])


def _line_width(side: float, *, person: float) -> float:
    """Return the width of limbs in pixels: proportional to the person, within limits set by the image."""
    return max(1.0, min(max(0.014 * person, 0.0012 * side), 0.0045 * side))


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
    side = np.zeros(len(skeleton), dtype=int)  # -1 left, 0 middle, 1 right
    for left, right in skeleton.flip_pairs:
        side[[left, right]] = -1, 1
    size = np.clip(np.array(skeleton.sigmas) / BROAD_SIGMA, 0.55, 1.0)
    limbs = np.array(skeleton.limbs, dtype=int).reshape(-1, 2)
    joints = np.arange(len(skeleton))
    line = np.concatenate([MIDDLE + np.sign(side[limbs].sum(1)), np.full(len(skeleton), JOINT)])
    return _Figure(
        ends=np.concatenate([limbs, np.stack([joints, joints], axis=1)]),
        widths=np.concatenate([0.6 * size[limbs].min(1), 1.15 * size]).astype(np.float32),
        colors=np.stack([line, np.full(len(line), DARK)], axis=1),
    )


def _strokes(
    points: NDArray[np.floating], visible: NDArray[np.bool_], widths: NDArray[np.floating], skeleton: Skeleton
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the strokes (N, S, 6) of all people for `paint`, and which of them are drawn (N, S).

    Args:
        points: (N, K, 2) pixels.
        visible: (N, K).
        widths: (N,) width of a full-sized limb, in pixels.
        skeleton: of the keypoints.
    """
    figure = _figure(skeleton)
    strokes = np.empty((len(points), len(figure.ends), 6), np.float32)
    strokes[..., :4] = points[:, figure.ends].reshape(len(points), len(figure.ends), 4)
    strokes[..., 4] = np.maximum(widths[:, None] * figure.widths, 0.5)
    strokes[..., 5] = np.maximum(0.3 * widths, 0.5)[:, None]
    return strokes, np.asarray(visible[:, figure.ends].all(-1))


def _draw_lines(image: Image, lines: Any, color: Color, thickness: int) -> None:
    """Draw lines (L, 2, 2) in fixed point in one call; OpenCV accepts an array, although its type stubs do not."""
    cv2.polylines(image, lines, False, color, thickness, cv2.LINE_AA, SHIFT)


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


def _draw_label(image: Image, text: str, corner: list[int], colors: Palette, *, width: float, side: float) -> None:
    """Draw a label above the upper left corner of a box, or inside the box if there is no room above."""
    label = _label(text, round(max(8.0, 0.014 * side, min(5 * width, 0.03 * side))), colors)
    line = max(1, round(0.4 * width))
    place, rows, columns = _place(image, corner[0] - line // 2, corner[1] - label.shape[0], size=label.shape[:2])
    place[:] = label[:rows, :columns]


@lru_cache(maxsize=512)
def _label(text: str, cap: int, colors: Palette) -> Image:
    """Return the image of a label; cached, because labels recur in every frame."""
    height, width, margin = _text_size(text, cap)
    label = np.full((height, width, 3), colors.base, dtype=np.uint8)
    _write(label, text, cap, margin, colors.ink)
    label.flags.writeable = False
    return label


@lru_cache(maxsize=512)
def _text_size(text: str, cap: int) -> tuple[int, int, int]:
    """Return height and width of a text including its margin, and the margin, for capitals `cap` pixels high."""
    (width, _), _ = cv2.getTextSize(text, FONT, cap / CAP_HEIGHT, _weight(cap))
    margin = max(3, round(0.45 * cap))
    return cap + 2 * margin, width + 2 * margin, margin


def _write(plate: Image, text: str, cap: int, margin: int, color: Color) -> None:
    cv2.putText(plate, text, (margin, margin + cap), FONT, cap / CAP_HEIGHT, color, _weight(cap), cv2.LINE_AA)


def _weight(cap: int) -> int:
    return max(1, round(cap / 13))


def _place(image: Image, x: int, y: int, *, size: tuple[int, int]) -> tuple[Image, int, int]:
    """Return the part of the image for a plate at (x, y), moved inside and cropped, and its rows and columns."""
    rows, columns = min(size[0], image.shape[0]), min(size[1], image.shape[1])
    x, y = min(max(x, 0), image.shape[1] - columns), min(max(y, 0), image.shape[0] - rows)
    return image[y : y + rows, x : x + columns], rows, columns
