"""What is asked of a store: list its files, fetch a file, put a file. Requests that fail are repeated."""

from __future__ import annotations

import errno
import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from ...errors import OutputError, PosetrackError, SourceError, UsageError
from ...installation import library
from ..video.address import redact_error
from ..video.place import Remote

log = logging.getLogger("posetrack")

PAUSES = (1.0, 4.0, 10.0)  # seconds before a request is repeated
MOST = 1_000_000  # files of a listing
_FOLDERS, _DEPTH = 50_000, 32  # of a listing: a web page may link to itself under new names
# Object stores list all files below a prefix at once, and a file is there when all of it is. In other stores, a file
# gets its name by renaming.
_OBJECTS = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oss", "oci"})
_TIMES = ("LastModified", "mtime", "last_modified", "updated", "created")  # of the last change, by store
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REFUSED = range(400, 500)  # statuses of HTTP that another try does not change
_BUSY = (408, 429)

T = TypeVar("T")


def place_of(address: str) -> Remote:
    """Return the place that an address names.

    Raises:
        UsageError: the address of a bucket has a password, with which no store is opened.
        PosetrackError: fsspec, or its package for this kind of store, is missing, or there is no such kind.
    """
    scheme, _, rest = address.partition("://")
    if scheme.lower() in _OBJECTS and ":" in rest.partition("/")[0].removeprefix("arn:"):
        raise UsageError(f"'{scheme}://***' has a password. Give credentials by the environment; see docs/buckets.md.")
    return Remote(address, _opened(Remote(address, ""))[1])


def look(place: Remote) -> Remote | None:
    """Return a file with what its store states about it; None if there is no file.

    Raises:
        PosetrackError: the store does not answer, or refuses.
    """

    def ask(store: Any) -> Mapping[str, Any]:
        store.invalidate_cache()
        return store.info(place.path)

    try:
        info = _tried(ask, place, "read")
    except SourceError:
        return None
    return _stated(place, info) if _is_file(info) else None


def files(place: Remote) -> list[Remote]:
    """Return all files below a folder, or of a pattern with `*`, sorted; none if there is no such folder.

    Raises:
        UsageError: there are more than `MOST` files, or no end of folders.
        PosetrackError: the store does not answer, or refuses.
    """

    def listed(store: Any) -> dict[str, Mapping[str, Any]]:
        store.invalidate_cache()
        if "*" in place.path:
            return store.glob(place.path, detail=True)
        return store.find(place.path, detail=True) if place.scheme in _OBJECTS else dict(_walked(store, place))

    try:
        found = _tried(listed, place, "list")
    except SourceError:
        return []
    if len(found) > MOST:
        raise _too_many(place)
    return [_stated(Remote(place.store, name), found[name]) for name in sorted(found) if _is_file(found[name])]


def fetch(place: Remote, folder: Path) -> Path:
    """Copy a file of a store into a folder, and return its path there, which does not depend on the file's name.

    Raises:
        SourceError: there is no such file.
        OutputError: the disk has no room for it.
        PosetrackError: the store does not answer or refuses, or the file is not complete.
    """
    free = shutil.disk_usage(folder).free
    if place.size is not None and place.size > free:
        raise _full(place, f"it has {place.size / 1e6:.0f} MB, and {free / 1e6:.0f} MB are free")
    suffix = PurePosixPath(place.path).suffix
    path = folder / f"source{suffix if suffix[1:].isalnum() else ''}"

    def copy(store: Any) -> None:
        store.get_file(place.path, str(path))
        size = path.stat().st_size
        if place.size not in (None, size):
            raise OSError(f"{size} bytes of {place.size} arrived")

    _tried(copy, place, "read")
    return path


def put(path: Path, place: Remote) -> None:
    """Copy a file to a place in a store, where it appears as a whole; what was there is replaced.

    Raises:
        OutputError: the store does not answer, or refuses.
    """
    whole = place.scheme in _OBJECTS
    part = place.path if whole else f"{place.parent.path}/.{place.name}.partial"

    def copy(store: Any) -> None:
        if whole:
            store.put_file(str(path), part)
            return
        store.makedirs(place.parent.path, exist_ok=True)
        try:
            store.put_file(str(path), part)
            store.mv(part, place.path)
        except BaseException:
            with suppress(Exception):  # the first error is the one to report
                store.rm_file(part)
            raise

    try:
        _tried(copy, place, "write")
    except OutputError:
        raise
    except PosetrackError as error:
        raise OutputError(str(error)) from None


