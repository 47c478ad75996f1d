"""Which formats there are, which one a file has, and which files of two folders belong together."""

from __future__ import annotations

import csv
import dataclasses
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any

from ...errors import OutputError, SourceError, UsageError
from ..partial import check_target, partial_path
from .coco import read_coco, write_coco
from .deeplabcut import read_dlc_csv, read_dlc_h5, write_dlc_csv, write_dlc_h5
from .libraries import library
from .long import COLUMNS, read_long, write_long
from .mmaction import read_mmaction, write_mmaction
from .mot import read_mot, write_mot
from .openpose import read_openpose, write_openpose
from .parquet import read_parquet, write_parquet
from .posetrack18 import read_posetrack18, write_posetrack18
from .recording import Recording, facts_beside
from .sleap import read_sleap, write_sleap
from .table import read_table, write_table
from .trajectories import Trajectories, from_tracks
from .trc import read_trc, write_trc


@dataclass(frozen=True, slots=True)
class Format:
    """A format of files.

    Attributes:
        suffix: of its files' names.
        title: what it is, for people.
        write: `(path, recording, **options)`.
        read: `(path, **options)`.
        boxes: whether boxes without keypoints can be written.
        spread: whether several files are written, into a folder of that name that is then emptied beside it.
        options: names that `write` takes.
        read_options: names that `read` takes.
        needs: modules of the extra `formats`.
    """

    suffix: str
    title: str
    write: Callable[..., None]
    read: Callable[..., Recording]
    boxes: bool = False
    spread: bool = False
    options: tuple[str, ...] = ()
    read_options: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


_GAPS = ("max_gap", "rate", "label")
_SCALE = ("scale",)

FORMATS = {
    "table": Format(".csv", "posetrack's table", write_table, read_table),
    "long": Format(".long.csv", "tidy table, a row a keypoint", write_long, read_long),
    "parquet": Format(".parquet", "posetrack's table as Parquet", write_parquet, read_parquet, needs=("pyarrow",)),
    "mot": Format(".txt", "MOT Challenge boxes", write_mot, read_mot, boxes=True),
    "posetrack18": Format(".json", "PoseTrack18", write_posetrack18, read_posetrack18),
    "coco": Format(".coco.json", "COCO results", write_coco, read_coco),
    "openpose": Format(".openpose", "folder of OpenPose JSON, BODY_25", write_openpose, read_openpose),
    "dlc": Format(".dlc.csv", "DeepLabCut CSV", write_dlc_csv, read_dlc_csv),
    "dlc-h5": Format(".dlc.h5", "DeepLabCut HDF5", write_dlc_h5, read_dlc_h5, needs=("pandas", "tables", "h5py")),
    "sleap": Format(".sleap.h5", "SLEAP analysis HDF5", write_sleap, read_sleap, needs=("h5py",)),
    "trc": Format(".trc", "OpenSim markers", write_trc, read_trc, spread=True, options=_SCALE, read_options=_SCALE),
    "mmaction": Format(".pkl", "MMAction2 and PYSKL skeletons", write_mmaction, read_mmaction, options=_GAPS),
}
_SUFFIXES = sorted({format.suffix for format in FORMATS.values()}, key=len, reverse=True)
_SINGLE = {".csv", ".parquet", ".txt", ".json", ".h5", ".trc", ".pkl"}  # last suffixes of files that can be read


def format_of(path: Path, name: str | None = None) -> Format:
    """Return the format that a file is to be written in: the named one, or that of its suffix.

    Raises:
        UsageError: neither is known.
    """
    if name is not None:
        if name not in FORMATS:
            raise UsageError(f"There is no format '{name}'. Choose one of {', '.join(FORMATS)}.")
        return FORMATS[name]
    suffix = next((suffix for suffix in _SUFFIXES if path.name.lower().endswith(suffix)), None)
    if suffix is None:
        raise UsageError(
            f"'{path}' has the suffix of no format. Choose one of {', '.join(f.suffix for f in FORMATS.values())}."
        )
    return next(format for format in FORMATS.values() if format.suffix == suffix)


def _format_in(path: Path) -> Format:
    """Return the format that a file has; where several have its suffix, its first letters tell."""
    if path.is_dir():
        return FORMATS["openpose"]
    suffix = path.suffix.lower()
    if suffix not in _SINGLE:
        raise UsageError(
            f"'{path}' has the suffix of no format. Give one of {', '.join(sorted(_SINGLE))}, or a folder."
        )
    if suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            header = next(csv.reader(file), [])
        return FORMATS["dlc" if header[:1] == ["scorer"] else "long" if header == list(COLUMNS) else "table"]
    if suffix == ".json":
        with path.open(encoding="utf-8") as file:
            return FORMATS["coco" if file.read(64).lstrip().startswith("[") else "posetrack18"]
    if suffix == ".h5":
        h5py = library("h5py", f"'{path}'")
        with h5py.File(path) as file:
            return FORMATS["sleap" if "tracks" in file else "dlc-h5"]
    return format_of(path)


