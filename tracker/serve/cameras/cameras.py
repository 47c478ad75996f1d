"""All cameras of the server."""

from __future__ import annotations

import asyncio
import secrets
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import HTTPException

from ...video.address import parse_source, shown
from ..live.engine import Engine
from ..web.metrics import Metrics
from .camera import Camera, State, View
from .latest import Latest

MAX_CAMERAS = 32


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
