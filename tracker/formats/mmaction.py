"""Skeleton pickles of MMAction2 and PYSKL.

Source: https://mmaction2.readthedocs.io, "Prepare skeleton dataset", the format of PoseDataset.
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import SourceError, UsageError
from ...models.geometry.skeletons import SKELETONS
from .placeholders import placeholders_to_nan, without_placeholders
from .plain_pickle import dump_plain, load_plain
from .recording import Recording, boxes_around
from .sequences import MAX_GAP, sequences
from .trajectories import from_columns, skeleton_of

SPLIT = "all"


def write_mmaction(
    path: Path, recording: Recording, *, max_gap: float = MAX_GAP, rate: float | None = None, label: int = 0
) -> None:
    """Write one annotation of one person per sequence, keypoints in pixels, all in the split "all".

    Args:
        path: of the file.
        recording: with times and frame size.
        max_gap: seconds, see `sequences`.
        rate: frames per second, see `sequences`.
        label: index of the action.

    Raises:
        UsageError: the frame size is unknown.
    """
    if recording.size is None:
        raise UsageError(
            f"'{recording.path}' has no frame size. Add --size WIDTHxHEIGHT, or keep the file "
            f"{recording.path.name}.json beside it."
        )
    shape = recording.size[1], recording.size[0]
    parts: Counter[int] = Counter()
    annotations = []
    for sequence in sequences(recording, max_gap=max_gap, rate=rate):
        person = sequence.track_id
        annotations.append(
            {
                "frame_dir": f"{recording.path.stem}_person{person}_{parts[person]}",
                "label": label,
                "img_shape": shape,
                "original_shape": shape,
                "total_frames": len(sequence),
                "keypoint": np.nan_to_num(sequence.keypoints)[None],  # (M, T, V, 2)
                "keypoint_score": sequence.scores[None],  # (M, T, V)
                "track_id": person,
                "start_s": sequence.start,
                "fps": sequence.fps,
                "keypoint_names": list(sequence.skeleton.keypoints),
            }
        )
        parts[person] += 1
    dump_plain({"split": {SPLIT: [a["frame_dir"] for a in annotations]}, "annotations": annotations}, path)


def read_mmaction(path: Path) -> Recording:
    """Read a pickle of one video without running code from it.

    Raises:
        SourceError: the file is invalid, contains code, or contains several videos.
    """
    try:
        document = load_plain(path.read_bytes())
        annotations = document["annotations"] if isinstance(document, dict) else document
        if len(annotations) > 1 and any("track_id" not in annotation for annotation in annotations):
            raise ValueError(f"it contains {len(annotations)} videos, not one")
        rows = [row for annotation in annotations for row in _rows(annotation)]
        shapes = [tuple(annotation["img_shape"]) for annotation in annotations]
        names = next((tuple(a["keypoint_names"]) for a in annotations if "keypoint_names" in a), None)
        num_keypoints = len(rows[0][3]) if rows else 17
    except (AttributeError, KeyError, TypeError, ValueError, pickle.UnpicklingError) as error:
        raise SourceError(f"'{path}' is not a pickle of skeletons: {error}. Give one of MMAction2's form.") from error
    known = next((s.keypoints for s in SKELETONS.values() if len(s) == num_keypoints), None)
    skeleton = skeleton_of(names or known or [f"keypoint_{i}" for i in range(num_keypoints)])
    frames, times, ids, keypoints, scores = zip(*rows) if rows else ((), (), (), np.zeros((0, num_keypoints, 2)), ())
    people = from_columns(
        skeleton,
        frames=frames,
        ids=ids,
        times=times,
        keypoints=keypoints,
        scores=scores,
        boxes=boxes_around(np.asarray(keypoints)),
    )
    size = (int(shapes[0][1]), int(shapes[0][0])) if len(set(shapes)) == 1 else None
    return Recording(skeleton, without_placeholders(people, path).by_frame, path, size=size)


def _rows(annotation: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Yield frame, time, ID, keypoints (V, 2) and scores (V,) of each person in each frame of an annotation."""
    keypoints, scores = annotation["keypoint"], annotation["keypoint_score"]
    if keypoints.ndim != 4 or keypoints.shape[:3] != scores.shape:
        raise ValueError(f"keypoint and keypoint_score have the shapes {keypoints.shape} and {scores.shape}")
    fps, start = annotation.get("fps"), annotation.get("start_s", 0.0)
    first = round(start * fps) if fps else 0
    points = placeholders_to_nan(np.concatenate([keypoints, scores[..., None]], axis=-1).astype(np.float64))
    keypoints, scores = points[..., :2], np.nan_to_num(points[..., 2])
    for m, t in np.ndindex(*scores.shape[:2]):
        if scores[m, t].any():
            time = start + t / fps if fps else np.nan
            yield first + t, time, annotation.get("track_id", m + 1), keypoints[m, t], scores[m, t]
