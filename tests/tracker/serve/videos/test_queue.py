"""The queue of jobs: their order and ends, and what a restart leaves. A short script runs."""

import json
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing, contextmanager
from functools import partial

import pytest
from servers import until

from posetrack.errors import OutputError, UsageError
from posetrack.tracker.config.run import RunConfig
from posetrack.tracker.serve.videos.job import JobState
from posetrack.tracker.serve.videos.jobs import MAX_ATTEMPTS, Jobs
from posetrack.tracker.serve.videos.queue import WORKER, Queue

OPTIONS = RunConfig().flat()
SCRIPT = textwrap.dedent("""
    import json, os, pathlib, sys, time
    options = json.loads(sys.stdin.readline())
    print(json.dumps({"step": "Tracking", "progress": 0.5}), flush=True)
    work = pathlib.Path(sys.argv[1])
    with open(work / "started", "a") as log:
        log.write(os.getcwd() + " " + options["source"] + "\\n")
    while not (work / "go").exists():
        time.sleep(0.01)
    if (work / "fail").exists():
        print(json.dumps({"error": f"Cannot read '{options['source']}'."}), flush=True)
        sys.exit(1)
    pathlib.Path(options["csv"]).write_text(json.dumps(options))
""")


class Work:
    """What the scripts did and may do."""

    def __init__(self, folder):
        self.folder = folder
        self.queue = partial(Queue, worker=(sys.executable, "-c", SCRIPT, str(folder)))

    def started(self):
        log = self.folder / "started"
        return log.read_text().splitlines() if log.exists() else []

    def go(self):
        (self.folder / "go").touch()


@pytest.fixture
def work(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    return Work(folder)


@pytest.fixture
def history(tmp_path):
    @contextmanager
    def opened():
        jobs = Jobs(tmp_path / "history")
        try:
            yield jobs
        finally:
            jobs.close()

    return opened


def added(jobs, name="a.mp4", **options):
    job = jobs.add(name, ".mp4", options)
    jobs.video(job).write_bytes(b"video")
    jobs.enqueue(job.id)
    return job.id


def state(jobs, identity):
    return jobs.get(identity).state


def test_jobs_run_one_by_one_in_their_order(history, work):
    with history() as jobs:
        first, second = added(jobs, refine=True), added(jobs)
        queue = work.queue(jobs, OPTIONS)
        until(lambda: jobs.get(first).progress == 0.5)
        assert jobs.get(first).step == "Tracking"
        assert state(jobs, second) is JobState.QUEUED
        work.go()
        until(lambda: state(jobs, second) is JobState.DONE)
        assert state(jobs, first) is JobState.DONE
        queue.close()
        folders = [str(jobs.folder(jobs.get(i))) for i in (first, second)]
        assert work.started() == [f"{folder} video.mp4" for folder in folders]
        options = json.loads((jobs.results(jobs.get(first)) / "tracked.csv").read_text())
    assert options["refine"] is True
    assert RunConfig.of(**options).networks == RunConfig().networks


def test_a_failure_is_a_sentence_with_the_name_that_the_client_gave(history, work):
    (work.folder / "fail").touch()
    work.go()
    with history() as jobs:
        job = added(jobs, "dance.mp4")
        queue = work.queue(jobs, OPTIONS)
        until(lambda: state(jobs, job) is JobState.FAILED)
        queue.close()
        assert jobs.get(job).error == "Cannot read 'dance.mp4'."
        assert not jobs.results(jobs.get(job)).exists()


def test_a_process_that_dies_is_a_failure(history):
    with history() as jobs:
        job = added(jobs)
        queue = Queue(jobs, OPTIONS, worker=(sys.executable, "-c", "import os; os._exit(7)"))
        until(lambda: state(jobs, job) is JobState.FAILED)
        queue.close()
        assert "code 7" in jobs.get(job).error


def test_a_waiting_and_a_running_job_can_be_cancelled(history, work):
    with history() as jobs:
        first, second, third = added(jobs), added(jobs), added(jobs)
        queue = work.queue(jobs, OPTIONS)
        until(work.started)
        assert queue.cancel(second)
        assert queue.cancel(first)
        assert not queue.cancel(first)
        work.go()
        until(lambda: state(jobs, third) is JobState.DONE)
        queue.close()
        assert [state(jobs, job) for job in (first, second)] == [JobState.CANCELLED] * 2
        assert len(work.started()) == 2
        assert not jobs.results(jobs.get(first)).exists()


def test_the_queue_goes_on_after_a_restart(history, work):
    with history() as jobs:
        first, second = added(jobs), added(jobs)
        unfinished = jobs.add("half.mp4", ".mp4", {}).id
        queue = work.queue(jobs, OPTIONS)
        until(work.started)
        queue.close()
        assert state(jobs, first) is JobState.RUNNING
    work.go()
    with history() as jobs:
        assert state(jobs, first) is JobState.QUEUED
        assert jobs.get(unfinished) is None
        queue = work.queue(jobs, OPTIONS)
        until(lambda: state(jobs, second) is JobState.DONE)
        queue.close()
        assert state(jobs, first) is JobState.DONE
        assert jobs.get(first).attempts == 2


def test_a_video_that_ends_the_server_again_and_again_is_given_up(history):
    for _ in range(MAX_ATTEMPTS):
        with history() as jobs:
            job = jobs.all()[0].id if jobs.all() else added(jobs)
            assert jobs.claim().id == job
    with history() as jobs:
        assert state(jobs, job) is JobState.FAILED
        assert "interrupted 3 times" in jobs.get(job).error


def test_two_servers_do_not_share_a_history(history, tmp_path):
    with history(), pytest.raises(UsageError, match="Another server uses"):
        Jobs(tmp_path / "history")


@pytest.mark.parametrize(
    "statements",
    [
        ["create table jobs (x)"],
        ["drop table jobs", "create view jobs as select 1 as x"],
        ["insert into jobs values ('a', 'a.mp4', '.mp4', '{', 'queued', '', 0, '', 0, 0, 0, 0)"],
        ["insert into jobs values ('a', 'a.mp4', '.mp4', '{}', 'odd', '', 0, '', 0, 0, 0, 0)"],
    ],
)
def test_a_history_of_others_is_refused_in_a_sentence(statements, tmp_path):
    if "insert" in statements[0] or "drop" in statements[0]:
        Jobs(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "jobs.sqlite")) as file:
        for statement in statements:
            file.execute(statement)
        file.commit()
    for _ in range(2):  # the first attempt leaves it free
        with pytest.raises(OutputError, match=r"Cannot keep the history in .* Give another folder"):
            Jobs(tmp_path)


def test_a_worker_ends_with_its_server(tmp_path):
    """As if the server was killed: its end of the pipe closes, and nothing else happens."""
    script = "import os, sys, threading, time; from posetrack.tracker.serve.videos import worker;"
    script += "threading.Thread(target=worker._end_with_server, daemon=True).start(); time.sleep(600)"
    assert WORKER[-1] == "posetrack.tracker.serve.videos.worker"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as process:
        process.stdin.close()
        assert process.wait(timeout=120) == 1
