"""The person detectors that `--detector` takes by name, with their published figures."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ..cache import cache_folder
from . import hub

# What every figure was measured with, as its authors report it.
PROTOCOL = "box AP on COCO val2017, all 80 classes, input of 640 pixels"


@dataclass(frozen=True, slots=True)
class PublishedDetector:
    """One detector.

    Attributes:
        name: what the user types.
        family: network architecture.
        size: longer side of its input, pixels.
        parameters: millions of them.
        gmacs: billions of multiply-accumulate operations per square image of that size.
        ap: by `PROTOCOL`.
        licence: of the weights.
    """

    name: str
    family: str
    size: int
    parameters: float
    gmacs: float
    ap: str
    licence: str = "AGPL-3.0"


# Of docs.ultralytics.com/models/yolo11 and /yolov8, and of RT-DETR's paper. Others of Ultralytics and of the hub work
# by their names.
DETECTORS = {
    detector.name: detector
    for detector in (
        PublishedDetector("bundled", "YOLOv8, people only", 336, 3.1, 1.2, "see card"),
        PublishedDetector("yolo11n.pt", "YOLO11", 640, 2.6, 3.3, "39.5"),
        PublishedDetector("yolo11s.pt", "YOLO11", 640, 9.4, 10.8, "47.0"),
        PublishedDetector("yolo11m.pt", "YOLO11", 640, 20.1, 34.0, "51.5"),
        PublishedDetector("yolo11l.pt", "YOLO11", 640, 25.3, 43.5, "53.4"),
        PublishedDetector("yolo11x.pt", "YOLO11", 640, 56.9, 97.5, "54.7"),
        PublishedDetector("yolov8n.pt", "YOLOv8", 640, 3.2, 4.4, "37.3"),
        PublishedDetector("yolov8s.pt", "YOLOv8", 640, 11.2, 14.3, "44.9"),
        PublishedDetector("yolov8m.pt", "YOLOv8", 640, 25.9, 39.5, "50.2"),
        PublishedDetector("yolov8l.pt", "YOLOv8", 640, 43.7, 82.6, "52.9"),
        PublishedDetector("yolov8x.pt", "YOLOv8", 640, 68.2, 128.9, "53.9"),
        PublishedDetector("PekingU/rtdetr_r50vd", "RT-DETR", 640, 42.0, 68.0, "53.1", "Apache-2.0"),
        PublishedDetector("PekingU/rtdetr_r50vd_coco_o365", "RT-DETR", 640, 42.0, 68.0, "55.3", "Apache-2.0"),
        PublishedDetector("PekingU/rtdetr_r101vd_coco_o365", "RT-DETR", 640, 76.0, 129.5, "56.2", "Apache-2.0"),
    )
}


def local_detector(detector: PublishedDetector) -> Path | None:
    """Return the weights of a detector if they are on this machine."""
    if detector.name == "bundled":
        return Path(str(files(__package__) / "bundled" / "detector.safetensors"))
    path = cache_folder() / "ultralytics" / detector.name
    return path if path.is_file() else hub.local(detector.name)
