"""Let one synthetic person perform, and return what is known of it."""

import motions
import numpy as np

from posetrack.tracker.evaluation.synthetic import irregular
from posetrack.tracker.features.extraction.stream import ActionFeatures
from posetrack.tracker.features.movement.passage import Passages
from posetrack.tracker.types import State, Tracks


def frames(parts, *, yaw=0.0, blend=1.0, fps=30, noise=0.01, missing=0.05, seed=0, speed=0.0):
    """Return the true events, and yield number, time and tracks."""
    times = irregular(sum(part[0] + blend for part in parts) + 1, fps, seed=seed)
    person = motions.perform(parts, times, yaw=yaw, blend=blend, speed=speed)
    seen = person.frames(noise=noise, missing=missing, seed=seed)
    return person.events, (
        (index, time, Tracks([1], poses, np.zeros((1, 2)), (State.MEASURED,))) for index, time, poses in seen
    )


def features(parts, *, actions=None, **conditions):
    """Return the true events and the features of all frames."""
    actions = actions or ActionFeatures()
    events, seen = frames(parts, **conditions)
    done = [row for index, time, tracks in seen for row in actions.update(index, time, tracks)]
    return events, done + actions.finish()


def passage(parts, **conditions):
    """Return the true events and the person's passage."""
    events, done = features(parts, **conditions)
    passages = Passages()
    ended = [each for row in done for each in passages.take(row)]
    (found,) = ended + passages.finish()
    return events, found
