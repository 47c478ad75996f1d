"""Recognise the family of an ONNX file of another project by its contents, and state its conventions as a card.

A file is recognised by its inputs, outputs, operators and metadata, never by its name. Each function below knows one
exporter's files.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
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
_MULTIPOSE = 56  # values of a person: 17 keypoints, a box and its score

Measure = Callable[[Shape], list[Shape]]


class UnfitError(Exception):
    """A file of a known family that cannot be used; the message completes the sentence "it is ..."."""


@dataclass(frozen=True, slots=True)
class _File:
    """What is known of a file: the arguments of `recognise`, and its input.

    Attributes:
        shape: (B, 3, H, W) of the input.
        last: whether the file takes (B, H, W, 3), as those of TensorFlow do.
    """

    graph: Graph
    measure: Measure
    label: str
    dataset: str
    sha256: str
    shape: Shape
    last: bool

    @property
    def input_size(self) -> tuple[int, int] | None:
        """(height, width) of the input if it is fixed."""
        return None if OPEN in self.shape[2:] else (self.shape[2], self.shape[3])

    @property
    def fixed_size(self) -> tuple[int, int]:
        """(height, width) of an input that has to be fixed."""
        if self.input_size is None:
            raise UnfitError("a network whose input size is open. Export it with a fixed one")
        return self.input_size

    @property
    def outputs(self) -> list[Shape]:
        """Shapes of the outputs for one image, from the file if it states them."""
        stated = [(1, *shape[1:]) for shape in self.graph.outputs.values()]
        if all(shape and OPEN not in shape for shape in stated):
            return stated
        sides = self.input_size or (SIZE, SIZE)
        return self.measure((1, *sides, 3) if self.last else (1, 3, *sides))

    def skeleton(self, num_keypoints: int) -> str:
        """Return the name of the skeleton of the file's keypoints."""
        return fitting(num_keypoints, self.dataset, self.label).name

    def pose(self, num_keypoints: int, **facts: Any) -> PoseCard:
        """Return the card of a top-down pose network."""
        skeleton = self.skeleton(num_keypoints)
        return PoseCard(input_size=self.fixed_size, skeleton=skeleton, sha256=self.sha256, **facts)

    def frames(self, *, fixed: bool = False, **facts: Any) -> dict[str, Any]:
        """Return the fields of the card of a network that takes whole frames, which may have to be of a fixed size."""
        size = self.fixed_size if fixed else self.input_size
        return {"size": max(size) if size else SIZE, "input_size": size, "sha256": self.sha256, **facts}


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
        raise ModelError(f"{label} is not a network of a known family: it has {len(graph.inputs)} inputs, not 1.")
    ((name, stated),) = graph.inputs.items()
    last = len(stated) == 4 and stated[3] == 3 != stated[1]
    shape = (stated[0], 3, *stated[1:3]) if last else stated
    if len(shape) != 4 or shape[1] not in (3, OPEN) or max(shape) > MAX_PIXELS or shape[0] > MAX_BATCH:
        raise ModelError(
            f"{label} is not a network of a known family: its input is {_shape_text(stated)}, not an RGB image."
        )
    if name in graph.integers and not last:
        raise ModelError(f"{label} is not a network of a known family: its input takes whole numbers.")
    file = _File(graph, measure, label, dataset, sha256, shape, last)
    try:
        for family in (_movenet,) if last else _FAMILIES:
            if card := family(file):
                return card
    except UnfitError as error:
        raise ModelError(f"{label} is {error}.") from error
    except (IndexError, ValueError) as error:  # a run returned other shapes than the file states
        raise ModelError(f"{label} returns other shapes than it states. Export or download it again.") from error
    outputs = ", ".join(f"{name} {_shape_text(sides)}" for name, sides in list(graph.outputs.items())[:4])
    raise ModelError(
        f"{label} is an ONNX network of no known family: it returns {outputs}. `posetrack models` lists the families."
    )


def _shape_text(shape: Shape) -> str:
    return "x".join("?" if side == OPEN else str(side) for side in shape)


def _simcc(file: _File) -> Card | None:
    """RTMPose and RTMW, exported by mmdeploy."""
    if list(file.graph.outputs) != ["simcc_x", "simcc_y"]:
        return None
    height, width = file.fixed_size
    x, y = file.outputs
    if (x[-1], y[-1]) != (SPLIT * width, SPLIT * height) or x[1] != y[1]:
        raise UnfitError(
            f"a SimCC network with {x[-1]} x {y[-1]} bins for a crop of {width} x {height}, not two a pixel"
        )
    return file.pose(x[1], processing="simcc", family="RTMPose")


