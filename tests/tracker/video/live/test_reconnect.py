"""Live sources that are lost and come back, against servers that are killed and started again."""

import itertools
import socket
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import servers

from posetrack.errors import SourceError, UsageError
from posetrack.tracker.video.live import reconnect
from posetrack.tracker.video.live.reconnect import Reconnecting
from posetrack.tracker.video.open import open_source

MJPEG = "multipart/x-mixed-replace; boundary=image"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(reconnect, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(reconnect, "LONGEST_PAUSE", 0.1)


def mjpeg(size=(64, 48), level=100):
    return lambda: servers.multipart(itertools.repeat(servers.jpeg(level, size)))


def address(port):
    return f"http://me:secret1@127.0.0.1:{port}/live?token=secret2"


class Clip:
    """A reader of `count` images from time `start`, which then ends or fails."""

    damage = None

    def __init__(self, count, *, start=0.0, arrived=0.0, error=None):
        self.count, self.start, self.arrived, self.error = count, start, arrived, error
        self.failed, self.closed = 1, 0

    def __iter__(self):
        for i in range(self.count):
            self.arrived += 1
            yield np.zeros((2, 2, 3), np.uint8), self.start + i
        if self.error:
            raise self.error

    def close(self):
        self.closed += 1


def test_time_continues_after_a_new_connection():
    readers = [Clip(3, start=100.0), Clip(2, start=0.0, arrived=12.5, error=SourceError("again")), Clip(1, arrived=20)]
    reader = Reconnecting(readers[0], iter(readers[1:]).__next__, name="cam", wait=5.0)
    shots = list(itertools.islice(reader, 6))
    assert [shot.time for shot in shots] == [100, 101, 102, 112.5, 113.5, 120]
    assert [shot.captured for shot in shots] == [1, 2, 3, 13.5, 14.5, 21]
    assert [(gap.start, gap.end) for gap in reader.gaps] == [(102, 112.5), (113.5, 120)]
    assert [reader.closed for reader in readers] == [1, 1, 0]
    assert reader.failed == 3


def test_attempts_are_further_and_further_apart_and_bounded(monkeypatch):
    pauses = []

    class Clock(threading.Event):
        """Time passes only during waits."""

        def wait(self, timeout=None):
            pauses.append(timeout)
            return self.is_set()

    def refuse():
        raise SourceError("refused")

    monkeypatch.setattr(reconnect, "FIRST_PAUSE", 0.25)
    monkeypatch.setattr(reconnect, "LONGEST_PAUSE", 8.0)
    monkeypatch.setattr(reconnect, "time", SimpleNamespace(monotonic=lambda: sum(pauses)))
    monkeypatch.setattr(reconnect, "threading", SimpleNamespace(Event=Clock))
    reader = Reconnecting(Clip(1, error=SourceError("Lost it.")), refuse, name="cam", wait=30)
    with pytest.raises(SourceError, match=r"Lost it\."):
        list(reader)
    assert pauses == [0.25, 0.5, 1, 2, 4, 8, 8, 6.25]


def test_without_time_to_wait_a_loss_is_final_at_once():
    reader = Reconnecting(Clip(1, error=SourceError("Lost it.")), lambda: Clip(1), name="cam", wait=0)
    with pytest.raises(SourceError, match=r"Lost it\."):
        list(reader)


def test_stop_ends_the_waiting():
    reader = Reconnecting(Clip(1), lambda: Clip(1), name="cam", wait=60)
    reader.stop()
    assert len(list(reader)) == 1


def test_a_stream_whose_server_is_killed_and_started_again(caplog):
    with servers.LiveServer(mjpeg(), kind=MJPEG) as server:
        source = open_source(address(server.port), timeout=60, reconnect=120)
        before = [next(source) for _ in range(3)]
    with servers.LiveServer(mjpeg(size=(32, 40), level=200), kind=MJPEG, port=server.port), source:
        servers.until(lambda: next(source).image.shape == (40, 32, 3))
        after = next(source)
    assert after.image.mean() == pytest.approx(200, abs=3)
    assert source.size == (64, 48)
    assert [(change.width, change.height) for change in source.size_changes] == [(32, 40)]
    (gap,) = source.gaps
    assert before[-1].time <= gap.start < gap.end <= after.time
    assert "is back after" in caplog.text
    assert "32 x 40" in caplog.text
    assert "secret" not in caplog.text
    assert "***" in caplog.text


def test_a_stream_that_does_not_come_back_ends_after_the_time_to_reconnect(caplog):
    with servers.LiveServer(mjpeg(), kind=MJPEG) as server:
        source = open_source(address(server.port), timeout=60, reconnect=0.2)
        next(source)
    with source:
        list(source)
    assert source.damage == "the server closed it"
    assert "did not return within 0.2 s" in caplog.text
    assert "secret" not in caplog.text


def test_closing_does_not_wait_for_the_connection():
    with servers.LiveServer(mjpeg(), kind=MJPEG) as server:
        source = open_source(address(server.port), timeout=60, reconnect=10**6)
        next(source)
    source.close()
    servers.until(lambda: not [t for t in threading.enumerate() if t.name == "posetrack-live"])
    assert list(source) == []


def test_a_transport_stream_is_taken_up_again():
    def blocks():
        return servers.mpegts(10**6)

    with servers.LiveServer(blocks, kind="video/mp2t", pace=0.002) as server:
        source = open_source(f"http://127.0.0.1:{server.port}/live", timeout=60, reconnect=120)
        assert source.live
        before = next(source)
    with servers.LiveServer(blocks, kind="video/mp2t", port=server.port, pace=0.002), source:
        servers.until(lambda: next(source) and source.gaps)
        after = next(source)
    assert after.time > source.gaps[0].end > source.gaps[0].start >= before.time


@pytest.mark.slow
def test_an_rtsp_server_that_is_killed_and_started_again(make, tmp_path):
    make.encode(tmp_path / "clip.mp4", [i / 25 for i in range(500)], rate=25)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def connect():
        try:
            return open_source(f"rtsp://me:secret@127.0.0.1:{port}/clip.mp4", timeout=60, reconnect=120)
        except SourceError:  # it is starting
            return None

    with servers.RtspServer(tmp_path, port):
        opened = []
        servers.until(lambda: opened.append(connect()) or opened[-1])
        source = opened[-1]
        before = next(source)
    with servers.RtspServer(tmp_path, port), source:
        servers.until(lambda: next(source) and source.gaps)
        after = next(source)
    assert source.live
    assert after.time > source.gaps[0].end > source.gaps[0].start >= before.time


def test_a_time_to_reconnect_that_makes_no_sense_is_refused():
    with pytest.raises(UsageError, match="time to reconnect is -1"):
        open_source(0, reconnect=-1)
