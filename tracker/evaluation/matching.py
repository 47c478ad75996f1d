"""Truth and result of one video, frame by frame, with the similarity of everybody with everybody."""

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
SAME = 0.5  # similarity from which a result is somebody, as CLEAR MOT has it


def assign(similarity: NDArray[np.floating], gate: float) -> tuple[Rows, Rows]:
    """Match rows and columns (N, M) one to one, so that the similarity of all matches together is greatest.

    Pairs below the gate are never matched. The judge shares no code with the tracker, which has its own.
    """
    allowed = similarity >= gate
    rows, columns = linear_sum_assignment(np.where(allowed, similarity, 0.0), maximize=True)
    matched = allowed[rows, columns]
    return rows[matched], columns[matched]


@dataclass(frozen=True, slots=True)
class Comparison:
    """F frames of one video.

    Attributes:
        truth: all of it; `truth_rows` are those that count.
        result: all of it; `result_rows` are those that count.
        truth_rows: F arrays (N,).
        result_rows: F arrays (M,).
        similarities: F arrays (N, M) in [0, 1].
    """

    truth: Trajectories
    result: Trajectories
    truth_rows: list[Rows]
    result_rows: list[Rows]
    similarities: list[NDArray[np.floating]]

    def pairs(self) -> tuple[Rows, Rows]:
        """Return the rows of truth and of result that are the same person in the same frame, one to one."""
        matches = [assign(similarity, SAME) for similarity in self.similarities]
        none = np.zeros(0, dtype=np.intp)
        truth = [rows[i] for rows, (i, _) in zip(self.truth_rows, matches)]
        result = [rows[j] for rows, (_, j) in zip(self.result_rows, matches)]
        return np.concatenate([none, *truth]), np.concatenate([none, *result])


def compare(truth: Trajectories, result: Trajectories, *, poses: bool = False, visibility: float = 0.0) -> Comparison:
    """Hold a result against truth.

    Truth that does not count is neither demanded nor punished: a result whose box matches it, and nobody who counts,
    is left out, much as TrackEval does with the MOT Challenge's distractors.

    Args:
        truth: what is so.
        result: what was found.
        poses: compare keypoints by OKS (the person's area is the true box's), otherwise boxes by IoU.
        visibility: people of whom less can be seen do not count; neither do those without keypoints, for poses.

    Raises:
        UsageError: poses are to be compared, and the files share no keypoints.
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
    """Return both with the truth's skeleton; keypoints that one of them never has are missing in both."""
    result = result.in_skeleton(truth.skeleton)
    present = np.stack([np.isfinite(people.keypoints[..., 0]).any(0) for people in (truth, result)])  # (2, K)
    common = present[0] & present[1]
    if len(truth) and len(result) and not common.any():
        raise UsageError("Truth and result share no keypoints, so poses cannot be compared. Compare boxes.")
    return replace(truth, keypoints=np.where(common[:, None], truth.keypoints, np.nan)), result


def _frames(truth: Trajectories, result: Trajectories) -> Iterator[tuple[Rows, Rows]]:
    """Yield the rows of truth and of result of every frame that has any, in the order of time."""
    frames = np.union1d(truth.frames, result.frames)
    if truth.labelled is not None:
        frames = np.intersect1d(frames, truth.labelled)
    sides = [
        (np.searchsorted(p.frames, frames), np.searchsorted(p.frames, frames, side="right")) for p in (truth, result)
    ]
    for (a, b), (c, d) in zip(zip(*sides[0]), zip(*sides[1])):
        yield np.arange(a, b), np.arange(c, d)


def _oks(truth: Trajectories, result: Trajectories) -> NDArray[np.floating]:
    """Return the OKS (N, M) over the keypoints that the truth has; one that the result has not is infinitely far."""
    found = np.where(np.isnan(result.keypoints), np.inf, result.keypoints)
    return oks(truth.keypoints, found, areas(truth.boxes), sigmas=truth.skeleton.sigmas)
