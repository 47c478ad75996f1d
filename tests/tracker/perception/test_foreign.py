"""ONNX files of other projects as --model and --detector: the same people on each runtime, and feet to the table."""

import csv
import importlib.util
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from posetrack import load_pipeline, read_recording
from posetrack.errors import ModelError, UsageError
from posetrack.models.geometry.skeletons import COCO_25, HALPE26
from posetrack.models.networks.vitpose import ViTPose
from posetrack.tracker.cli import main
from posetrack.tracker.perception.detector import load_detector
from posetrack.tracker.perception.pose import load_pose_estimator
from posetrack.tracker.types import Detections, Frame
from tests import foreign_networks as networks

pytest.importorskip("onnx", reason="needs onnx")
pytest.importorskip("openvino", reason="needs openvino")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime")

ROOT = Path(__file__).parents[3]
MOVENET = ROOT.parent / "shared" / "weights" / "movenet-thunder"
needs_movenet = pytest.mark.skipif(not MOVENET.is_dir(), reason="needs shared/weights/ beside the checkout")
EXACT = {"device": "cpu", "precision": "fp32"}
DETECTORS = {
    "yolox": lambda path: networks.write_yolox(path, spread=0.01),
    "yolox_decoded": lambda path: networks.write_yolox(path, decode=True, spread=0.01),
    "yolox_final": lambda path: networks.write_final(path, "YOLOX", spread=0.03),
    "rtmdet": lambda path: networks.write_final(path, "RTMDet"),
    "rf_detr": networks.write_rf_detr,
}


@pytest.fixture(scope="module")
def frame():
    folder = Path(importlib.util.find_spec("ultralytics").origin).parent / "assets"
    return Frame(cv2.imread(str(folder / "bus.jpg")), 0, 0.0)


@pytest.fixture(scope="module")
def rtmpose(tmp_path_factory):
    return str(networks.write_simcc(tmp_path_factory.mktemp("rtmpose") / "network.onnx", 26, (64, 48)))


@pytest.mark.parametrize("kind", DETECTORS)
def test_both_runtimes_find_the_same_people(kind, frame, tmp_path):
    path = str(DETECTORS[kind](tmp_path / "network.onnx"))
    found = [load_detector(path, runtime=runtime, conf=0.05, **EXACT)(frame) for runtime in ("openvino", "onnxruntime")]
    assert load_detector(path, runtime="onnxruntime", **EXACT).card.processing == kind
    assert len(found[0]) == len(found[1]) > 0
    order = [np.lexsort(np.round(each.boxes, 1).T) for each in found]  # scores may tie
    np.testing.assert_allclose(found[0].boxes[order[0]], found[1].boxes[order[1]], atol=0.05)


def test_decoded_boxes_are_those_of_the_other_export(frame, tmp_path):
    paths = [networks.write_yolox(tmp_path / f"{d}.onnx", decode=d, spread=0.01) for d in (False, True)]
    plain, decoded = (load_detector(str(path), runtime="onnxruntime", conf=0.1, **EXACT)(frame) for path in paths)
    np.testing.assert_allclose(plain.boxes, decoded.boxes, atol=0.01)


def test_both_runtimes_find_the_same_poses(rtmpose, frame):
    people = Detections(np.array([[48, 398, 245, 903], [223, 407, 345, 859]], np.float32), np.ones(2, np.float32))
    a, b = (load_pose_estimator(rtmpose, runtime=runtime, **EXACT) for runtime in ("openvino", "onnxruntime"))
    near = np.linalg.norm(a(frame, people).keypoints - b(frame, people).keypoints, axis=-1) < 0.1
    assert near.mean() > 0.95  # of bins that respond alike, either may win
    assert a(frame, people[:0]).keypoints.shape == (0, 26, 2)


def test_a_file_of_one_crop_at_a_time_takes_any_number(rtmpose, frame, tmp_path):
    network = networks.SimCC(26, (64, 48))
    path = networks.write(tmp_path / "one.onnx", network, (64, 48), ("simcc_x", "simcc_y"), batch=1)
    boxes = np.array([[48, 398, 245, 903], [223, 407, 345, 859], [668, 391, 810, 880]], np.float32)
    people = Detections(boxes, np.ones(3, np.float32))
    one, any_number = (load_pose_estimator(str(p), runtime="onnxruntime", **EXACT) for p in (path, rtmpose))
    np.testing.assert_allclose(one(frame, people).keypoints, any_number(frame, people).keypoints, atol=0.01)


