"""Write the tracks of a run in any format: as our CSV during the run, converted at its end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from ...errors import OutputError, PosetrackError
from ...models.geometry.keypoints import Skeleton
from ..partial import Transaction, sidecar_path
from ..types import Tracks
from .files import check_result, write_recording
from .registry import FORMATS, format_of
from .table import CsvSink, read_table


def working_table(path: Path) -> Path:
    """Return the path of the CSV that a run writes for a result: `out.trc.csv` for `out.trc`."""
    return path if format_of(path) is FORMATS["table"] else path.with_name(f"{path.name}.csv")


class ConvertingSink(CsvSink):
    """Write the tracks of a run in another format than our CSV.

    The CSV never has a final name: an interrupted run leaves it under its partial name, and `posetrack convert` reads
    it.

    Args:
        path: of the result; its suffix is the format.
        skeleton: of the keypoints.
        size: (width, height) pixels.
        fps: nominal frames per second; None if unknown.
        overwrite: whether an existing result may be replaced.
        results: gives the result its name; None gives it at the end of the `with` block.
        options: gives the options of the format, at the end.

    Raises:
        OutputError: the name is taken or the file cannot be written.
        UsageError: the suffix is unknown.
    """

    def __init__(
        self,
        path: Path,
        *,
        skeleton: Skeleton,
        size: tuple[int, int],
        fps: float | None,
        overwrite: bool = False,
        results: Transaction | None = None,
        options: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        check_result(path, format_of(path), overwrite=overwrite)
        super().__init__(working_table(path), skeleton=skeleton, overwrite=True)
        self._target, self._overwrite, self._options, self._results = path, overwrite, options, results
        self._size, self._fps, self._num_frames = size, fps, 0

    def write_rows(self, index: int, time: float, tracks: Tracks) -> None:
        """Append the rows of one frame, given its number and time in seconds."""
        self._num_frames = max(self._num_frames, index + 1)
        super().write_rows(index, time, tracks)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            return super().__exit__(kind, error, trace)
        name = self._target.with_name(self._target.stem)  # for the names of files and sequences
        with ExitStack() as own:
            results = self._results or own.enter_context(Transaction())
            results.hold(self._file.finish())
            try:
                table = read_table(self.partial)
                found = replace(table, path=name, size=self._size, fps=self._fps, num_frames=self._num_frames)
                write_recording(self._target, found, overwrite=self._overwrite, results=results, **self._options())
            except PosetrackError as failure:
                raise OutputError(f"{failure} The tracks are in '{self.partial}'.") from failure
            results.remove(self.partial)
            results.remove(sidecar_path(self.path, complete=False))
        return None
