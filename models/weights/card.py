"""What has to be known of a network apart from its weights, so that it can run anywhere; text in an exported file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

KEY = "posetrack"  # of the files' metadata
FORMAT = 1  # of what stands there
MOST_PIXELS, MOST_STRIDE, MOST_CLASSES = 8192, 256, 100_000  # that a card may state


@dataclass(frozen=True, slots=True)
class PoseCard:
    """A pose network: takes crops (B, 3, h, w).

    Attributes:
        input_size: (height, width) of the crop in pixels.
        processing: a name of `processing.PROCESSINGS`.
        family: the network's class, by which `protocol` knows how its authors measure.
        skeleton: the dataset whose keypoints it estimates, a name of `skeletons.SKELETONS`.
        sha256: of the weights that it was made from.
        int8: whether its layers are rounded to eight bits.
    """

    input_size: tuple[int, int]
    processing: str
    family: str = ""
    skeleton: str = "coco"
    sha256: str = ""
    int8: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of its input, -1 where any will do."""
        return self.input_size


@dataclass(frozen=True, slots=True)
class DetectorCard:
    """A detector: takes RGB pictures (B, 3, h, w) in [0, 1].

    Attributes:
        size: pixels of the picture's longer side that it learned at.
        stride: both sides are multiples of it.
        person_class: the row of its classes that counts.
        end2end: its rows are final, no suppression is due.
        shrinks: pictures are brought to size by `shrink.resize`; Ultralytics' own learnt with bilinear ones.
        stretches: pictures become squares of `size`, by Pillow's bilinear filter, as transformers' RT-DETR has them.
        sha256: of the weights that it was made from.
    """

    size: int
    stride: int = 32
    person_class: int = 0
    end2end: bool = False
    shrinks: bool = False
    stretches: bool = False
    sha256: str = ""

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of its input, -1 where any will do."""
        return (self.size, self.size) if self.stretches else (-1, -1)


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
        ValueError: it is none that this version knows.
    """
    try:
        values = json.loads(text)
        if not isinstance(values, Mapping) or values["format"] != FORMAT:
            raise ValueError("of another version")
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
    """Hold the numbers of a foreign file to what pictures may have."""
    if isinstance(card, PoseCard):
        bounds = [(side, MOST_PIXELS) for side in card.input_size]
    else:
        bounds = [(card.size, MOST_PIXELS), (card.stride, MOST_STRIDE), (card.person_class + 1, MOST_CLASSES)]
    for number, most in bounds:
        if not isinstance(number, int) or not 0 < number <= most:
            raise ValueError(f"{number} is beyond {most}")
