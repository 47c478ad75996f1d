"""All cameras of the server."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import HTTPException
from pydantic import BaseModel, Field

from ....errors import UsageError
from ..live.engine import Engine
from ..web.metrics import Metrics
from ..web.scene import Scene
from .camera import Camera, CameraState, View
from .latest import Latest
from .setup import Setup, cameras_to_open, default_name, read_setups, write_setups

MAX_CAMERAS = 32


class CameraInfo(BaseModel):
    """A camera, without its address, which may hold a password."""

    id: str
    state: CameraState
    error: str = Field(description="a sentence, while the source cannot be opened")
    fps: float = Field(description="frames tracked per second")
    frames: int
    dropped: int = Field(description="frames replaced by a newer one")
    name: str
    blur_faces: bool
    scene: Scene


class Cameras:
    """The cameras of the server.

    Args:
        engine: tracks.
        metrics: counts.
        file: where names and marks are kept.

    Raises:
        UsageError: the file is damaged, or has a camera whose faces are blurred while the server skips frames.
        OutputError: the file cannot be read.
    """

    def __init__(self, engine: Engine, metrics: Metrics, *, file: Path) -> None:
        self._engine, self._metrics, self._file = engine, metrics, file
        self._all: dict[str, Camera] = {}
        self._kept = {setup.source: setup for setup in read_setups(file)}
        for setup in self._kept.values():
            self._check(setup)
        for state in CameraState:
            metrics.cameras.labels(state).set_function(partial(self.count, state))

    def start(self, sources: Sequence[str]) -> None:
        """Open sources, and all that were added in the page; must be called in the event loop."""
        for setup in cameras_to_open(self._kept.values(), sources):
            self._open(setup)

    def add(self, source: str, name: str = "") -> str:
        """Open a source for this and all later starts, and return its id; must be called in the event loop."""
        identity = self._open(Setup(source=source, name=name or default_name(source), added=True))
        self._keep()
        return identity

    def change(self, identity: str, **changes: Any) -> None:
        """Change what `Setup` has of a camera.

        Raises:
            UsageError: faces cannot be blurred.
            OutputError: it cannot be kept.
        """
        camera = self.get(identity)
        setup = camera.setup.model_copy(update=changes)
        self._check(setup)
        camera.setup = setup
        self._keep()

    def _check(self, setup: Setup) -> None:
        if setup.blur_faces and not self._engine.detects_always:
            raise UsageError(
                f"The faces of '{setup.name}' cannot be blurred while frames are skipped, since those of new people "
                "would show. Serve without --config."
            )

    def _open(self, setup: Setup) -> str:
        identity = secrets.token_hex(4)
        latest: Latest[View] = Latest(asyncio.get_running_loop())
        self._all[identity] = Camera(setup, engine=self._engine, latest=latest, metrics=self._metrics)
        return identity

    def _keep(self) -> None:
        self._kept |= {camera.setup.source: camera.setup for camera in self._all.values()}
        write_setups(self._file, self._kept.values())

    def get(self, identity: str) -> Camera:
        """Return a camera, or answer that there is none."""
        if identity not in self._all:
            raise HTTPException(404, "There is no such camera.")
        return self._all[identity]

    def remove(self, identity: str) -> None:
        """Stop a camera and forget it."""
        camera = self.get(identity)
        camera.stop()
        del self._all[identity]
        self._kept.pop(camera.setup.source, None)
        self._keep()

    def stop(self) -> None:
        """Ask all cameras to end."""
        for camera in self._all.values():
            camera.stop()

    def join(self) -> None:
        """Wait for all cameras."""
        for camera in self._all.values():
            camera.join()

    def count(self, state: CameraState) -> int:
        """Return the number of cameras in a state."""
        return sum(camera.state is state for camera in self._all.values())

    def listing(self) -> list[CameraInfo]:
        """Return all cameras in the order in which they were added."""
        return [self.shown(identity) for identity in self._all]

    def shown(self, identity: str) -> CameraInfo:
        """Return what a client may know of a camera."""
        camera = self.get(identity)
        setup = camera.setup
        return CameraInfo(
            id=identity,
            state=camera.state,
            error=camera.error,
            fps=round(camera.fps, 1),
            frames=camera.frames,
            dropped=camera.dropped,
            name=setup.name,
            blur_faces=setup.blur_faces,
            scene=setup.scene,
        )

    def full(self) -> bool:
        """Return whether no more cameras are allowed."""
        return len(self._all) >= MAX_CAMERAS
