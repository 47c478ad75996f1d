"""Read and write tracks in any format; find the files of a path, folder or pattern by video name."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from glob import glob
from pathlib import Path
from typing import Any

from ...errors import OutputError, SourceError, UsageError
from ..partial import check_target, partial_path
from .libraries import library
from .recording import Recording, facts_beside, reading
from .registry import FORMATS, SINGLE, SUFFIXES, Format, format_in, format_of
from .trajectories import Trajectories, from_tracks


def read_recording(
    path: str | Path, *, fps: float | None = None, size: tuple[int, int] | None = None, **options: Any
) -> Recording:
    """Open a file of any format; its frames are read during iteration.

    Size, rate and number of frames come from the sidecar `FILE.json`, if there is one.

    Args:
        path: of a file, or an OpenPose folder.
        fps: frames per second, for files without times.
        size: (width, height) pixels.
        options: of the format's reader; others are ignored.

    Raises:
        SourceError: the file is missing or invalid.
        UsageError: the suffix is unknown.
    """
    path = Path(path)
    with reading(path):
        format = format_in(path)
        recording = format.read(path, **{key: options[key] for key in format.read_options if key in options})
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
    """Write a file in the given format, or in that of its suffix.

    Args:
        path: of the file.
        recording: the people.
        to: a key of `FORMATS`.
        overwrite: whether an existing result may be replaced.
        options: of the format.

    Returns:
        The written files.

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
    """Yield a temporary name and rename the written file on success; on failure it is removed."""
    check_result(path, format, overwrite=overwrite)
    unfinished = partial_path(path)
    _remove(unfinished)
    written: list[Path] = []
    try:
        if format.spread:
            unfinished.mkdir()
            yield unfinished / path.name, written
            parts = sorted(unfinished.iterdir())
        else:
            yield unfinished, written
            parts = [unfinished]
        for old in results(path, format):
            _remove(old)
        for part in parts:
            written.append(part.replace(path.with_name(part.name if format.spread else path.name)))
    except OSError as error:
        raise OutputError(f"Cannot write '{path}': {error.strerror or error}. Choose another place.") from error
    finally:
        _remove(unfinished)


def results(path: Path, format: Format) -> list[Path]:
    """Return the existing files with the names of a result."""
    if format.spread:
        return sorted(path.parent.glob(f"{path.stem}_person*{path.suffix}"))
    return [path] if path.exists() else []


def check_result(path: Path, format: Format, *, overwrite: bool) -> None:
    """Check that a result can be written.

    Raises:
        OutputError: the name is taken, or its folder is not writable.
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
    existing = results(path, format)
    for target in existing or [path]:
        check_target(target, overwrite=overwrite)
    return None


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def find_sequences(where: str) -> dict[str, Path]:
    """Return the files of a path, folder or glob, by the name of their video.

    The name is that of the file without the suffix of its format, `.mot.txt` or `.posetrack18.json`; that of
    `MOT17-02/gt/gt.txt` is `MOT17-02`.

    Raises:
        SourceError: there is no file.
        UsageError: two files belong to one video.
    """
    if Path(where).is_dir():
        found = sorted(Path(where).iterdir())
    else:
        found = [Path(name) for name in sorted(glob(where, recursive=True))] or [Path(where)]  # noqa: PTH207 - absolute
    files: dict[str, Path] = {}
    for path in found:
        beside = path.with_suffix("") in found or path.name.endswith(".csv.json") or path.stem.endswith(".partial")
        if path.suffix not in SINGLE or (beside and len(found) > 1):
            continue
        endings = (".mot.txt", ".posetrack18.json", *SUFFIXES, path.suffix)
        ending = next(ending for ending in endings if path.name.endswith(ending))
        name = path.parents[1].name if path.parts[-2:] == ("gt", "gt.txt") else path.name.removesuffix(ending)
        if name in files:
            raise UsageError(
                f"'{files[name]}' and '{path}' both belong to '{name}'. Name one, or give a pattern: '*.csv'."
            )
        files[name] = path
    if not files:
        raise SourceError(f"'{where}' holds no .csv, .txt or .json file. Check the path.")
    return files
