"""Settings of the web app: where it listens, who may use it, and where it keeps uploads."""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass
from pathlib import Path

from ...errors import UsageError
from ..config.run import RunConfig

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})  # names by which a browser on this machine calls it


@dataclass(frozen=True)
class Settings:
    """Settings of the web app.

    Attributes:
        history: folder of uploads and their results.
        run: networks and tracking options.
        host: address to listen on.
        port: 0 takes a free one.
        token: what a client must present; None on the loopback, which only this machine reaches.
        max_upload: bytes of an upload.
        sources: server cameras that are open from the start.
        certificate: PEM file for https; its key beside it in `key`.
        key: PEM file of the certificate's key; None if the certificate has it.
    """

    history: Path
    run: RunConfig
    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    max_upload: int = 4 << 30
    sources: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise UsageError(f"The port is {self.port}. Give a number from 1 to 65535, or 0 for a free port.")
        if self.max_upload <= 0:
            raise UsageError(f"The largest upload is {self.max_upload} bytes. Give a number above 0.")
        for file in (self.certificate, self.key):
            if file is not None and not file.is_file():
                raise UsageError(f"There is no file '{file}'. Give the PEM files of a certificate and its key.")
        if self.key and not self.certificate:
            raise UsageError("--key belongs to a certificate. Add --certificate FILE.")
        if not self.token and not is_loopback(self.host):
            raise UsageError(f"{self.host} can be reached from other machines, which needs a token.")

    @property
    def hosts(self) -> frozenset[str] | None:
        """Names in a request's Host that are accepted; None accepts all, since a token protects the server.

        Without a token, this refuses pages of other sites whose name was pointed at this machine (DNS rebinding).
        """
        return None if self.token else LOOPBACK | {self.host}

    @property
    def cameras(self) -> Path:
        """File of the cameras' names and marks."""
        return self.history / "cameras.json"

    @property
    def scheme(self) -> str:
        """http, or https with a certificate."""
        return "https" if self.certificate else "http"


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def new_token() -> str:
    """Return a token that cannot be guessed."""
    return secrets.token_urlsafe(24)
