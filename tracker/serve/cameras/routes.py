"""Routes of cameras: add, change, stop, and show their images and people."""

from __future__ import annotations

import asyncio
import json
import re
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from ..live.answer import Format
from ..live.schema import NDJSON
from ..web.scene import Scene
from ..web.sockets import SLOW, TOO_SLOW
from .camera import Camera
from .registry import MAX_CAMERAS, CameraInfo, Cameras

LENGTH = struct.Struct("<I")  # of the JSON before the JPEG
_ADDRESS = re.compile(r"\d{1,2}|(?:rtsps?|https?|rtmps?|udp|srt)://\S+", re.IGNORECASE)


class New(BaseModel):
    """A camera to add."""

    model_config = ConfigDict(extra="forbid")  # a mistyped name would do nothing
    source: str = Field(max_length=1000, description="index of a webcam of the server, or address of a stream")
    name: str = Field("", max_length=60, description="shown to people")


class Change(BaseModel):
    """What to change of a camera."""

    model_config = ConfigDict(extra="forbid")
    name: str | None = Field(None, max_length=60, description="shown to people")
    blur_faces: StrictBool | None = Field(None, description="in the images that are sent")
    scene: Scene | None = Field(None, description="regions, lines, and what a metre is; replaces the last one")


def routes(cameras: Cameras) -> APIRouter:
    """Return the routes of cameras."""
    router = APIRouter(prefix="/api/cameras", tags=["cameras"])

    @router.get("")
    def all_cameras() -> list[CameraInfo]:
        """Return all cameras with their state, frame rate and dropped frames."""
        return cameras.listing()

    @router.post("", status_code=201)
    async def add(new: New) -> CameraInfo:
        """Add a camera. Files are opened by `--source` only, since a client's path is never used."""
        if not _ADDRESS.fullmatch(new.source):
            raise HTTPException(422, "Give the index of a webcam, such as 0, or an address: rtsp://camera/1.")
        if cameras.full():
            raise HTTPException(409, f"There are {MAX_CAMERAS} cameras already. Stop one first.")
        return cameras.shown(cameras.add(new.source, new.name))

    @router.patch("/{identity}")
    async def change(identity: str, change: Change) -> CameraInfo:
        """Change the name of a camera, whether faces are blurred, or what is marked in its image."""
        if change.scene:
            change.scene.check()
        cameras.change(identity, **{field: value for field, value in change if value not in (None, "")})
        return cameras.shown(identity)

    @router.delete("/{identity}", status_code=204)
    async def stop(identity: str) -> None:
        """Stop a camera and forget it."""
        cameras.remove(identity)

    @router.get("/{identity}/people", response_class=StreamingResponse, responses={200: {"content": NDJSON}})
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
        """Send images with their people; the next one after the client has said that it drew the last."""
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
            return await socket.close(TOO_SLOW, f"no image was drawn for {SLOW:g} s")
