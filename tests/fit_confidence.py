"""Fit the confidences of events to motions with known events: synthetic ones, and clips that the networks followed.

    python tests/counts.py FOLDER "" boxes      # follows the clips; takes minutes
    python tests/fit_confidence.py FOLDER       # prints the weights of `confidence.py` and the tables of docs/events.md

Every clip is left out once: the table compares the confidences that a fit without it states with what is right.
"""

import sys
from collections import defaultdict
from itertools import pairwise, product
from pathlib import Path

import counts
import motions
import numpy as np
from performed import frames
from scipy.optimize import minimize

from posetrack.tracker.features.events import detector
from posetrack.tracker.features.events.confidence import MARGIN

GROUPS = {"step": "steps", "left_hand_raised": "", "right_hand_raised": "", "fall": ""}  # others are repetitions
EXPECTED = np.array([0.0, 1.0, 1.0])
PRIOR = np.diag([0.02, 0.2, 0.2])  # keeps weights finite where nearly all events are right
LEAST = 0.2  # weight of margin and quality: too few repetitions are wrong to show that both matter
STAND = motions.stand(1)
PARTS = [
    [STAND, motions.walk(14)],
    [STAND, motions.squats(5), STAND],
    [STAND, motions.curls(5), STAND],
    [STAND, motions.lunges(4), STAND],
    [STAND, motions.push_ups(5), STAND],
]
BINS = (0.0, 0.5, 0.7, 0.85, 0.95, 1.0)


def synthetic():
    """Yield the name, the true events and the frames of synthetic motions."""
    conditions = ({"noise": 0.01, "missing": 0.05}, {"noise": 0.025, "missing": 0.15, "fps": 20})
    for (number, parts), yaw, words in product(enumerate(PARTS), (0, 60, 150, 270), conditions):
        truth, seen = frames(parts, yaw=yaw, blend=2.5 if number == 4 else 1.0, seed=yaw, **words)
        yield f"{number}-{yaw}-{words['noise']}", truth, seen


def followed(folder):
    """Yield the same of the clips in a folder."""
    for clip in counts.FIRST + counts.OTHERS:
        if (folder / f"{clip.name}.boxes").exists():
            yield clip.name, clip.motion().events, counts.followed(clip, folder, None, "boxes")


def samples(sources):
    """Return clip, margin, quality and whether it is right of each event (M, 3), by group."""
    found = defaultdict(list)
    stated = detector.confidence
    for name, truth, seen in sources:
        asked = []
        detector.confidence = lambda event, asked=asked, **words: asked.append(words) or stated(event, **words)
        for event, words in zip(counts.events(seen), asked, strict=True):
            times = [time for kind, time in truth if kind == event.event]
            right = any(abs(time - event.time) <= counts.TOLERANCE.get(event.event, 0.8) for time in times)
            quality = 0.0 if np.isnan(words["quality"]) else words["quality"]
            row = (1.0, min(max(words["margin"], 0.0), MARGIN), quality, right)
            found[GROUPS.get(event.event, "repetitions")].append((name, row))
    detector.confidence = stated
    return {group: found[group] for group in ("steps", "repetitions")}


def fit(rows):
    """Return the weights (3,) of a logistic regression on rows (M, 4), by L-BFGS-B."""
    x, y = rows[:, :3], rows[:, 3]

    def loss(weights):
        off = weights - EXPECTED
        return np.logaddexp(0, x @ weights).sum() - y @ x @ weights + off @ PRIOR @ off / 2

    return minimize(loss, EXPECTED, bounds=[(None, None), (LEAST, None), (LEAST, None)]).x


def main(folder):
    """Print weights and table."""
    for group, pairs in samples([*synthetic(), *followed(Path(folder))]).items():
        names, rows = np.array([name for name, _ in pairs]), np.array([row for _, row in pairs], float)
        stated = np.zeros(len(rows))
        for name in set(names):
            stated[names == name] = 1 / (1 + np.exp(-rows[names == name, :3] @ fit(rows[names != name])))
        sys.stdout.write(
            f"{group}: {len(rows)} events, {rows[:, 3].mean():.2f} right, weights {fit(rows).round(2).tolist()}\n"
        )
        for low, high in pairwise(BINS):
            here = (stated >= low) & (stated < high)
            if here.any():
                sys.stdout.write(
                    f"  {low} to {high}: {here.sum()}, {stated[here].mean():.2f}, {rows[here, 3].mean():.2f}\n"
                )


if __name__ == "__main__":
    main(sys.argv[1])
