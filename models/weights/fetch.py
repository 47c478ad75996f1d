"""Download a file once: resumed where it stopped, verified, and under its name only when it is whole."""

from __future__ import annotations

from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any, BinaryIO
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ...errors import ModelError
from .cache import sha256

TIMEOUT = 20.0  # seconds without a byte
BLOCK = 1 << 20


def fetch(url: str, target: Path, *, expected: str | None = None) -> None:
    """Download a file; what an earlier attempt left in `target.part` is not downloaded again.

    Args:
        url: fixed address of a file that never changes.
        target: its name here; the folder is created.
        expected: its sha256. Where it is not known, the one that the Hugging Face hub tells for its large files counts.

    Raises:
        ModelError: it cannot be had or written, or is not what was expected.
    """
    part = target.with_name(f"{target.name}.part")
    remedy = f"Try again, or download it by hand and put it at {target}."
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as file:
            told = _download(url, file)
    except HTTPError as error:
        raise ModelError(f"Cannot download {url}: the server answers {error.code} {error.reason}. {remedy}") from error
    except URLError as error:
        raise ModelError(f"Cannot download {url}: {error.reason}. {remedy}") from error
    except (ConnectionError, TimeoutError, HTTPException) as error:
        size = part.stat().st_size / 1e6
        raise ModelError(
            f"The download of {url} broke off after {size:.1f} MB ({error or type(error).__name__}). "
            "Run it again; it goes on from there."
        ) from error
    except OSError as error:
        raise ModelError(f"Cannot write {part}: {error.strerror}. Free some space, or set POSETRACK_CACHE.") from error
    expected = expected or told
    if expected and (found := sha256(part)) != expected:
        part.unlink()
        raise ModelError(f"{url} is not the file that was published: its sha256 is {found}, not {expected}. {remedy}")
    part.replace(target)


def _download(url: str, file: BinaryIO) -> str | None:
    """Append what is missing; return the sha256 that the hub tells on the way, if it does."""
    redirect = _Redirect()
    have = file.tell()
    headers = {"User-Agent": "posetrack"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        answer = build_opener(redirect).open(Request(url, headers=headers), timeout=TIMEOUT)  # noqa: S310  # of the zoo
    except HTTPError as error:
        if error.code != 416:
            raise
        if error.headers.get("Content-Range") == f"bytes */{have}":  # nothing is missing
            return redirect.digest
        file.truncate(file.seek(0))  # it is no beginning of this file
        return _download(url, file)
    with answer:
        span = answer.headers.get("Content-Range", "")  # bytes 100-199/200
        if have and not span.startswith(f"bytes {have}-"):
            have = file.truncate(file.seek(0))  # the server begins anew
        total = span.rpartition("/")[2] or answer.headers.get("Content-Length")
        _copy(answer, file, name=url.rsplit("/", 1)[-1], have=have, total=int(total) if total else None)
    return redirect.digest


def _copy(answer: IO[bytes], file: BinaryIO, *, name: str, have: int, total: int | None) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    bar = Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal)
    with bar:
        task = bar.add_task(name, total=total, completed=have)
        while block := answer.read(BLOCK):
            file.write(block)
            have += len(block)
            bar.update(task, completed=have)
    if total is not None and have < total:
        raise ConnectionError(f"{total / 1e6:.1f} MB were announced")


class _Redirect(HTTPRedirectHandler):
    """Keeps the sha256 that the hub tells before it leads to the storage of a large file."""

    digest: str | None = None

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Any:
        etag = headers.get("X-Linked-ETag", "").strip('"')
        if len(etag) == 64:
            self.digest = etag
        return super().redirect_request(req, fp, code, msg, headers, newurl)
