"""A family is recognised by its contents, and unusable files are refused with one sentence."""

from dataclasses import replace

import pytest

from posetrack.errors import ModelError
from posetrack.models.foreign.graph import OPEN, Graph
from posetrack.models.foreign.recognise import recognise
from posetrack.models.weights.card import DetectorCard, PoseCard, SingleStageCard, from_text, to_text

IMAGE = {"input": (1, 3, 64, 96)}
CROP = {"input": (OPEN, 3, 256, 192)}
SIMCC = Graph(CROP, {"simcc_x": (OPEN, 26, 384), "simcc_y": (OPEN, 26, 512)}, first=frozenset({"Conv"}))
FINAL = Graph(IMAGE, {"dets": (1, OPEN, 5), "labels": (1, OPEN)}, first=frozenset({"Slice"}))
YOLOX = Graph(IMAGE, {"output": (1, 126, 85)}, frozenset({"Slice", "Conv"}), frozenset({"Slice", "Shape"}))
RF_DETR = Graph(IMAGE, {"dets": (1, 30, 4), "labels": (1, 30, 91)}, first=frozenset({"Conv"}))
RTMO = Graph(IMAGE, {"dets": (1, OPEN, 5), "keypoints": (1, OPEN, 17, 3)}, first=frozenset({"Slice"}))
MAPS = Graph(CROP, {"output_0": (OPEN, 25, 64, 48)}, frozenset({"Conv", "Softmax"}), frozenset({"Conv"}))
MOVENET = Graph({"input": (1, 256, 256, 3)}, {"output_0": (1, 1, 17, 3)}, integers=frozenset({"input"}))
FACTS = {"author": "Ultralytics", "task": "detect", "stride": "32", "names": "{0: 'car', 1: 'person'}"}
YOLO = Graph(IMAGE, {"output0": (1, 6, 126)}, metadata=FACTS)
POSE = Graph(
    {"images": (1, 3, OPEN, OPEN)},
    {"output0": (1, 56, OPEN)},
    metadata=FACTS | {"task": "pose", "names": "{0: 'person'}", "kpt_shape": "[17, 3]"},
)


def find(graph, dataset="auto", shapes=None):
    def measure(shape):
        assert shapes is not None, "nothing needs to be run"
        return shapes

    return recognise(graph, measure, label="it", dataset=dataset, sha256="ab")


DETECTOR = {"size": 96, "input_size": (64, 96), "sha256": "ab"}


@pytest.mark.parametrize(
    ("graph", "card"),
    [
        (SIMCC, PoseCard((256, 192), "simcc", "RTMPose", "halpe26", "ab")),
        (MAPS, PoseCard((256, 192), "udp", "ViTPose", "coco_25", "ab")),
        (MOVENET, PoseCard((256, 256), "movenet", "MoveNet", "coco", "ab")),
        (replace(MOVENET, integers=frozenset()), PoseCard((256, 256), "movenet", "MoveNet", "coco", "ab")),
        (FINAL, DetectorCard(processing="yolox_final", family="YOLOX", **DETECTOR)),
        (replace(FINAL, first=frozenset({"Conv"})), DetectorCard(processing="rtmdet", family="RTMDet", **DETECTOR)),
        (YOLOX, DetectorCard(processing="yolox", family="YOLOX", **DETECTOR)),
        (
            replace(YOLOX, operators=frozenset({"Exp"})),
            DetectorCard(processing="yolox_decoded", family="YOLOX", **DETECTOR),
        ),
        (RF_DETR, DetectorCard(processing="rf_detr", family="RF-DETR", person_class=1, **DETECTOR)),
        (RTMO, SingleStageCard(processing="rtmo", family="RTMO", skeleton="coco", **DETECTOR)),
        (YOLO, DetectorCard(processing="yolo", person_class=1, **DETECTOR)),
        (
            replace(YOLO, metadata=FACTS | {"end2end": "True"}),
            DetectorCard(processing="yolo_final", person_class=1, **DETECTOR),
        ),
        (POSE, SingleStageCard(processing="yolo", size=640, sha256="ab")),
        (
            replace(POSE, metadata=POSE.metadata | {"imgsz": "[384, 320]"}),
            SingleStageCard(processing="yolo", size=384, sha256="ab"),
        ),
    ],
)
def test_a_family_has_its_card(graph, card):
    found = find(graph)
    assert found == card
    assert from_text(to_text(found)) == found


