"""Third-party trackers behind one interface, used only for comparison.

A peer converts all frames to its own types in advance, so that only its update is timed, and returns its update.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..types import Poses

Update = Callable[[int], Any]  # frame index -> the tracker's result
Peer = Callable[[list[Poses]], Update]


def norfair(frames: list[Poses]) -> Update:
    """Track keypoints with norfair and its voting distance, the share of nearby keypoints."""
    create = import_module("norfair.distances").create_keypoints_voting_distance
    near = 0.2 * _height(frames)
    return _norfair(frames, create(keypoint_distance_threshold=near, detection_threshold=0.0), limit=0.9)


def norfair_euclidean(frames: list[Poses]) -> Update:
    """Track keypoints with norfair and the Euclidean distance of the whole pose, its fastest distance."""
    keypoints = frames[0].keypoints.shape[1]
    return _norfair(frames, "euclidean", limit=0.2 * _height(frames) * keypoints**0.5)


def _norfair(frames: list[Poses], distance: Any, *, limit: float) -> Update:
    library = import_module("norfair")
    tracker = library.Tracker(distance, distance_threshold=limit)
    inputs = [
        [library.Detection(points, scores) for points, scores in zip(poses.keypoints.astype(float), poses.scores)]
        for poses in frames
    ]
    return lambda index: tracker.update(inputs[index])


def _height(frames: list[Poses]) -> float:
    """Return the mean height of a person in pixels."""
    return float(np.mean(np.concatenate([poses.boxes[:, 3] - poses.boxes[:, 1] for poses in frames])))


def bytetrack(frames: list[Poses]) -> Update:
    """Track boxes with Ultralytics' ByteTrack and its default settings."""
    root, settings = import_module("ultralytics.utils").ROOT, import_module("ultralytics.utils").YAML
    boxes = import_module("ultralytics.engine.results").Boxes
    options = SimpleNamespace(**settings.load(root / "cfg/trackers/bytetrack.yaml"))
    tracker = import_module("ultralytics.trackers.byte_tracker").BYTETracker(options)
    inputs = [
        boxes(np.concatenate([p.boxes, p.box_scores[:, None], np.zeros((len(p), 1))], axis=1), (1, 1)) for p in frames
    ]
    return lambda index: tracker.update(inputs[index])


def sort(frames: list[Poses]) -> Update:
    """Track boxes with the SORT of Roboflow's `trackers` and its default settings."""
    detections = import_module("supervision").Detections
    tracker = import_module("trackers").SORTTracker()
    inputs = [detections(xyxy=poses.boxes.astype(float), confidence=poses.box_scores) for poses in frames]
    return lambda index: tracker.update(inputs[index])


PEERS: dict[str, tuple[Peer, str]] = {  # name -> tracker, package that it needs
    "norfair": (norfair, "norfair"),
    "norfair-euclidean": (norfair_euclidean, "norfair"),
    "bytetrack": (bytetrack, "lap"),
    "sort": (sort, "trackers"),
}
