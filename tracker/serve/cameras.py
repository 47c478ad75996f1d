"""All cameras of the server, and their routes."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from ..video.address import parse_source, shown
from .camera import Camera, State, View
from .engine import Engine
from .latest import Latest
from .live import SLOW, TOO_SLOW, Format
from .metrics import Metrics
from .scene import Scene

MAX_CAMERAS = 32
LENGTH = struct.Struct("<I")  # of the JSON before the JPEG
_ADDRESS = re.compile(r"\d{1,2}|(?:rtsps?|https?|rtmps?|udp|srt)://\S+", re.IGNORECASE)


class New(BaseModel):
    """A camera to add."""

    source: str = Field(max_length=1000, description="index of a webcam of the server, or address of a stream")
    name: str = Field("", max_length=60)


class Change(BaseModel):
    """What to change of a camera."""

    name: str | None = Field(None, max_length=60)
    blur_faces: bool | None = None
    scene: Scene | None = None


class Cameras:
    """The cameras of the server.

    Args:
        engine: tracks.
        metrics: counts.
    """

    def __init__(self, engine: Engine, metrics: Metrics) -> None:
        self._engine, self._metrics = engine, metrics
        self._all: dict[str, Camera] = {}
        for state in State:
            metrics.cameras.labels(state).set_function(partial(self.count, state))

    def add(self, source: str, name: str = "") -> str:
        """Open a source and return the camera's id; must be called in the event loop."""
        identity = secrets.token_hex(4)
        latest: Latest[View] = Latest(asyncio.get_running_loop())
        words: Any = {"engine": self._engine, "latest": latest, "metrics": self._metrics}
        what = parse_source(source)
        called = what.name if isinstance(what, Path) else shown(what)
        self._all[identity] = Camera(source, name=name or called, **words)
        return identity

    def get(self, identity: str) -> Camera:
        """Return a camera, or answer that there is none."""
        if identity not in self._all:
            raise HTTPException(404, "There is no such camera.")
        return self._all[identity]

    def remove(self, identity: str) -> None:
        """Stop a camera and forget it."""
        self.get(identity).stop()
        del self._all[identity]

    def stop(self) -> None:
        """Ask all cameras to end."""
        for camera in self._all.values():
            camera.stop()

    def join(self) -> None:
        """Wait for all cameras."""
        for camera in self._all.values():
            camera.join()

    def count(self, state: State) -> int:
        """Return the number of cameras in a state."""
        return sum(camera.state is state for camera in self._all.values())

    def listing(self) -> list[dict[str, Any]]:
        """Return all cameras in the order in which they were added."""
        return [self.shown(identity) for identity in self._all]

    def shown(self, identity: str) -> dict[str, Any]:
        """Return what a client may know of a camera: not its address, which may hold a password."""
        camera = self.get(identity)
        facts: dict[str, Any] = {"id": identity, "name": camera.name, "state": camera.state, "error": camera.error}
        facts |= {"fps": round(camera.fps, 1), "frames": camera.frames, "dropped": camera.dropped}
        return facts | {"blur_faces": camera.blur_faces, "scene": camera.scene.model_dump()}

    def full(self) -> bool:
        """Return whether no more cameras are allowed."""
        return len(self._all) >= MAX_CAMERAS


def routes(cameras: Cameras, engine: Engine) -> APIRouter:
    """Return the routes of cameras."""
    router = APIRouter(prefix="/api/cameras", tags=["cameras"])

    @router.get("")
    def all_cameras() -> list[dict[str, Any]]:
        """Return all cameras with their state, frame rate and dropped frames."""
        return cameras.listing()

    @router.post("", status_code=201)
    async def add(new: New) -> dict[str, Any]:
        """Add a camera. Files are opened by `--source` only, since a client's path is never used."""
        if not _ADDRESS.fullmatch(new.source):
            raise HTTPException(422, "Give the index of a webcam, such as 0, or an address: rtsp://camera/1.")
        if cameras.full():
            raise HTTPException(409, f"There are {MAX_CAMERAS} cameras already. Stop one first.")
        return cameras.shown(cameras.add(new.source, new.name))

    @router.patch("/{identity}")
    async def change(identity: str, change: Change) -> dict[str, Any]:
        """Change the name of a camera, whether faces are blurred, or what is marked in its picture."""
        camera = cameras.get(identity)
        if change.blur_faces and not engine.detects_always:
            raise HTTPException(
                409, "The server skips frames, so new people's faces would show. Serve without --config."
            )
        if change.scene:
            camera.scene = change.scene.check()
        camera.name = change.name or camera.name
        camera.blur_faces = camera.blur_faces if change.blur_faces is None else change.blur_faces
        return cameras.shown(identity)

    @router.delete("/{identity}", status_code=204)
    async def stop(identity: str) -> None:
        """Stop a camera and forget it."""
        cameras.remove(identity)

    @router.get("/{identity}/people", response_class=StreamingResponse)
    async def people(
        identity: str, format: Annotated[Format, Query(description="json or binary")] = "json"
    ) -> StreamingResponse:
        """Stream the people of every frame: lines of JSON, or binary records, until the camera ends."""
        latest = cameras.get(identity).latest

        async def records() -> AsyncIterator[bytes]:
            number = 0
            while (item := await latest.after(number)) is not None:
                number, answer = item[0], item[1].answer
                yield answer.to_bytes() if format == "binary" else answer.to_json().encode() + b"\n"

        kind = "application/octet-stream" if format == "binary" else "application/x-ndjson"
        return StreamingResponse(records(), media_type=kind)

    @router.websocket("/{identity}/view")
    async def view(socket: WebSocket, identity: str) -> None:
        """Send pictures with their people; the next one after the client has said that it drew the last."""
        await socket.accept()
        try:
            camera = cameras.get(identity)
        except HTTPException as error:
            return await socket.close(TOO_SLOW, error.detail)
        camera.viewers += 1
        try:
            with suppress(WebSocketDisconnect):
                await _show(socket, camera)
        finally:
            camera.viewers -= 1
        return None

    return router


async def _show(socket: WebSocket, camera: Camera) -> None:
    number = 0
    while True:
        item = await camera.latest.after(number)
        if item is None:
            return await socket.close(1000, "the camera has ended")
        number, view = item
        if not view.jpeg:
            continue  # from before this viewer
        text = json.dumps({**view.answer.to_dict(), "fps": round(camera.fps, 1), "dropped": camera.dropped}).encode()
        try:
            async with asyncio.timeout(SLOW):
                await socket.send_bytes(LENGTH.pack(len(text)) + text + view.jpeg)
                await socket.receive_text()
        except TimeoutError:
            return await socket.close(TOO_SLOW, f"no picture was drawn for {SLOW:g} s")
