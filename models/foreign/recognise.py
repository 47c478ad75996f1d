"""Recognise the family of an ONNX file of another project by its contents, and state its conventions as a card.

A file is recognised by its inputs, outputs, operators and metadata, never by its name. Each function below knows one
exporter's files.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from ...errors import ModelError
from ..geometry.simcc import SPLIT
from ..geometry.skeletons import AUTO, fitting
from ..weights.card import MAX_CLASSES, MAX_PIXELS, MAX_STRIDE, Card, DetectorCard, PoseCard, SingleStageCard
from .graph import OPEN, Graph, Shape

SIZE = 640  # pixels: input of the published detectors, for a file that takes images of any size
MAX_BATCH = 64  # images at once that a file may fix
PERSON = 0  # class of people in COCO's 80 classes and in Human-Art
PERSON_OF_91 = 1  # in COCO's 91 category numbers, which RF-DETR keeps
_COCO_NUMBERS = 91

Measure = Callable[[Shape], list[Shape]]


class UnfitError(Exception):
    """A file of a known family that cannot be used; the message completes the sentence "it is ..."."""


def recognise(graph: Graph, measure: Measure, *, label: str, dataset: str = AUTO, sha256: str = "") -> Card:
    """Return the card of a network of another project.

    Args:
        graph: what the file says of itself.
        measure: `(shape of the input) -> shapes of the outputs` of a run; called only if the file leaves the number of
            keypoints open.
        label: name of the file, for messages.
        dataset: dataset of its keypoints, or `auto`: the one that has as many.
        sha256: of the file.

    Raises:
        ModelError: the network is of no known family, or of a variant that cannot be used.
    """
    if len(graph.inputs) != 1:
        raise ModelError(f"{label} is no network of a known family: it has {len(graph.inputs)} inputs, not one image.")
    shape = next(iter(graph.inputs.values()))
    if len(shape) != 4 or shape[1] not in (3, OPEN) or max(shape) > MAX_PIXELS or shape[0] > MAX_BATCH:
        raise ModelError(f"{label} is no network of a known family: its input is {_said(shape)}, not an RGB image.")
    try:
        for family in (_ultralytics, _simcc, _rtmo, _rf_detr, _mmdet, _yolox, _heatmaps):
            card = family(graph, shape, measure, label, dataset, sha256)
            if card:
                return card
    except UnfitError as error:
        raise ModelError(f"{label} is {error}.") from error
    outputs = ", ".join(f"{name} {_said(sides)}" for name, sides in list(graph.outputs.items())[:4])
    raise ModelError(
        f"{label} is an ONNX network of no known family: it returns {outputs}. `posetrack models` lists the families."
    )


def _said(shape: Shape) -> str:
    return "x".join("?" if side == OPEN else str(side) for side in shape)


def _input_size(shape: Shape) -> tuple[int, int] | None:
    """Return (height, width) of the input if it is fixed."""
    return None if OPEN in shape[2:] else (shape[2], shape[3])


def _detector(shape: Shape, **facts: Any) -> dict[str, Any]:
    size = _input_size(shape)
    return {"size": max(size) if size else SIZE, "input_size": size, **facts}


def _simcc(graph: Graph, shape: Shape, measure: Measure, label: str, dataset: str, sha256: str) -> Card | None:
    """RTMPose and RTMW, exported by mmdeploy."""
    if list(graph.outputs) != ["simcc_x", "simcc_y"]:
        return None
    size = _input_size(shape)
    if size is None:
        raise UnfitError("an RTMPose whose input size is open. Export it with a fixed one")
    x, y = _measured(graph, measure, (1, 3, *size))
    if (x[-1], y[-1]) != (SPLIT * size[1], SPLIT * size[0]) or x[1] != y[1]:
        raise UnfitError(
            f"a SimCC network with {x[-1]} x {y[-1]} bins for a crop of {size[1]} x {size[0]}, not two a pixel"
        )
    skeleton = fitting(x[1], dataset, label).name
    return PoseCard(input_size=size, processing="simcc", family="RTMPose", skeleton=skeleton, sha256=sha256)


def _heatmaps(graph: Graph, shape: Shape, measure: Measure, label: str, dataset: str, sha256: str) -> Card | None:
    """ViTPose, exported by easy_ViTPose: one heat map for each keypoint, a quarter of the crop wide."""
    size, maps = _input_size(shape), next(iter(graph.outputs.values()))
    attends = "Softmax" in graph.operators  # other heat-map networks, such as HRNet, have other conventions
    if len(graph.outputs) != 1 or size is None or len(maps) != 4 or not attends:
        return None
    (found,) = _measured(graph, measure, (1, 3, *size))
    if found[2:] != (size[0] // 4, size[1] // 4):
        return None
    skeleton = fitting(found[1], dataset, label).name
    return PoseCard(input_size=size, processing="udp", family="ViTPose", skeleton=skeleton, sha256=sha256)


def _rtmo(graph: Graph, shape: Shape, measure: Measure, label: str, dataset: str, sha256: str) -> Card | None:
    """RTMO, exported by mmdeploy."""
    if list(graph.outputs) != ["dets", "keypoints"]:
        return None
    facts = _detector(shape, processing="rtmo", family="RTMO", sha256=sha256)
    height, width = facts["input_size"] or (SIZE, SIZE)
    points = graph.outputs["keypoints"]
    if len(points) != 4 or points[2] == OPEN:
        points = measure((1, 3, height, width))[1]
    return SingleStageCard(**facts, skeleton=fitting(points[2], dataset, label).name)


def _rf_detr(graph: Graph, shape: Shape, measure: Measure, label: str, dataset: str, sha256: str) -> Card | None:
    """RF-DETR, exported by rfdetr."""
    if list(graph.outputs) != ["dets", "labels"] or len(graph.outputs["labels"]) != 3:
        return None
    classes = graph.outputs["labels"][2]
    if classes != _COCO_NUMBERS:
        raise UnfitError(
            f"an RF-DETR of {'an open number of' if classes == OPEN else classes} classes, where people have no known "
            f"number. Give one with the {_COCO_NUMBERS} of COCO"
        )
    if _input_size(shape) is None:
        raise UnfitError("an RF-DETR whose input size is open. Export it with a fixed one")
    facts = _detector(shape, processing="rf_detr", family="RF-DETR", sha256=sha256)
    return DetectorCard(**facts, person_class=PERSON_OF_91)


def _mmdet(graph: Graph, shape: Shape, measure: Measure, label: str, dataset: str, sha256: str) -> Card | None:
    """YOLOX and RTMDet, exported by mmdeploy with the suppression inside."""
    if list(graph.outputs) != ["dets", "labels"] or graph.outputs["dets"][-1:] not in ((5,), (OPEN,)):
        return None
    focus = "Conv" not in graph.first  # YOLOX begins with slices of the image, RTMDet with a convolution
    kind, family = ("yolox_final", "YOLOX") if focus else ("rtmdet", "RTMDet")
    return DetectorCard(**_detector(shape, processing=kind, family=family, sha256=sha256), person_class=PERSON)


def _yolox(graph: Graph, shape: Shape, measure: Measure, label: str, dataset: str, sha256: str) -> Card | None:
    """YOLOX, exported by its authors without suppression."""
    rows = next(iter(graph.outputs.values()))
    if len(graph.outputs) != 1 or len(rows) != 3 or rows[2] < 6 or "Conv" in graph.first:
        return None
    if _input_size(shape) is None:
        raise UnfitError("a YOLOX whose input size is open. Export it with a fixed one")
    kind = "yolox_decoded" if "Exp" in graph.operators else "yolox"  # Exp makes the sides of boxes
    return DetectorCard(**_detector(shape, processing=kind, family="YOLOX", sha256=sha256), person_class=PERSON)


def _ultralytics(graph: Graph, shape: Shape, measure: Measure, label: str, dataset: str, sha256: str) -> Card | None:
    """YOLO networks, exported by Ultralytics, which writes all facts into the metadata."""
    facts = graph.metadata
    if facts.get("author") != "Ultralytics":
        return None
    task, stride, names = facts.get("task"), _literal(facts, "stride"), _literal(facts, "names")
    if task not in ("detect", "pose"):
        raise UnfitError(f"an Ultralytics network for the task '{task}'. Give one that detects people or poses")
    people = [index for index, name in names.items() if name == "person"] if isinstance(names, dict) else []
    if not people or not 0 <= people[0] < MAX_CLASSES:
        raise UnfitError("an Ultralytics network without a class 'person'. Give another one")
    if not isinstance(stride, int) or not 0 < stride <= MAX_STRIDE:
        raise UnfitError(f"an Ultralytics network of stride {stride}. Export it again")
    rows = next(iter(graph.outputs.values()))
    values = len(names) + 4 if task == "detect" else len(names) + 4 + 3 * _keypoints(facts)
    final = _literal(facts, "end2end") is True or (_literal(facts, "args") or {}).get("nms") is True
    if not final and len(rows) == 3 and rows[1] not in (OPEN, values):
        raise UnfitError(f"an Ultralytics network that returns {_said(rows)}, not rows of {values}. Export it again")
    common = _detector(shape, processing="yolo_final" if final else "yolo", sha256=sha256)
    common |= {"stride": stride, "person_class": people[0], "family": "YOLO"}
    trained = _literal(facts, "imgsz")
    if OPEN in shape[2:] and isinstance(trained, list) and all(_is_side(side) for side in trained):
        common["size"] = max(trained, default=SIZE)
    if task == "detect":
        return DetectorCard(**common)
    return SingleStageCard(**common, skeleton=fitting(_keypoints(facts), dataset, label).name)


def _is_side(value: Any) -> bool:
    return isinstance(value, int) and 0 < value <= MAX_PIXELS


def _keypoints(facts: dict[str, str]) -> int:
    shape = _literal(facts, "kpt_shape")
    if not isinstance(shape, list | tuple) or len(shape) != 2 or shape[1] != 3 or not isinstance(shape[0], int):
        raise UnfitError(f"an Ultralytics pose network whose keypoints are {shape}, not (number, 3). Give another one")
    return shape[0]


def _literal(facts: dict[str, str], key: str) -> Any:
    """Return a value of the metadata, which Ultralytics writes as Python literals; None if it is none."""
    try:
        return ast.literal_eval(facts.get(key, "")[:MAX_CLASSES])
    except (MemoryError, RecursionError, SyntaxError, ValueError, TypeError):
        return None


def _measured(graph: Graph, measure: Measure, size: Shape) -> list[Shape]:
    """Return the shapes of the outputs for one image, from the file if it states them."""
    stated = [(1, *shape[1:]) for shape in graph.outputs.values()]
    return stated if all(shape and OPEN not in shape for shape in stated) else measure(size)
