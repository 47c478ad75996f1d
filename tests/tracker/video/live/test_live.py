import threading
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import cv2
import pytest
import servers
from cameras import Camera

from posetrack.errors import SourceError, UsageError
from posetrack.tracker.video.live import camera, newest
from posetrack.tracker.video.live.camera import CameraReader
from posetrack.tracker.video.source import Source


class Held(Camera):
    """A camera that gives an image when the test says so, and the first one at once; its clock counts images."""

    def __init__(self, first=1):
        super().__init__()
        self.allowed, self.asked, self.free = first, 0, False
        self.changed = threading.Condition()

    def grab(self):
        with self.changed:
            self.asked += 1
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.free or self.allowed >= self.asked)
            self.grabbed += 1
        return not self.free

    def give(self, count):
        """Let images come, and wait until the reader has taken them and asks for another."""
        with self.changed:
            self.allowed += count
            self.changed.notify_all()
            assert self.changed.wait_for(lambda: self.asked > self.allowed, 60)

    def unplug(self):
        with self.changed:
            self.free = True
            self.changed.notify_all()


def open_fake(fake, *, timeout=60, **words):
    return Source(CameraReader(0, capture=lambda _: fake), name="camera 0", timeout=timeout, **words)


@pytest.fixture
def held(monkeypatch):
    fake = Held()
    monkeypatch.setattr(
        camera, "time", SimpleNamespace(monotonic=lambda: 100 + 0.04 * fake.grabbed, sleep=lambda seconds: None)
    )
    yield fake
    fake.unplug()


def test_a_slow_consumer_gets_the_newest_frame_and_the_rest_is_counted(held):
    source = open_fake(held)
    assert (source.live, source.size, source.fps, source.frame_count) == (True, (6, 4), 30.0, None)
    first = next(source)
    held.give(30)
    second = next(source)
    assert second.image[0, 0, 0] == held.grabbed == 31
    assert source.frames_dropped == 29
    assert (first.index, first.time, second.index) == (0, 0.0, 30)  # those that were dropped are counted
    assert second.time == pytest.approx(30 * 0.04)
    held.unplug()
    source.close()


def test_waiting_before_the_first_frame_drops_nothing(held):
    source = open_fake(held)
    held.give(10)
    next(source)
    assert source.frames_dropped == 0
    held.unplug()
    source.close()


def test_close_stops_the_thread_and_releases_the_camera():
    fake = Camera()
    source = open_fake(fake)
    next(source)
    source.close()
    source.close()
    servers.until(lambda: not [t for t in threading.enumerate() if t.name == "posetrack-live"])
    assert fake.released == 1
    assert list(source) == []


def test_end_stops_a_live_source(held):
    times = []
    for frame in open_fake(held, end=0.1):
        times.append(frame.time)
        held.give(1)
        if len(times) == 3:
            held.unplug()
    assert times == pytest.approx([0, 0.04, 0.08])


def test_a_live_source_states_when_its_time_was_0():
    before = datetime.now(UTC)
    source = open_fake(Camera(count=10))
    assert source.started is None
    frame = next(source)
    assert before <= source.started + timedelta(seconds=frame.time) <= datetime.now(UTC)
    assert source.started == [source.started for _ in zip(range(3), source)][-1]
    source.close()


def test_an_unplugged_camera_is_an_error_in_the_consumer():
    fake = Camera(count=5)
    with pytest.raises(SourceError, match=r"Camera 0 delivers no more frames\."):
        list(open_fake(fake))
    assert fake.released == 1


def test_any_other_failure_of_the_thread_is_a_sentence_without_its_text():
    class Broken(Camera):
        def grab(self):
            raise RuntimeError("rtsp://me:secret@host")

    with pytest.raises(SourceError, match=r"failed \(RuntimeError\)") as caught:
        open_fake(Broken())
    assert "secret" not in str(caught.value)


@pytest.mark.slow
def test_a_camera_without_frames_gives_up_in_time():
    fake = Held(first=0)
    with pytest.raises(SourceError, match=r"No frame from 'camera 0' within 0\.1 s"):
        open_fake(fake, timeout=0.1)
    fake.unplug()


def test_a_camera_that_does_not_open_is_released(monkeypatch):
    fake = Camera(opened=False)
    monkeypatch.setattr(camera.cv2, "VideoCapture", lambda index: fake)
    with pytest.raises(SourceError, match="Cannot open camera 3"):
        CameraReader(3)
    assert fake.released == 1


def test_a_camera_that_is_a_file_goes_through_opencv_itself(make, tmp_path):
    path = make.encode(tmp_path / "camera.avi", [i / 10 for i in range(20)], codec="mjpeg", pix_fmt="yuvj420p")
    began = time.monotonic()
    reader = CameraReader(0, capture=lambda _: cv2.VideoCapture(str(path)))
    with Source(reader, name="camera 0", timeout=60) as source:
        frame = next(source)
        assert (source.size, source.live) == ((64, 48), True)
        assert frame.image.shape == (48, 64, 3)
        assert began <= frame.captured <= time.monotonic()
        with pytest.raises(SourceError, match=r"Camera 0 delivers no more frames\."):
            list(source)
    assert 1 <= source.frames_read <= 20


def test_an_unplugged_camera_that_is_plugged_in_again_goes_on():
    plugged = [Camera(count=5), Camera()]
    reader, *others = (CameraReader(0, capture=lambda _, fake=fake: fake) for fake in plugged)
    with Source(reader, name="camera 0", reopen=iter(others).__next__, reconnect=60.0) as source:
        times = []
        while not source.gaps:
            times.append(next(source).time)
        times.append(next(source).time)
    assert times == sorted(times)
    assert source.gaps[0].end - source.gaps[0].start > 0.2  # the first pause, and what the camera took to be given up
    assert plugged[0].released >= 1


def test_a_live_source_cannot_start_later():
    with pytest.raises(UsageError, match="is live"):
        open_fake(Camera(), start=2.0)


def test_dropped_frames_are_reported_now_and_then(held, monkeypatch, caplog):
    now = [0.0]
    monkeypatch.setattr(newest, "time", SimpleNamespace(monotonic=lambda: now[0]))
    source = open_fake(held)
    next(source)
    for now[0] in (2, 4, 6, 8, 10, 12, 14, 16):
        held.give(3)
        next(source)
    held.unplug()
    source.close()
    lines = [record.getMessage() for record in caplog.records if "dropped" in record.getMessage()]
    assert lines == ["'camera 0': 6 frames dropped in 6 s, to stay with the newest."] * 2
