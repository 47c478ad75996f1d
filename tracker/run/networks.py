"""Load the networks of a run."""

from __future__ import annotations

import dataclasses

from ...errors import UsageError
from ..config.networks import Networks
from ..config.tracking import Tracking
from ..load import assemble
from ..pipeline import Pipeline
from ..stages import streams


def load(networks: Networks, tracking: Tracking, *, live: bool, blur_faces: bool) -> Pipeline:
    """Load the networks of a run; each source takes a `session` of the pipeline.

    Args:
        networks: which, and where they run.
        tracking: how people are tracked.
        live: whether a source may be live.
        blur_faces: whether new people must be found in every frame, to blur their faces.

    Raises:
        PosetrackError: they cannot be loaded, or the options contradict each other.
    """
    once = dataclasses.replace(tracking, smooth="none") if tracking.refine else tracking
    pipeline = assemble(networks, once, streams=streams(live=live), live=live)
    if blur_faces and pipeline.schedule.detect_every != 1:  # a single-stage network, at pose_every
        raise UsageError(
            f"pose_every is {tracking.pose_every}, and {networks.model} finds new people, whose faces blur_faces "
            "hides, only in those frames; give 1."
        )
    return pipeline
