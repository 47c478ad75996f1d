"""The one door to Ultralytics: its detector networks as plain modules, without its habits.

Importing the package would create a settings file in the user's home, look for a network connection, install missing
packages at run time and write log lines; the environment set here, before the import, forbids all of that.
"""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import nn

_QUIET = {
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
    "YOLO_VERBOSE": "false",
    "YOLO_CONFIG_DIR": str(Path(tempfile.gettempdir()) / "posetrack-ultralytics"),
}


def _ultralytics() -> Any:
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    Path(os.environ["YOLO_CONFIG_DIR"]).mkdir(parents=True, exist_ok=True)
    import ultralytics.nn.tasks as tasks

    logging.getLogger("ultralytics").setLevel(logging.CRITICAL)
    return tasks


def build(*, width: float = 0.25, depth: float = 0.5, num_classes: int = 1) -> nn.Module:
    """Return a YOLO11 detector with fresh weights.

    Args:
        width: multiplier of the channels; 0.25 is the nano size.
        depth: multiplier of the repeats.
        num_classes: object classes.
    """
    tasks = _ultralytics()
    config = tasks.yaml_model_load("yolo11.yaml") | {"nc": num_classes, "scale": "n"}
    config["scales"] = {"n": [depth, width, 1024]}
    model = tasks.DetectionModel(config, ch=3, nc=num_classes, verbose=False)
    from ultralytics.cfg import get_cfg

    model.args = get_cfg()
    return model


def detection_loss(model: nn.Module, predictions: dict[str, Any], targets: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return Ultralytics' detection loss (box, class, distribution), a scalar a picture.

    Args:
        model: the detector; its criterion is kept on it.
        predictions: what the model returns in training mode.
        targets: `batch_idx` (M,), `cls` (M, 1), `bboxes` (M, 4) as centre and size in [0, 1].
    """
    if getattr(model, "criterion", None) is None:
        model.criterion = model.init_criterion()
    loss, _ = model.criterion(predictions, targets)
    return loss.sum() / predictions["feats"][0].shape[0]
