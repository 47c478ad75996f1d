"""Match the truth and the result of one video, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from ...errors import UsageError
from ...models.geometry.boxes import areas, iou
from ...models.geometry.keypoints import oks
from ..formats.trajectories import Trajectories

Rows = NDArray[np.intp]
SAME = 0.5  # minimum similarity of a match, as in CLEAR MOT


def assign(similarity: NDArray[np.floating], gate: float) -> tuple[Rows, Rows]:
    """Match rows and columns (N, M) one to one, so that the total similarity is maximal.

    Pairs below the gate are never matched. The evaluation deliberately shares no code with the tracker.
    """
    allowed = similarity >= gate
    rows, columns = linear_sum_assignment(np.where(allowed, similarity, 0.0), maximize=True)
    matched = allowed[rows, columns]
    return rows[matched], columns[matched]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Truth and result in F frames of one video.

    Attributes:
        truth: all true people.
        result: all tracked people.
        truth_rows: F arrays (N,), the rows of `truth` that are evaluated.
        result_rows: F arrays (M,), the rows of `result` that are evaluated.
        similarities: F arrays (N, M) in [0, 1].
    """

    truth: Trajectories
    result: Trajectories
    truth_rows: list[Rows]
    result_rows: list[Rows]
    similarities: list[NDArray[np.floating]]

    def pairs(self) -> tuple[Rows, Rows]:
        """Return the matched rows of truth and result in all frames, one to one."""
        matches = [assign(similarity, SAME) for similarity in self.similarities]
        none = np.zeros(0, dtype=np.intp)
        truth = [rows[i] for rows, (i, _) in zip(self.truth_rows, matches)]
        result = [rows[j] for rows, (_, j) in zip(self.result_rows, matches)]
        return np.concatenate([none, *truth]), np.concatenate([none, *result])


def compare(truth: Trajectories, result: Trajectories, *, poses: bool = False, visibility: float = 0.0) -> Comparison:
    """Compare a result with the truth.

    Ignored people are neither misses nor false positives: a result that matches only an ignored person is excluded,
    much as TrackEval does with the MOT Challenge's distractors.

    Args:
        truth: ground truth.
        result: tracked people.
        poses: compare keypoints by OKS (with the area of the true box) instead of boxes by IoU.
        visibility: minimum visible share of a person; people below it are ignored, and so are people without keypoints
            if `poses` is set.

    Raises:
        UsageError: `poses` is set, and the files share no keypoints.
    """
    counts = truth.box_scores >= visibility  # NaN never does
    if poses:
        truth, result = _in_common(truth, result)
        counts &= ~np.isnan(truth.keypoints[..., 0]).all(-1)
    comparison = Comparison(truth, result, [], [], [])
    for rows, others in _frames(truth, result):
        similarity = _oks(truth[rows], result[others]) if poses else iou(truth.boxes[rows], result.boxes[others])
        judged = counts[rows]  # (N,)
        unmatched = np.ones(len(others), dtype=bool)
        unmatched[assign(similarity[judged], SAME)[1]] = False
        excused = np.flatnonzero(unmatched)[
            assign(iou(truth.boxes[rows[~judged]], result.boxes[others[unmatched]]), SAME)[1]
        ]
        left = np.delete(np.arange(len(others)), excused)
        comparison.truth_rows.append(rows[judged])
        comparison.result_rows.append(others[left])
        comparison.similarities.append(similarity[np.ix_(judged, left)])
    return comparison


def _in_common(truth: Trajectories, result: Trajectories) -> tuple[Trajectories, Trajectories]:
    """Return both in the truth's skeleton; keypoints that one of them lacks become missing in the truth."""
    result = result.in_skeleton(truth.skeleton)
    present = np.stack([np.isfinite(people.keypoints[..., 0]).any(0) for people in (truth, result)])  # (2, K)
    common = present[0] & present[1]
    if len(truth) and len(result) and not common.any():
        raise UsageError("Truth and result share no keypoints, so poses cannot be compared. Compare boxes.")
    return replace(truth, keypoints=np.where(common[:, None], truth.keypoints, np.nan)), result


def _frames(truth: Trajectories, result: Trajectories) -> Iterator[tuple[Rows, Rows]]:
    """Yield the rows of truth and result of each frame with people, in the order of time."""
    frames = np.union1d(truth.frames, result.frames)
    if truth.labelled is not None:
        frames = np.intersect1d(frames, truth.labelled)
    sides = [
        (np.searchsorted(p.frames, frames), np.searchsorted(p.frames, frames, side="right")) for p in (truth, result)
    ]
    for (a, b), (c, d) in zip(zip(*sides[0]), zip(*sides[1])):
        yield np.arange(a, b), np.arange(c, d)


def _oks(truth: Trajectories, result: Trajectories) -> NDArray[np.floating]:
    """Return the OKS (N, M) over the truth's keypoints; a keypoint missing in the result is infinitely far away."""
    found = np.where(np.isnan(result.keypoints), np.inf, result.keypoints)
    return oks(truth.keypoints, found, areas(truth.boxes), sigmas=truth.skeleton.sigmas)
