"""Cards: the input and output conventions of a network, stored as text in an exported file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ...numeric import is_whole
from ..geometry.detection import DETECTOR_PROCESSINGS
from ..geometry.processing import PROCESSINGS

KEY = "posetrack"  # in the metadata of files
FORMAT = 1  # version of the text
MAX_PIXELS, MAX_STRIDE, MAX_CLASSES = 8192, 256, 100_000  # maximum values in a card


@dataclass(frozen=True, slots=True)
class PoseCard:
    """A pose network: takes crops (B, 3, h, w).

    Attributes:
        input_size: (height, width) of the crop in pixels.
        processing: a name of `processing.PROCESSINGS`.
        family: the network's class, which determines the evaluation protocol.
        skeleton: the dataset whose keypoints it estimates, a name of `skeletons.SKELETONS`.
        sha256: of the original weights.
        int8: whether its layers are quantised to 8 bits.
    """

    input_size: tuple[int, int]
    processing: str
    family: str = ""
    skeleton: str = "coco"
    sha256: str = ""
    int8: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of its input, -1 for any."""
        return self.input_size


@dataclass(frozen=True, slots=True)
class DetectorCard:
    """A detector: takes images (B, 3, h, w).

    Attributes:
        size: longer side of the training images, pixels.
        stride: both sides of the input are multiples of it.
        person_class: index of the class person.
        processing: a name of `detection.DETECTOR_PROCESSINGS`.
        input_size: (height, width) of the input if it takes only one; None for any.
        sha256: of the original weights.
        family: the network's architecture, for display.
    """

    size: int
    stride: int = 32
    person_class: int = 0
    processing: str = "yolo"
    input_size: tuple[int, int] | None = None
    sha256: str = ""
    family: str = "YOLO"

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of its input, -1 for any."""
        return self.input_size or (-1, -1)


@dataclass(frozen=True, slots=True)
class SingleStageCard(DetectorCard):
    """A single-stage pose network: a detector whose rows end with the person's keypoints, x, y and score of each.

    Attributes:
        skeleton: the dataset whose keypoints it estimates, a name of `skeletons.SKELETONS`.
    """

    skeleton: str = "coco"


Card = PoseCard | DetectorCard
KINDS: dict[str, type[Card]] = {"pose": PoseCard, "detector": DetectorCard, "single-stage pose": SingleStageCard}


def kind_of(card: Card) -> str:
    """Return the name of a card's kind."""
    return next(name for name, cls in KINDS.items() if type(card) is cls)


def to_text(card: Card) -> str:
    """Write a card as JSON."""
    return json.dumps({"format": FORMAT, "kind": kind_of(card), **asdict(card)})


def from_text(text: str) -> Card:
    """Read a card.

    Raises:
        ValueError: the text is not a card of this version.
    """
    try:
        values = json.loads(text)
        if not isinstance(values, Mapping) or values["format"] != FORMAT:
            raise ValueError("it is of another version")
        fields = {key: value for key, value in values.items() if key not in ("format", "kind")}
        if fields.get("input_size"):
            height, width = fields["input_size"]
            fields["input_size"] = (height, width)
        card = KINDS[values["kind"]](**fields)
        _check(card)
        return card
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError) as error:
        raise ValueError(str(error)) from error


def _check(card: Card) -> None:
    """Check the numbers of an untrusted file."""
    bounds = [(side, MAX_PIXELS) for side in card.input_size or ()]
    if isinstance(card, DetectorCard):
        bounds += [(card.size, MAX_PIXELS), (card.stride, MAX_STRIDE), (card.person_class + 1, MAX_CLASSES)]
    known = PROCESSINGS if isinstance(card, PoseCard) else DETECTOR_PROCESSINGS
    if card.processing not in known:
        raise ValueError(f"there is no processing '{card.processing}'")
    for number, maximum in bounds:
        if not is_whole(number) or not 0 < number <= maximum:
            raise ValueError(f"{number} is beyond {maximum}")
