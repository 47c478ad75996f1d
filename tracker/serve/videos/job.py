"""A job: an uploaded video on its way to its results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class JobState(StrEnum):
    """Where a job is on its way."""

    UPLOADING = "uploading"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Job:
    """An uploaded video and what becomes of it.

    Attributes:
        id: ours, random; also the name of its folder.
        name: as the client calls the video; only shown.
        suffix: of the video, one of `VIDEO_SUFFIXES`.
        options: of the run.
        state: see `JobState`.
        step: what is being done.
        progress: share of the step, 0 to 1.
        error: a sentence, if it failed.
        attempts: how often it was started.
        created: seconds since 1970, as all times.
        started: None before.
        finished: None before.
    """

    id: str
    name: str
    suffix: str
    options: Mapping[str, Any]
    state: JobState
    step: str
    progress: float
    error: str
    attempts: int
    created: float
    started: float | None
    finished: float | None
