"""The baseline of `bench naive`: Ultralytics' tracking, transformers' ViTPose and OpenCV's writer.

It follows the documentation of these libraries. Only this module needs transformers and lap.
"""

from __future__ import annotations

import os
from importlib import import_module, util
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import DeviceError

NEEDS = ("transformers", "lap")  # Ultralytics would otherwise install lap on its own


def check_installed() -> None:
    """Check that the required packages are installed.

    Raises:
        DeviceError: a package is missing.
    """
    missing = [name for name in NEEDS if util.find_spec(name) is None]
    if missing:
        raise DeviceError(f"The naive pipeline needs {' and '.join(missing)}. Run: pip install 'posetrack[bench]'.")


def make_networks(folder: Path) -> tuple[Path, Path]:
    """Write YOLO11n and ViTPose-B with random weights, in formats that both pipelines read.

    Args:
        folder: output folder.

    Returns:
        The files of the detector and the pose network.
    """
    torch, safetensors = import_module("torch"), import_module("safetensors.torch")
    torch.manual_seed(0)
    pose = _vitpose()
    safetensors.save_file(pose.state_dict(), folder / "vitpose.safetensors")
    detector = _ultralytics().YOLO("yolo11n.yaml", verbose=False)
    detector.model.names[0] = "person"
    detector.save(folder / "yolo11n.pt")
    return folder / "yolo11n.pt", folder / "vitpose.safetensors"


class NaivePipeline:
    """Callable `(image) -> image`: detect, track, estimate poses and draw, frame by frame.

    Args:
        detector: weights of an Ultralytics detector.
        pose: weights of ViTPose-B, with transformers' parameter names.
    """

    def __init__(self, detector: Path, pose: Path) -> None:
        self._pose, self._processor = _vitpose(), import_module("transformers").VitPoseImageProcessor()
        self._pose.load_state_dict(import_module("safetensors.torch").load_file(pose))
        self._pose.eval()
        self._detector = _ultralytics().YOLO(detector, verbose=False)
        self._no_grad = import_module("torch").no_grad

    def __call__(self, image: NDArray[np.uint8], boxes: NDArray[np.floating] | None = None) -> NDArray[np.uint8]:
        """Return the frame with the people drawn.

        Args:
            image: (H, W, 3) BGR.
            boxes: (N, 4) xyxy pixels, which replace the detected ones; None keeps those.
        """
        found = self._detector.track(image, persist=True, classes=[0], device="cpu", verbose=False)[0].boxes
        boxes = found.xyxy.cpu().numpy() if boxes is None else boxes
        canvas = image.copy()
        if not len(boxes):
            return canvas
        corners = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)  # xywh
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        inputs = self._processor(rgb, boxes=[corners], return_tensors="pt")
        with self._no_grad():
            outputs = self._pose(**inputs)
        for person in self._processor.post_process_pose_estimation(outputs, boxes=[corners])[0]:
            for x, y in person["keypoints"].numpy().round().astype(int).tolist():
                cv2.circle(canvas, (x, y), 3, (0, 255, 0), -1)
        for box in boxes.round().astype(int).tolist():
            cv2.rectangle(canvas, box[:2], box[2:], (0, 255, 0), 2)
        return canvas


def _vitpose() -> Any:
    library = import_module("transformers")
    config = library.VitPoseConfig(
        backbone_config=library.VitPoseBackboneConfig(), num_labels=17, use_simple_decoder=False
    )
    return library.VitPoseForPoseEstimation(config)


def _ultralytics() -> Any:
    os.environ |= {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_VERBOSE": "false"}
    threads = cv2.getNumThreads()
    library = import_module("ultralytics")
    cv2.setNumThreads(threads)  # importing Ultralytics disables OpenCV's threads in the whole process
    return library