def test_a_vitpose_with_feet_is_the_same_as_checkpoint_and_as_onnx_file(frame, tmp_path):
    network = ViTPose(dim=384, depth=1, num_heads=12, num_keypoints=25, input_size=(64, 48))
    axes = {"input": {0: "batch"}, "output_0": {0: "batch"}}
    path = networks.write(tmp_path / "network.onnx", network, (64, 48), ("output_0",), axes=axes)
    torch.save(network.state_dict(), tmp_path / "network.pth")
    people = Detections(np.array([[48, 398, 245, 903], [223, 407, 345, 859]], np.float32), np.ones(2, np.float32))
    exported = load_pose_estimator(str(path), runtime="onnxruntime", **EXACT)
    original = load_pose_estimator(str(tmp_path / "network.pth"), runtime="torch", **EXACT)
    assert exported.skeleton is original.skeleton is COCO_25
    found, expected = (estimator(frame, people) for estimator in (exported, original))
    known = np.isfinite(expected.keypoints).all(-1)
    assert known.sum() > 10
    np.testing.assert_array_equal(np.isfinite(found.keypoints).all(-1), known)
    near = np.linalg.norm(found.keypoints - expected.keypoints, axis=-1)[known] < 0.1
    assert near.mean() > 0.9  # the decoding of a random map without a clear peak is unstable
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-3)


class TestMoveNet:
    PEOPLE = Detections(np.array([[48, 398, 245, 903], [223, 407, 345, 859]], np.float32), np.ones(2, np.float32))

    @pytest.mark.parametrize("kind", [torch.int32, torch.float32, torch.uint8])
    @pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
    def test_keypoints_are_those_of_the_network_on_square_crops(self, kind, runtime, frame, tmp_path):
        path = networks.write_movenet(tmp_path / "network.onnx", kind=kind)
        estimator = load_pose_estimator(str(path), runtime=runtime, **EXACT)
        poses = estimator(frame, self.PEOPLE)
        for box, keypoints, scores in zip(self.PEOPLE.boxes, poses.keypoints, poses.scores, strict=True):
            side = 1.25 * max(box[2:] - box[:2])
            scale, corner = 63 / side, (box[:2] + box[2:]) / 2 - side / 2
            matrix = np.array([[scale, 0, -corner[0] * scale], [0, scale, -corner[1] * scale]])
            crop = np.ascontiguousarray(cv2.warpAffine(frame.image, matrix, (64, 64))[None, ..., ::-1])  # RGB
            session = onnxruntime.InferenceSession(str(path))
            ((rows,),) = session.run(None, {"input": torch.from_numpy(crop).to(kind).numpy()})[0]
            np.testing.assert_allclose(keypoints, rows[:, [1, 0]] * side + corner, atol=0.1)
            np.testing.assert_allclose(scores, rows[:, 2], atol=1e-3)

    def test_it_takes_no_mirrored_crops(self, tmp_path):
        path = networks.write_movenet(tmp_path / "network.onnx")
        with pytest.raises(UsageError, match=r"is a MoveNet.* Leave it out"):
            load_pose_estimator(str(path), flip=True, **EXACT)

    @needs_movenet
    @pytest.mark.filterwarnings("ignore::ResourceWarning")  # its reader leaves files open
    @pytest.mark.slow
    def test_it_finds_people_of_a_photograph(self, frame, tmp_path):
        """The published weights; a keypoint lies near that of the bundled network."""
        path = networks.write_published_movenet(tmp_path / "thunder.onnx", MOVENET)
        near, found = (load_pose_estimator(name, device="cpu")(frame, self.PEOPLE) for name in ("bundled", str(path)))
        sure = (near.scores > 0.6) & (found.scores > 0.4)
        assert sure.sum() > 15
        assert np.median(np.linalg.norm(near.keypoints - found.keypoints, axis=-1)[sure]) < 12


class TestRtmo:
    @pytest.fixture
    def path(self, tmp_path):
        return str(networks.write_rtmo(tmp_path / "network.onnx", spread=0.01))

    def test_it_needs_no_detector(self, path, frame):
        pipeline = load_pipeline(path, device="cpu", conf=0.4, max_people=3)
        assert pipeline.detector is None
        assert pipeline.estimator.family == "RTMO"
        assert pipeline(frame).keypoints.shape[1:] == (17, 2)

    @pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
    @pytest.mark.parametrize("fixed", [False, True])
    def test_several_images_at_once_are_those_one_by_one(self, fixed, runtime, frame, tmp_path):
        path = networks.write_rtmo(tmp_path / "batch.onnx", spread=0.01, fixed=fixed)
        estimator = load_pose_estimator(str(path), runtime=runtime, conf=0.4, **EXACT)
        images = [frame.image, np.ascontiguousarray(frame.image[::-1])]
        for poses, image in zip(estimator.of_images(images), images, strict=True):
            alone = estimator(Frame(image, 0, 0.0))
            assert len(poses) == len(alone) > 0
            np.testing.assert_allclose(poses.keypoints, alone.keypoints, atol=0.05)

    def test_it_is_no_network_of_crops(self, path):
        with pytest.raises(UsageError, match="takes whole frames"):
            load_pose_estimator(path, device="cpu", flip=True)


