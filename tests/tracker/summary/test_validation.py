"""The tables of docs/validation.md: angles, ranges and scales of synthetic people against their truth."""

import itertools
import re
from pathlib import Path

import motions
import numpy as np
import pytest

from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.features.calibration.measures import Calibration
from posetrack.tracker.features.extraction.stream import ActionFeatures
from posetrack.tracker.features.kinematics.derivatives import smoothed
from posetrack.tracker.summary.statistics import statistics
from posetrack.tracker.types import State, Tracks

PAGE = (Path(__file__).parents[3] / "docs" / "validation.md").read_text(encoding="utf-8")
HEIGHT = 1.8  # metres
TIMES = synthetic.regular(8, 30)
PARTS = {"squat": motions.squats(2), "curl": motions.curls(3), "walk": motions.walk(8)}


def measured(motion, columns, *, noise=0.0, view="right"):
    """Return columns (T, C) of the features of a motion."""
    actions = ActionFeatures(calibration=Calibration(person_height=HEIGHT), view=view)
    done = []
    for index, time, poses in motion.frames(noise=noise):
        done += actions.update(index, time, Tracks(np.array([1]), poses, np.zeros((1, 2)), (State.MEASURED,)))
    return np.array([[frame[name][0] for name in columns] for frame in done + actions.finish()])


def angles(exercise, joint, *, yaw, noise):
    """Return a joint's angle (T,) at a camera and noise, and the true one: from the side, far away, without noise."""
    speed = 0.8 if exercise == "walk" else 0.0
    seen = motions.perform([PARTS[exercise]], TIMES, yaw=yaw, speed=speed)
    true = motions.perform([PARTS[exercise]], TIMES, yaw=0.0, speed=speed)
    (found,), (truth,) = measured(seen, [f"{joint}_deg"], noise=noise).T[:1], measured(true, [f"{joint}_deg"]).T[:1]
    return found, truth


def table(name):
    """Return the cells of a table of the page, by the comment above it."""
    lines = PAGE.partition(f"<!-- {name} -->")[2].strip().splitlines()
    rows = [line.strip("|").split("|") for line in itertools.takewhile(lambda line: line.startswith("|"), lines)]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def errors(exercise, joint, yaw, noise):
    found, truth = angles(exercise, joint, yaw=yaw, noise=noise)
    ranges = [statistics(smoothed(TIMES, series), 360.0).values["range"] for series in (found, truth)]
    return np.sqrt(np.nanmean((found - truth) ** 2)), ranges[0] - ranges[1], ranges[1]


@pytest.mark.slow
@pytest.mark.parametrize("row", table("angles"), ids=lambda row: " ".join(row[:4]))
def test_angles_are_as_far_from_the_truth_as_the_page_says(row):
    exercise, joint, yaw, noise, *stated = row
    found = errors(exercise, joint.replace(" ", "_"), float(yaw), float(noise) / 100)
    for value, text in zip(found, stated, strict=True):
        assert float(text) == pytest.approx(value, abs=1.0)


@pytest.mark.parametrize("row", table("scales"), ids=lambda row: " ".join(row[:2]))
def test_the_scale_of_a_known_height_is_as_far_from_the_truth_as_the_page_says(row):
    exercise, yaw, stated = row
    scene = motions.perform([PARTS[exercise]], TIMES, yaw=float(yaw))
    scale = np.median(measured(scene, ["px_per_m"], noise=0.01, view="auto"))
    assert float(stated) == pytest.approx(100 * (scale / (220 / HEIGHT) - 1), abs=1.0)


def test_the_page_says_what_it_is_not():
    assert re.search(r"not a medical device", PAGE)
