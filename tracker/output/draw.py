"""Draw tracked people on an image: `posetrack.draw`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..formats.trajectories import skeleton_of
from ..types import Tracks
from ..types.image import as_bgr
from .overlay import MIN_SCORE, draw_people


def draw(
    image: Any, tracks: Tracks, *, colors: str = "id", boxes: bool = True, min_score: float = MIN_SCORE
) -> NDArray[np.uint8]:
    """Draw people on a copy of an image.

    Args:
        image: (H, W, 3) BGR uint8, or another kind that `Frame` takes; it is not changed.
        tracks: in pixels of this image.
        colors: `id`: one colour per person; `side`: left limbs are blue, right limbs orange.
        boxes: whether to draw boxes; IDs are always drawn.
        min_score: keypoints with a lower score, in [0, 1], are hidden; a low score makes a limb fainter.

    Returns:
        (H, W, 3) BGR uint8.

    Raises:
        InputError: the image or the tracks are invalid.
        UsageError: the colours are unknown.

    Examples:
        >>> import numpy as np
        >>> import posetrack
        >>> tracker = posetrack.PoseTracker()
        >>> poses = posetrack.Poses(boxes=[[10, 20, 110, 220]], keypoints=[[[60, 40]] * 17], scores=[[0.9] * 17])
        >>> black = np.zeros((240, 320, 3), np.uint8)
        >>> image = posetrack.draw(black, tracker.update(poses, time=0.0), colors="side", boxes=False)
        >>> image.shape, bool(image.any()), bool(black.any())
        ((240, 320, 3), True, False)
    """
    if not isinstance(tracks, Tracks):
        raise InputError(f"tracks is of type {type(tracks).__name__}; give Tracks: some people are tracks[[0, 2]].")
    copy = np.array(as_bgr(image), order="C")
    skeleton = skeleton_of(tracks.names)
    return draw_people(copy, tracks, skeleton=skeleton, colors=colors, boxes=boxes, min_score=min_score)
