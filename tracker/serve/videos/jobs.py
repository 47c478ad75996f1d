"""All jobs and their states, in a SQLite file that survives a restart."""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ....errors import OutputError, UsageError
from .job import Job, JobState

MAX_ATTEMPTS = 3  # a video that ends the whole server is not retried forever

_TABLE = """
create table if not exists jobs (
    id text primary key, name text not null, suffix text not null, options text not null, state text not null,
    step text not null default '', progress real not null default 0, error text not null default '',
    attempts integer not null default 0, created real not null, started real, finished real
) strict
"""


class Jobs:
    """All jobs of a folder. Every method may be called from any thread.

    Args:
        folder: of the file and of one folder per job; made if missing. One server uses it at a time.

    Raises:
        OutputError: the folder cannot be used.
        UsageError: another server uses it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._lock = threading.Lock()
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # people's videos
            self._file = _opened(self._folder / "jobs.sqlite")
            try:
                self._recover()
            except BaseException:
                self._file.close()
                raise
        except (OSError, sqlite3.DatabaseError, TypeError, ValueError) as error:  # also of another program's rows
            if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
                raise UsageError(f"Another server uses the history '{folder}'. Give another folder.") from error
            raise OutputError(f"Cannot keep the history in '{folder}': {error}. Give another folder.") from error

    def _recover(self) -> None:
        """Put back what the last server left unfinished."""
        self._sql(
            "update jobs set state = ?, step = '', progress = 0 where state = ?", JobState.QUEUED, JobState.RUNNING
        )
        for job in self.all():
            if job.state is JobState.UPLOADING:
                self.remove(job.id)
            elif job.state is JobState.QUEUED and job.attempts >= MAX_ATTEMPTS:
                self.finish(job.id, JobState.FAILED, f"It was interrupted {job.attempts} times. Upload it again.")

    def folder(self, job: Job) -> Path:
        """Return the folder of a job."""
        return self._folder / job.id

    def video(self, job: Job) -> Path:
        """Return the path of the uploaded video."""
        return self.folder(job) / f"video{job.suffix}"

    def results(self, job: Job) -> Path:
        """Return the folder of its results."""
        return self.folder(job) / "results"

    def add(self, name: str, suffix: str, options: Mapping[str, Any]) -> Job:
        """Add a job whose video is being uploaded, and make its folder."""
        identity = secrets.token_hex(8)
        self._sql(
            "insert into jobs (id, name, suffix, options, state, created) values (?, ?, ?, ?, ?, ?)",
            *(identity, name, suffix, json.dumps(dict(options)), JobState.UPLOADING, time.time()),
        )
        job = self.get(identity)
        assert job
        self.folder(job).mkdir()
        return job

    def get(self, identity: str) -> Job | None:
        """Return a job; None if there is none."""
        rows = self._sql("select * from jobs where id = ?", identity)
        return _job(rows[0]) if rows else None

    def all(self) -> list[Job]:
        """Return all jobs, the newest first."""
        return [_job(row) for row in self._sql("select * from jobs order by created desc, id")]

    def enqueue(self, identity: str) -> None:
        """Let a job run after those before it."""
        self._sql("update jobs set state = ? where id = ?", JobState.QUEUED, identity)

    def claim(self) -> Job | None:
        """Return the oldest job that waits, as running; None if none waits."""
        rows = self._sql(
            "update jobs set state = ?, attempts = attempts + 1, started = ? where id = "
            "(select id from jobs where state = ? order by created, id limit 1) returning *",
            *(JobState.RUNNING, time.time(), JobState.QUEUED),
        )
        return _job(rows[0]) if rows else None

    def advance(self, identity: str, step: str, progress: float) -> None:
        """Record how far a job is."""
        self._sql("update jobs set step = ?, progress = ? where id = ?", step, progress, identity)

    def finish(self, identity: str, state: JobState, error: str = "") -> bool:
        """End a job that waits or runs; return False if it has ended before."""
        rows = self._sql(
            "update jobs set state = ?, error = ?, finished = ?, step = '' "
            "where id = ? and state in (?, ?) returning id",
            *(state, error, time.time(), identity, JobState.QUEUED, JobState.RUNNING),
        )
        return bool(rows)

    def remove(self, identity: str) -> None:
        """Forget a job and delete its folder."""
        job = self.get(identity)
        if job:
            shutil.rmtree(self.folder(job), ignore_errors=True)
            self._sql("delete from jobs where id = ?", identity)

    def counts(self) -> dict[str, int]:
        """Return the number of jobs in each state."""
        found = {row[0]: row[1] for row in self._sql("select state, count(*) from jobs group by state")}
        return {state: found.get(state, 0) for state in JobState}

    def close(self) -> None:
        """Close the file; another server may then use the folder."""
        with self._lock:
            self._file.close()

    def _sql(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._file.execute(statement, values).fetchall()


def _opened(path: Path) -> sqlite3.Connection:
    """Open the file and take its lock, which is kept until the file is closed."""
    file = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=0.1)
    try:
        file.row_factory = sqlite3.Row
        file.execute("pragma locking_mode = exclusive")
        file.execute(_TABLE)
        file.execute("begin exclusive")
        file.execute("commit")
    except sqlite3.DatabaseError:
        file.close()
        raise
    return file


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    return Job(**(values | {"options": json.loads(values["options"]), "state": JobState(values["state"])}))