def test_feet_reach_the_table_and_the_angles(rtmpose, walking_clip, tmp_path):
    """The weights are random: the scores of all keypoints are low, and the table keeps them."""
    out = tmp_path / "out.csv"
    words = ["--source", str(walking_clip), "--model", rtmpose, "--device", "cpu", "--csv", str(out)]
    assert main([*words, "--features", str(tmp_path / "angles.csv"), "--save", str(tmp_path / "out.mp4")]) == 0
    assert read_recording(out).skeleton is HALPE26
    with (tmp_path / "angles.csv").open() as file:
        assert any(row["left_ankle_deg"] for row in csv.DictReader(file))


@pytest.mark.slow
def test_the_path_without_agpl_networks_loads_neither_ultralytics_nor_torch(rtmpose, walking_clip, tmp_path):
    detector = networks.write_final(tmp_path / "detector.onnx", "RTMDet")
    words = ["--source", str(walking_clip), "--model", rtmpose, "--detector", str(detector), "--conf", "0.6"]
    words += ["--device", "cpu", "--csv", str(tmp_path / "out.csv"), "--quiet", "--offline", "--max-people", "2"]
    code = (
        f"import sys; from posetrack.tracker.cli import main; assert main({words!r}) == 0;"
        "heavy = {'torch', 'ultralytics', 'onnx', 'transformers'} & set(sys.modules); assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.csv").is_file()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"dataset": "coco"}, r"estimates 26 keypoints, but the skeleton of coco has 17\. Add --dataset halpe26"),
        ({"runtime": "torch"}, r"does not read \.onnx files"),
    ],
)
def test_what_does_not_fit_is_refused(words, sentence, rtmpose):
    with pytest.raises((ModelError, UsageError), match=sentence):
        load_pose_estimator(rtmpose, device="cpu", **words)


def test_a_pose_network_is_no_detector(rtmpose):
    with pytest.raises(ModelError, match="is a pose network; give a detector network"):
        load_detector(rtmpose, device="cpu")


@pytest.mark.parametrize(
    ("write", "load"), [(networks.write_yolox, load_detector), (networks.write_rtmo, load_pose_estimator)]
)
def test_a_size_that_the_file_does_not_take_is_refused(write, load, tmp_path):
    path = str(write(tmp_path / "network.onnx"))
    with pytest.raises(UsageError, match=r"--detect-size is 640, but .* takes 96 pixels only"):
        load(path, device="cpu", size=640)


@pytest.mark.parametrize("shape", [(1, 7), (1, 3, 2), (2, 2, 2, 2, 2), (7,)])
@pytest.mark.parametrize("kind", ["simcc", "rf_detr", "rtmo", "movenet"])
def test_other_outputs_than_the_file_states_end_in_a_sentence(kind, shape, tmp_path):
    path = tmp_path / "a.onnx"
    write = {
        "simcc": lambda: networks.write_simcc(path, 17, (64, 48)),
        "rf_detr": lambda: networks.write_rf_detr(path),
        "rtmo": lambda: networks.write_rtmo(path, fixed=True),
        "movenet": lambda: networks.write_movenet(path),
    }
    write[kind]()
    onnx = pytest.importorskip("onnx", reason="needs onnx")

    model = onnx.load(path)
    names = [output.name for output in model.graph.output]
    for node in model.graph.node:
        for place, name in enumerate(node.output):
            if name in names:
                node.output[place] = f"{name}_before"
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros(shape, np.float32), "other"))
    model.graph.node.extend(onnx.helper.make_node("Identity", ["other"], [name]) for name in names)
    path.write_bytes(model.SerializeToString())
    frame = Frame(np.zeros((96, 96, 3), np.uint8), 0, 0.0)
    person = Detections(np.array([[10, 10, 60, 90]], np.float32), np.ones(1, np.float32))
    load = load_detector if kind == "rf_detr" else load_pose_estimator
    inputs = (frame, person) if kind in ("simcc", "movenet") else (frame,)
    with pytest.raises(ModelError):
        load(str(path), runtime="openvino", **EXACT)(*inputs)
