"""Run the jobs one after the other, each in a separate process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .... import version
from .job import Job, JobState
from .jobs import Jobs
from .results import FILES

WORKER = (sys.executable, "-m", "posetrack.tracker.serve.videos.worker")
_WAIT = 1.0  # seconds between two queries for a job, if nothing wakes the thread


class Queue:
    """A thread that runs the jobs in the order of their upload.

    Args:
        jobs: of the history folder.
        options: of the run of every job, by their names, such as those of its networks.
        worker: command of the process that runs a job.
    """

    def __init__(self, jobs: Jobs, options: Mapping[str, Any], *, worker: Sequence[str] = WORKER) -> None:
        self._jobs, self._shared, self._worker = jobs, options, worker
        self._changed = threading.Condition()
        self._closed = False
        self._running: tuple[str, subprocess.Popen[str]] | None = None
        self._thread = threading.Thread(target=self._work, name="posetrack-jobs", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Say that a job waits."""
        with self._changed:
            self._changed.notify_all()

    def cancel(self, identity: str) -> bool:
        """End a job that waits or runs; return False if it has ended before."""
        with self._changed:
            ended = self._jobs.finish(identity, JobState.CANCELLED)
            if self._running and self._running[0] == identity:
                self._running[1].kill()
        return ended

    def close(self) -> None:
        """Stop; a job that runs is run again by the next server."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            if self._running:
                self._running[1].kill()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                job = self._jobs.claim()
                if job is None:
                    self._changed.wait(_WAIT)
                    continue
                try:
                    process = self._start(job)
                except OSError as error:
                    self._jobs.finish(job.id, JobState.FAILED, f"Cannot start: {error.strerror}. Free some space.")
                    continue
                self._running = job.id, process
            failure = self._follow(job, process)
            with self._changed:
                self._running = None
                if self._closed and process.returncode:
                    return
                self._jobs.finish(job.id, JobState.FAILED if failure else JobState.DONE, failure)
                if self._jobs.get(job.id) is None or failure:
                    shutil.rmtree(self._jobs.results(job), ignore_errors=True)

    def _start(self, job: Job) -> subprocess.Popen[str]:
        results = self._jobs.results(job)
        shutil.rmtree(results, ignore_errors=True)  # of an attempt that was interrupted
        results.mkdir()
        root = str(Path(version.__file__).parents[1])  # a bare checkout is not installed
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        with (self._jobs.folder(job) / "log.txt").open("w") as log:
            return subprocess.Popen(
                self._worker,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                cwd=self._jobs.folder(job),
                env=os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8"},
            )

    def _follow(self, job: Job, process: subprocess.Popen[str]) -> str:
        """Read the progress of a process to its end; return the error, or an empty text."""
        error = ""
        with process:
            assert process.stdin
            assert process.stdout
            try:
                process.stdin.write(json.dumps(self._options(job)) + "\n")
                process.stdin.flush()
                for line in process.stdout:
                    message = json.loads(line)
                    error = message.get("error", error)
                    if "progress" in message:
                        self._jobs.advance(job.id, message["step"], message["progress"])
            except BrokenPipeError:
                process.kill()
        if process.returncode and not error:
            error = f"Its process ended with code {process.returncode}. The history folder has its log.txt."
        return error.replace(self._jobs.video(job).name, job.name)

    def _options(self, job: Job) -> Mapping[str, Any]:
        """Return the options of the run; paths are relative, since the report shows them."""
        files = {option: f"{self._jobs.results(job).name}/{name}" for option, name in FILES.items()}
        run = {"source": self._jobs.video(job).name, "title": job.name, "quiet": True}
        return {**self._shared, **files, **run, **job.options}
