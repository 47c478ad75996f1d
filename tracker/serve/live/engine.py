"""The networks of the web app, loaded once and shared by all clients and cameras."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from ...pipeline import Pipeline
from ...types import Frame
from ..web.scene import EMPTY, Scene
from .answer import Answer, Answers


class Engine:
    """Shares a pipeline's networks among sessions.

    As many threads as the pipeline has streams compute frame after frame, in the order in which they were submitted.
    A session has one frame in progress and drops those that it has no time for, so sessions alternate: a machine that
    is too slow for all of them gives each the same rate.

    Args:
        pipeline: its networks are used, its own tracks stay as they are.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self._turns = ThreadPoolExecutor(pipeline.streams, "posetrack-networks")

    def session(self) -> Session:
        """Return the tracks of a new source."""
        return Session(self.pipeline.session(), self._turns)

    @property
    def detects_always(self) -> bool:
        """Whether new people are found in every frame."""
        return self.pipeline.schedule.detect_every == 1

    def close(self) -> None:
        """End the threads after the frames in progress."""
        self._turns.shutdown(cancel_futures=True)


class Session:
    """The tracks of one source.

    Args:
        pipeline: of this source alone.
        turns: computes.
    """

    def __init__(self, pipeline: Pipeline, turns: ThreadPoolExecutor) -> None:
        self._pipeline, self._turns = pipeline, turns
        self._answers = Answers(pipeline.estimator.skeleton)

    def submit(self, frame: Frame, scene: Scene = EMPTY) -> Future[Answer]:
        """Track the next frame; wait for its answer before the next one is submitted."""
        return self._turns.submit(self._track, frame, scene)

    def _track(self, frame: Frame, scene: Scene) -> Answer:
        return self._answers(frame, self._pipeline(frame), scene)
