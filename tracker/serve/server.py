"""Listen, load the networks, serve until Ctrl-C."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import numpy as np
import uvicorn

from ...errors import UsageError
from ..load import assemble
from ..pipeline import Pipeline
from .app import create_app
from .cameras.registry import Cameras
from .cameras.setup import cameras_to_open, read_setups
from .live.routes import MAX_IMAGE
from .settings import Settings

LINGER = 2  # seconds that open connections get at the end


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Serve the web app until Ctrl-C.

    Args:
        settings: of the server.
        say: takes the lines for the user.

    Raises:
        UsageError: the address cannot be listened on, or another server uses the history.
        PosetrackError: the networks cannot be loaded.
    """
    with _listening(settings) as listener:
        cameras = cameras_to_open(read_setups(settings.cameras), settings.sources)
        sources = max(1, len(cameras))  # cameras share the cores; a live page alone has them all, for latency
        pipeline = assemble(settings.run.networks, settings.run.tracking, sources=sources)
        pipeline.session()(np.zeros((480, 640, 3), np.uint8))  # compiles, which would delay the first client
        server = make_server(settings, pipeline)
        for line in welcome(settings, listener.getsockname()[1]):
            say(line)
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


class Server(uvicorn.Server):
    """A server that ends the endless answers, which are those of cameras, before it waits for open connections.

    Args:
        config: of the server.
        cameras: of the app.
    """

    def __init__(self, config: uvicorn.Config, cameras: Cameras) -> None:
        super().__init__(config)
        self._cameras = cameras

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End on the first signal; a second one would skip the end of the app, and the first is obeyed in seconds."""
        if not self.should_exit:
            super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close all connections."""
        self._cameras.stop()
        await super().shutdown(sockets)


def make_server(settings: Settings, pipeline: Pipeline) -> Server:
    """Return the server of the app; `run(sockets=[...])` starts it."""
    app = create_app(settings, pipeline)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        ws_max_size=MAX_IMAGE,
        ws_max_queue=2,  # frames that wait are old
        ws_per_message_deflate=False,  # images are compressed already
        timeout_graceful_shutdown=LINGER,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.key,
        server_header=False,
    )
    return Server(config, app.state.cameras)


def welcome(settings: Settings, port: int) -> list[str]:
    """Return the lines that say where the app is; the only place where the token is shown."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"{settings.scheme}://{host}:{port}/"
    lines = [f"posetrack serves {address}{f'?token={settings.token}' if settings.token else ''} until Ctrl-C."]
    if settings.token:
        lines.append("Anyone with this link can use the server. It is shown once.")
        if settings.scheme == "http":
            lines.append("Without --certificate, other machines get no webcam from their browser, and no encryption.")
    return lines


def _listening(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        raise UsageError(
            f"Cannot listen on {settings.host}, port {settings.port}: {error.strerror or error}. Give another --host "
            "or --port."
        ) from error
