"""Files that take their final names only when they are complete: `out.csv` is `out.partial.csv` until then."""

from __future__ import annotations

import errno
import glob
import logging
import os
import shutil
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryFile, mkdtemp
from types import TracebackType
from typing import BinaryIO, Self

from ..errors import OutputError, UsageError

try:
    import fcntl
except ImportError:  # Windows, where an open file can be neither renamed nor removed
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger("posetrack")

KEPT = 5  # unfinished files of earlier runs under one name
HOUR = 3600.0  # seconds after which a folder that nothing changed is what a killed run left


def partial_path(path: Path) -> Path:
    """Return the name of an unfinished file."""
    return path.with_name(f"{path.stem}.partial{path.suffix}")


def sidecar_path(result: str | Path, *, complete: bool = True) -> Path:
    """Return the name of a result's sidecar: that of the result, complete or partial, with .json added."""
    result = Path(result) if complete else partial_path(Path(result))
    return result.with_name(f"{result.name}.json")


def scratch_folder(path: Path) -> Path:
    """Make a hidden folder beside a result, `.out.trc.tmp-XXXXXXXX`, in which it is put together.

    Those that killed runs left are removed.

    Raises:
        OSError: it cannot be made.
    """
    prefix = f".{path.name}.tmp-"
    for left in path.parent.glob(f"{glob.escape(prefix)}*"):
        with suppress(OSError):  # another run may remove it, too
            if time.time() - left.stat().st_mtime > HOUR:
                _remove(left)
    return Path(mkdtemp(dir=path.parent, prefix=prefix))


