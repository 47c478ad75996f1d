import importlib.util
import warnings
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from posetrack import load_pipeline
from posetrack.errors import ModelError, UsageError
from posetrack.models.geometry.keypoints import COCO
from posetrack.models.networks.ultralytics_import import load_tasks
from posetrack.models.weights.card import SingleStageCard
from posetrack.tracker.cli import main
from posetrack.tracker.perception.detector import load_detector
from posetrack.tracker.perception.pose import load_pose_estimator
from posetrack.tracker.perception.single_stage import SingleStagePoseEstimator
from posetrack.tracker.types import Frame

TEACHER = Path(__file__).parents[4] / "shared" / "weights" / "yolov8n-pose.pt"
needs_teacher = pytest.mark.skipif(not TEACHER.is_file(), reason="needs shared/weights/ beside the checkout")
SIZE = 128  # pixels of the small input


def photograph(name):
    folder = Path(importlib.util.find_spec("ultralytics").origin).parent / "assets"
    return Frame(cv2.imread(str(folder / name)), 0, 0.0)


def write(path, description, **arguments):
    """Write a network of random weights as Ultralytics writes its files."""
    tasks = load_tasks()
    torch.manual_seed(0)
    kind = arguments.pop("task", "PoseModel")
    network = getattr(tasks, kind)(description, nc=1, verbose=False, **arguments)
    network.names, network.args = {0: "person"}, {}
    with torch.no_grad():
        for module in network.modules():  # fresh statistics would let every place score alike
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(0.8, 1.4)
                module.bias.normal_(0, 0.2)
    task = "pose" if kind == "PoseModel" else "detect"
    torch.save({"model": network, "train_args": {"imgsz": SIZE, "task": task}}, path)
    return path


def predicted(path, image, **words):
    """Return the boxes, keypoints and scores of Ultralytics' own predictor."""
    load_tasks()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import ultralytics

        found = ultralytics.YOLO(path, task="pose").predict(image, device="cpu", verbose=False, save=False, **words)[0]
    points = found.keypoints.data.numpy()
    return found.boxes.xyxy.numpy(), points[..., :2], points[..., 2], found.boxes.conf.numpy()


def check(poses, expected, *, atol=0.1):
    boxes, keypoints, scores, box_scores = expected
    assert len(poses) == len(boxes) > 0
    np.testing.assert_allclose(poses.boxes, boxes, atol=atol)
    np.testing.assert_allclose(poses.keypoints, keypoints, atol=atol)
    np.testing.assert_allclose(poses.scores, scores, atol=1e-3)
    np.testing.assert_allclose(poses.box_scores, box_scores, atol=1e-3)


@pytest.mark.parametrize("name", ["yolov8n-pose", "yolo11n-pose", "yolo26n-pose"])
def test_people_are_those_of_ultralytics_own_predictor(name, tmp_path):
    path, frame = write(tmp_path / f"{name}.pt", f"{name}.yaml"), photograph("bus.jpg")
    estimator = load_pose_estimator(str(path), device="cpu", runtime="torch", conf=0.0, max_people=15)
    expected = predicted(path, frame.image, imgsz=SIZE, conf=0.0, max_det=15)
    check(estimator(frame), expected)


@needs_teacher
@pytest.mark.parametrize("runtime", ["torch", "openvino", "onnxruntime"])
@pytest.mark.parametrize("name", ["bus.jpg", "zidane.jpg"])
def test_people_of_photographs_are_those_of_ultralytics_own_predictor(name, runtime):
    pytest.importorskip(runtime, reason=f"needs {runtime}")
    frame = photograph(name)
    estimator = load_pose_estimator(str(TEACHER), device="cpu", runtime=runtime, precision="fp32")
    check(estimator(frame), predicted(TEACHER, frame.image))