def _tried(request: Callable[[Any], T], place: Remote, what: str) -> T:
    """Return what a request answers, repeated while the store or the network fails.

    Raises:
        SourceError: there is nothing at the place to read.
        OutputError: the disk is full, or there is no bucket or folder to write to.
        PosetrackError: the store does not answer, or refuses.
    """
    store, _ = _opened(place)
    for pause in (*PAUSES, None):
        try:
            return request(store)
        except PosetrackError:
            raise
        except FileNotFoundError:
            raise _missing(place, what) from None
        except Exception as error:  # each store has errors of its own
            if isinstance(error, OSError) and error.errno in _FULL:
                raise _full(place, "no room is left") from None
            status = getattr(error, "status", None)
            # Raised from None: the text of the error may hold a signed address.
            if isinstance(error, PermissionError) or (status in _REFUSED and status not in _BUSY):
                why = f"status {status}" if status else "no permission"
                raise PosetrackError(
                    f"Cannot {what} '{place}': {why}. Give this machine the store's credentials; see docs/buckets.md."
                ) from None
            why = redact_error(f"{type(error).__name__}: {error}".strip(": ").splitlines()[0], [place.store])
            if pause is None:
                raise PosetrackError(
                    f"Cannot {what} '{place}': {why}. It was tried {len(PAUSES) + 1} times. Check the network and the "
                    "credentials, and run it again."
                ) from None
            log.warning("Cannot %s '%s': %s. It is tried again in %g s.", what, place, why, pause)
        time.sleep(pause)
    raise AssertionError("the last try returns or raises")


def _opened(place: Remote) -> tuple[Any, str]:
    """Return the file system of fsspec for a store, and the path that its address names there."""
    fsspec = library("fsspec", f"'{place.scheme}://'", extra="remote")
    options: dict[str, Any] = {}
    try:
        if place.scheme in ("http", "https"):
            aiohttp = library("aiohttp", f"'{place.scheme}://'", extra="remote")
            wait = aiohttp.ClientTimeout(total=None, sock_connect=30.0, sock_read=60.0)  # a long video takes its time
            options = {"client_kwargs": {"timeout": wait}}
        elif place.scheme in ("s3", "s3a"):
            # s3fs and this module repeat requests; if botocore did too, a silent server would take 26 minutes.
            options = {"config_kwargs": {"retries": {"total_max_attempts": 1}}}
        store, path = fsspec.url_to_fs(place.store, **options)
    except ImportError as error:
        package = getattr(error.__cause__, "name", None) or str(error)
        raise PosetrackError(
            f"'{place.scheme}://' needs {package}. Install it: pip install 'posetrack[remote]' {package}."
        ) from None
    except ValueError as error:
        kinds = "s3, gs, abfs, sftp, smb, http and https"
        why = redact_error(str(error), [place.store])
        raise UsageError(
            f"'{place.scheme}://' names no store that fsspec opens ({why}). It opens {kinds}, among others."
        ) from None
    return store, path


def _walked(store: Any, place: Remote) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the files of a store with folders, or of a server's pages."""
    count = 0
    for number, (_, _, found) in enumerate(
        store.walk(place.path, maxdepth=_DEPTH, detail=True, on_error="raise"),
    ):
        count += len(found)
        if number >= _FOLDERS or count > MOST:
            raise _too_many(place)
        yield from ((info["name"], info) for info in found.values())


def _is_file(info: Mapping[str, Any]) -> bool:
    return info.get("type", "file") == "file"


def _stated(place: Remote, info: Mapping[str, Any]) -> Remote:
    """Return a place with the size, time and version that its store states."""
    time = next((info[key] for key in _TIMES if info.get(key)), None)
    if isinstance(time, str):
        with suppress(ValueError):
            time = datetime.fromisoformat(time)
    mtime = time.timestamp() if isinstance(time, datetime) else time if isinstance(time, int | float) else None
    etag = info.get("ETag") or info.get("etag")
    version = str(etag).strip('"') if etag else None
    return Remote(place.store, place.path, listed=True, size=info.get("size"), mtime=mtime, etag=version)


def _missing(place: Remote, what: str) -> PosetrackError:
    if what == "write":
        return OutputError(f"Cannot write '{place}': there is no such bucket or folder. Create it, or give another.")
    return SourceError(f"There is no '{place}'. Check the address and your permissions.")


def _full(place: Remote, why: str) -> OutputError:
    return OutputError(
        f"Cannot fetch '{place}': {why}. Free some space in the temporary folder, or set TMPDIR to another disk."
    )


def _too_many(place: Remote) -> UsageError:
    return UsageError(f"'{place}' has more than {MOST:,} files, or no end of folders. Name a folder below it.")
