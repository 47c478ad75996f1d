"""Poses with ids as PoseTrack18 has them: one JSON file a video, like COCO's with `track_id`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import SourceError
from ...models.skeletons import POSETRACK18
from .trajectories import Trajectories, from_columns, skeleton_of


def read_posetrack18(text: str, path: Path) -> Trajectories:
    """Read truth or results. Pictures count from 0 in the order of their ids; other skeletons are told by `categories`.

    Args:
        text: of the file.
        path: named in errors.

    Raises:
        SourceError: it is no such file.
    """
    try:
        document = json.loads(text)
        images = sorted(document["images"], key=lambda image: image["id"])
        index = {image["id"]: number for number, image in enumerate(images)}
        people = document["annotations"]
        names = (document.get("categories") or [{}])[0].get("keypoints", POSETRACK18.keypoints)
        skeleton = skeleton_of(names)
        points = np.array([person["keypoints"] for person in people], dtype=np.float64)
        points = points.reshape(len(people), len(skeleton), 3)  # x, y and 0 where not labelled
        known = points[..., 2] > 0
        keypoints = np.where(known[..., None], points[..., :2], np.nan)
        scores = np.array(
            [person.get("scores") or point for person, point in zip(people, known.astype(float).tolist())]
        )
        corners = [person.get("bbox") or _around(pose) for person, pose in zip(people, keypoints)]
        boxes = np.array(corners, dtype=np.float64).reshape(-1, 4)  # x, y, width, height
        return from_columns(
            skeleton,
            frames=[index[person["image_id"]] for person in people],
            ids=[person["track_id"] for person in people],
            boxes=np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1),
            keypoints=keypoints,
            scores=np.where(known, scores.reshape(known.shape), 0.0),
            box_scores=[person.get("score", 1.0) for person in people],
            labelled=[number for number, image in enumerate(images) if image.get("is_labeled", True)],
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        what = f"{type(error).__name__} {error}"
        raise SourceError(
            f"'{path}' is no PoseTrack18 file ({what}); give JSON with images and annotations that have image_id, "
            "track_id and keypoints."
        ) from error


def _around(pose: Any) -> list[float]:
    """Return the box (x, y, width, height) of a pose (K, 2) that has none of its own."""
    if np.isnan(pose).all():
        return [0.0, 0.0, 0.0, 0.0]
    low, high = np.nanmin(pose, axis=0), np.nanmax(pose, axis=0)
    return [*low.tolist(), *(high - low).tolist()]


def posetrack18_text(people: Trajectories) -> str:
    """Return the people as a PoseTrack18 file; keypoints that PoseTrack18 has and theirs has not are never made up."""
    people = people.in_skeleton(POSETRACK18)
    known = np.isfinite(people.keypoints).all(-1, keepdims=True)
    points = np.concatenate([np.nan_to_num(people.keypoints.round(2)), known], axis=-1)  # (R, 17, 3)
    sizes = people.boxes[:, 2:] - people.boxes[:, :2]
    boxes = np.concatenate([people.boxes[:, :2], sizes], axis=1).round(2)
    count = int(people.frames.max(initial=-1)) + 1
    images = [
        {"file_name": f"{i:06d}.jpg", "id": i, "frame_id": i, "nframes": count, "is_labeled": True}
        for i in range(count)
    ]
    annotations = [
        {
            "id": row,
            "image_id": frame,
            "track_id": person,
            "category_id": 1,
            "bbox": boxes[row].tolist(),
            "keypoints": points[row].ravel().tolist(),
            "scores": people.scores[row].round(4).tolist(),
            "score": round(float(people.box_scores[row]), 4),
        }
        for row, (frame, person) in enumerate(zip(people.frames.tolist(), people.ids.tolist()))
    ]
    limbs = [[a + 1, b + 1] for a, b in POSETRACK18.limbs]  # COCO counts from 1
    category = {"id": 1, "name": "person", "keypoints": list(POSETRACK18.keypoints), "skeleton": limbs}
    return json.dumps({"images": images, "annotations": annotations, "categories": [category]}) + "\n"
