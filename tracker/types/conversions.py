"""Convert the arrays of tracked people to the objects of other libraries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...installation import library
from .person import STATES

if TYPE_CHECKING:
    from .flow import Tracks

Array = NDArray[np.floating]


def to_dataframe(
    *,
    lead: Mapping[str, Any],
    names: Sequence[str],
    ids: NDArray[np.integer],
    states: Sequence[str],
    scores: Array,
    boxes: Array,
    keypoints: Array,
    keypoint_scores: Array,
    keypoint_states: NDArray[np.integer] | None = None,
) -> Any:
    """Return a pandas DataFrame with one row per person and the columns of the table that `--csv` writes.

    Args:
        lead: columns in front of these, each one value or N values.
        names: of the K keypoints.
        ids: (N,).
        states: N values of `State`.
        scores: (N,) in [0, 1].
        boxes: (N, 4) xyxy pixels.
        keypoints: (N, K, 2) pixels; NaN where missing.
        keypoint_scores: (N, K) in [0, 1].
        keypoint_states: (N, K) indices of `STATES`, for a column per keypoint; no such columns if omitted.

    Raises:
        PosetrackError: pandas is not installed.
    """
    pandas = library("pandas", "A DataFrame", extra="formats")
    columns = {**lead, "track_id": ids, "state": [str(state) for state in states], "score": scores}
    columns |= dict(zip(("x1", "y1", "x2", "y2"), boxes.T))
    missing = np.isnan(keypoints.sum(-1))  # (N, K)
    for k, name in enumerate(names):
        columns |= {f"{name}_{axis}": keypoints[:, k, i] for i, axis in enumerate("xy")}
        columns[f"{name}_score"] = np.where(missing[:, k], np.nan, keypoint_scores[:, k])
    if keypoint_states is not None:
        for k, (name, codes) in enumerate(zip(names, keypoint_states.T.tolist())):
            columns[f"{name}_state"] = [None if gap else str(STATES[code]) for gap, code in zip(missing[:, k], codes)]
    return pandas.DataFrame(columns, index=range(len(ids)))


def to_supervision(tracks: Tracks) -> tuple[Any, Any]:
    """Return `supervision.Detections` and `supervision.KeyPoints` of the same people.

    A missing keypoint is (0, 0) there, which supervision's annotators leave out.

    Raises:
        PosetrackError: supervision is not installed.
    """
    sv = library("supervision", "to_supervision", extra="formats")
    ids = tracks.ids.astype(int)
    people = np.zeros(len(ids), int)  # supervision's class of every person
    facts = {"state": np.array([str(state) for state in tracks.states], dtype=str)}
    detections = sv.Detections(
        xyxy=tracks.boxes.astype(np.float32),
        confidence=tracks.box_scores,
        class_id=people,
        tracker_id=ids,
        data=facts,
    )
    keypoints = sv.KeyPoints(
        xy=np.nan_to_num(tracks.keypoints, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32),
        keypoint_confidence=tracks.scores,
        detection_confidence=tracks.box_scores,
        class_id=people,
        data=facts | {"tracker_id": ids},
    )
    return detections, keypoints
