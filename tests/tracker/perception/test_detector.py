import importlib.util
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from posetrack.errors import ModelError
from posetrack.models.geometry.detection import nms
from posetrack.models.geometry.letterbox import letterbox
from posetrack.models.networks import yolo
from posetrack.models.networks.ultralytics_import import load_tasks
from posetrack.models.weights import detectors
from posetrack.models.weights.card import DetectorCard
from posetrack.tracker.perception import detector as module
from posetrack.tracker.perception.detector import load_detector
from posetrack.tracker.perception.file_detector import FileDetector
from posetrack.tracker.perception.network_detector import NetworkDetector
from posetrack.tracker.perception.runtimes.pytorch import TorchRuntime
from posetrack.tracker.types import Frame

TEACHER = Path(__file__).parents[4] / "shared" / "weights" / "yolov8n.pt"
needs_teacher = pytest.mark.skipif(not TEACHER.is_file(), reason="needs shared/weights/ beside the checkout")


def frame(height=48, width=64, index=0):
    return Frame(np.full((height, width, 3), 90, np.uint8), index=index, time=0.0)


class Fake:
    """A network that returns given detections for any input, and records its input."""

    name, device, precision, reason = "fake", "cpu", "fp32", ""

    def __init__(self, rows, *, columns=5):
        self.rows = np.array(rows, np.float32).reshape(-1, columns)

    def __call__(self, images):
        self.seen = images
        return self.rows.T[None]


def detector(rows, *, classes=1, size=640, **options):
    return NetworkDetector(Fake(rows, columns=4 + classes), DetectorCard(size=size), **options)


class TestLetterbox:
    @pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (33, 77), (480, 640), (1080, 810), (3000, 4001)])
    @pytest.mark.parametrize("size", [256, 640])
    def test_corners_go_there_and_back(self, shape, size):
        canvas, scale, offset = letterbox(np.zeros((*shape, 3), np.uint8), size=size)
        corners = np.array([[0, 0], shape[::-1]])
        inside = corners * scale + offset
        np.testing.assert_allclose(max(inside[1] - inside[0]), size)
        assert (inside >= 0).all()
        assert (inside[1] <= np.array(canvas.shape[1::-1]) + 1e-9).all()
        np.testing.assert_allclose((inside - offset) / scale, corners)
        assert canvas.shape[0] % 32 == canvas.shape[1] % 32 == 0
        assert (np.array(canvas.shape[1::-1]) - (inside[1] - inside[0]) < 32).all()

    def test_grey_on_both_sides_only(self):
        canvas, _, _ = letterbox(np.zeros((100, 640, 3), np.uint8), size=640)
        assert canvas.shape == (128, 640, 3)
        assert (canvas[:14] == 114).all()
        assert (canvas[14:114] == 0).all()
        assert (canvas[114:] == 114).all()

    @pytest.mark.parametrize(("shrinks", "alike"), [(True, True), (False, False)])
    def test_shrinking_leaves_nothing_out(self, shrinks, alike):
        stripes = np.zeros((720, 1280, 3), np.uint8)
        stripes[:, ::4] = 255
        canvas, scale, offset = letterbox(stripes, size=320, shrinks=shrinks)
        assert (canvas.shape, scale.tolist(), offset.tolist()) == ((192, 320, 3), [0.25, 0.25], [0, 6])
        assert (np.abs(canvas[6:-6].astype(int) - 64) <= 1).all() == alike


class TestNms:
    def test_keeps_the_most_certain_of_overlapping_boxes(self):
        boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 0, 60, 10], [0, 0, 10, 10]], dtype=float)
        assert nms(boxes, np.array([0.5, 0.9, 0.3, 0.6]), iou=0.6).tolist() == [1, 2]

    def test_overlap_at_the_threshold_stays(self):
        boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 5]], dtype=float)
        assert nms(boxes, np.array([0.5, 0.4]), iou=0.5).tolist() == [0, 1]

    def test_no_people(self):
        assert nms(np.zeros((0, 4)), np.zeros(0), iou=0.5).shape == (0,)

    def test_does_not_depend_on_the_order(self):
        rng = np.random.default_rng(0)
        boxes = rng.uniform(0, 100, (200, 2)).repeat(2, 0).reshape(-1, 4) + np.array([0, 0, 30, 30])
        scores, order = rng.permutation(200) / 200, rng.permutation(200)
        assert order[nms(boxes[order], scores[order], iou=0.4)].tolist() == nms(boxes, scores, iou=0.4).tolist()


