"""Download a file: resumable, verified, and renamed to its final name only when complete."""

from __future__ import annotations

import logging
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any, BinaryIO
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ...errors import ModelError
from ..cache import sha256

log = logging.getLogger("posetrack")

TIMEOUT = 20.0  # seconds without data
BLOCK = 1 << 20


def fetch(url: str, target: Path, *, licence: str, expected: str | None = None, token: str | None = None) -> None:
    """Download a file, resuming an earlier attempt from `target.part`; log its size and licence before it starts.

    Args:
        url: of a file that never changes.
        target: local path; its folder is created.
        licence: of the file.
        expected: its sha256; if None, the one that the Hugging Face hub states for large files.
        token: of the user, for this server only; a redirect leads without it.

    Raises:
        ModelError: the file cannot be downloaded or written, or has another sha256.
    """
    part = target.with_name(f"{target.name}.part")
    remedy = f"Try again, or download it yourself and put it at {target}."
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as file:
            stated = _download(url, file, licence, token)
    except HTTPError as error:
        raise ModelError(
            f"Cannot download {url}: the server responded {error.code} {error.reason}. {remedy}"
        ) from error
    except URLError as error:
        raise ModelError(f"Cannot download {url}: {error.reason}. {remedy}") from error
    except (ConnectionError, TimeoutError, HTTPException) as error:
        size = part.stat().st_size / 1e6
        raise ModelError(
            f"The download of {url} stopped after {size:.1f} MB ({error or type(error).__name__}). "
            "Run it again to resume."
        ) from error
    except OSError as error:
        raise ModelError(f"Cannot write {part}: {error.strerror}. Free some space, or set POSETRACK_CACHE.") from error
    expected = expected or stated
    if expected and (digest := sha256(part)) != expected:
        part.unlink()
        raise ModelError(f"{url} is not the file that was published: its sha256 is {digest}, not {expected}. {remedy}")
    part.replace(target)


def _download(url: str, file: BinaryIO, licence: str, token: str | None) -> str | None:
    """Append the missing part; return the sha256 that the hub states in its redirect, if any."""
    redirect = _Redirect()
    have = file.tell()
    headers = {"User-Agent": "posetrack"} | ({"Range": f"bytes={have}-"} if have else {})
    request = Request(url, headers=headers)  # noqa: S310  # a URL of the zoo
    if token:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    try:
        response = build_opener(redirect).open(request, timeout=TIMEOUT)
    except HTTPError as error:
        if error.code != 416:
            raise
        if error.headers.get("Content-Range") == f"bytes */{have}":  # nothing is missing
            return redirect.digest
        file.truncate(file.seek(0))  # the partial file is not a prefix of this file
        return _download(url, file, licence, token)
    with response:
        span = response.headers.get("Content-Range", "")  # bytes 100-199/200
        if have and not span.startswith(f"bytes {have}-"):
            have = file.truncate(file.seek(0))  # the server sends the whole file
        total = span.rpartition("/")[2] or response.headers.get("Content-Length")
        size = f"{int(total) / 1e6:.1f} MB" if total else "of unknown size"
        log.info("Downloading %s: %s, licence %s ...", url, size, licence)
        _copy(response, file, name=url.rsplit("/", 1)[-1], have=have, total=int(total) if total else None)
    return redirect.digest


def _copy(response: IO[bytes], file: BinaryIO, *, name: str, have: int, total: int | None) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    bar = Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal)
    with bar:
        task = bar.add_task(name, total=total, completed=have)
        while block := response.read(BLOCK):
            file.write(block)
            have += len(block)
            bar.update(task, completed=have)
    if total is not None and have < total:
        raise ConnectionError(f"{total / 1e6:.1f} MB were expected")


class _Redirect(HTTPRedirectHandler):
    """Keeps the sha256 that the hub states when it redirects to the storage of a large file."""

    digest: str | None = None

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Any:
        etag = headers.get("X-Linked-ETag", "").strip('"')
        if len(etag) == 64:
            self.digest = etag
        return super().redirect_request(req, fp, code, msg, headers, newurl)