def test_what_a_file_leaves_open_is_measured():
    graph = replace(SIMCC, outputs={"simcc_x": (OPEN, OPEN, 384), "simcc_y": (OPEN, OPEN, 512)})
    assert find(graph, shapes=[(1, 133, 384), (1, 133, 512)]).skeleton == "wholebody"
    graph = replace(RTMO, outputs={"dets": (1, OPEN, 5), "keypoints": (1, OPEN, OPEN, 3)})
    assert find(graph, shapes=[(1, 9, 5), (1, 9, 14, 3)], dataset="crowdpose").skeleton == "crowdpose"


def test_a_dataset_of_as_many_keypoints_may_be_named():
    graph = replace(SIMCC, outputs={"simcc_x": (1, 17, 384), "simcc_y": (1, 17, 512)})
    assert find(graph).skeleton == "coco"
    assert find(graph, dataset="ap10k").skeleton == "ap10k"


@pytest.mark.parametrize(
    ("graph", "sentence"),
    [
        (replace(SIMCC, inputs={**CROP, "more": (1,)}), "it has 2 inputs"),
        (replace(SIMCC, inputs={"input": (1, 3, 99999, 64)}), "its input is 1x3x99999x64"),
        (replace(SIMCC, inputs={"input": (10**6, 3, 256, 192)}), "not an RGB image"),
        (replace(SIMCC, inputs={"input": (1, 1, 256, 192)}), "not an RGB image"),
        (replace(SIMCC, inputs={"input": (1, 3, OPEN, OPEN)}), "whose input size is open"),
        (replace(SIMCC, outputs={"simcc_x": (1, 26, 576), "simcc_y": (1, 26, 768)}), "not two a pixel"),
        (replace(SIMCC, outputs={"simcc_x": (1, 99, 384), "simcc_y": (1, 99, 512)}), "99 keypoints. Give another"),
        (replace(RF_DETR, outputs={"dets": (1, 30, 4), "labels": (1, 30, 3)}), "RF-DETR of 3 classes"),
        (replace(SIMCC, outputs={"logits": (1, 1000)}), "no known family: it returns logits 1x1000"),
        (replace(SIMCC, integers=frozenset({"input"})), "takes whole numbers"),
        (replace(SIMCC, inputs={"input": (1, 256, 192, 3)}), "no known family: it returns simcc_x"),
        (
            replace(MOVENET, inputs={"input": (1, OPEN, OPEN, 3)}, outputs={"output_0": (1, 6, 56)}),
            "for several people",
        ),
        (replace(MOVENET, outputs={"output_0": (1, 6, 17, 3)}), "no known family"),
        (replace(FINAL, first=frozenset({"Sub"})), "no known family"),  # it normalises images by itself
        (replace(YOLOX, first=frozenset({"Sub"})), "no known family"),
        (replace(MAPS, outputs={"output": (1, 17, 8, 8)}), "no known family"),
        (replace(MAPS, operators=frozenset({"Conv"})), "no known family"),
        (replace(YOLO, metadata=FACTS | {"task": "segment"}), "for the task 'segment'"),
        (replace(YOLO, metadata=FACTS | {"names": "{0: 'car'}"}), "without a class 'person'"),
        (replace(YOLO, metadata=FACTS | {"names": "(" * 9999}), "without a class 'person'"),
        (replace(YOLO, metadata=FACTS | {"names": "{'a': 'person'}"}), "without a class 'person'"),
        (replace(YOLO, metadata=FACTS | {"args": "[1]"}, outputs={"output0": (1, 9, 9)}), "not rows of 6"),
        (replace(YOLOX, inputs={"input": (1, 3, OPEN, OPEN)}), "whose input size is open"),
        (replace(YOLO, metadata=FACTS | {"stride": "0"}), "of stride 0"),
        (replace(YOLO, outputs={"output0": (1, 84, 126)}), "returns 1x84x126, not rows of 6"),
        (replace(POSE, metadata=POSE.metadata | {"kpt_shape": "[17, 2]"}), r"\[17, 2\], not \(number, 3\)"),
    ],
)
def test_what_cannot_be_used_is_refused(graph, sentence):
    with pytest.raises(ModelError, match=sentence):
        find(graph)
