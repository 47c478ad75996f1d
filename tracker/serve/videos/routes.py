"""Videos that are uploaded, their queue, and the downloads of their results."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from ....errors import SourceError
from ...video.address import VIDEO_SUFFIXES
from ...video.open import open_source
from ..web.bodies import body_schema, chunks
from ..web.metrics import Metrics
from ..web.scene import read_scene
from .job import Job, JobState
from .jobs import Jobs
from .queue import Queue
from .results import CONVERTED, FILES, Result, convert, listing

# A report has its own scripts: as a page without an origin it can neither read this server nor send anything, but it
# may print and save.
REPORT_POLICY = (
    "sandbox allow-scripts allow-downloads allow-modals; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'unsafe-inline'; img-src data: blob:; media-src data: blob:; connect-src data:; base-uri 'none'; "
    "form-action 'none'"
)


@dataclass(frozen=True, slots=True)
class JobInfo(Job):
    """A job, and its results once it is done."""

    results: list[Result]


def routes(jobs: Jobs, queue: Callable[[], Queue], metrics: Metrics, *, limit: int) -> APIRouter:
    """Return the routes of uploads.

    Args:
        jobs: of the history folder.
        queue: runs them.
        metrics: counts.
        limit: bytes of an upload.
    """
    router = APIRouter(prefix="/api/jobs", tags=["videos"])

    def job_of(identity: str) -> Job:
        job = jobs.get(identity)
        if job is None:
            raise HTTPException(404, "There is no such job.")
        return job

    @router.post("", status_code=201, openapi_extra=body_schema("video/*"))
    async def upload(
        request: Request,
        name: Annotated[str, Query(max_length=255, description="of the video, such as dance.mp4")],
        refine: Annotated[bool, Query(description="smooth in both directions, join tracks, fill gaps")] = False,
        blur_faces: Annotated[bool, Query(description="blur faces in the annotated video and the report")] = False,
        scene: Annotated[
            str,
            Query(max_length=16_000, description="JSON: zones, lines, and person_height or known_length for metres"),
        ] = "",
    ) -> JobInfo:
        """Queue a video, the body of the request."""
        suffix = PurePosixPath(name).suffix.lower()
        if suffix not in VIDEO_SUFFIXES:
            raise HTTPException(415, f"'{name}' is not a video file. Send {', '.join(sorted(VIDEO_SUFFIXES))}.")
        options = {"refine": refine, "blur_faces": blur_faces} | read_scene(scene).options
        job = jobs.add(name, suffix, options)
        try:
            await _save(request, jobs.video(job), metrics, limit=limit)
            await run_in_threadpool(_check, jobs.video(job), name)
        except BaseException:  # also a client that went away
            jobs.remove(job.id)
            raise
        jobs.enqueue(job.id)
        queue().wake()
        return shown(job_of(job.id))

    def shown(job: Job) -> JobInfo:
        results = listing(jobs.results(job)) if job.state is JobState.DONE else []
        return JobInfo(**dataclasses.asdict(job), results=results)

    @router.get("")
    def all_jobs() -> list[JobInfo]:
        """Return all jobs, the newest first."""
        return [shown(job) for job in jobs.all()]

    @router.get("/{identity}")
    def one_job(identity: str) -> JobInfo:
        """Return a job: its state, progress and results."""
        return shown(job_of(identity))

    @router.post("/{identity}/cancel")
    def cancel(identity: str) -> JobInfo:
        """End a job that waits or runs."""
        if not queue().cancel(job_of(identity).id):
            raise HTTPException(409, "The job has ended already.")
        return shown(job_of(identity))

    @router.delete("/{identity}", status_code=204)
    def remove(identity: str) -> None:
        """Delete a job with its video and results; one that runs is ended first."""
        job = job_of(identity)
        if job.state is JobState.UPLOADING:
            raise HTTPException(409, "The video is still being uploaded.")
        queue().cancel(job.id)
        jobs.remove(job.id)

    @router.get("/{identity}/results/{name}", response_class=FileResponse, responses={200: {"content": {"*/*": {}}}})
    async def result(identity: str, name: str) -> FileResponse:
        """Return a file: report, save (the annotated video), csv, features, events, or a format of `convert`."""
        job = job_of(identity)
        folder = jobs.results(job)
        if job.state is not JobState.DONE:
            raise HTTPException(409, f"The job is {job.state}. Wait until it is done.")
        if name in FILES:
            return _file(folder / FILES[name], job, page=name == "report")
        if name not in CONVERTED:
            raise HTTPException(404, f"There is no result '{name}'. Ask for {', '.join([*FILES, *CONVERTED])}.")
        path = await run_in_threadpool(convert, folder, name)
        return _file(path, job, then=BackgroundTask(shutil.rmtree, path.parent, ignore_errors=True))

    return router


async def _save(request: Request, path: Path, metrics: Metrics, *, limit: int) -> None:
    """Write the body of a request to a new file."""
    with path.open("xb") as file:
        async for part in chunks(request, limit=limit):
            await asyncio.to_thread(file.write, part)
            metrics.uploaded.inc(len(part))


def _check(path: Path, name: str) -> None:
    """Refuse what is no video."""
    try:
        open_source(path).close()
    except SourceError as error:
        raise HTTPException(415, str(error).replace(str(path), name)) from None


def _file(path: Path, job: Job, *, page: bool = False, then: BackgroundTask | None = None) -> FileResponse:
    """Return a result under a name that begins with that of the video; a page is shown, not downloaded."""
    if not path.exists():
        raise HTTPException(404, "This run has no such result.")
    headers = {"Content-Security-Policy": REPORT_POLICY} if page else {}
    name = f"{PurePosixPath(job.name).stem} {path.name}"
    kind = "inline" if page else "attachment"
    return FileResponse(path, headers=headers, filename=name, content_disposition_type=kind, background=then)