class TestNetworkDetector:
    def test_boxes_come_back_to_the_image_clipped_and_sorted(self):
        # a 64x48 image becomes 640x480: ten times, no padding
        found = detector([[100, 100, 40, 60, 0.5], [600, 400, 200, 400, 0.9], [300, 300, 10, 10, 0.2]])(frame())
        np.testing.assert_allclose(found.boxes, [[50, 20, 64, 48], [8, 7, 12, 13]], atol=1e-5)
        np.testing.assert_allclose(found.scores, [0.9, 0.5])

    def test_the_network_sees_rgb_in_unit_range(self):
        model = Fake([])
        image = np.zeros((32, 64, 3), np.uint8)
        image[..., 0] = 255  # blue
        NetworkDetector(model, DetectorCard(size=64))(Frame(image, 0, 0.0))
        assert model.seen.shape == (1, 3, 32, 64)
        assert model.seen[0, :, 0, 0].tolist() == [0, 0, 1]

    def test_padding_is_taken_off(self):
        found = detector([[320, 64, 640, 128, 0.9]])(frame(100, 640))  # 14 rows of grey above and below
        np.testing.assert_allclose(found.boxes, [[0, 0, 640, 100]])

    def test_other_classes_do_not_count(self):
        model = Fake([[100, 100, 40, 60, 0.9, 0.1], [300, 300, 40, 60, 0.1, 0.8]], columns=6)
        assert NetworkDetector(model, DetectorCard(size=640, person_class=1))(frame()).scores == pytest.approx([0.8])

    def test_channels_after_the_classes_do_not_matter(self):
        assert detector([[100, 100, 40, 60, 0.9, 320.0, 7.0]], classes=3)(frame()).scores == pytest.approx([0.9])

    def test_end_to_end_rows_are_final(self):
        rows = [[10, 20, 30, 40, 0.5, 0], [10, 20, 30, 40, 0.6, 0], [0, 0, 9, 9, 0.9, 2], [0, 0, 9, 9, 0.1, 0]]
        found = NetworkDetector(lambda images: np.array([rows]), DetectorCard(size=640, processing="yolo_final"))(
            frame()
        )
        np.testing.assert_allclose(found.boxes, [[1, 2, 3, 4]] * 2)
        np.testing.assert_allclose(found.scores, [0.6, 0.5])

    def test_max_people_keeps_the_most_certain(self):
        rows = [[100 * i, 100, 50, 50, 0.3 + 0.1 * i] for i in range(5)]
        assert detector(rows, max_people=2)(frame()).scores == pytest.approx([0.7, 0.6])

    def test_no_people(self):
        found = detector([])(frame())
        assert (found.boxes.shape, found.scores.shape) == ((0, 4), (0,))

    @pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (31, 33), (4321, 6001)])
    @pytest.mark.parametrize("end2end", [False, True])
    def test_a_real_network_takes_any_image(self, shape, end2end):
        torch.manual_seed(0)
        model = yolo.build()
        if end2end:
            model = load_tasks().DetectionModel("yolo26n.yaml", nc=1, verbose=False)
            model.end2end = True
            model.fuse(verbose=False)
        card = DetectorCard(size=64, processing="yolo_final" if end2end else "yolo")
        found = NetworkDetector(TorchRuntime(model), card, conf=0.0)(frame(*shape))
        assert len(found)
        assert (found.boxes >= 0).all()
        assert (found.boxes <= np.tile(shape[::-1], 2)).all()


