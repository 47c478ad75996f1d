"""Options of the commands that read a keypoint table: whose rows are used."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from .options import add_shared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..formats.recording import Recording, TimedTracks


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add the options to the parser of a command."""
    group = parser.add_argument_group("people", "whose rows are used; see docs/people.md")
    add_shared(group, "person", "min_length", "roi")


def selected(recording: Recording, args: argparse.Namespace) -> Recording:
    """Return the part of a recording with the people who were asked for; it is read once to find them.

    Raises:
        UsageError: a value is invalid, there is no such person, or the frames have no times and need them.
        SourceError: the file is damaged.
    """
    import dataclasses

    from ...errors import UsageError
    from ..config.outputs import Outputs
    from ..tracking.selection import Selection

    asked = {name: getattr(args, name) for name in ("person", "min_length", "roi")}
    if not any(asked.values()):
        return recording
    Outputs(**asked)  # checks them
    select = Selection.parse(**asked)
    frames = recording.timed() if select.whole else recording
    select.decide((time, tracks) for _, time, tracks in frames)
    if select.unmet:
        raise UsageError(select.unmet)

    def read() -> Iterator[TimedTracks]:
        select.restart()
        return ((index, time, select(tracks)) for index, time, tracks in recording)

    return dataclasses.replace(recording, read=read)
