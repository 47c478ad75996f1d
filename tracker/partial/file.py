"""Write a result in whole blocks, under its unfinished name."""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from ...errors import OutputError
from .claim import claim
from .names import check_target, partial_path
from .transaction import Transaction, release


class PartialFile:
    """Write a file in whole blocks of bytes and give it its final name on success.

    Blocks are unbuffered: a crash of this process keeps all blocks written before it. If an exception leaves the `with`
    block, the file keeps its partial name; an empty one is removed.

    Args:
        path: final name; its folder is created if it is missing.
        header: first block, which `clear` keeps.
        overwrite: whether an existing file may be replaced.
        results: gives the file its name; None gives it at the end of the `with` block.

    Raises:
        OutputError: the final name is taken, another run is writing the file, or it cannot be written.
    """

    def __init__(
        self, path: str | Path, *, header: str = "", overwrite: bool = False, results: Transaction | None = None
    ) -> None:
        self.path = Path(path)
        self.partial = partial_path(self.path)
        check_target(self.path, overwrite=overwrite)
        self._header, self._results = header.encode(), results
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
        try:
            self.write(self._header)
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
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
        """Remove all blocks but the header."""
        assert self._file is not None, "clear inside the with block"
        self._file.truncate(0)
        self._file.seek(0)
        self._size = 0
        self.write(self._header)

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
                release(self._file)
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
            stays = f"; what was written stays in '{self.partial}'" if self._size else ""
            remedy = f"Free some space or choose another disk{stays}."
        elif os.name == "nt" and error.errno == errno.EACCES:
            remedy = "Close the program that has it open, or choose a folder that you may write to."
        return OutputError(f"Cannot write '{self.path}': {reason}. {remedy}")