# ultralytics 8.4.190: YOLO("yolov8n.pt")(path, classes=[0], conf=0.25, iou=0.6)
PREDICTED = {
    "bus.jpg": (
        [
            [50.37, 399.94, 243.19, 902.94],
            [672.29, 392.17, 807.74, 876.56],
            [222.5, 405.03, 342.74, 857.11],
            [1.57, 550.8, 60.95, 872.35],
        ],
        [0.8849, 0.8718, 0.8455, 0.2695],
    ),
    "zidane.jpg": (
        [[113.49, 196.64, 1116.17, 712.66], [751.41, 42.51, 1144.04, 712.73], [129.33, 204.76, 671.22, 710.55]],
        [0.8406, 0.8332, 0.293],
    ),
}


@needs_teacher
@pytest.mark.parametrize("name", PREDICTED)
def test_boxes_are_those_of_ultralytics_own_predictor(name):
    spec = importlib.util.find_spec("ultralytics")
    image = cv2.imread(str(Path(spec.origin).parent / "assets" / name))
    detector = load_detector(TEACHER, device="cpu", precision="fp32")
    found = detector(Frame(image, 0, 0.0))
    boxes, scores = PREDICTED[name]
    np.testing.assert_allclose(found.boxes, boxes, atol=0.5)
    np.testing.assert_allclose(found.scores, scores, atol=0.005)
    assert (len(detector.sha256), detector.name) == (64, str(TEACHER))


class TestLoadDetector:
    @pytest.fixture
    def weights(self, tmp_path):
        torch.manual_seed(0)
        detectors.save(yolo.build(), tmp_path / "detector.safetensors", size=96)
        return tmp_path / "detector.safetensors"

    def test_a_file_runs_at_its_own_size(self, weights):
        detector = load_detector(weights, device="cpu", conf=0.5)
        assert (detector.size, detector.conf, detector.card.person_class, len(detector.sha256)) == (96, 0.5, 0, 64)
        assert load_detector(weights, device="cpu", size=64).size == 64
        detector(frame())

    def test_the_bundled_one(self, weights, monkeypatch):
        monkeypatch.setattr(module, "files", lambda package: weights.parent)
        assert load_detector(device="cpu").name == "bundled"

    def test_boxes_from_a_file(self, tmp_path):
        (tmp_path / "boxes.txt").write_text("1,-1,10,20,30,40,0.9\n")
        detector = load_detector(tmp_path / "boxes.txt", device="cpu")
        assert isinstance(detector, FileDetector)
        assert len(detector(frame())) == 1

    def of_two_classes(self, path, *names):
        model = load_tasks().DetectionModel("yolov8n.yaml", nc=2, verbose=False)
        model.names = dict(enumerate(names))
        torch.save({"model": model}, path)
        return path

    def test_a_network_that_knows_no_people(self, tmp_path):
        path = self.of_two_classes(tmp_path / "pets.pt", "cat", "dog")
        with pytest.raises(ModelError, match="no class 'person' among its 2"):
            load_detector(path, device="cpu")

    def test_people_may_be_any_class(self, tmp_path):
        path = self.of_two_classes(tmp_path / "both.pt", "dog", "Person")
        assert load_detector(path, device="cpu").card.person_class == 1


