"""PoseTrack18's format: one JSON file per video, like COCO's with `track_id`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import SourceError
from ...models.geometry.keypoints import Skeleton
from ...models.geometry.skeletons import POSETRACK18
from ...numeric import as_number, as_numbers, as_whole
from ..types import Tracks
from .placeholders import placeholders_to_nan, without_placeholders
from .recording import Recording, boxes_around
from .trajectories import from_columns, in_skeleton, skeleton_of


def read_posetrack18(path: Path) -> Recording:
    """Read ground truth or results; images count from 0 in the order of their IDs; `categories` names the skeleton.

    The whole file is read into memory, because its annotations may be in any order.

    Raises:
        SourceError: the file is invalid.
    """
    try:
        document = json.loads(path.read_bytes())
        images = sorted(document["images"], key=lambda image: image["id"])
        index = {image["id"]: number for number, image in enumerate(images)}
        people = document["annotations"]
        names = (document.get("categories") or [{}])[0].get("keypoints", POSETRACK18.keypoints)
        skeleton = skeleton_of(names)
        points = np.array([as_numbers(person["keypoints"]) for person in people], dtype=np.float64)
        points = points.reshape(len(people), len(skeleton), 3)  # x, y and 0 where not labelled
        flags = (points[..., 2] > 0).astype(float)
        given = [as_numbers(person.get("scores") or flag) for person, flag in zip(people, flags.tolist())]
        scores = np.where(flags > 0, np.array(given, dtype=np.float64).reshape(flags.shape), 0.0)
        found = placeholders_to_nan(np.concatenate([points[..., :2], scores[..., None]], axis=-1))
        keypoints = found[..., :2]
        corners = [as_numbers(person.get("bbox") or (np.nan,) * 4) for person in people]
        boxes = np.array(corners, dtype=np.float64).reshape(-1, 4)  # x, y, width, height
        boxes[:, 2:] += boxes[:, :2]
        rows = from_columns(
            skeleton,
            frames=[index[person["image_id"]] for person in people],
            ids=[-1 if (track := person.get("track_id")) is None else as_whole(track) for person in people],
            boxes=np.where(np.isnan(boxes), boxes_around(keypoints), boxes),
            keypoints=keypoints,
            scores=np.nan_to_num(found[..., 2]),
            box_scores=[as_number(person.get("score", 1.0)) for person in people],
        )
        labelled = [number for number, image in enumerate(images) if image.get("is_labeled", True)]
        return Recording(
            skeleton, without_placeholders(rows, path).by_frame, path, num_frames=len(images), labelled=labelled
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        what = f"{type(error).__name__} {error}"
        raise SourceError(
            f"'{path}' is not a PoseTrack18 file ({what}); give JSON with images and annotations that have image_id, "
            "track_id and keypoints."
        ) from error


def write_posetrack18(path: Path, recording: Recording) -> None:
    """Write the people as a PoseTrack18 file; keypoints that their skeleton lacks are missing."""
    limbs = [[a + 1, b + 1] for a, b in POSETRACK18.limbs]  # COCO counts from 1
    category = {"id": 1, "name": "person", "keypoints": list(POSETRACK18.keypoints), "skeleton": limbs}
    number = 0
    _, count = recording.extent()
    with path.open("w", encoding="utf-8") as file:
        file.write(f'{{"categories": {json.dumps([category])},\n"annotations": [')
        for index, _, tracks in recording:
            for person in _people(index, tracks, recording.skeleton):
                file.write((",\n" if number else "\n") + json.dumps({"id": number} | person))
                number += 1
        file.write('],\n"images": [')
        for i in range(count):
            image = {"file_name": f"{i:06d}.jpg", "id": i, "frame_id": i, "nframes": count, "is_labeled": True}
            file.write((",\n" if i else "\n") + json.dumps(image))
        file.write("]}\n")


def _people(frame: int, tracks: Tracks, skeleton: Skeleton) -> Iterator[dict[str, Any]]:
    """Return the annotations of one frame."""
    poses = tracks.poses
    keypoints, scores = in_skeleton(poses.keypoints, poses.scores, skeleton, POSETRACK18)
    known = np.isfinite(keypoints).all(-1, keepdims=True)
    points = np.concatenate([np.nan_to_num(keypoints), known], axis=-1).astype(np.float64).round(2)  # (N, 17, 3)
    boxes = np.concatenate([poses.boxes[:, :2], poses.boxes[:, 2:] - poses.boxes[:, :2]], axis=1)
    for row, person in enumerate(tracks.ids.tolist()):
        yield {
            "image_id": frame,
            "track_id": person,
            "category_id": 1,
            "bbox": boxes[row].astype(np.float64).round(2).tolist(),
            "keypoints": points[row].ravel().tolist(),
            "scores": scores[row].astype(np.float64).round(4).tolist(),
            "score": round(float(poses.box_scores[row]), 4),
        }
