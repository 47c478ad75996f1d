"""Read a fixed number of frames, evenly spaced over a video or a folder."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ...errors import UsageError
from ..types import Frame
from .batch import expand
from .open import open_source

NUM_FRAMES = 150


def evenly_spaced_frames(source: str | Path) -> Iterator[Frame]:
    """Yield about `NUM_FRAMES` frames, evenly spaced.

    Args:
        source: video, image, folder, or glob of them.

    Raises:
        SourceError: the source cannot be read.
        UsageError: the source is live.
    """
    items = expand(source)
    per_item = -(-NUM_FRAMES // len(items))
    for item in items[:: -(-len(items) // NUM_FRAMES)]:
        with open_source(item.source) as frames:
            if frames.live:
                raise UsageError(f"'{frames.name}' is live; calibrate on a video or a folder of images.")
            step = max(1, (frames.frame_count or 0) // per_item)
            yield from islice(frames, 0, None, step)
