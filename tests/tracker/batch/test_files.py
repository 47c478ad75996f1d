"""A batch in several processes: results of single runs even if workers die, and a manifest of what is done."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading

import cv2
import numpy as np
import pytest
from batch_tasks import actors
from commands import posetrack
from servers import until

from posetrack.tracker.batch.files import Result, in_workers
from posetrack.tracker.batch.schedule import Assigned
from posetrack.tracker.batch.worker import Died, Finished, Ready
from posetrack.tracker.config.run import RunConfig
from posetrack.tracker.output import manifest
from posetrack.tracker.output.manifest import SourceState
from posetrack.tracker.run.plan import make_plan

NAMES = "abcd"  # of the clips
OFFLINE = ("--offline", "--device", "cpu", "--quiet")


def states(folder):
    return {name: entry.state for name, entry in manifest.read(folder).items()}


def lines(folder):
    path = folder / manifest.NAME
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def given(folder):
    """Return the sources that were given to a worker and have not ended."""
    return [name for name, state in states(folder).items() if state is SourceState.RUNNING]


def grey(path, level=90):
    cv2.imwrite(str(path), np.full((48, 64, 3), level, np.uint8))


@pytest.fixture
def images(tmp_path):
    """Three images without people, and a file that is no image."""
    folder = tmp_path / "images"
    folder.mkdir()
    for name in "abc":
        grey(folder / f"{name}.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nand no more")
    return folder


@pytest.fixture(scope="module")
def clips(tmp_path_factory, walking_clip):
    """Four clips."""
    folder = tmp_path_factory.mktemp("clips")
    for name in NAMES:
        shutil.copy(walking_clip, folder / f"{name}.mp4")
    return folder


@pytest.fixture(scope="module")
def table(walking_clip, tmp_path_factory):
    """The table of each of the clips."""
    path = tmp_path_factory.mktemp("alone") / "alone.csv"
    assert posetrack(walking_clip, "--csv", path) == 0
    return path.read_bytes()


def test_the_manifest_says_what_became_of_each_source(images, tmp_path):
    folder = tmp_path / "t"
    assert posetrack(images, "--csv", folder, "--checksums") == 1
    found = manifest.read(folder)
    assert states(folder) == {f"{name}.csv": SourceState.DONE for name in "abc"} | {"broken.csv": SourceState.FAILED}
    done = found["a.csv"]
    assert (done.frames, done.people, done.error) == (1, 0, "")
    assert (done.input, done.size) == (str(images / "a.png"), (images / "a.png").stat().st_size)
    assert len(done.sha256) == 64
    assert done.outputs == {"csv": str(folder / "a.csv")}
    assert "broken.png" in found["broken.csv"].error
    assert [line["state"] for line in lines(folder)].count("running") == 4


def test_a_failed_source_is_tried_again_on_request_only(images, tmp_path, capsys):
    words = (images, "--csv", tmp_path / "t", "--skip-existing")
    assert posetrack(*words) == 1
    before = lines(tmp_path / "t")
    capsys.readouterr()
    assert posetrack(*words) == 1
    assert lines(tmp_path / "t") == before
    assert "Add --retry-failed to try it again" in capsys.readouterr().err
    assert posetrack(*words, "--retry-failed") == 1
    assert [line["state"] for line in lines(tmp_path / "t")[len(before) :]] == ["running", "failed"]
    grey(images / "broken.png")  # it was repaired
    assert posetrack(*words) == 0
    assert set(states(tmp_path / "t").values()) == {SourceState.DONE}
    assert posetrack(images, "--csv", tmp_path / "t", "--retry-failed") == 2


def test_a_source_that_changed_is_tracked_again(images, tmp_path):
    (images / "broken.png").unlink()
    words = (images, "--csv", tmp_path / "t", "--skip-existing")
    assert posetrack(*words) == 0
    before = lines(tmp_path / "t")
    grey(images / "b.png", level=200)
    os.utime(images / "b.png", (1, 1))
    assert posetrack(*words) == 0
    assert [line["result"] for line in lines(tmp_path / "t")[len(before) :]] == ["b.csv", "b.csv"]


class DiesLate:
    """A worker in this process; the first one tracks its file, and dies before it says so."""

    def __init__(self, pipeline):
        self.pipeline, self.messages, self.started = pipeline, [], 0

    def start(self):
        self.started += 1
        self.messages.append((self.started, Ready(())))

    def give(self, worker, task):
        result = task(self.pipeline, lambda: None)
        self.messages.append((worker, Died("was killed") if worker == 1 else Finished(result)))

    def wait(self):
        messages, self.messages = self.messages, []
        return messages

    def close(self):
        pass


def test_a_worker_that_dies_with_complete_results_costs_nothing(images, tmp_path):
    plan = make_plan(RunConfig.of(csv=str(tmp_path / "t")), [str(images)])
    events = list(in_workers(plan.jobs[:1], DiesLate(plan.load()), count=1))
    assert [event.attempt for _, event in events if isinstance(event, Assigned)] == [1, 2]
    assert isinstance(events[-1][1], Result)
    assert len(list((tmp_path / "t").glob("*.csv"))) == 1


LIMITED = """
import resource, sys
from pathlib import Path
import cv2
from posetrack.errors import PosetrackError
from posetrack.tracker.batch.files import TrackFile
from posetrack.tracker.config.run import RunConfig
from posetrack.tracker.run.plan import make_plan

