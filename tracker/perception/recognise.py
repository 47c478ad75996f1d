"""Recognise any file of a network by its contents."""

from __future__ import annotations

from pathlib import Path

from ...errors import ModelError
from ...models.weights.card import Card
from .detector import read_detector_weights
from .pose import read_pose_weights
from .runtimes.load import EXPORTED, load_runtime


def recognise_file(path: Path) -> Card:
    """Return the card of weights, of an exported network, or of an ONNX file of another project.

    Raises:
        ModelError: it is no network that --model or --detector takes.
    """
    if path.suffix in EXPORTED:
        return load_runtime("any", path, lambda: read_pose_weights(str(path)), device="cpu")[1]
    try:
        return read_pose_weights(str(path)).card
    except ModelError as error:
        try:
            return read_detector_weights(path).card
        except ModelError:
            raise error from None  # most files are of pose networks
