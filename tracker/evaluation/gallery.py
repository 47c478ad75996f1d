"""Draw the worst errors of an evaluation, wrong poses, misses and false positives, next to the truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import OutputError
from ...image import decode
from ...models.geometry.keypoints import Skeleton
from ..output.palette import INK, PAPER, Palette, palette
from .mistakes import KINDS, LEAST_SCORE, Case, find_errors, keypoints_of

if TYPE_CHECKING:
    from .images import Evaluation

PANEL = (480, 400)  # height and width of each half
CAPTION = 30
ROOM = 1.6  # size of the drawn region, relative to the people's boxes
TRUTH, FOUND = 2, 1  # ids whose palette colours are used
GREY = (160, 160, 160)
FAR = 10_000  # pixels; OpenCV draws no further
FONT = cv2.FONT_HERSHEY_DUPLEX


def check_gallery(folder: str | Path, *, overwrite: bool) -> None:
    """Check that the folder for error images can be created and contains no other gallery.

    Raises:
        OutputError: the folder cannot be created, or holds a gallery and `overwrite` is False.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"Cannot create the folder '{folder}': {error.strerror}. Give --save-errors another folder."
        ) from error
    if _images(folder) and not overwrite:
        raise OutputError(f"'{folder}' already contains error images. Give another folder, or add --overwrite.")


def save_errors(run: Evaluation, images: str | Path, folder: str | Path, *, worst: int) -> int:
    """Draw the worst cases of each kind; replaces those of an earlier run.

    A file name contains the kind, the number, the OKS of a pose or the score of a false positive, and the image's name.

    Args:
        run: the evaluation.
        images: folder of its images.
        folder: folder of the drawings; it must exist.
        worst: number of cases per kind.

    Returns:
        The number of drawings.

    Raises:
        OutputError: a drawing cannot be written.
    """
    folder = Path(folder)
    for earlier in _images(folder):
        earlier.unlink()
    names = {entry["id"]: entry["file_name"] for entry in run.truth["images"]}
    cases = find_errors(run)
    count = 0
    for kind in KINDS:
        chosen = sorted((case for case in cases if case.kind == kind), key=lambda case: -case.rank)[:worst]
        for number, case in enumerate(chosen, start=1):
            source = Path(images) / names[case.image_id]
            drawing = draw_error(decode(source.read_bytes(), upright=False), case, run)
            figure = {"pose": f"-oks{case.oks:.2f}", "miss": "", "false-positive": f"-score{case.rank:.2f}"}[kind]
            target = folder / f"{kind}-{number:03d}{figure}-{source.stem}.jpg"
            if not cv2.imwrite(str(target), drawing):
                raise OutputError(f"Cannot write '{target}'. Check the folder and its free space.")
            count += 1
    return count


def _images(folder: Path) -> list[Path]:
    return [path for kind in KINDS for path in folder.glob(f"{kind}-[0-9][0-9][0-9]*.jpg")]


def draw_error(image: NDArray[np.uint8], case: Case, run: Evaluation) -> NDArray[np.uint8]:
    """Draw one case: the truth on the left, the result on the right, other people in grey.

    On the right, a line leads from each keypoint to its true position.

    Args:
        image: (H, W, 3) BGR, the whole image.
        case: the error.
        run: its evaluation.

    Returns:
        (CAPTION + h, 2 w, 3) for `PANEL` = (h, w).
    """
    skeleton = run.dataset.skeleton
    zoom = _zoom([person for person in (case.truth, case.found) if person], image.shape[1::-1])
    height, width = PANEL
    view = cv2.warpAffine(image, zoom, (width, height), flags=cv2.INTER_LINEAR, borderValue=INK)
    halves = []
    for own, people_drawn, color in ((case.truth, run.truth["annotations"], TRUTH), (case.found, run.poses, FOUND)):
        half = view.copy()
        for person in people_drawn:
            certain = person.get("score", 1) >= LEAST_SCORE
            if person["image_id"] == case.image_id and person is not own and certain:
                _draw_person(half, person, zoom, skeleton, None)
        if own:
            _draw_person(half, own, zoom, skeleton, palette(color))
        halves.append(half)
    if case.truth and case.found:
        _draw_displacements(halves[1], case, zoom, skeleton)
    name = next(p["file_name"] for p in run.truth["images"] if p["id"] == case.image_id)
    finding = {"pose": f"OKS {case.oks:.2f}", "miss": "missed", "false-positive": "false positive"}[case.kind]
    score = f", score {case.found['score']:.2f}" if case.found else ""
    captions = [_caption(f"truth: {Path(name).name}"), _caption(finding + score)]
    return np.concatenate([np.concatenate(captions, axis=1), np.concatenate(halves, axis=1)])