def read_recording(
    path: str | Path, *, fps: float | None = None, size: tuple[int, int] | None = None, **options: Any
) -> Recording:
    """Open a file of any format; its frames are read when they are iterated over.

    Size, rate and number of frames come from posetrack's `FILE.json` beside it, where there is one.

    Args:
        path: of a file, or an OpenPose folder.
        fps: frames a second, for files without times.
        size: (width, height) pixels.
        options: of the format's reader; others are left out.

    Raises:
        SourceError: the file is missing or something else.
        UsageError: the suffix is unknown.
    """
    path = Path(path)
    try:
        format = _format_in(path)
        recording = format.read(path, **{key: options[key] for key in format.read_options if key in options})
    except FileNotFoundError as error:
        raise SourceError(f"Cannot read '{path}': there is no such file. Check the path.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"Cannot read '{path}': {error}. Give a file of the format that its suffix says.") from error
    facts = {key: value for key, value in facts_beside(path).items() if getattr(recording, key) is None}
    given = {key: value for key, value in (("fps", fps), ("size", size)) if value is not None}
    return dataclasses.replace(recording, **(facts | given))


def read_trajectories(path: str | Path) -> Trajectories:
    """Read a whole file of any format; see `read_recording`."""
    recording = read_recording(path)
    people = from_tracks(recording, skeleton=recording.skeleton)
    return dataclasses.replace(people, labelled=recording.labelled)


def write_recording(
    path: str | Path, recording: Recording, *, to: str | None = None, overwrite: bool = False, **options: Any
) -> list[Path]:
    """Write a file in the named format, or in that of its suffix.

    Args:
        path: of the file.
        recording: the people.
        to: a key of `FORMATS`.
        overwrite: whether what is there may be replaced.
        options: of the format.

    Returns:
        What was written.

    Raises:
        OutputError: the file exists or cannot be written, or the format needs keypoints and there are none.
        UsageError: the suffix or the name is unknown, or the format has no such option.
    """
    path = Path(path)
    format = format_of(path, to)
    for option in options:
        if option not in format.options:
            takers = [name for name, other in FORMATS.items() if option in other.options]
            flag = "--" + option.replace("_", "-")
            raise UsageError(f"{flag} does nothing for {format.title}. Leave it out; it is for {', '.join(takers)}.")
    if not format.boxes and not len(recording.skeleton):
        raise OutputError(f"Cannot write '{path}': there are only boxes. Choose a .txt (MOT), or give poses.")
    if path.exists() and recording.path.exists() and path.samefile(recording.path):
        raise UsageError(f"'{path}' is the source itself. Give the result another name.")
    with _complete(path, format, overwrite=overwrite) as (unfinished, written):
        format.write(unfinished, recording, **options)
    return written


@contextmanager
def _complete(path: Path, format: Format, *, overwrite: bool) -> Iterator[tuple[Path, list[Path]]]:
    """Give a name to write at, and what is there its final name when that went well; what did not is removed."""
    check_result(path, format, overwrite=overwrite)
    unfinished = partial_path(path)
    _remove(unfinished)
    written: list[Path] = []
    try:
        yield unfinished, written
        parts = sorted(unfinished.iterdir()) if format.spread else [unfinished]
        names = [part.name.replace(unfinished.stem, path.stem, 1) for part in parts] if format.spread else [path.name]
        for old in results(path, format):
            _remove(old)
        for part, name in zip(parts, names):
            written.append(part.replace(path.with_name(name)))
    except OSError as error:
        raise OutputError(f"Cannot write '{path}': {error.strerror or error}. Choose another place.") from error
    finally:
        _remove(unfinished)


def results(path: Path, format: Format) -> list[Path]:
    """Return what is there under the names that a result would have."""
    if format.spread:
        return sorted(path.parent.glob(f"{path.stem}_person*{path.suffix}"))
    return [path] if path.exists() else []


def check_result(path: Path, format: Format, *, overwrite: bool) -> None:
    """Refuse a result whose name is taken, whose folder cannot be written to, or whose libraries are missing.

    Raises:
        OutputError: with the path and what to do.
        PosetrackError: a library is missing.
    """
    for module in format.needs:
        library(module, format.title)
    if format is FORMATS["openpose"]:
        taken = path.is_dir() and any(path.iterdir())
        foreign = taken and any(not file.name.endswith("_keypoints.json") for file in path.iterdir())
        if foreign or (taken and not overwrite):
            remedy = "Give another name." if foreign else "Choose another name, or add --overwrite to replace it."
            raise OutputError(f"The folder '{path}' exists already and is not empty. {remedy}")
        return check_target(path / "x_keypoints.json" if taken else path.with_name(path.name + ".new"), overwrite=True)
    there = results(path, format)
    for target in there or [path]:
        check_target(target, overwrite=overwrite)
    return None


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def find_sequences(where: str) -> dict[str, Path]:
    """Return the files that a path, folder or glob stands for, by the name of their video.

    The name is the file's without the suffix of its format, or without `.mot.txt` or `.posetrack18.json`; that of
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
        beside = path.with_suffix("") in found or path.name.endswith(".csv.json") or path.stem.endswith(".partial")
        if path.suffix not in _SINGLE or (beside and len(found) > 1):
            continue
        endings = (".mot.txt", ".posetrack18.json", *_SUFFIXES, path.suffix)
        ending = next(ending for ending in endings if path.name.endswith(ending))
        name = path.parents[1].name if path.parts[-2:] == ("gt", "gt.txt") else path.name.removesuffix(ending)
        if name in files:
            raise UsageError(
                f"'{files[name]}' and '{path}' are both of '{name}'. Name one, or give a pattern: '*.csv'."
            )
        files[name] = path
    if not files:
        raise SourceError(f"'{where}' holds no .csv, .txt or .json file. Check the path.")
    return files
