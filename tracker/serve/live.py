"""A browser's own camera: frames come up a WebSocket, people go down."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from ...errors import InputError, UsageError
from ..types import Frame
from .bodies import chunks
from .engine import Engine
from .metrics import Metrics
from .pictures import decode
from .scene import EMPTY, Scene, explained

MAX_CLIENTS = 64
MAX_PICTURE = 16 << 20  # bytes; a frame of a WebSocket has the same limit, see `server.py`
SLOW = 10.0  # seconds in which a client must take an answer
TRY_AGAIN_LATER, TOO_SLOW, UNREADABLE = 1013, 1008, 1007  # codes of RFC 6455
Format = Literal["json", "binary"]


class Told(BaseModel):
    """What a browser says: the latency that it measured, `{"latency_ms": 56.1}`, or what is marked in its pictures."""

    model_config = ConfigDict(extra="forbid")

    latency_ms: float | None = Field(None, ge=0, lt=60_000)
    scene: Scene | None = None


def routes(engine: Engine, metrics: Metrics) -> APIRouter:
    """Return the routes of live pictures."""
    router = APIRouter()
    clients: set[WebSocket] = set()

    @router.post("/api/pictures", tags=["people"])
    async def track_picture(request: Request) -> dict[str, Any]:
        """Find the people in a picture, the body of the request: JPEG, PNG or WebP, at most 16 MB."""
        data = b"".join([part async for part in chunks(request, limit=MAX_PICTURE)])
        image = await run_in_threadpool(decode, data)
        answer = await asyncio.wrap_future(engine.session().submit(Frame(image, 0, 0.0)))
        return answer.to_dict()

    @router.get("/api/skeleton", tags=["people"])
    def skeleton() -> dict[str, Any]:
        """Return the names of the keypoints, and the limbs as pairs of their indices."""
        skeleton = engine.pipeline.estimator.skeleton
        return {"name": skeleton.name, "keypoints": skeleton.keypoints, "limbs": skeleton.limbs}

    @router.websocket("/api/live")
    async def live(socket: WebSocket, format: Annotated[Format, Query()] = "json") -> None:
        await socket.accept()
        if len(clients) >= MAX_CLIENTS:
            return await socket.close(TRY_AGAIN_LATER, f"{MAX_CLIENTS} clients are connected")
        clients.add(socket)
        metrics.clients.set(len(clients))
        try:
            await _Client(socket, engine, metrics, format).run()
        finally:
            clients.discard(socket)
            metrics.clients.set(len(clients))
        return None

    return router


class _Client:
    """One browser: its newest frame, its tracks.

    Args:
        socket: accepted.
        engine: computes.
        metrics: counts.
        format: of the answers.
    """

    def __init__(self, socket: WebSocket, engine: Engine, metrics: Metrics, format: Format) -> None:
        self._socket, self._session, self._metrics, self._format = socket, engine.session(), metrics, format
        self._newest: asyncio.Queue[tuple[int, bytes, float]] = asyncio.Queue(1)
        self._received = 0
        self._scene = EMPTY

    async def run(self) -> None:
        """Receive and answer until one side ends."""
        receiving = asyncio.create_task(self._receive())
        answering = asyncio.create_task(self._answer_all())
        done, pending = await asyncio.wait({receiving, answering}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        for task in done:
            task.result()  # raises what ended it

    async def _receive(self) -> None:
        """Keep the newest frame; a client that sends faster than it is answered loses frames, not time."""
        with suppress(WebSocketDisconnect):
            while (message := await self._socket.receive())["type"] != "websocket.disconnect":
                if message.get("bytes") is None:
                    await self._told(message.get("text") or "")
                    continue
                if self._newest.full():
                    self._newest.get_nowait()
                    self._metrics.dropped.labels("live").inc()
                self._newest.put_nowait((self._received, message["bytes"], time.monotonic()))
                self._received += 1

    async def _told(self, text: str) -> None:
        """Take a latency that the browser measured or a scene; answer what is neither with an error."""
        try:
            told = Told.model_validate_json(text)
            self._scene = told.scene.check() if told.scene else self._scene
        except (ValidationError, UsageError) as error:
            sentence = explained(error) if isinstance(error, ValidationError) else str(error)
            await self._socket.send_text(json.dumps({"error": sentence}))
            return
        if told.latency_ms is not None:
            self._metrics.latency.observe(told.latency_ms / 1000)

    async def _answer_all(self) -> None:
        """Answer the newest frame, again and again."""
        start: float | None = None
        while True:
            index, data, arrived = await self._newest.get()
            begun = time.monotonic()
            start = arrived if start is None else start
            try:
                image = await run_in_threadpool(decode, data)
            except InputError as error:
                return await self._socket.close(UNREADABLE, str(error))
            frame = Frame(image, index, arrived - start, arrived)
            answer = await asyncio.wrap_future(self._session.submit(frame, self._scene))
            self._metrics.frames.labels("live").inc()
            self._metrics.track.labels("live").observe(time.monotonic() - arrived)
            try:
                async with asyncio.timeout(SLOW):
                    if self._format == "binary":
                        await self._socket.send_bytes(answer.to_bytes())
                    else:
                        taken = round(1000 * (time.monotonic() - begun), 1)
                        await self._socket.send_text(json.dumps(answer.to_dict() | {"ms": taken}))
            except TimeoutError:
                return await self._socket.close(TOO_SLOW, f"no answer was taken for {SLOW:g} s")
