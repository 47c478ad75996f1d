"""A client that sends the frames of its own camera: frames come up a WebSocket, people go down."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress

from fastapi import WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from ....errors import InputError, UsageError
from ...types import Frame
from ..web.metrics import Metrics
from ..web.scene import EMPTY, Number, Scene, as_sentence
from ..web.sockets import SLOW, TOO_SLOW, UNREADABLE
from .answer import Format
from .engine import Engine
from .images import decode


class ClientMessage(BaseModel):
    """Text from a browser: the latency that it measured, `{"latency_ms": 56.1}`, or what is marked in its images."""

    model_config = ConfigDict(extra="forbid")

    latency_ms: Number | None = Field(None, ge=0, lt=60_000)
    scene: Scene | None = None


class Client:
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
                    await self._handle(message.get("text") or "")
                    continue
                if self._newest.full():
                    self._newest.get_nowait()
                    self._metrics.dropped.labels("live").inc()
                self._newest.put_nowait((self._received, message["bytes"], time.monotonic()))
                self._received += 1

    async def _handle(self, text: str) -> None:
        """Take a latency that the browser measured or a scene; answer what is neither with an error."""
        try:
            message = ClientMessage.model_validate_json(text)
            self._scene = message.scene.check() if message.scene else self._scene
        except (ValidationError, UsageError) as error:
            sentence = as_sentence(error) if isinstance(error, ValidationError) else str(error)
            await self._socket.send_text(json.dumps({"error": sentence}))
            return
        if message.latency_ms is not None:
            self._metrics.latency.observe(message.latency_ms / 1000)

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