(job,) = make_plan(RunConfig.of(csv=sys.argv[2]), [sys.argv[1]]).jobs
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (100 << 20),) * 2)

class Pipeline:
    def session(self):
        pass

try:
    TrackFile(job)(Pipeline(), lambda: None)
except PosetrackError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux, whose memory can be limited")
def test_a_image_too_large_for_the_memory_is_named_and_is_not_at_fault(tmp_path):
    image = tmp_path / "large.png"
    cv2.imwrite(str(image), np.zeros((9000, 9000), np.uint8))  # 243 MB in colour
    command = [sys.executable, "-c", LIMITED, str(image), str(tmp_path / "t.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"PosetrackError '{image}': There is not enough memory.")


def test_a_full_disk_is_no_fault_of_the_source(images, tmp_path, full_disk):
    (images / "broken.png").unlink()
    words = (images, "--csv", tmp_path / "t", "--save", tmp_path / "v", "--skip-existing")
    with full_disk(100):  # no room for a manifest either
        assert posetrack(*words) == 1
    assert SourceState.DONE not in states(tmp_path / "t").values()
    assert posetrack(*words) == 0
    assert set(states(tmp_path / "t").values()) == {SourceState.DONE}


@pytest.mark.parametrize("words", [("rtsp://127.0.0.1/1", "--csv", "t"), ("--show",)], ids=["a stream", "a window"])
def test_processes_take_files_only(images, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("posetrack.tracker.output.window.check_display", lambda: None)
    assert posetrack(images, *words, "--jobs", 2) == 2
    assert "Leave --jobs and --engine out" in capsys.readouterr().err


@pytest.mark.slow
def test_two_processes_give_what_one_run_gives(clips, table, tmp_path):
    assert posetrack(clips / "a.mp4", clips / "b.mp4", "--csv", tmp_path, "--jobs", 2) == 0
    assert [(tmp_path / f"{name}.csv").read_bytes() for name in "ab"] == [table] * 2
    assert set(states(tmp_path).values()) == {SourceState.DONE}
    assert not multiprocessing.active_children()


@pytest.mark.slow
def test_a_file_whose_process_is_killed_is_tracked_again(clips, table, tmp_path):
    def kill():
        until(lambda: len(multiprocessing.active_children()) == 2 and len(given(tmp_path)) == 2)  # both have a file
        os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    assert posetrack(clips, "--csv", tmp_path, "--jobs", 2) == 0
    thread.join()
    assert [(tmp_path / f"{name}.csv").read_bytes() for name in NAMES] == [table] * len(NAMES)
    ended = [line["result"] for line in lines(tmp_path) if line["state"] != "running"]
    assert sorted(ended) == [f"{name}.csv" for name in NAMES]
    assert set(states(tmp_path).values()) == {SourceState.DONE}
    assert max(line["attempt"] for line in lines(tmp_path)) == 2
    assert len(list(tmp_path.glob("*.csv"))) == len(NAMES)  # nothing is left of the first attempt


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(clips, table, tmp_path):
    words = [str(clips), "--csv", str(tmp_path), "--jobs", "2", "--skip-existing"]
    run = subprocess.Popen([sys.executable, "-m", "posetrack", *words, *OFFLINE])
    until(lambda: SourceState.DONE in states(tmp_path).values())
    run.kill()
    run.wait()
    done = {name for name, state in states(tmp_path).items() if state is SourceState.DONE}
    stamps = {name: (tmp_path / name).stat().st_mtime_ns for name in done}
    assert posetrack(*words) == 0
    assert [(tmp_path / f"{name}.csv").read_bytes() for name in NAMES] == [table] * len(NAMES)
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in done} == stamps


@pytest.mark.slow
def test_many_files_on_ray_survive_a_killed_worker(clips, table, tmp_path):
    archive = tmp_path / "archive"
    archive.mkdir()
    for number in range(56):
        grey(archive / f"{number:03}.png", level=number)
    for clip in clips.iterdir():
        shutil.copy(clip, archive)

    killed = []

    def kill():
        until(lambda: SourceState.DONE in states(tmp_path / "t").values())
        killed.append(actors()[0])
        os.kill(killed[0], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    assert posetrack(archive, "--csv", tmp_path / "t", "--engine", "ray", "--jobs", 2) == 0
    thread.join()
    assert killed
    assert [(tmp_path / "t" / f"{name}.csv").read_bytes() for name in NAMES] == [table] * len(NAMES)
    ended = [line["result"] for line in lines(tmp_path / "t") if line["state"] != "running"]
    assert len(ended) == len(set(ended)) == 60
    assert set(states(tmp_path / "t").values()) == {SourceState.DONE}
    assert len(list((tmp_path / "t").glob("*.csv"))) == 60


def test_a_cluster_that_does_not_exist_is_said_so(images, tmp_path, capsys):
    assert posetrack(images, "--csv", tmp_path / "t", "--engine", "ray", "--address", "auto") == 2
    assert "There is no Ray cluster at 'auto'" in capsys.readouterr().err
