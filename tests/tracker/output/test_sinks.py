from dataclasses import replace

import numpy as np
import pytest

from posetrack.errors import OutputError
from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.formats.table import CsvSink
from posetrack.tracker.output import sinks as module
from posetrack.tracker.output.sinks import OverlaySink, Sinks
from posetrack.tracker.output.summary import Timings


class Recorder:
    """A sink and a screen that remembers; `fail` names what goes wrong."""

    def __init__(self, fail=None):
        self.fail = fail
        self.written = []
        self.left_by = "not left"

    def __enter__(self):
        if self.fail == "enter":
            raise OutputError("enter")
        return self

    def __exit__(self, kind, error, trace):
        self.left_by = kind
        if self.fail == "exit":
            raise OutputError("exit")

    def write(self, what, when):
        if self.fail == "write":
            raise OutputError("write")
        self.written.append((what, when))


def test_every_sink_gets_every_frame(frame_of, people):
    a, b = Recorder(), Recorder()
    frame, tracks = frame_of(), people(1)
    with Sinks(a, b) as sinks:
        sinks.write(frame, tracks)
    assert a.written == b.written == [(frame, tracks)]
    assert a.left_by is b.left_by is None


def test_no_sink_at_all(frame_of, people):
    with Sinks() as sinks:
        sinks.write(frame_of(), people(1))
        assert not sinks.closed


@pytest.mark.parametrize("fail", ["write", "exit"])
def test_one_that_fails_makes_the_others_incomplete(fail, frame_of, people):
    good, bad = Recorder(), Recorder(fail)
    with pytest.raises(OutputError, match=fail), Sinks(good, bad) as sinks:
        sinks.write(frame_of(), people(1))
    assert good.left_by is OutputError


def test_one_that_does_not_open_closes_those_before_it():
    good = Recorder()
    with pytest.raises(OutputError, match=r"enter"), Sinks(good, Recorder("enter")):
        pass
    assert good.left_by is OutputError


def test_a_table_beside_a_failing_sink_stays_partial(tmp_path, frame_of, people):
    table = CsvSink(tmp_path / "out.csv", skeleton=COCO)
    with pytest.raises(OutputError, match=r"write"), Sinks(table, Recorder("write")) as sinks:
        sinks.write(frame_of(), people(2))
    assert not table.path.exists()
    assert len(table.partial.read_text().splitlines()) == 3


def test_the_overlay_is_drawn_once_into_the_frame(monkeypatch, frame_of, people):
    drawn = []
    real = module.draw_people
    monkeypatch.setattr(module, "draw_people", lambda *a, **k: drawn.append(1) or real(*a, **k))
    video, window = Recorder(), Recorder()
    frame = frame_of(5)
    with OverlaySink(video, window, skeleton=COCO) as sink:
        sink.write(frame, people(1))
    ((image, time),) = video.written
    assert drawn == [1]
    assert image is window.written[0][0]
    assert image.any()
    assert image is frame.image
    assert time == 0.2
    assert video.left_by is None


def test_no_screen_draws_nothing(monkeypatch, frame_of, people):
    monkeypatch.setattr(module, "draw_people", lambda *a, **k: pytest.fail("there is no screen"))
    with OverlaySink(skeleton=COCO) as sink:
        sink.write(frame_of(), people(1))


def test_no_frame_rate_is_drawn_into_saved_images(frame_of, people):
    screen = Recorder()
    with OverlaySink(screen, skeleton=COCO) as sink:
        for index in range(3):
            sink.write(frame_of(index), people(1))
    images = [image for image, _ in screen.written]
    assert all(np.array_equal(images[0], image) for image in images)


def test_a_closed_window_is_seen_from_the_loop(frame_of, people):
    window = Recorder()
    window.closed = False
    with Sinks(OverlaySink(window, skeleton=COCO), Recorder()) as sinks:
        sinks.write(frame_of(), people(1))
        assert not sinks.closed
        window.closed = True
        assert sinks.closed


def test_drawing_and_writing_are_timed_apart(frame_of, people):
    timings = Timings()
    with Sinks(OverlaySink(Recorder(), skeleton=COCO, timings=timings), timings=timings) as sinks:
        sinks.write(frame_of(), people(1))
    assert timings.stages == ("draw", "write")


def test_everyone_is_hidden_and_only_the_chosen_are_written(frame_of, people):
    """People who are not selected remain in the image."""
    hidden, sink = [], Recorder()

    def conceal(frame, tracks):
        hidden.append(tracks.ids.tolist())
        return replace(frame, image=np.full_like(frame.image, 7))

    with Sinks(sink, conceal=conceal, select=lambda tracks: tracks[tracks.ids == 2]) as sinks:
        sinks.write(frame_of(0), people(3))
    assert hidden == [[1, 2, 3]]
    ((frame, tracks),) = sink.written
    assert (frame.image == 7).all()
    assert tracks.ids.tolist() == [2]
