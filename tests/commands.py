"""Run a command of posetrack and read the tables that it writes."""

import csv

from posetrack.tracker.cli import main


def posetrack(*words):
    """Run a command offline on the CPU; return its exit code."""
    return main([*map(str, words), "--offline", "--device", "cpu"])


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
