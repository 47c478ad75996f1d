"""The families of ONNX files that `recognise` knows, with their published figures."""

from __future__ import annotations

from dataclasses import dataclass

PROTOCOL = "of the smallest to the largest network; pose: keypoint AP, detector: box AP, both on COCO val2017"


@dataclass(frozen=True, slots=True)
class Family:
    """One family of networks of another project.

    Attributes:
        name: network architecture.
        task: `pose`, `single-stage pose` or `detector`.
        exporter: program that writes the files.
        parameters: millions.
        gmacs: billions of multiply-accumulate operations per crop of a person, or per image; `-` if not published.
        ap: by `PROTOCOL`.
        licence: of the published weights.
        page: where files and figures are published.
    """

    name: str
    task: str
    exporter: str
    parameters: str
    gmacs: str
    ap: str
    licence: str
    page: str

    @property
    def flag(self) -> str:
        """The option that takes a file."""
        return "--detector" if self.task == "detector" else "--model"


_MMPOSE = "https://github.com/open-mmlab/mmpose/tree/main/projects"
_ULTRALYTICS = "https://docs.ultralytics.com/models/yolo11"

FAMILIES = (
    Family(
        "RTMPose, RTMW",
        "pose",
        "mmdeploy",
        "3.3 to 27.7",
        "0.4 to 4.2",
        "68.5 to 76.5",
        "Apache-2.0",
        f"{_MMPOSE}/rtmpose",
    ),
    Family(
        "ViTPose",
        "pose",
        "easy_ViTPose",
        "24.3 to 637",
        "5.6 to 125.8",
        "73.8 to 79.1",
        "Apache-2.0",
        "https://github.com/JunkyByte/easy_ViTPose",
    ),
    Family(
        "MoveNet",
        "pose",
        "tf2onnx",
        "2.3 to 6.2",
        "1.2, Thunder",
        "63.0 to 72.0, other images",
        "Apache-2.0",
        "https://www.tensorflow.org/hub/tutorials/movenet",
    ),
    Family(
        "RTMO", "single-stage pose", "mmdeploy", "9.9 to 44.8", "-", "68.6 to 74.8", "Apache-2.0", f"{_MMPOSE}/rtmo"
    ),
    Family(
        "YOLO pose",
        "single-stage pose",
        "Ultralytics",
        "2.9 to 58.8",
        "3.7 to 101.4",
        "50.0 to 69.5",
        "AGPL-3.0",
        _ULTRALYTICS,
    ),
    Family(
        "YOLOX",
        "detector",
        "YOLOX, mmdeploy",
        "0.9 to 99.1",
        "0.5 to 141.0",
        "25.8 to 51.1",
        "Apache-2.0",
        "https://github.com/Megvii-BaseDetection/YOLOX",
    ),
    Family(
        "RTMDet",
        "detector",
        "mmdeploy",
        "4.8 to 94.9",
        "8.1 to 141.7",
        "41.1 to 52.8",
        "Apache-2.0",
        "https://github.com/open-mmlab/mmdetection/tree/main/configs/rtmdet",
    ),
    Family(
        "RF-DETR",
        "detector",
        "rfdetr",
        "30.5 to 33.7",
        "-",
        "48.4 to 54.7",
        "Apache-2.0",
        "https://github.com/roboflow/rf-detr",
    ),
    Family("YOLO", "detector", "Ultralytics", "2.6 to 56.9", "3.3 to 97.5", "39.5 to 54.7", "AGPL-3.0", _ULTRALYTICS),
)