@pytest.mark.filterwarnings("ignore")  # Ultralytics' exporter warns
@pytest.mark.parametrize(
    ("name", "task", "options"),
    [
        ("yolo11n-pose", "pose", {}),
        ("yolo11n-pose", "pose", {"dynamic": True}),
        ("yolo11n-pose", "pose", {"nms": True, "conf": 0.0, "iou": 0.7, "max_det": 15}),
        ("yolo11n", "detect", {}),
    ],
)
@pytest.mark.slow
def test_people_of_a_file_that_ultralytics_exported_are_those_of_its_predictor(name, task, options, tmp_path):
    pytest.importorskip("onnx", reason="needs onnx")
    pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    load_tasks()
    import ultralytics

    kind = "PoseModel" if task == "pose" else "DetectionModel"
    weights, frame = write(tmp_path / f"{name}.pt", f"{name}.yaml", task=kind), photograph("bus.jpg")
    form = {"format": "onnx", "imgsz": SIZE, "opset": 17, "simplify": False, "device": "cpu", "verbose": False}
    path = ultralytics.YOLO(weights, task=task).export(**form, **options)
    words = {"imgsz": SIZE, "conf": 0.0, "iou": 0.7, "max_det": 15, "device": "cpu", "verbose": False, "save": False}
    expected = ultralytics.YOLO(path, task=task).predict(frame.image, **words)[0]
    load = load_pose_estimator if task == "pose" else partial(load_detector, iou=0.7)
    found = load(str(path), device="cpu", runtime="onnxruntime", conf=0.0, max_people=15)(frame)
    assert len(found) == len(expected.boxes) == 15
    np.testing.assert_allclose(found.boxes, expected.boxes.xyxy.numpy(), atol=0.1)
    if task == "pose":
        np.testing.assert_allclose(found.keypoints, expected.keypoints.data.numpy()[..., :2], atol=0.1)


class Rows:
    """A network that answers any image with the same rows: box, score and 17 times x, y and score."""

    name, device, precision, reason, streams = "rows", "cpu", "fp32", "", 1

    def __init__(self, *rows):
        self.rows = np.array(rows, np.float32).reshape(-1, 56)

    def __call__(self, images):
        return self.rows.T[None]


def row(x, y, score, point=(0.0, 0.0), sure=0.7):
    return [x, y, 40.0, 60.0, score, *(point[0], point[1], sure) * 17]


def estimate(*rows, **options):
    estimator = SingleStagePoseEstimator(Rows(*rows), SingleStageCard(size=640), **options)
    return estimator(Frame(np.full((48, 64, 3), 90, np.uint8), 0, 0.0))


def test_keypoints_come_back_to_the_image_and_stay_with_their_box():
    poses = estimate(row(100, 100, 0.5, (110, 120)), row(500, 300, 0.9, (900, 300)))
    np.testing.assert_allclose(poses.boxes, [[48, 27, 52, 33], [8, 7, 12, 13]], atol=1e-5)
    np.testing.assert_allclose(poses.keypoints[:, 0], [[64, 30], [11, 12]], atol=1e-5)
    np.testing.assert_allclose(poses.scores, np.full((2, 17), 0.7))
    assert poses.features.shape[0] == 2


def test_no_people_are_an_empty_frame():
    poses = estimate()
    assert (poses.boxes.shape, poses.keypoints.shape) == ((0, 4), (0, len(COCO), 2))


def test_the_most_certain_people_are_kept():
    rows = [row(60 + 100 * i, 100, 0.3 + 0.1 * i) for i in range(5)]
    assert estimate(*rows, max_people=2).box_scores == pytest.approx([0.7, 0.6])
    assert estimate(*rows, conf=0.55).box_scores == pytest.approx([0.7, 0.6])


