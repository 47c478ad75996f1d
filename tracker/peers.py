"""Other people's trackers behind one interface, for comparison; none of them is needed for anything else.

A peer takes all frames in its own types, made beforehand so that only its update is timed, and returns the update.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np

from .types import Poses

Update = Callable[[int], Any]  # number of the frame -> what the tracker returns
Peer = Callable[[list[Poses]], Update]


def norfair(frames: list[Poses]) -> Update:
    """All keypoints by the distance of the whole pose, which is the fastest of its own measures for them."""
    library = import_module("norfair")
    heights = np.concatenate([poses.boxes[:, 3] - poses.boxes[:, 1] for poses in frames])
    keypoints = frames[0].keypoints.shape[1]
    limit = 0.2 * float(np.mean(heights)) * keypoints**0.5  # a fifth of a person's height a keypoint
    tracker = library.Tracker("euclidean", distance_threshold=limit)
    inputs = [
        [library.Detection(points, scores) for points, scores in zip(poses.keypoints.astype(float), poses.scores)]
        for poses in frames
    ]
    return lambda index: tracker.update(inputs[index])


def bytetrack(frames: list[Poses]) -> Update:
    """Boxes by Ultralytics' ByteTrack with its own settings."""
    root, settings = import_module("ultralytics.utils").ROOT, import_module("ultralytics.utils").YAML
    boxes = import_module("ultralytics.engine.results").Boxes
    options = SimpleNamespace(**settings.load(root / "cfg/trackers/bytetrack.yaml"))
    tracker = import_module("ultralytics.trackers.byte_tracker").BYTETracker(options)
    inputs = [
        boxes(np.concatenate([p.boxes, p.box_scores[:, None], np.zeros((len(p), 1))], axis=1), (1, 1)) for p in frames
    ]
    return lambda index: tracker.update(inputs[index])


def sort(frames: list[Poses]) -> Update:
    """Boxes by the SORT of Roboflow's trackers with its own settings."""
    detections = import_module("supervision").Detections
    tracker = import_module("trackers").SORTTracker()
    inputs = [detections(xyxy=poses.boxes.astype(float), confidence=poses.box_scores) for poses in frames]
    return lambda index: tracker.update(inputs[index])


PEERS: dict[str, tuple[Peer, str]] = {  # and the packages that it needs
    "norfair": (norfair, "norfair"),
    "bytetrack": (bytetrack, "lap"),
    "sort": (sort, "trackers"),
}
