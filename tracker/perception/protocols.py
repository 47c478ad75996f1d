"""The interfaces of perception: a person detector, pose estimators with and without one, and the camera's motion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from ...models.geometry.keypoints import Skeleton
from ..types import Detections, Frame, Poses

if TYPE_CHECKING:
    from .runtimes import Runtime


class Detector(Protocol):
    """Detects the people in a frame.

    Attributes:
        name: name of the detector in output files.
        sha256: hash of its weights; empty if it has none.
        network: inference backend; None if the detector runs no network.
    """

    name: str
    sha256: str

    @property
    def network(self) -> Runtime | None:
        """Inference backend; a read-only property, so that `Runtime` and None both satisfy the protocol."""
        ...

    def __call__(self, frame: Frame, /) -> Detections:
        """Return the boxes and scores of the people in a frame."""
        ...


class PoseEstimator(Protocol):
    """Estimates the poses of detected people.

    Attributes:
        name: name of the estimator in output files.
        sha256: hash of its weights; empty if it has none.
        skeleton: skeleton of its keypoints.
        network: inference backend.
    """

    name: str
    sha256: str
    skeleton: Skeleton
    network: Runtime

    def __call__(self, frame: Frame, detections: Detections, /) -> Poses:
        """Return one pose per detection, in the same order."""
        ...


class SingleStageEstimator(Protocol):
    """Estimates the poses of all people in a frame, without a detector; attributes as of `PoseEstimator`."""

    name: str
    sha256: str
    skeleton: Skeleton
    network: Runtime

    def __call__(self, frame: Frame, /) -> Poses:
        """Return one pose per person."""
        ...


class Camera(Protocol):
    """Camera motion between frames."""

    def __call__(self, frame: Frame, boxes: NDArray[np.floating], /) -> NDArray[np.float64] | None:
        """Return the (2, 3) affine matrix from the last frame to this one, in pixels; None at a hard cut."""
        ...

    def reset(self) -> None:
        """Forget the last frame."""
        ...
