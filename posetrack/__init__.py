"""Real-time human pose tracking: frames in; people with stable ids and keypoints out.

    import posetrack

    for frame, tracks in posetrack.track("video.mp4"):
        for person in tracks:
            print(frame.time, person.id, person.keypoints["left_knee"])

Public names load at first use: `import posetrack` loads neither torch, OpenCV nor Ultralytics.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .installation import explained
from .version import __version__

if TYPE_CHECKING:
    from .errors import PosetrackError
    from .models.geometry.keypoints import Skeleton
    from .tracker.features.calibration.measures import Calibration, Floor, Length
    from .tracker.features.events.detector import EventDetector
    from .tracker.features.events.event import Event
    from .tracker.features.events.regions import Line, Zone
    from .tracker.features.events.zones import ZoneCounter
    from .tracker.features.extraction.features import Features
    from .tracker.features.extraction.stream import ActionFeatures
    from .tracker.features.kinematics.angles import joint_angles
    from .tracker.formats.files import read_recording, write_recording
    from .tracker.formats.recording import Recording
    from .tracker.formats.sequences import sequences
    from .tracker.load import load_pipeline
    from .tracker.output.draw import draw
    from .tracker.output.window import Window
    from .tracker.pipeline import Pipeline
    from .tracker.track import track, track_folder
    from .tracker.tracking.refine import refine
    from .tracker.tracking.tracker import PoseTracker
    from .tracker.types import Detections, Frame, Poses, Tracks
    from .tracker.types.person import Person
    from .tracker.video.open import open_source
    from .tracker.video.source import Source
    from .tracker.video.write.video import VideoWriter

# A bare checkout has tracker/ and models/ beside this folder; installed, they are inside it.
if not (Path(__file__).parent / "tracker").is_dir():
    __path__.append(str(Path(__file__).parents[1]))

_HOMES = {
    "ActionFeatures": "tracker.features.extraction.stream",
    "Calibration": "tracker.features.calibration.measures",
    "Detections": "tracker.types",
    "Event": "tracker.features.events.event",
    "EventDetector": "tracker.features.events.detector",
    "Features": "tracker.features.extraction.features",
    "Floor": "tracker.features.calibration.measures",
    "Frame": "tracker.types",
    "Length": "tracker.features.calibration.measures",
    "Line": "tracker.features.events.regions",
    "Person": "tracker.types.person",
    "Pipeline": "tracker.pipeline",
    "PoseTracker": "tracker.tracking.tracker",
    "Poses": "tracker.types",
    "PosetrackError": "errors",
    "Recording": "tracker.formats.recording",
    "Skeleton": "models.geometry.keypoints",
    "Source": "tracker.video.source",
    "Tracks": "tracker.types",
    "VideoWriter": "tracker.video.write.video",
    "Window": "tracker.output.window",
    "Zone": "tracker.features.events.regions",
    "ZoneCounter": "tracker.features.events.zones",
    "draw": "tracker.output.draw",
    "joint_angles": "tracker.features.kinematics.angles",
    "load_pipeline": "tracker.load",
    "open_source": "tracker.video.open",
    "read_recording": "tracker.formats.files",
    "refine": "tracker.tracking.refine",
    "sequences": "tracker.formats.sequences",
    "track": "tracker.track",
    "track_folder": "tracker.track",
    "write_recording": "tracker.formats.files",
}

__all__ = [
    "ActionFeatures",
    "Calibration",
    "Detections",
    "Event",
    "EventDetector",
    "Features",
    "Floor",
    "Frame",
    "Length",
    "Line",
    "Person",
    "Pipeline",
    "PoseTracker",
    "Poses",
    "PosetrackError",
    "Recording",
    "Skeleton",
    "Source",
    "Tracks",
    "VideoWriter",
    "Window",
    "Zone",
    "ZoneCounter",
    "__version__",
    "draw",
    "joint_angles",
    "load_pipeline",
    "open_source",
    "read_recording",
    "refine",
    "sequences",
    "track",
    "track_folder",
    "write_recording",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'posetrack' has no attribute {name!r}")
    with explained():
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
