"""Poses in COCO's results format: a JSON list, with the additional key `track_id`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ...errors import SourceError
from ...models.geometry.skeletons import SKELETONS
from ...numeric import as_number, as_numbers, as_whole
from .placeholders import placeholders_to_nan, without_placeholders
from .recording import Recording, boxes_around
from .trajectories import from_columns, skeleton_of


def write_coco(path: Path, recording: Recording) -> None:
    """Write the list; `image_id` is the frame's number, a missing keypoint is 0, 0, 0."""
    lead = "[\n"
    with path.open("w", encoding="utf-8") as file:
        for index, _, tracks in recording:
            poses = tracks.poses
            points = np.concatenate([poses.keypoints, poses.scores[..., None]], axis=-1)
            points = np.where(np.isfinite(points).all(-1, keepdims=True), points, 0.0).astype(np.float64).round(4)
            boxes = np.concatenate([poses.boxes[:, :2], poses.boxes[:, 2:] - poses.boxes[:, :2]], axis=1)
            for row, person in enumerate(tracks.ids.tolist()):
                result = {
                    "image_id": index,
                    "category_id": 1,
                    "track_id": person,
                    "keypoints": points[row].ravel().tolist(),
                    "score": round(float(poses.box_scores[row]), 4),
                    "bbox": boxes[row].astype(np.float64).round(2).tolist(),
                }
                file.write(lead + json.dumps(result))
                lead = ",\n"
        file.write("[]\n" if lead == "[\n" else "\n]\n")


def read_coco(path: Path) -> Recording:
    """Read results with IDs. Keypoints have no names: 17 are COCO's, 133 COCO-WholeBody's.

    The whole file is read into memory, because results may be in any order.

    Raises:
        SourceError: the file is invalid.
    """
    try:
        people = json.loads(path.read_bytes())
        num_keypoints = len(people[0]["keypoints"]) // 3 if people else 17
        points = np.array([as_numbers(person["keypoints"]) for person in people], dtype=np.float64)
        points = points.reshape(len(people), num_keypoints, 3)
        found = placeholders_to_nan(points)
        keypoints = found[..., :2]
        boxes = np.array(
            [as_numbers(person.get("bbox") or (np.nan,) * 4) for person in people], dtype=np.float64
        ).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        names = next((s.keypoints for s in SKELETONS.values() if len(s) == num_keypoints), None)
        skeleton = skeleton_of(names or [f"keypoint_{i}" for i in range(num_keypoints)])
        rows = from_columns(
            skeleton,
            frames=[as_whole(person["image_id"]) for person in people],
            ids=[-1 if (track := person.get("track_id")) is None else as_whole(track) for person in people],
            boxes=np.where(np.isnan(boxes), boxes_around(keypoints), boxes),
            keypoints=keypoints,
            scores=np.nan_to_num(found[..., 2]),
            box_scores=[as_number(person.get("score", 1.0)) for person in people],
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        what = f"{type(error).__name__} {error}"
        raise SourceError(
            f"'{path}' is not a COCO results file with tracks ({what}); give a JSON list with image_id, track_id and "
            "keypoints."
        ) from error
    return Recording(skeleton, without_placeholders(rows, path).by_frame, path)
