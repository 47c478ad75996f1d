"""A sample video for a first run and for tests: a camera that moves over two photographs of people."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .images.image import read_image
from .write.video import VideoWriter

SIZE = (640, 480)  # (width, height) of the clip
PHOTOS = Path(__file__).parent / "photos"  # of the assets of Ultralytics, whose licence is that of posetrack


@dataclass(frozen=True, slots=True)
class Shot:
    """One photograph and the views that the camera passes through, at equal times.

    Attributes:
        photo: file name in `PHOTOS`.
        views: (x, y, height) each: centre and height of the view, in pixels of the photograph.
    """

    photo: str
    views: tuple[tuple[float, float, float], ...]


SHOTS = (
    # A street: three at the left; the whole width, with the fourth; then to the right, so that two leave.
    Shot("bus.jpg", ((348, 640, 520), (405, 620, 590), (450, 640, 500), (528, 650, 420))),
    # A bench: both men, and closer to the left one as the other leaves.
    Shot("zidane.jpg", ((860, 360, 600), (640, 360, 700), (640, 380, 620), (560, 380, 560))),
)


def make_sample(path: str | Path, *, seconds: float = 6.0, fps: float = 30.0, overwrite: bool = False) -> Path:
    """Write a 640 x 480 clip with two shots of a smoothly moving camera.

    Args:
        path: of the video.
        seconds: length of the clip.
        fps: frames per second.
        overwrite: replace an existing file.

    Returns:
        The path.

    Raises:
        OutputError: the video cannot be written.
    """
    photos = [read_image(PHOTOS / shot.photo) for shot in SHOTS]
    count = max(len(SHOTS), round(seconds * fps))
    with VideoWriter(path, size=SIZE, fps=fps, overwrite=overwrite) as writer:
        for index in range(count):
            number, within = divmod(index * len(SHOTS), count)
            view = _view(SHOTS[number].views, within / count)
            writer.write(_cut_out(photos[number], view), index / fps)
    return Path(path)


PEOPLE = ((50, 400, 245, 905), (222, 406, 345, 860), (670, 392, 810, 877))  # xyxy of whole people in bus.jpg
CROWD_SIZE = (1280, 720)


def make_crowd(
    path: str | Path, *, people: int, seconds: float = 4.0, fps: float = 30.0, size: tuple[int, int] = CROWD_SIZE
) -> NDArray[np.float32]:
    """Write a clip of people from a photograph, who sway side by side before a static background.

    Args:
        path: of the video.
        people: how many.
        seconds: length of the clip.
        fps: frames per second.
        size: (width, height) of the clip.

    Returns:
        Their boxes (F, N, 4), xyxy pixels, in each frame.

    Raises:
        SourceError: the photograph is not installed.
        OutputError: the video cannot be written.
    """
    width, height = size
    photo = read_image(PHOTOS / "bus.jpg")
    background = cv2.GaussianBlur(cv2.resize(photo, size), (0, 0), 40)
    column, figures = width / people, []
    for left, top, right, bottom in (PEOPLE[i % len(PEOPLE)] for i in range(people)):
        scale = min(0.75 * height / (bottom - top), 0.7 * column / (right - left))
        figures.append(
            cv2.resize(photo[top:bottom, left:right], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        )
    boxes = np.empty((round(seconds * fps), people, 4), np.float32)
    with VideoWriter(path, size=size, fps=fps) as writer:
        for index in range(len(boxes)):
            image = background.copy()
            for i, figure in enumerate(figures):
                tall, wide = figure.shape[:2]
                sway = 0.5 + 0.4 * np.sin(np.pi * index / fps + i)
                left, top = round(i * column + sway * (column - wide)), (height - tall) // 2
                image[top : top + tall, left : left + wide] = figure
                boxes[index, i] = left, top, left + wide, top + tall
            writer.write(image, index / fps)
    return boxes


def _view(views: tuple[tuple[float, float, float], ...], where: float) -> NDArray[np.float64]:
    """Return (x, y, height) at `where` in [0, 1]: a Catmull-Rom spline through the views, eased at both ends."""
    points = np.asarray([views[0], *views, views[-1]], np.float64)  # (V + 2, 3)
    position = where * where * (3 - 2 * where) * (len(views) - 1)
    k = min(int(position), len(views) - 2)
    t = position - k
    p0, p1, p2, p3 = points[k : k + 4]
    return 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * (p1 - p2) + p3 - p0) * t**3)


def _cut_out(photo: NDArray[np.uint8], view: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Cut the view out of the photograph with sub-pixel steps, so that slow motion is smooth."""
    x, y, height = view
    scale = SIZE[1] / height
    matrix = np.array([[scale, 0, SIZE[0] / 2 - scale * x], [0, scale, SIZE[1] / 2 - scale * y]])
    return cv2.warpAffine(photo, matrix, SIZE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