def _zoom(shown: list[dict[str, Any]], size: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the map (2, 3) from an image of `size` (width, height) to a panel around the boxes."""
    boxes = np.array([p["bbox"] for p in shown], dtype=float)
    first, last = boxes[:, :2].min(0), (boxes[:, :2] + boxes[:, 2:]).max(0)
    panel = np.array(PANEL[::-1])
    scale = (panel / (np.maximum(last - first, 8) * ROOM)).min()
    window = panel / scale
    corner = np.clip(
        (first + last - window) / 2, 0, np.maximum(size - window, 0)
    )  # inside the image if it is large enough
    corner = np.where(window > size, (size - window) / 2, corner)
    return np.array([[scale, 0, -scale * corner[0]], [0, scale, -scale * corner[1]]])


def _draw_person(
    image: NDArray[np.uint8],
    person: dict[str, Any],
    zoom: NDArray[np.float64],
    skeleton: Skeleton,
    colors: Palette | None,
) -> None:
    """Draw a skeleton and box, left and right in different colours; thin and grey without a palette."""
    points = _placed(person, zoom, skeleton)  # (K, 2)
    x, y, w, h = person["bbox"]
    first, last = np.array([[x, y], [x + w, y + h]]) @ zoom[:, :2].T + zoom[:, 2]
    cv2.rectangle(image, _pixel(first), _pixel(last), colors.base if colors else GREY, 1, cv2.LINE_AA)
    limbs = [(a, b) for a, b in skeleton.limbs if np.isfinite(points[[a, b]]).all()]
    if colors is None:
        for a, b in limbs:
            cv2.line(image, _pixel(points[a]), _pixel(points[b]), GREY, 1, cv2.LINE_AA)
        return
    side = np.zeros(len(skeleton), dtype=int)
    for left, right in skeleton.flip_pairs:
        side[[left, right]] = -1, 1
    for a, b in limbs:
        cv2.line(image, _pixel(points[a]), _pixel(points[b]), colors.dark, 4, cv2.LINE_AA)
    for a, b in limbs:
        color = colors.sides[int(np.sign(side[a] + side[b]))]
        cv2.line(image, _pixel(points[a]), _pixel(points[b]), color, 2, cv2.LINE_AA)
    for point in points[np.isfinite(points).all(1)]:
        cv2.circle(image, _pixel(point), 4, colors.dark, -1, cv2.LINE_AA)
        cv2.circle(image, _pixel(point), 3, colors.joint, -1, cv2.LINE_AA)


def _draw_displacements(image: NDArray[np.uint8], case: Case, zoom: NDArray[np.float64], skeleton: Skeleton) -> None:
    """Draw a line from each estimated keypoint to its true position."""
    assert case.truth is not None
    assert case.found is not None
    for true, found in zip(_placed(case.truth, zoom, skeleton), _placed(case.found, zoom, skeleton), strict=True):
        if np.isfinite([true, found]).all():
            cv2.line(image, _pixel(found), _pixel(true), PAPER, 1, cv2.LINE_AA)
            cv2.drawMarker(image, _pixel(true), PAPER, cv2.MARKER_TILTED_CROSS, 7, 1, cv2.LINE_AA)


def _placed(person: dict[str, Any], zoom: NDArray[np.float64], skeleton: Skeleton) -> NDArray[np.float64]:
    """Return a person's keypoints (K, 2) in the panel; NaN where missing."""
    return keypoints_of([person], skeleton)[0] @ zoom[:, :2].T + zoom[:, 2]


def _pixel(point: NDArray[np.float64]) -> tuple[int, int]:
    x, y = np.clip(point, -FAR, FAR).round().astype(int).tolist()
    return x, y


def _caption(text: str) -> NDArray[np.uint8]:
    strip = np.full((CAPTION, PANEL[1], 3), INK, dtype=np.uint8)
    cv2.putText(strip, text, (8, CAPTION - 10), FONT, 0.5, PAPER, 1, cv2.LINE_AA)
    return strip