def check_target(path: Path, *, overwrite: bool) -> None:
    """Check that a result can be written under its final name; create its folder if it is missing.

    Args:
        path: final name of the result.
        overwrite: whether an existing file may be replaced.

    Raises:
        OutputError: the path is no file, exists and may not be replaced, or its folder is not writable.
    """
    check_name(path, overwrite=overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise OutputError(f"Cannot write '{path}': {error.strerror}. Choose a folder that you may write to.") from error


def check_name(path: Path, *, overwrite: bool) -> None:
    """Check that a result may have its final name, in a folder that can be written to.

    Args:
        path: final name of the result.
        overwrite: whether an existing file may be replaced.

    Raises:
        OutputError: the path is a folder or the name of an unfinished file, or exists and may not be replaced.
    """
    if path.is_dir():
        raise OutputError(f"Cannot write '{path}': it is a folder. Give the name of a file.")
    if path.exists() and not path.is_file():
        raise OutputError(f"Cannot write '{path}': it is a device or a pipe. Give the name of a file.")
    if path.stem.endswith(".partial"):
        raise OutputError(f"Cannot write '{path}': such a name is that of an unfinished file. Give another name.")
    if path.exists() and not overwrite:
        raise OutputError(
            f"'{path}' exists already. Choose another name, or add --overwrite (in Python overwrite=True)."
        )


def check_inputs(path: Path, *inputs: str | Path | None) -> None:
    """Check that a result would not replace a file that is read; other spellings and links of its name count, too.

    Args:
        path: final name of the result.
        inputs: names of files; what is none, such as the name of a network, is left out.

    Raises:
        UsageError: it would.
    """
    with suppress(OSError, ValueError):  # no file has such a name
        if not path.exists():
            return
    for name in inputs:
        with suppress(OSError, ValueError):
            if name and Path(name).exists() and path.samefile(name):
                raise UsageError(f"'{path}' is read by this command. Give the result another name.")


class Transaction:
    """Results that get their final names together, when all of them are complete and on the disk.

    After an error, no result gets its name, and all keep their partial files.
    """

    def __init__(self) -> None:
        self._renamed: list[tuple[Path, Path]] = []
        self._removed: list[Path] = []
        self._held: list[BinaryIO] = []
        self._always = ExitStack()

    def rename(self, finished: Path, path: Path) -> None:
        """Give a finished file or folder its final name at the end; what is there is replaced.

        The last one gets its name first: a table that has its name has its sidecar, too.
        """
        self._renamed.append((finished, path))

    def remove(self, path: Path) -> None:
        """Remove a file at the end, unless it is a result; after an error, it stays."""
        self._removed.append(path)

    def hold(self, file: BinaryIO) -> None:
        """Keep a claimed file open until the end, so that no other run takes its name; an empty one is removed."""
        self._held.append(file)
        self._always.callback(_release, file)

    def scratch(self, path: Path) -> None:
        """Remove a file or folder at the end, also after an error."""
        self._always.push(suppress(OSError))  # the result or the error is what matters
        self._always.callback(_remove, path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        path = Path()
        try:
            if fcntl is None:  # Windows renames and removes no open file
                for file in self._held:
                    file.close()
            for finished, path in reversed(self._renamed) if kind is None else ():
                if path.is_dir():
                    _remove(path)
                finished.replace(path)
            results = {path for _, path in self._renamed}
            for path in self._removed if kind is None else ():
                if path not in results:
                    _remove(path)
            for folder in {path.parent for path in results}:
                _sync_names(folder)
        except OSError as failure:
            raise OutputError(f"Cannot write '{path}': {failure.strerror}. Choose another folder.") from failure
        finally:
            self._always.close()


class PartialFile:
    """Write a file in whole blocks of bytes and give it its final name on success.

    Blocks are unbuffered: a crash of this process keeps all blocks written before it. If an exception leaves the `with`
    block, the file keeps its partial name.

    Args:
        path: final name; its folder is created if it is missing.
        overwrite: whether an existing file may be replaced.
        results: gives the file its name; None gives it at the end of the `with` block.

    Raises:
        OutputError: the final name is taken, another run is writing the file, or it cannot be written.
    """

    def __init__(self, path: str | Path, *, overwrite: bool = False, results: Transaction | None = None) -> None:
        self.path = Path(path)
        self.partial = partial_path(self.path)
        check_target(self.path, overwrite=overwrite)
        self._results = results
        self._file: BinaryIO | None = None
        self._size = 0  # bytes of whole blocks

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = claim(self.path)
        except OSError as error:
            raise self._explained(error) from error
        if self._results:
            self._results.hold(self._file)
        return self

    def write(self, block: bytes) -> None:
        """Append one block; a block that fails is removed again."""
        assert self._file is not None, "write inside the with block"
        try:
            rest = memoryview(block)
            while rest:
                rest = rest[self._file.write(rest) :]
        except BaseException as error:
            with suppress(OSError):
                self._file.truncate(self._size)
                self._file.seek(self._size)
            if isinstance(error, OSError):
                raise self._explained(error) from error
            raise
        self._size += len(block)

    def clear(self) -> None:
        """Remove all blocks."""
        assert self._file is not None, "clear inside the with block"
        self._file.truncate(0)
        self._file.seek(0)
        self._size = 0

    def finish(self) -> BinaryIO:
        """Flush all blocks to the disk (fsync), and return the open file, which still has its partial name."""
        assert self._file is not None, "finish inside the with block"
        file, self._file = self._file, None
        try:
            os.fsync(file.fileno())  # reports a full disk, too, where the system writes later
            found = file.seek(0, os.SEEK_END)
            if found != self._size:
                raise OSError(errno.EIO, f"the file has {found} instead of {self._size} bytes")
        except OSError as error:
            file.close()
            raise self._explained(error) from error
        return file

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is None:
            return
        if kind is not None:
            with suppress(OSError):  # the first error is the one to report
                self._file.close()
            self._file = None
            return
        file = self.finish()
        with ExitStack() as own:
            results = self._results or own.enter_context(Transaction())
            if results is not self._results:
                results.hold(file)
            results.rename(self.partial, self.path)

    def _explained(self, error: OSError) -> OutputError:
        """Return the error as a sentence with a remedy."""
        reason = error.strerror or str(error)
        remedy = "Choose a folder that you may write to."
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            remedy = f"Free some space or choose another disk; what was written stays in '{self.partial}'."
        elif os.name == "nt" and error.errno == errno.EACCES:
            remedy = "Close the program that has it open, or choose a folder that you may write to."
        return OutputError(f"Cannot write '{self.path}': {reason}. {remedy}")


def claim(path: Path) -> BinaryIO:
    """Create the partial file of a result and lock it against other runs until it is closed.

    The file is always a new one, never the target of a link. The partial file of an earlier run is kept.

    Args:
        path: final name of the result.

    Returns:
        The empty file, unbuffered.

    Raises:
        OutputError: another run is writing the file.
        OSError: the file cannot be created.
    """
    partial = partial_path(path)
    while True:
        try:
            file = partial.open("xb", buffering=0)
        except FileExistsError:
            _keep_earlier(path)
            continue
        with suppress(FileNotFoundError):
            if _lock(file.fileno()) and os.path.samestat(os.fstat(file.fileno()), partial.stat()):
                return file
        file.close()  # another run took the name before the lock


def _keep_earlier(path: Path) -> None:
    """Move an earlier run's partial file and its sidecar to a numbered name: `out.1.partial.csv`.

    An empty one is removed. `KEPT` are kept, the next one in the place of the oldest.

    Raises:
        OutputError: another run is writing the file.
    """
    partial = partial_path(path)
    names = [partial_path(path.with_name(f"{path.stem}.{number}{path.suffix}")) for number in range(1, KEPT + 1)]
    kept = next((name for name in names if not os.path.lexists(name)), None)
    last = "" if kept else f", in the place of the oldest of {KEPT}"
    kept = kept or min(names, key=lambda name: name.lstat().st_mtime)
    with ExitStack() as stack:
        descriptor = _opened(partial)
        if descriptor is not None:
            stack.callback(os.close, descriptor)
        free = descriptor is None or _lock(descriptor)
        try:
            if free and not partial.lstat().st_size:
                partial.unlink()
                return
            if free:
                partial.replace(kept)
        except FileNotFoundError:
            return
        except PermissionError:
            free = False
        if not free:
            raise OutputError(
                f"Cannot write '{path}': another run is writing '{partial}'. Wait for its end, or give another name."
            )
    sidecar, beside = sidecar_path(path, complete=False), kept.with_name(f"{kept.name}.json")
    try:
        sidecar.replace(beside)
    except FileNotFoundError:
        beside.unlink(missing_ok=True)  # of the oldest
    log.warning("The unfinished '%s' of an earlier run is kept as '%s'%s.", partial, kept.name, last)


def _opened(partial: Path) -> int | None:
    """Open a file to ask for its lock; None where there are no locks, or for a link, which is no run's file."""
    if fcntl is None:
        return None
    try:
        return os.open(partial, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None


def _lock(descriptor: int) -> bool:
    """Lock an open file for this process, and return whether no other process holds the lock."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def sync(path: Path) -> None:
    """Flush a finished file to the disk (fsync); of a folder, its directory entries.

    Raises:
        OSError: the disk is full or broken.
    """
    if path.is_dir():
        return _sync_names(path)
    with path.open("rb+") as file:
        os.fsync(file.fileno())
    return None


def _release(file: BinaryIO) -> None:
    if file.closed:
        return
    with file, suppress(OSError):
        if not os.fstat(file.fileno()).st_size:
            Path(file.name).unlink(missing_ok=True)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sync_names(folder: Path) -> None:
    """Flush the directory entries of a folder to the disk, where the system offers that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
