"""The networks of the lists that are on this machine, and the best of those that are fast enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

RECOMMENDED = ("vitpose-plus-s", "yolo11s.pt")  # pose network and detector: the best ones that a laptop runs on files


@dataclass(frozen=True, slots=True)
class Candidate:
    """A network that may be chosen.

    Attributes:
        name: for `--model` or `--detector`.
        ap: published average precision; comparable within its list.
        gmacs: billions of multiply-accumulate operations per crop of a person, or per image.
    """

    name: str
    ap: float
    gmacs: float


def pose_networks() -> Iterator[Candidate]:
    """Yield the pose networks that are on this machine and whose precision is published."""
    from .locate import local
    from .variants import ZOO

    for known in ZOO.values():
        ap = known.ap.split()[0]  # followed by the pre-training
        if not known.bundled and ap != "-" and local(known):
            yield Candidate(known.name, float(ap), known.gmacs)


def detectors() -> Iterator[Candidate]:
    """Yield the detectors that are on this machine, but the bundled one."""
    from .published_detectors import DETECTORS, local_detector

    for detector in DETECTORS.values():
        if detector.name != "bundled" and local_detector(detector):
            yield Candidate(detector.name, float(detector.ap), detector.gmacs)


def best(candidates: Sequence[Candidate], *, gmacs: float) -> Candidate | None:
    """Return the most precise of the candidates that need at most this much work; None if there is none."""
    return max((each for each in candidates if each.gmacs <= gmacs), key=lambda each: each.ap, default=None)
