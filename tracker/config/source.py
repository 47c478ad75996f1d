"""What is read: the options of a source."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import UsageError
from .option import POSITIVE, check, not_negative, option, positive


@dataclass(frozen=True)
class Source:
    """What is read."""

    source: str = option(
        "", "webcam index, video, image, folder, glob, stream or bucket address", "X", see="sources.md"
    )
    stream: int | None = option(
        None,
        "index of the video stream in a file with several; by default the one that FFmpeg selects",
        "N",
        check=not_negative,
        remedy="the index of a video stream, 0 or more",
    )
    fps: float | None = option(
        None,
        "frame rate that replaces the file's timestamps; required for numbered images and TIFF stacks",
        "RATE",
        check=positive,
        remedy="frames per second, e.g. 29.97",
    )
    start: float | None = option(
        None,
        "start time in the source",
        "SECONDS",
        unit="s",
        check=not_negative,
        remedy="a time of 0 or more",
        common=True,
    )
    end: float | None = option(None, "end time in the source", "SECONDS", unit="s", common=True)
    timeout: float = option(
        10.0,
        "longest wait for data from a stream",
        "SECONDS",
        unit="s",
        check=positive,
        remedy=POSITIVE,
        live=True,
    )
    reconnect: float = option(
        30.0,
        "how long to try to reopen a lost camera or stream; 0 gives up at once",
        "SECONDS",
        unit="s",
        check=not_negative,
        remedy="a number of 0 or more",
        see="live.md",
        live=True,
    )

    def __post_init__(self) -> None:
        check(self)
        if self.end is not None and self.end <= (self.start or 0):
            raise UsageError(f"end is {self.end} s, not after the start at {self.start or 0} s; give a later time.")