def _heatmaps(file: _File) -> Card | None:
    """ViTPose, exported by easy_ViTPose: one heat map for each keypoint, a quarter of the crop wide."""
    attends = "Softmax" in file.graph.operators  # other heat-map networks, such as HRNet, have other conventions
    if not attends or [len(shape) for shape in file.graph.outputs.values()] != [4] or file.input_size is None:
        return None
    height, width = file.input_size
    ((_, num_keypoints, *sides),) = file.outputs
    if sides != [height // 4, width // 4]:
        return None
    return file.pose(num_keypoints, processing="udp", family="ViTPose")


def _movenet(file: _File) -> Card | None:
    """MoveNet, converted from TensorFlow: y, x and score of the keypoints of one person."""
    stated = list(file.graph.outputs.values())
    if len(stated) == 1 and stated[0][-1:] == (_MULTIPOSE,):
        raise UnfitError("a MoveNet for several people. Give a single-pose one, Lightning or Thunder")
    if len(stated) != 1 or len(stated[0]) != 4 or stated[0][3] != 3 or file.input_size is None:
        return None
    ((_, people, num_keypoints, _),) = file.outputs
    return file.pose(num_keypoints, processing="movenet", family="MoveNet") if people == 1 else None


def _rtmo(file: _File) -> Card | None:
    """RTMO, exported by mmdeploy."""
    if list(file.graph.outputs) != ["dets", "keypoints"]:
        return None
    stated = file.graph.outputs["keypoints"]
    num_keypoints = stated[2] if len(stated) == 4 and stated[2] != OPEN else file.outputs[1][2]
    return SingleStageCard(**file.frames(processing="rtmo", family="RTMO"), skeleton=file.skeleton(num_keypoints))


def _rf_detr(file: _File) -> Card | None:
    """RF-DETR, exported by rfdetr."""
    if list(file.graph.outputs) != ["dets", "labels"] or len(file.graph.outputs["labels"]) != 3:
        return None
    classes = file.graph.outputs["labels"][2]
    if classes != _COCO_NUMBERS:
        raise UnfitError(
            f"an RF-DETR of {'an open number of' if classes == OPEN else classes} classes, where people have no known "
            f"number. Give one with the {_COCO_NUMBERS} of COCO"
        )
    facts = file.frames(fixed=True, processing="rf_detr", family="RF-DETR")
    return DetectorCard(**facts, person_class=PERSON_OF_91)


def _mmdet(file: _File) -> Card | None:
    """YOLOX and RTMDet, exported by mmdeploy with the suppression inside."""
    if list(file.graph.outputs) != ["dets", "labels"] or file.graph.outputs["dets"][-1:] not in ((5,), (OPEN,)):
        return None
    if "Slice" in file.graph.first:  # YOLOX begins with slices of the image, RTMDet with a convolution
        kind, family = "yolox_final", "YOLOX"
    elif "Conv" in file.graph.first:
        kind, family = "rtmdet", "RTMDet"
    else:
        return None
    return DetectorCard(**file.frames(processing=kind, family=family), person_class=PERSON)


def _yolox(file: _File) -> Card | None:
    """YOLOX, exported by its authors without suppression."""
    rows = next(iter(file.graph.outputs.values()))
    if len(file.graph.outputs) != 1 or len(rows) != 3 or rows[2] < 6 or "Slice" not in file.graph.first:
        return None
    kind = "yolox_decoded" if "Exp" in file.graph.operators else "yolox"  # Exp makes the sides of boxes
    return DetectorCard(**file.frames(fixed=True, processing=kind, family="YOLOX"), person_class=PERSON)


def _ultralytics(file: _File) -> Card | None:
    """YOLO networks, exported by Ultralytics, which writes all facts into the metadata."""
    facts = file.graph.metadata
    if facts.get("author") != "Ultralytics":
        return None
    task, stride, names = facts.get("task"), _literal(facts, "stride"), _literal(facts, "names")
    if task not in ("detect", "pose"):
        raise UnfitError(f"an Ultralytics network for the task '{task}'. Give one that detects people or poses")
    people = [index for index, name in names.items() if name == "person"] if isinstance(names, dict) else []
    if not people or not isinstance(people[0], int) or not 0 <= people[0] < MAX_CLASSES:
        raise UnfitError("an Ultralytics network without a class 'person'. Give another one")
    if not isinstance(stride, int) or not 0 < stride <= MAX_STRIDE:
        raise UnfitError(f"an Ultralytics network of stride {stride}. Export it again")
    num_keypoints = _keypoints(facts) if task == "pose" else 0
    rows, values = next(iter(file.graph.outputs.values())), len(names) + 4 + 3 * num_keypoints
    options = _literal(facts, "args")
    suppressed = isinstance(options, dict) and options.get("nms") is True
    final = suppressed or _literal(facts, "end2end") is True
    if not final and len(rows) == 3 and rows[1] not in (OPEN, values):
        raise UnfitError(
            f"an Ultralytics network that returns {_shape_text(rows)}, not rows of {values}. Export it again"
        )
    card = file.frames(processing="yolo_final" if final else "yolo", stride=stride, person_class=people[0])
    trained = _literal(facts, "imgsz")
    if file.input_size is None and isinstance(trained, list) and all(_is_side(side) for side in trained):
        card["size"] = max(trained, default=SIZE)
    return SingleStageCard(**card, skeleton=file.skeleton(num_keypoints)) if task == "pose" else DetectorCard(**card)


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


_FAMILIES = (_ultralytics, _simcc, _rtmo, _rf_detr, _mmdet, _yolox, _heatmaps)
