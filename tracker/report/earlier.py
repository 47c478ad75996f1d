"""What a report takes from an earlier run: the facts in its sidecar, and its annotated video."""

from __future__ import annotations

import json
from typing import Any

from ...errors import UsageError
from ..formats.recording import Recording
from ..video.source import open_source
from .report import Report

_OFF = 0.5  # seconds by which a video of the same run never differs from its table
_SECTIONS = ("config", "detector", "frames", "model", "size", "skeleton", "versions")  # that our sidecars have


def facts_of(recording: Recording) -> dict[str, Any]:
    """Return what the sidecar tells of a table, or what the file itself does."""
    try:
        text = recording.path.with_name(f"{recording.path.name}.json").read_text(encoding="utf-8")
        facts = json.loads(text)
        if all(isinstance(facts[section], dict) for section in _SECTIONS):
            return facts
    except (OSError, KeyError, TypeError, ValueError):  # another program's, or none
        pass
    facts = {"source": recording.path.name, "fps": recording.fps, "skeleton": {"name": recording.skeleton.name}}
    if recording.size:
        facts["size"] = dict(zip(("width", "height"), recording.size))
    return facts


def show(video: str, report: Report) -> None:
    """Put a video into a report that has its people.

    A video that --save wrote begins at 0, wherever its run began; the frame of the table's first row tells by how much
    it is shifted.

    Raises:
        SourceError: it cannot be read.
        UsageError: it is no video of these people.
    """
    everybody = report.people.everybody
    moments = dict([everybody.first, everybody.last]) if everybody.people else {}
    found: dict[int, float] = {}
    with open_source(video) as frames:
        if frames.live:
            raise UsageError(f"--video is '{video}', which is live. Give the file that --save wrote.")
        with report.clip as clip:
            for frame in frames:
                clip.write(frame.image, frame.time)
                if frame.index in moments:
                    found[frame.index] = moments[frame.index] - frame.time
    if len(found) < len(moments) or (found and max(found.values()) - min(found.values()) > _OFF):
        raise UsageError(f"'{video}' is not the video of this table: their frames and times differ. Give another.")
    if found:
        report.clip.moved(found[everybody.first[0]])
