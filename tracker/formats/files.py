"""Which format a file has, and which files of two folders belong together."""

from __future__ import annotations

from glob import glob
from pathlib import Path

from ...errors import OutputError, SourceError, UsageError
from ..partial import PartialFile
from .mot import mot_text, read_mot
from .posetrack18 import posetrack18_text, read_posetrack18
from .table import read_table
from .trajectories import Trajectories

_READERS = {".csv": read_table, ".txt": read_mot, ".json": read_posetrack18}
_WRITERS = {".txt": mot_text, ".json": posetrack18_text}
_ENDINGS = (".mot.txt", ".posetrack18.json", ".txt", ".json", ".csv")


def read_trajectories(path: str | Path) -> Trajectories:
    """Read a table of ours (.csv), a MOT file (.txt) or a PoseTrack18 file (.json).

    Raises:
        SourceError: the file is missing or something else.
        UsageError: the suffix is unknown.
    """
    path = Path(path)
    if path.suffix not in _READERS:
        raise UsageError(f"'{path}' is none of the formats .csv (ours), .txt (MOT) and .json (PoseTrack18).")
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise SourceError(f"Cannot read '{path}': there is no such file. Check the path.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"Cannot read '{path}': {error}. Give a .csv, .txt or .json file.") from error
    return _READERS[path.suffix](text, path)


def write_trajectories(path: str | Path, people: Trajectories, *, overwrite: bool = False) -> None:
    """Write a MOT file (.txt) or a PoseTrack18 file (.json).

    Raises:
        OutputError: the file exists or cannot be written, or the format needs keypoints and there are none.
        UsageError: the suffix is unknown.
    """
    path = Path(path)
    if path.suffix not in _WRITERS:
        raise UsageError(f"'{path}' is neither .txt (MOT) nor .json (PoseTrack18). Choose one of them.")
    if path.suffix == ".json" and not len(people.skeleton):
        raise OutputError(f"Cannot write '{path}': there are only boxes. Choose a .txt (MOT), or give poses.")
    with PartialFile(path, overwrite=overwrite) as file:
        file.write(_WRITERS[path.suffix](people).encode())


def find_sequences(where: str) -> dict[str, Path]:
    """Return the files that a path, folder or glob stands for, by the name of their video.

    The name is the file's without `.csv`, `.txt`, `.json`, `.mot.txt` or `.posetrack18.json`; that of
    `MOT17-02/gt/gt.txt` is `MOT17-02`.

    Raises:
        SourceError: there is none.
        UsageError: two files are of one video.
    """
    if Path(where).is_dir():
        found = sorted(Path(where).iterdir())
    else:
        found = [Path(name) for name in sorted(glob(where, recursive=True))] or [Path(where)]  # noqa: PTH207 - absolute
    files: dict[str, Path] = {}
    for path in found:
        beside = path.name.endswith(".csv.json") or path.stem.endswith(".partial")
        if path.suffix not in _READERS or (beside and len(found) > 1):
            continue
        ending = next(ending for ending in _ENDINGS if path.name.endswith(ending))
        name = path.parents[1].name if path.parts[-2:] == ("gt", "gt.txt") else path.name.removesuffix(ending)
        if name in files:
            raise UsageError(
                f"'{files[name]}' and '{path}' are both of '{name}'. Name one, or give a pattern: '*.csv'."
            )
        files[name] = path
    if not files:
        raise SourceError(f"'{where}' holds no .csv, .txt or .json file. Check the path.")
    return files
