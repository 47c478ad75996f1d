"""A long run keeps nothing of a frame, and little of a person who left: objects are counted, not the process."""

import gc
import sys
import tracemalloc
from dataclasses import replace
from itertools import cycle, islice

import av
import motions
import numpy as np
import pytest

from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.features.events.detector import EventDetector
from posetrack.tracker.features.events.regions import Zone
from posetrack.tracker.features.events.zones import ZoneCounter
from posetrack.tracker.features.extraction.stream import ActionFeatures
from posetrack.tracker.output.actions import ActionSink
from posetrack.tracker.report.collector import Collector
from posetrack.tracker.types import Poses, State, Tracks
from posetrack.tracker.video.open import open_source

FPS = 2  # the windows, of up to 15 s, are full after a few frames


@pytest.fixture
def no_collection():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.slow
def test_a_decoded_frame_is_free_without_a_garbage_collection(walking_clip, no_collection):
    with open_source(walking_clip) as source:
        for _ in islice(source, 30):
            held = sum(type(each) is av.VideoFrame for each in gc.get_objects())
            assert held < 10, "decoded frames wait for the garbage collector, 3 MB each in a full HD video"


@pytest.fixture
def report(tmp_path):
    """Everything between the tracks and the report, with tables."""
    actions = ActionFeatures()
    collector = Collector(actions, max_rows=64)
    tables = {name: tmp_path / f"{name}.csv" for name in ("features", "events", "reps", "gait", "balance")}
    with ActionSink(actions, EventDetector(actions), collector, movements=[collector.movement], **tables) as sink:
        yield sink


def standing(identity):
    """A person who stands, without an end."""
    motion = motions.perform([motions.stand(5)], synthetic.regular(5, FPS))
    for _, _, poses in cycle(motion.frames(noise=0.01)):
        yield Tracks([identity], poses, np.zeros((1, 2)), (State.MEASURED,))


@pytest.mark.slow
def test_a_person_who_stays_adds_no_objects(report):
    blocks = []
    for index, tracks in enumerate(islice(standing(1), 121)):
        report.write_rows(index, index / FPS, tracks)
        if index in (70, 120):
            gc.collect()
            blocks.append(sys.getallocatedblocks())
    assert blocks[1] - blocks[0] < 150, "objects are kept of each frame"


def test_a_person_who_left_leaves_little():
    actions, people, held = ActionFeatures(), 200, []
    collector = Collector(actions, max_rows=64)
    frames = [actions.update(index, index / FPS, tracks) for index, tracks in enumerate(islice(standing(1), 10))]
    moments = [(tracks, row) for tracks, (row, *_) in zip(standing(1), filter(None, frames))][:4]
    tracemalloc.start()
    for identity in range(1, people + 1):
        ids = np.array([identity])
        for tracks, row in moments:
            seen = replace(row, ids=ids, frame=10 * identity + row.frame, time=2 * identity + row.time)
            collector.take(replace(tracks, ids=ids), seen, [])
        if identity in (people // 2, people):
            held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    each = 2 * (held[1] - held[0]) / people
    assert each < 5000, f"{each:.0f} bytes"


def test_a_region_counts_its_stays_without_keeping_them():
    counter = ZoneCounter([Zone("left", ((0, 0), (100, 0), (100, 100), (0, 100)))])
    blocks = []
    for index in range(1800):
        poses = Poses(
            [[100 * (index // 3 % 2), 10, 100 * (index // 3 % 2) + 60, 90]],
            np.full((1, 17, 2), np.nan),
            np.zeros((1, 17)),
        )
        counter.update(index, 0.2 * index, Tracks([1], poses, np.zeros((1, 2)), (State.MEASURED,)))
        if index in (899, 1799):
            blocks.append(sys.getallocatedblocks())
    assert counter.counts["left"].stays == 300
    assert blocks[1] - blocks[0] < 75
