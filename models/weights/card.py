"""Cards: the input and output conventions of a network, stored as text in an exported file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

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
    """A detector: takes RGB images (B, 3, h, w) in [0, 1].

    Attributes:
        size: longer side of the training images, pixels.
        stride: both sides of the input are multiples of it.
        person_class: index of the class person.
        end2end: whether its rows are final and need no suppression.
        shrinks: whether images are resized by `shrink.resize`; Ultralytics trains with bilinear resizing.
        sha256: of the original weights.
    """

    size: int
    stride: int = 32
    person_class: int = 0
    end2end: bool = False
    shrinks: bool = False
    sha256: str = ""

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of its input, -1 for any."""
        return (-1, -1)


KINDS: dict[str, type[PoseCard] | type[DetectorCard]] = {"pose": PoseCard, "detector": DetectorCard}
Card = PoseCard | DetectorCard


def to_text(card: Card) -> str:
    """Write a card as JSON."""
    kind = next(name for name, cls in KINDS.items() if isinstance(card, cls))
    return json.dumps({"format": FORMAT, "kind": kind, **asdict(card)})


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
        if "input_size" in fields:
            height, width = fields["input_size"]
            fields["input_size"] = (int(height), int(width))
        card = KINDS[values["kind"]](**fields)
        _check(card)
        return card
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError) as error:
        raise ValueError(str(error)) from error


def _check(card: Card) -> None:
    """Check the numbers of an untrusted file."""
    if isinstance(card, PoseCard):
        bounds = [(side, MAX_PIXELS) for side in card.input_size]
    else:
        bounds = [(card.size, MAX_PIXELS), (card.stride, MAX_STRIDE), (card.person_class + 1, MAX_CLASSES)]
    for number, maximum in bounds:
        if not isinstance(number, int) or not 0 < number <= maximum:
            raise ValueError(f"{number} is beyond {maximum}")
