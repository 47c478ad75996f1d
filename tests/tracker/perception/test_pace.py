"""A live source that is too fast is processed less often, and more often again without load."""

import json
import logging
from itertools import pairwise

import pytest
import servers

from posetrack.tracker.cli import main
from posetrack.tracker.perception.pace import LEVELS, PATIENCE, Pace
from posetrack.tracker.perception.schedule import Schedule


class Machine:
    """Takes `cost` seconds for a frame of a camera with 30 frames a second, less on every level."""

    def __init__(self, cost, *, fps=30.0):
        self.now, self.cost, self.dropped = 0.0, cost, 0.0
        self.schedule = Schedule("auto", "auto")
        self.pace = Pace(self.schedule, fps=fps, clock=lambda: self.now)
        self.levels = []

    def run(self, seconds):
        end = self.now + seconds
        while self.now < end:
            took = max(self.cost / 2**self.pace.level, 1 / 30)
            self.now += took
            self.dropped += took * 30 - 1
            self.pace(round(self.dropped))
            self.levels.append(self.pace.level)
        return self.levels


def test_a_fast_machine_processes_all_frames():
    assert set(Machine(0.02).run(30)) == {0}


def test_a_late_first_frame_is_no_sign_of_a_slow_machine():
    machine = Machine(0.02)
    machine.now, machine.dropped = 3.0, 90.0  # both networks were got ready for the first image
    machine.pace(90)
    assert set(machine.run(30)) == {0}


def test_a_slow_machine_finds_its_level_and_stays_there():
    machine = Machine(0.1)  # 10, 20, 30 frames a second
    machine.run(120)
    assert machine.levels[-1] == 2
    assert machine.schedule.limits == LEVELS[2]
    assert sum(level == 2 for level in machine.levels) > 0.8 * len(machine.levels)


def test_the_level_does_not_swing():
    machine = Machine(0.1)
    levels = machine.run(600)
    changes = sum(a != b for a, b in pairwise(levels))
    assert changes < 2 + 2 * (600 / PATIENCE[1] + 5)


def test_a_lower_target_rate_allows_more_work():
    assert Machine(0.1, fps=15).run(60)[-1] == 1
    assert Machine(0.1, fps=9).run(60)[-1] == 0


def test_without_load_all_frames_are_processed_again():
    machine = Machine(0.2)
    machine.run(20)
    assert machine.pace.level == 3
    machine.cost = 0.01
    assert machine.run(300)[-1] == 0


def test_a_slow_source_is_no_slow_machine():
    """A camera that gives 10 frames a second in the dark drops none."""
    now = [0.0]
    pace = Pace(Schedule("auto", "auto"), fps=30, clock=lambda: now[0])
    for _ in range(100):
        now[0] += 0.1
        pace(0)
    assert pace.level == 0


def test_a_change_of_level_is_logged(caplog):
    with caplog.at_level(logging.WARNING, logger="posetrack"):
        Machine(0.1).run(2)
    assert "Pace 1 of 3: 10 frames/s of 30. People are detected" in caplog.text


@pytest.mark.slow
def test_a_stream_that_is_too_fast_is_processed_less_often(tmp_path, caplog):
    def body():
        yield from servers.multipart([servers.jpeg(90, size=(320, 240))] * 100_000)

    out = tmp_path / "out.csv"
    with servers.LiveServer(body, kind="multipart/x-mixed-replace; boundary=image", pace=0.002) as server:
        words = ["--source", f"http://127.0.0.1:{server.port}/a.mjpg", "--csv", str(out), "--end", "4", "--offline"]
        assert main([*words, "--config", "realtime", "--target-fps", "500", "--reconnect", "0"]) == 0
    assert "Pace 1 of 3" in caplog.text
    output = json.loads((tmp_path / "out.csv.json").read_text())
    assert output["frames"]["dropped"] > 0
    assert output["latency_ms"]["median"] > 0
    assert sum(output["modes"].values()) == output["frames"]["read"]
