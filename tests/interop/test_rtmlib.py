"""Foreign ONNX files give the people and keypoints that rtmlib finds with them."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest

from posetrack.models.geometry.skeletons import SKELETONS
from posetrack.tracker.perception.detector import load_detector
from posetrack.tracker.perception.pose import load_pose_estimator
from posetrack.tracker.types import Detections, Frame
from tests import foreign_networks as networks

pytest.importorskip("onnx", reason="needs onnx")
pytest.importorskip("onnxruntime", reason="needs onnxruntime")
rtmlib = pytest.importorskip("rtmlib", reason="needs rtmlib")

WORDS = {"device": "cpu", "runtime": "onnxruntime"}
BOXES = np.array([[48, 398, 245, 903], [223, 407, 345, 859], [668, 391, 810, 880], [0, 550, 63, 875]], np.float32)


@pytest.mark.parametrize(
    ("theirs", "ours"), [("coco17", "coco"), ("halpe26", "halpe26"), ("coco25", "coco_25"), ("coco133", "wholebody")]
)
def test_skeletons(theirs, ours):
    facts = getattr(rtmlib.visualization.skeleton, theirs)["keypoint_info"]
    names = [facts[row]["name"] for row in range(len(facts))]
    skeleton = SKELETONS[ours]
    assert len(skeleton) == len(names)
    body = slice(None) if ours != "wholebody" else slice(23)  # faces and hands have other names
    assert list(skeleton.keypoints[body]) == names[body]


@pytest.fixture(scope="module")
def frame():
    folder = Path(importlib.util.find_spec("ultralytics").origin).parent / "assets"
    return Frame(cv2.imread(str(folder / "bus.jpg")), 0, 0.0)


@pytest.mark.parametrize(("keypoints", "name"), [(17, "coco"), (26, "halpe26"), (133, "wholebody")])
@pytest.mark.parametrize("size", [(256, 192), (384, 288)])
def test_poses_of_rtmpose(keypoints, name, size, frame, tmp_path):
    path = networks.write_simcc(tmp_path / "pose.onnx", keypoints, size)
    theirs = rtmlib.RTMPose(str(path), model_input_size=size[::-1], backend="onnxruntime", device="cpu")
    points, scores = theirs(np.ascontiguousarray(frame.image[..., ::-1]), BOXES)  # it expects RGB, and says so nowhere
    estimator = load_pose_estimator(str(path), **WORDS)
    poses = estimator(frame, Detections(BOXES, np.ones(len(BOXES), np.float32)))
    assert (estimator.skeleton.name, len(estimator.skeleton)) == (name, keypoints)
    near = np.linalg.norm(poses.keypoints - points, axis=-1) < 0.1
    assert near.mean() > 0.99  # of bins that respond alike, either may win
    np.testing.assert_allclose(poses.scores, np.clip(scores, 0, 1), atol=2e-2)


def same_boxes(found, boxes, frame):
    """Check that detections are boxes of rtmlib, which does not end them at the border of the image."""
    height, width = frame.image.shape[:2]
    expected = np.clip(boxes, 0, [width, height, width, height])
    assert len(found) == len(expected) > 0
    order = [np.lexsort(np.round(rows, 1).T) for rows in (found.boxes, expected)]
    np.testing.assert_allclose(found.boxes[order[0]], expected[order[1]], atol=0.05)


@pytest.mark.parametrize("size", [(64, 96), (96, 64)])
@pytest.mark.parametrize("suppressed", [False, True])
def test_people_of_yolox(suppressed, size, frame, tmp_path):
    path = tmp_path / "people.onnx"
    if suppressed:
        networks.write_final(path, "YOLOX", size, spread=0.03)
    else:
        networks.write_yolox(path, size, spread=0.01)
    theirs = rtmlib.YOLOX(str(path), model_input_size=size, nms_thr=0.45, score_thr=0.1, backend="onnxruntime")
    if suppressed:
        theirs.det_mode = "human"
        padded, ratio = theirs.preprocess(frame.image)
        found, labels = theirs.inference(padded)
        boxes = found[0, labels[0] == 0, :4] / ratio  # rtmlib keeps all classes
        conf = 0.0
    else:
        theirs.det_mode = "multiclass"
        boxes, labels = theirs(frame.image)
        boxes, conf = boxes[labels == 0], 0.1
    same_boxes(load_detector(str(path), conf=conf, iou=0.45, **WORDS)(frame), boxes, frame)


def test_people_of_rtmdet(frame, tmp_path):
    path = networks.write_final(tmp_path / "people.onnx", "RTMDet")
    theirs = rtmlib.RTMDet(str(path), model_input_size=(64, 96), backend="onnxruntime")
    padded, ratio = theirs.preprocess(frame.image)
    found, labels = theirs.inference(padded)
    boxes = found[0, labels[0] == 0, :4] / ratio
    same_boxes(load_detector(str(path), conf=0.0, **WORDS)(frame), boxes, frame)


def test_people_of_rf_detr(frame, tmp_path):
    path = networks.write_rf_detr(tmp_path / "people.onnx", (96, 96))
    theirs = rtmlib.RFDETR(str(path), model_input_size=(96, 96), score_thr=0.5, num_select=10**6)
    boxes = theirs(np.ascontiguousarray(frame.image[..., ::-1]))
    same_boxes(load_detector(str(path), conf=0.5, **WORDS)(frame), boxes, frame)


def test_poses_of_rtmo(frame, tmp_path):
    path = networks.write_rtmo(tmp_path / "both.onnx", spread=0.01)
    theirs = rtmlib.RTMO(str(path), model_input_size=(64, 96), nms_thr=0.7, score_thr=0.5, backend="onnxruntime")
    points, scores = theirs(frame.image)
    poses = load_pose_estimator(str(path), conf=0.5, **WORDS)(frame)
    assert len(poses) == len(points) > 1
    nearest = np.abs(poses.keypoints[:, None] - points[None]).max((2, 3)).argmin(1)  # scores may tie
    assert len(set(nearest)) == len(points)
    np.testing.assert_allclose(poses.keypoints, points[nearest], atol=0.1)
    np.testing.assert_allclose(poses.scores, scores[nearest], atol=1e-3)
