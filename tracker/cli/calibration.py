"""Calibration options of the commands that compute from a table: scale and floor."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..features.calibration.measures import Calibration
    from ..formats.recording import Recording


def add_calibration(parser: argparse.ArgumentParser) -> None:
    """Add the options to the parser of a command."""
    text = "at most one option for the scale, and the floor; see docs/calibration.md"
    group = parser.add_argument_group("calibration", text)
    group.add_argument("--person-height", type=float, metavar="M", help="height of the people in metres")
    group.add_argument("--scale", type=float, metavar="PIXELS", help="pixels per metre, for people in one plane")
    group.add_argument(
        "--known-length",
        metavar="X1,Y1,X2,Y2,M",
        help="two points and the metres between them; a second one after a semicolon, at another depth of the floor",
    )
    group.add_argument(
        "--floor",
        metavar="X1,Y1,X2,Y2",
        help="two points of a line on the floor, or auto: from standing feet",
    )


def calibration_of(args: argparse.Namespace, recording: Recording) -> Calibration:
    """Return the calibration that was asked for; `--floor auto` reads the recording once.

    Raises:
        UsageError: a value is invalid, or two options set the scale.
        SourceError: the floor cannot be estimated.
    """
    import dataclasses

    from ..config.outputs import Outputs
    from ..features.calibration.floor import estimate_floor

    names = ("person_height", "scale", "known_length", "floor")
    calibration = Outputs(**{name: getattr(args, name) for name in names}).calibration
    if not calibration.finds_floor:
        return calibration
    return dataclasses.replace(calibration, floor=estimate_floor(recording.timed(), recording.skeleton))
