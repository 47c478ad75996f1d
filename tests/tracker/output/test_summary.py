import io
from pathlib import Path

import pytest
from rich.console import Console

from posetrack.tracker import timings
from posetrack.tracker.output.sidecar import Counts
from posetrack.tracker.output.summary import BatchTable, Outcome, progress, summary_table
from posetrack.tracker.timings import FrameRate, Timings


class Clock:
    """Seconds that pass when message."""

    now = 100.0

    def __call__(self):
        return self.now


def fill(timings, clock, stage, seconds):
    for second in seconds:
        with timings.stage(stage):
            clock.now += second


def test_percentiles_in_milliseconds():
    clock = Clock()
    timings = Timings(clock=clock)
    fill(timings, clock, "read", [i / 1000 for i in range(101)])
    assert timings.percentile("read", 50) == pytest.approx(50, abs=1e-3)
    assert timings.percentile("read", 95) == pytest.approx(95, abs=1e-3)


def test_a_nested_stage_is_not_counted_twice():
    clock = Clock()
    timings = Timings(clock=clock)
    with timings.stage("write"):
        clock.now += 0.002
        with timings.stage("draw"):
            clock.now += 0.005
        clock.now += 0.001
    assert timings.percentile("write", 50) == pytest.approx(3, abs=1e-3)
    assert timings.percentile("draw", 50) == pytest.approx(5, abs=1e-3)


def test_a_stage_that_raises_is_not_recorded_and_the_next_one_is_right():
    clock = Clock()
    timings = Timings(clock=clock)
    with pytest.raises(StopIteration), timings.stage("read"):
        raise StopIteration
    assert timings.stages == ()
    fill(timings, clock, "read", [0.004])
    assert timings.percentile("read", 50) == pytest.approx(4, abs=1e-3)


def test_memory_is_bounded_and_holds_the_newest(monkeypatch):
    monkeypatch.setattr(timings, "KEPT_SAMPLES", 10)
    clock = Clock()
    kept = Timings(clock=clock)
    fill(kept, clock, "pose", [1.0] * 25 + [0.002] * 10)
    assert len(kept._samples["pose"]) == 10
    assert kept.percentile("pose", 100) == pytest.approx(2, abs=1e-3)


def test_stages_come_in_the_order_of_the_flow():
    clock = Clock()
    timings = Timings(clock=clock)
    for name in ("write", "other", "read", "pose"):
        fill(timings, clock, name, [0.001])
    assert timings.stages == ("read", "pose", "write", "other")


def test_frame_rate():
    clock = Clock()
    rate = FrameRate(clock=clock)
    assert rate.tick() is None
    for _ in range(100):
        clock.now += 0.04
        fps = rate.tick()
    assert fps == pytest.approx(25)
    clock.now += 10
    assert rate.tick() == pytest.approx(0.1)  # after a stall, at once


def text_of(renderable):
    console = Console(file=io.StringIO(), width=100)
    console.print(renderable, crop=False)
    return console.file.getvalue()


def test_summary_table():
    clock = Clock()
    timings = Timings(clock=clock)
    fill(timings, clock, "read", [0.0015])
    fill(timings, clock, "detect", [0.010, 0.020, 0.030])
    outcome = Outcome(Counts(read=3, dropped=2), people=2, seconds=1.5, files=(Path("a[b].mp4"), Path("out.csv")))
    text = text_of(summary_table(timings, outcome, device="cpu"))
    assert [line.split() for line in text.splitlines()] == [
        ["stage", "median", "ms", "p95", "ms"],
        ["read", "1.5", "1.5"],
        ["detect", "20.0", "29.0"],
        [],
        ["frames", "3,", "2", "dropped"],
        ["people", "2"],
        ["time", "1.5", "s,", "2.0", "fps"],
        ["device", "cpu"],
        ["wrote", "a[b].mp4"],
        ["wrote", "out.csv"],
    ]


def test_a_long_path_stays_in_one_line():
    path = Path("/".join(["folder"] * 40), "out.csv")
    outcome = Outcome(Counts(read=1), people=0, seconds=1.0, files=(path,))
    assert text_of(summary_table(Timings(), outcome, device="cpu")).splitlines()[-1].split() == ["wrote", str(path)]


def test_summary_of_a_run_without_a_frame():
    assert "0.0 s, 0.0 fps" in text_of(summary_table(Timings(), Outcome(Counts(), 0, 0.0), device="cpu"))


def test_a_batch_has_a_row_per_source_and_a_total():
    console = Console(file=io.StringIO(), width=60)
    long = f"clips/{'deep/' * 12}b.mp4"
    table = BatchTable(console, ["clips/a[b].mp4", long, "clips/broken.mp4"])
    table.add("clips/a[b].mp4", Outcome(Counts(read=300, dropped=1), 2, 30.0, (Path("videos/a.mp4"),)))
    table.add(long, Outcome(Counts(read=900, failed=3), 1, 90.0, (Path("videos/b.mp4"), Path("tables/b.csv"))))
    table.total(3, seconds=120.0)
    lines = console.file.getvalue().splitlines()
    assert [line.split() for line in lines[:2]] == [
        ["source", "frames", "people", "time"],
        ["clips/a[b].mp4", "300,", "1", "dropped", "2", "30.0", "s,", "10.0", "fps"],
    ]
    assert lines[2].startswith("...")
    assert lines[2].endswith("deep/b.mp4  900, 3 failed       1  1:30 min, 10.0 fps")
    assert " ".join(lines[3].split()) == "total 1200, 1 dropped, 3 failed 3 2:00 min, 10.0 fps, 2 of 3 sources"
    assert lines[4:] == ["wrote 3 files in tables, videos"]


def test_a_batch_in_which_nothing_worked_prints_no_table():
    console = Console(file=io.StringIO())
    BatchTable(console, ["a.mp4"]).total(1, seconds=1.0)
    assert console.file.getvalue() == ""


@pytest.mark.parametrize("total", [None, 3])
def test_progress_on_a_terminal(total):
    console = Console(file=io.StringIO(), width=120, force_terminal=True)
    with progress(total=total, label="clip [1].mp4", console=console) as step:
        for people in (0, 1, 5):
            step(people)
    shown = console.file.getvalue()
    assert "clip [1].mp4" in shown
    assert "people" in shown


@pytest.mark.parametrize(("quiet", "terminal"), [(True, True), (False, False)])
def test_progress_is_silent_when_quiet_or_piped(quiet, terminal):
    console = Console(file=io.StringIO(), force_terminal=terminal)
    with progress(quiet=quiet, console=console) as step:
        step(2)
    assert console.file.getvalue() == ""


def test_progress_goes_to_stderr(capsys):
    with progress() as step:
        step(1)
    assert capsys.readouterr().out == ""