class TestFiles:
    @pytest.fixture
    def weights(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        return write(tmp_path / "mine.pt", "yolo11n-pose.yaml")

    @pytest.mark.slow
    @pytest.mark.parametrize(("form", "suffix"), [("onnx", ".onnx"), ("openvino", ".xml")])
    def test_an_exported_network_gives_the_same_people(self, form, suffix, weights, tmp_path):
        pytest.importorskip("openvino", reason="needs openvino")
        target = str(tmp_path / f"out{suffix}")
        assert main(["export", str(weights), "--to", form, "--out", target]) == 0
        words = {"device": "cpu", "precision": "fp32", "conf": 0.0, "max_people": 5}
        frame = photograph("bus.jpg")
        expected = load_pose_estimator(str(weights), runtime="torch", **words)(frame)
        found = load_pose_estimator(target, runtime="openvino", **words)(frame)
        check(found, (expected.boxes, expected.keypoints, expected.scores, expected.box_scores))

    def test_another_name_is_recognised_and_needs_no_detector(self, weights):
        pipeline = load_pipeline(str(weights), device="cpu", runtime="torch", conf=0.0, max_people=3)
        assert pipeline.detector is None
        assert pipeline(photograph("bus.jpg")).keypoints.shape[1:] == (17, 2)

    def test_a_detector_beside_it_is_refused(self, weights):
        with pytest.raises(UsageError, match=r"in one pass, so the detector 'yolo11n\.pt' has no effect"):
            load_pipeline(str(weights), "yolo11n.pt", device="cpu", runtime="torch")

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            ({"flip": True}, "takes whole frames"),
            ({"dataset": "mpii"}, r"17 keypoints, .* mpii has 16\. Add --dataset coco"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, words, sentence, weights):
        with pytest.raises((UsageError, ModelError), match=sentence):
            load_pose_estimator(str(weights), device="cpu", runtime="torch", **words)

    def test_other_keypoints_are_refused(self, tmp_path):
        path = write(tmp_path / "hands.pt", "yolo11n-pose.yaml", data_kpt_shape=(21, 3))
        with pytest.raises(ModelError, match="estimates 21 keypoints"):
            load_pose_estimator(str(path), device="cpu", runtime="torch")

    def test_a_detector_is_no_pose_network(self, tmp_path):
        path = write(tmp_path / "boxes.pt", "yolo11n.yaml", task="DetectionModel")
        with pytest.raises(ModelError, match="estimates no poses"):
            load_pose_estimator(str(path), device="cpu", runtime="torch")

    def test_int8_is_refused(self, weights, capsys):
        assert main(["export", str(weights), "--to", "openvino", "--int8"]) == 2
        assert "is a single-stage one" in capsys.readouterr().err

    def test_a_published_name_is_looked_for(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ModelError, match="downloads are off"):
            load_pose_estimator("yolo11n-pose.pt", device="cpu", runtime="torch", offline=True)

    def test_a_run_writes_its_table_and_says_so(self, weights, walking_clip, tmp_path, capsys):
        words = ["--source", str(walking_clip), "--model", str(weights), "--device", "cpu", "--runtime", "torch"]
        assert main([*words, "--csv", str(tmp_path / "out.csv")]) == 0
        message = capsys.readouterr().err
        assert "pose network" in message
        assert "detector" not in message
        assert '"detector": {}' in (tmp_path / "out.csv.json").read_text()

    def test_faces_of_new_people_are_never_shown(self, weights, walking_clip, tmp_path, capsys):
        words = ["--source", str(walking_clip), "--model", str(weights), "--device", "cpu", "--runtime", "torch"]
        assert main([*words, "--save", str(tmp_path / "out.mp4"), "--blur-faces", "--pose-every", "2"]) == 2
        assert "pose_every is 2" in capsys.readouterr().err


@needs_teacher
def test_eval_measures_boxes_and_poses_in_one_pass(tmp_path, capsys):
    import json

    image = photograph("bus.jpg").image
    cv2.imwrite(str(tmp_path / "1.png"), image)
    poses = load_pose_estimator(str(TEACHER), device="cpu", runtime="torch", conf=0.5)(Frame(image, 1, 0.0))
    people = [
        {
            "id": i + 1,
            "image_id": 1,
            "category_id": 1,
            "iscrowd": 0,
            "bbox": [*map(float, box[:2]), *map(float, box[2:] - box[:2])],
            "area": float(np.prod(box[2:] - box[:2])),
            "keypoints": np.column_stack([points, np.full(17, 2)]).ravel().tolist(),
            "num_keypoints": 17,
        }
        for i, (box, points) in enumerate(zip(poses.boxes, poses.keypoints))
    ]
    truth = {
        "images": [{"id": 1, "file_name": "1.png", "width": image.shape[1], "height": image.shape[0]}],
        "annotations": people,
        "categories": [{"id": 1, "name": "person", "keypoints": list(COCO.keypoints), "skeleton": []}],
    }
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    words = ["eval", "--images", str(tmp_path), "--annotations", str(tmp_path / "truth.json"), "--model", str(TEACHER)]
    words += ["--device", "cpu", "--runtime", "torch"]
    assert main([*words, "--json", str(tmp_path / "out.json")]) == 0
    facts = json.loads((tmp_path / "out.json").read_text())
    assert facts["keypoints"]["AP"] == facts["boxes"]["AP"] == 1.0
    assert (facts["protocol"]["boxes"], facts["protocol"]["family"]) == ("detector", "YOLO")
    assert main([*words, "--detector", "bundled"]) == 2
    assert "finds people itself" in capsys.readouterr().err