class TestFileDetector:
    def read(self, folder, name, content, **options):
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
        return FileDetector(folder / name, **options)

    def test_coco_results(self, tmp_path):
        entries = [
            {"image_id": 3, "category_id": 1, "bbox": [10, 20, 30, 40], "score": 0.5},
            {"image_id": 3, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.9},
            {"image_id": 3, "category_id": 17, "bbox": [0, 0, 9, 9], "score": 0.99},
            {"image_id": "000000000007", "bbox": [5, 6, 7, 8]},
        ]
        detector = self.read(tmp_path, "a.json", entries)
        found = detector(frame(index=3))
        np.testing.assert_allclose(found.boxes, [[1, 2, 4, 6], [10, 20, 40, 60]])
        np.testing.assert_allclose(found.scores, [0.9, 0.5])
        np.testing.assert_allclose(detector(frame(index=7)).boxes, [[5, 6, 12, 14]])
        assert detector(frame(index=0)).boxes.shape == (0, 4)
        assert (detector.name, len(detector.sha256)) == (str(tmp_path / "a.json"), 64)

    def test_mot_frames_count_from_one(self, tmp_path):
        text = "1,-1,10,20,30,40,0.5,-1,-1,-1\n\n2, -1, 1.5, 2, 3, 4, -1\n2,7,0,0,1,1\n"
        detector = self.read(tmp_path, "det.txt", text)
        np.testing.assert_allclose(detector(frame(index=0)).boxes, [[10, 20, 40, 60]])
        np.testing.assert_allclose(detector(frame(index=1)).boxes, [[1.5, 2, 4.5, 6], [0, 0, 1, 1]])
        assert detector(frame(index=1)).scores.tolist() == [1, 1]

    def test_conf_and_max_people(self, tmp_path):
        text = "".join(f"1,-1,{i},0,10,10,0.{i}\n" for i in range(1, 9))
        found = self.read(tmp_path, "det.txt", text, conf=0.3, max_people=4)(frame())
        assert found.scores == pytest.approx([0.8, 0.7, 0.6, 0.5])
        assert len(self.read(tmp_path, "det.txt", text, conf=0.75)(frame())) == 1

    @pytest.mark.parametrize("bad", ["nan", "inf", "-inf", "1e308", "-1e308", "1e9"])
    def test_invalid_boxes_are_left_out_with_one_warning(self, tmp_path, caplog, bad):
        good = "1,-1,10,20,30,40,0.9\n"
        rows = [f"1,-1,{bad},20,30,40,1", f"1,-1,10,20,{bad},40,1", "1,-1,10,20,0,40,1", "1,-1,10,20,-3,40,1"]
        rows += [f"1,-1,10,20,30,40,{bad}", "1,-1,10,20,30,40,52.1"]
        detector = self.read(tmp_path, "det.txt", good + "\n".join(rows))
        np.testing.assert_allclose(detector(frame()).boxes, [[10, 20, 40, 60]])
        (record,) = caplog.records
        assert "6 of 7 boxes are left out, the first in line 2" in record.getMessage()

    def test_invalid_json_numbers_are_left_out(self, tmp_path, caplog):
        detector = self.read(tmp_path, "a.json", '[{"image_id": 0, "bbox": [NaN, 2, 3, Infinity]}]')
        assert len(detector(frame())) == 0
        assert "1 of 1 boxes are left out" in caplog.text

    @pytest.mark.parametrize(("name", "content"), [("a.json", []), ("a.txt", "")])
    def test_a_file_without_boxes(self, tmp_path, name, content):
        assert len(self.read(tmp_path, name, content)(frame())) == 0

    @pytest.mark.parametrize(
        ("name", "content", "sentence"),
        [
            ("a.json", "[{]", "line 1: it is not JSON"),
            ("a.json", {"annotations": []}, "a list of objects"),
            ("a.json", [{"image_id": 0, "bbox": [1, 2, 3, 4]}, {"image_id": 0}], "entry 1"),
            ("a.json", [{"image_id": 0, "bbox": [1, 2, 3]}], "entry 0"),
            ("a.json", [{"image_id": "street", "bbox": [1, 2, 3, 4]}], "entry 0"),
            ("a.json", [{"image_id": 0.5, "bbox": [1, 2, 3, 4]}], "entry 0"),
            ("a.json", ["person"], "entry 0"),
            ("a.txt", "1,-1,10,20,30,40,0.9\n1,-1,10,20\n", "line 2"),
            ("a.txt", "frame,id,left,top,width,height\n", "line 1"),
            ("a.txt", f"1,-1,{'9' * 200_000},20,30,40,0.9,{'x' * 200_000}\n", "line 1"),
            ("a.txt", "0,-1,10,20,30,40,0.9\n", "from 1"),
        ],
    )
    def test_malformed_files_say_where(self, tmp_path, name, content, sentence):
        with pytest.raises(ModelError, match=sentence) as caught:
            self.read(tmp_path, name, content)
        assert str(tmp_path / name) in str(caught.value)

    def test_missing_and_binary_files(self, tmp_path):
        with pytest.raises(ModelError, match="there is no such file"):
            FileDetector(tmp_path / "missing.json")
        (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(ModelError, match="Cannot read boxes"):
            FileDetector(tmp_path / "a.json")
