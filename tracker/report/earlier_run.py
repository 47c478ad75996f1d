"""Inputs of a report from an earlier run: metadata of its sidecar, and its annotated video."""

from __future__ import annotations

import json
from typing import Any

from ...errors import UsageError
from ..formats.recording import Recording
from ..video.open import open_source
from .writer import Report

_OFF = 0.5  # seconds; a video and a table of one run differ by less
_SECTIONS = ("config", "detector", "frames", "model", "size", "skeleton", "versions")  # of our sidecars


def facts_of(recording: Recording) -> dict[str, Any]:
    """Return the metadata in the sidecar of a table, or else that of the file itself."""
    try:
        text = recording.path.with_name(f"{recording.path.name}.json").read_text(encoding="utf-8")
        facts = json.loads(text)
        if all(isinstance(facts[section], dict) for section in _SECTIONS):
            return facts
    except (OSError, KeyError, TypeError, ValueError, RecursionError):  # not posetrack's, or missing
        pass
    facts = {"source": recording.path.name, "fps": recording.fps, "skeleton": {"name": recording.skeleton.name}}
    if recording.size:
        facts["size"] = dict(zip(("width", "height"), recording.size))
    return facts


def with_texts(facts: dict[str, Any], **texts: str | None) -> dict[str, Any]:
    """Return the metadata with the title and the notes that are given."""
    return facts | {"config": facts.get("config", {}) | {name: text for name, text in texts.items() if text}}


def add_video(video: str, report: Report, *, start: float = 0.0) -> None:
    """Add the video to an open report that has its people.

    A video that --save wrote begins at 0, even if its run began later: the shift follows from the times of the table's
    first and last row.

    Args:
        video: of --save, or the source itself.
        report: with its people.
        start: start of the run in seconds of the source.

    Raises:
        SourceError: it cannot be read.
        UsageError: the video does not belong to the table.
    """
    measurements = report.people.measurements
    times: dict[int, float] = {}  # by frame number
    with open_source(video) as frames:
        if frames.live:
            raise UsageError(f"--video is '{video}', which is live. Give the file that --save wrote.")
        for frame in frames:
            report.write(frame.image, frame.time)
            times[frame.index] = frame.time
    if not measurements.people:
        return
    shift = _shift(times, [measurements.first, measurements.last], start)
    if shift is None:
        raise UsageError(f"'{video}' is not the video of this table: their frames and times differ. Give another.")
    report.clip.moved(shift)


def _shift(times: dict[int, float], moments: list[tuple[int, float]], start: float) -> float | None:
    """Return by how many seconds a table is later than a video; None if it belongs to another video.

    Args:
        times: of the video's frames in seconds, by frame number.
        moments: frame numbers and times of two rows.
        start: start of the run in seconds.
    """
    if all(abs(times.get(index, -1e9) - time) <= _OFF for index, time in moments):
        return moments[0][1] - times[moments[0][0]]
    nearest = [min(times.values(), key=lambda at, time=time: abs(at + start - time)) for _, time in moments]  # type: ignore[misc]
    shifts = [time - at for at, (_, time) in zip(nearest, moments)]
    return shifts[0] if all(abs(shift - start) <= _OFF for shift in shifts) else None
