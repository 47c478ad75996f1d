"""Give all results of a run their final names together, and remove what was temporary."""

from __future__ import annotations

import glob
import os
import shutil
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import BinaryIO, Self

from ...errors import OutputError

HOUR = 3600.0  # seconds after which a folder that nothing changed is what a killed run left


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
        self._always.callback(release, file)

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
            if os.name == "nt":  # Windows renames and removes no open file
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


def release(file: BinaryIO) -> None:
    """Close a claimed file, and remove an empty one."""
    if file.closed:
        return
    with file, suppress(OSError):
        if not os.fstat(file.fileno()).st_size:
            Path(file.name).unlink(missing_ok=True)


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
