"""The app: networks, cameras and queue behind one set of routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from ...errors import PosetrackError, UsageError
from ...version import __version__
from ..pipeline import Pipeline
from . import pages
from .cameras import routes as cameras
from .cameras.registry import Cameras
from .live import routes as live
from .live.engine import Engine
from .settings import Settings
from .videos import routes as videos
from .videos.job import JobState
from .videos.jobs import Jobs
from .videos.queue import Queue
from .web import metrics
from .web.access import Access
from .web.query import check_query
from .web.scene import first_mistake

ABOUT = """\
Track people in videos, images and cameras. `/api/live` and `/api/cameras/{identity}/view` are WebSockets, which this
description cannot hold; docs/serve.md describes them. Coordinates are pixels of the image that was sent."""


def create_app(settings: Settings, pipeline: Pipeline) -> FastAPI:
    """Return the ASGI app.

    Args:
        settings: of the server.
        pipeline: its networks serve all clients.

    Raises:
        OutputError: the history folder cannot be used.
        UsageError: another server uses it.
    """
    figures, engine = metrics.Metrics(), Engine(pipeline)
    wall = Cameras(engine, figures, file=settings.cameras)
    jobs = Jobs(settings.history)  # last, because from here on the history is locked
    for state in JobState:
        figures.jobs.labels(state).set_function(partial(_count, jobs, state))
    running: list[Queue] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            running.append(Queue(jobs, settings.run.flat()))
            wall.start(settings.sources)
            yield
        finally:
            wall.stop()
            wall.join()
            while running:
                running.pop().close()
            engine.close()
            jobs.close()

    app = FastAPI(
        title="posetrack",
        version=__version__,
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        responses={"4XX": {"model": Mistake, "description": "The request is refused."}},
    )
    app.state.cameras = wall
    app.add_middleware(Access, token=settings.token, hosts=settings.hosts)
    app.add_exception_handler(PosetrackError, _explain)
    app.add_exception_handler(RequestValidationError, _explain_request)
    for router in (
        live.routes(engine, figures),
        cameras.routes(wall),
        videos.routes(jobs, lambda: running[0], figures, limit=settings.max_upload),
        metrics.routes(figures),
    ):
        app.include_router(router, dependencies=[Depends(check_query)])
    app.include_router(pages.routes())
    app.mount("/static", pages.static())
    return app


def _count(jobs: Jobs, state: JobState) -> int:
    return jobs.counts()[state]


class Mistake(BaseModel):
    """Why a request is refused."""

    detail: str = Field(description="a sentence")


async def _explain(request: Request, error: Exception) -> JSONResponse:
    """Answer with the sentence of an error of ours."""
    return JSONResponse({"detail": str(error)}, 400 if isinstance(error, UsageError) else 422)


async def _explain_request(request: Request, error: Exception) -> JSONResponse:
    """Answer with the first mistake of a request."""
    assert isinstance(error, RequestValidationError)
    return JSONResponse({"detail": f"{first_mistake(error.errors())}."}, 422)
