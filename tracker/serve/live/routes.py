"""Routes of live images: one image at a time, or the frames of a client's camera."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, WebSocket
from starlette.concurrency import run_in_threadpool

from ...types import Frame
from ..web.bodies import body_schema, chunks
from ..web.metrics import Metrics
from ..web.sockets import TRY_AGAIN_LATER
from .answer import Format
from .client import Client
from .engine import Engine
from .images import decode
from .schema import People, Skeleton

MAX_CLIENTS = 64
MAX_IMAGE = 16 << 20  # bytes; a frame of a WebSocket has the same limit, see `server.py`


def routes(engine: Engine, metrics: Metrics) -> APIRouter:
    """Return the routes of live images."""
    router = APIRouter()
    clients: set[WebSocket] = set()

    @router.post(
        "/api/images", tags=["people"], response_model_exclude_unset=True, openapi_extra=body_schema("image/*")
    )
    async def track_image(request: Request) -> People:
        """Find the people in an image, the body of the request: JPEG, PNG or WebP, at most 16 MB."""
        data = b"".join([part async for part in chunks(request, limit=MAX_IMAGE)])
        image = await run_in_threadpool(decode, data)
        answer = await asyncio.wrap_future(engine.session().submit(Frame(image, 0, 0.0)))
        return People(**answer.to_dict())

    @router.get("/api/skeleton", tags=["people"])
    def skeleton() -> Skeleton:
        """Return the names of the keypoints, and the limbs as pairs of their indices."""
        skeleton = engine.pipeline.estimator.skeleton
        return Skeleton(name=skeleton.name, keypoints=list(skeleton.keypoints), limbs=list(skeleton.limbs))

    @router.websocket("/api/live")
    async def live(socket: WebSocket, format: Annotated[Format, Query()] = "json") -> None:
        await socket.accept()
        if len(clients) >= MAX_CLIENTS:
            return await socket.close(TRY_AGAIN_LATER, f"{MAX_CLIENTS} clients are connected")
        clients.add(socket)
        metrics.clients.set(len(clients))
        try:
            await Client(socket, engine, metrics, format).run()
        finally:
            clients.discard(socket)
            metrics.clients.set(len(clients))
        return None

    return router
