"""All tracks of a video as arrays, from a file of any format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...models.geometry.keypoints import COCO, Skeleton
from ...models.geometry.skeletons import BODY_25, POSETRACK18, SKELETONS
from ..types import State
from .recording import TimedTracks, tracks_of

_KNOWN = (*SKELETONS.values(), POSETRACK18, BODY_25)
BOXES = Skeleton(name="boxes", keypoints=(), limbs=(), flip_pairs=(), sigmas=())
_USUAL_SIGMA = 0.079  # of a shoulder, for keypoints of an unknown skeleton


@dataclass(frozen=True, slots=True)
class Trajectories:
    """R rows, one per person per frame, in the order of the frames.

    Attributes:
        skeleton: of the K keypoints; `BOXES` has none.
        frames: (R,) index in the video, from 0.
        ids: (R,).
        boxes: (R, 4) xyxy pixels.
        keypoints: (R, K, 2) pixels; NaN where missing.
        scores: (R, K) in [0, 1]; 0 where missing.
        box_scores: (R,) in [0, 1]: of a result the detector's confidence; of ground truth the visible share, NaN if
            the person is not evaluated.
        times: (R,) seconds; NaN if unknown.
        predicted: (R,) whether the person was not measured in this frame.
        labelled: numbers of the L annotated frames; None for all.
    """

    skeleton: Skeleton
    frames: NDArray[np.int64]
    ids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    keypoints: NDArray[np.float64]
    scores: NDArray[np.float64]
    box_scores: NDArray[np.float64]
    times: NDArray[np.float64]
    predicted: NDArray[np.bool_]
    labelled: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, rows: Any) -> Trajectories:
        """Select rows by an index array, a mask or a slice."""
        names = ("frames", "ids", "boxes", "keypoints", "scores", "box_scores", "times", "predicted")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    def in_skeleton(self, skeleton: Skeleton) -> Trajectories:
        """Return these tracks in another skeleton; keypoints without a counterpart are missing."""
        keypoints, scores = in_skeleton(self.keypoints, self.scores, self.skeleton, skeleton)
        return replace(self, skeleton=skeleton, keypoints=keypoints, scores=scores)

    def by_frame(self) -> Iterator[TimedTracks]:
        """Yield the rows of each frame; frames without people are omitted."""
        bounds = np.flatnonzero(np.diff(self.frames, prepend=-1, append=-1))
        for start, end in pairwise(bounds.tolist()):
            rows = slice(start, end)
            states = [State.PREDICTED if predicted else State.MEASURED for predicted in self.predicted[rows]]
            tracks = tracks_of(
                self.ids[rows],
                self.keypoints[rows],
                self.scores[rows],
                boxes=self.boxes[rows],
                box_scores=self.box_scores[rows],
                states=states,
            )
            yield int(self.frames[start]), float(self.times[start]), tracks


def in_skeleton(
    keypoints: NDArray[np.floating], scores: NDArray[np.floating], old: Skeleton, new: Skeleton
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return keypoints (N, K, 2) and scores (N, K) in another skeleton's order; NaN and 0 if missing."""
    rows = [old.keypoints.index(name) if name in old.keypoints else len(old) for name in new.keypoints]
    keypoints = np.pad(keypoints, ((0, 0), (0, 1), (0, 0)), constant_values=np.nan)
    return keypoints[:, rows], np.pad(scores, ((0, 0), (0, 1)))[:, rows]


def from_columns(
    skeleton: Skeleton,
    *,
    frames: Sequence[int] | NDArray[Any],
    ids: Sequence[int] | NDArray[Any],
    boxes: Any,
    keypoints: Any = None,
    scores: Any = None,
    box_scores: Any = None,
    times: Any = None,
    predicted: Any = None,
    labelled: Sequence[int] | None = None,
) -> Trajectories:
    """Build trajectories from the columns of a file, sorted by frame; see `Trajectories` for the columns."""
    r, k = len(frames), len(skeleton)
    rows = Trajectories(
        skeleton=skeleton,
        frames=np.asarray(frames, np.int64),
        ids=np.asarray(ids, np.int64),
        boxes=np.asarray(boxes, np.float64).reshape(r, 4),
        keypoints=np.full((r, k, 2), np.nan) if keypoints is None else np.asarray(keypoints, float).reshape(r, k, 2),
        scores=np.zeros((r, k)) if scores is None else np.asarray(scores, float).reshape(r, k),
        box_scores=np.ones(r) if box_scores is None else np.asarray(box_scores, float),
        times=np.full(r, np.nan) if times is None else np.asarray(times, float),
        predicted=np.zeros(r, bool) if predicted is None else np.asarray(predicted, bool),
        labelled=labelled,
    )
    return rows[np.lexsort((rows.ids, rows.frames))]


def from_tracks(frames: Iterable[TimedTracks], *, skeleton: Skeleton = COCO) -> Trajectories:
    """Collect the (index, time, tracks) of all frames."""
    kept = [(index, time, tracks) for index, time, tracks in frames if len(tracks)]
    return from_columns(
        skeleton,
        frames=[index for index, _, tracks in kept for _ in tracks.ids],
        ids=_joined([tracks.ids for _, _, tracks in kept], (0,)),
        boxes=_joined([tracks.poses.boxes for _, _, tracks in kept], (0, 4)),
        keypoints=_joined([tracks.poses.keypoints for _, _, tracks in kept], (0, len(skeleton), 2)),
        scores=_joined([tracks.poses.scores for _, _, tracks in kept], (0, len(skeleton))),
        box_scores=_joined([tracks.poses.box_scores for _, _, tracks in kept], (0,)),
        times=[time for _, time, tracks in kept for _ in tracks.ids],
        predicted=[state is not State.MEASURED for _, _, tracks in kept for state in tracks.states],
    )


def _joined(arrays: list[NDArray[Any]], empty: tuple[int, ...]) -> NDArray[Any]:
    return np.concatenate(arrays) if arrays else np.zeros(empty)


def skeleton_of(keypoints: Sequence[str], *, any_order: bool = False) -> Skeleton:
    """Return the known skeleton with these keypoints, or a new one without limbs.

    Args:
        keypoints: their names.
        any_order: whether the known skeleton may have another order.
    """
    order: Any = sorted if any_order else tuple
    known = (skeleton for skeleton in _KNOWN if order(skeleton.keypoints) == order(keypoints))
    sigmas = (_USUAL_SIGMA,) * len(keypoints)
    return next(known, Skeleton("custom", tuple(keypoints), limbs=(), flip_pairs=(), sigmas=sigmas))


def is_known_keypoint(name: str) -> bool:
    """Return whether any known skeleton has a keypoint of this name."""
    return any(name in skeleton.keypoints for skeleton in _KNOWN)
