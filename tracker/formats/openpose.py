"""OpenPose's output: a folder with one JSON file per frame, keypoints of BODY_25.

Source: https://github.com/CMU-Perceptual-Computing-Lab/openpose, doc/02_output.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import SourceError
from ...models.geometry.keypoints import Skeleton
from ...models.geometry.skeletons import BODY_25
from ...numeric import as_numbers, as_whole
from ..types import Tracks
from .placeholders import placeholders_to_nan
from .recording import Recording, TimedTracks, tracks_of
from .trajectories import in_skeleton

FILES = "*_keypoints.json"
_FROM_ZERO = re.compile(rb'"person_id"\s*:\s*\[?\s*0\s*[],}]')
_MIDPOINTS = {"neck": ("left_shoulder", "right_shoulder"), "mid_hip": ("left_hip", "right_hip")}
# OpenPose's older 18 keypoints: the first of BODY_25 without mid_hip.
_COCO_18 = tuple(name for name in BODY_25.keypoints[:19] if name != "mid_hip")
_NONE: tuple[str, ...] = (
    *("face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d", "pose_keypoints_3d"),
    *("face_keypoints_3d", "hand_left_keypoints_3d", "hand_right_keypoints_3d"),
)


def write_openpose(path: Path, recording: Recording) -> None:
    """Write one file per frame; neck and mid_hip are midpoints of the shoulders and hips."""
    _, count = recording.extent()
    path.mkdir()
    written = 0
    for index, _, tracks in recording:
        _write(path, recording.path.stem, range(written, index), [])
        people = [
            {"person_id": [person], "pose_keypoints_2d": points} | {key: [] for key in _NONE}
            for person, points in zip(tracks.ids.tolist(), _points(tracks, recording.skeleton).tolist())
        ]
        _write(path, recording.path.stem, range(index, index + 1), people)
        written = index + 1
    _write(path, recording.path.stem, range(written, count), [])


def _write(folder: Path, name: str, frames: range, people: list[dict[str, Any]]) -> None:
    text = json.dumps({"version": 1.3, "people": people})
    for index in frames:
        (folder / f"{name}_{index:012d}_keypoints.json").write_text(text, encoding="utf-8")


def _points(tracks: Tracks, skeleton: Skeleton) -> NDArray[np.float64]:
    """Return x, y and score of BODY_25's keypoints (N, 75), zeros where missing."""
    poses = tracks.poses
    keypoints, scores = in_skeleton(poses.keypoints, poses.scores, skeleton, BODY_25)
    row = {name: i for i, name in enumerate(BODY_25.keypoints)}
    for middle, (a, b) in _MIDPOINTS.items():
        if middle not in skeleton.keypoints:
            keypoints[:, row[middle]] = (keypoints[:, row[a]] + keypoints[:, row[b]]) / 2
            scores[:, row[middle]] = np.minimum(scores[:, row[a]], scores[:, row[b]])
    points = np.concatenate([keypoints, scores[..., None]], axis=-1)
    points = np.where(np.isfinite(points).all(-1, keepdims=True), points, 0.0)
    return points.astype(np.float64).round(4).reshape(len(poses), -1)


def read_openpose(path: Path) -> Recording:
    """Read a folder with 25 or 18 keypoints; people without an ID are numbered from 1 in each frame.

    IDs that count from 0 are raised by one.

    Raises:
        SourceError: the folder contains no such files.
    """
    files = sorted(filter(Path.is_file, path.glob(FILES)), key=_index)
    if not files:
        raise SourceError(
            f"'{path}' contains no {FILES}. Give a folder that OpenPose's --write_json or posetrack wrote."
        )
    lowest = 0 if any(_FROM_ZERO.search(file.read_bytes()) for file in files) else 1
    return Recording(BODY_25, partial(_frames, files, lowest), path, num_frames=_index(files[-1]) + 1)


def _index(file: Path) -> int:
    found = re.search(r"(\d+)_keypoints\.json$", file.name)
    if not found:
        raise SourceError(f"'{file}' has no frame number in its name. Name it NAME_NUMBER_keypoints.json.")
    return int(found[1])


def _frames(files: list[Path], lowest: int) -> Iterator[TimedTracks]:
    for file in files:
        try:
            people = [person for person in json.loads(file.read_bytes())["people"] if person["pose_keypoints_2d"]]
            points = np.array([as_numbers(person["pose_keypoints_2d"]) for person in people], dtype=np.float64)
            points = points.reshape(len(people), -1, 3) if people else np.zeros((0, len(BODY_25), 3))
            given = [person.get("person_id", -1) for person in people]
            ids = [as_whole(each[0] if isinstance(each, list) else each) for each in given]
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            what = f"{type(error).__name__} {error}"
            raise SourceError(f"'{file}' is not a file of OpenPose ({what}); give JSON with people.") from error
        if points.shape[1] == len(_COCO_18):
            wide = np.zeros((len(people), len(BODY_25), 3))
            wide[:, [BODY_25.keypoints.index(name) for name in _COCO_18]] = points
            points = wide
        if points.shape[1] != len(BODY_25):
            raise SourceError(f"'{file}' has {points.shape[1]} keypoints per person, neither BODY_25's nor COCO's 18.")
        found = placeholders_to_nan(points)
        present = np.flatnonzero(np.isfinite(found[..., 0]).any(1))
        ids = [ids[row] for row in present.tolist()]
        if len(set(ids)) < len(ids) or min(ids, default=0) < 0:
            ids = list(range(lowest, len(ids) + lowest))
        ids = [identity + 1 - lowest for identity in ids]
        yield _index(file), np.nan, tracks_of(ids, found[present, :, :2], found[present, :, 2])
