"""Read and write tracks in any format; find the files of a path, folder or pattern by video name."""

from __future__ import annotations

import dataclasses
import logging
from contextlib import ExitStack
from glob import glob
from pathlib import Path
from typing import Any

from ...errors import OutputError, SourceError, UsageError
from ..partial import Transaction, check_inputs, check_target, scratch_folder, sync
from .libraries import library
from .recording import MAX_RATE, Recording, checked_rate, facts_beside, reading
from .registry import FORMATS, SINGLE, SUFFIXES, Format, format_in, format_of
from .trajectories import Trajectories, from_tracks

log = logging.getLogger("posetrack")


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
        UsageError: the suffix is unknown, or `fps` is invalid.
    """
    path = Path(path)
    if fps is not None and checked_rate(fps) is None:
        raise UsageError(f"fps is {fps}. Give frames per second above 0, at most {MAX_RATE:g}.")
    with reading(path):
        if path.is_char_device():  # endless
            raise SourceError(f"'{path}' is a device. Give a file.")
        format = format_in(path)
        if format.read is None:
            raise UsageError(f"'{path}' holds {format.title}, which can be written but not read. Give another format.")
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
    path: str | Path,
    recording: Recording,
    *,
    to: str | None = None,
    overwrite: bool = False,
    results: Transaction | None = None,
    **options: Any,
) -> list[Path]:
    """Write a file in the given format, or in that of its suffix.

    Args:
        path: of the file.
        recording: the people.
        to: a key of `FORMATS`.
        overwrite: whether an existing result may be replaced.
        results: transaction that gives the files their final names; None: immediately.
        options: of the format.

    Returns:
        The written files.

    Raises:
        OutputError: the file exists or cannot be written, or has no keypoints, which the format needs.
        UsageError: the suffix or the name is unknown, or the format has no such option.
    """
    path = Path(path)
    format = format_of(path, to)
    for option in options:
        if option not in format.options:
            takers = [name for name, other in FORMATS.items() if option in other.options]
            what = "A calibration" if option == "calibration" else "--" + option.replace("_", "-")
            raise UsageError(f"{what} has no effect on {format.title}. Leave it out; it is for {', '.join(takers)}.")
    if not format.boxes and not len(recording.skeleton):
        raise OutputError(f"Cannot write '{path}': there are only boxes. Choose a .txt (MOT), or give poses.")
    check_inputs(path, recording.path)
    check_result(path, format, overwrite=overwrite)
    with ExitStack() as own:
        results = results or own.enter_context(Transaction())
        try:
            folder = scratch_folder(path)
            results.scratch(folder)
            format.write(folder / path.name, recording, **options)
            parts = sorted(folder.iterdir())
            for part in parts:
                sync(part)
        except (OSError, OutputError) as error:
            why = error if isinstance(error, OSError) else error.__cause__
            if not isinstance(why, OSError):
                raise
            raise OutputError(f"Cannot write '{path}': {why.strerror or why}. Choose another place.") from error
        if not parts:
            log.warning("'%s' has no people, and %s is a file for each: none is written.", recording.path, format.title)
        for old in present(path, format):
            results.remove(old)
        for part in parts:
            results.rename(part, path.with_name(part.name))
    return [path.with_name(part.name) for part in parts]


def present(path: Path, format: Format) -> list[Path]:
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
            remedy = (
                "Give another name."
                if foreign
                else "Choose another name, or add --overwrite (in Python overwrite=True)."
            )
            raise OutputError(f"The folder '{path}' exists already and is not empty. {remedy}")
        return check_target(path / "x_keypoints.json" if taken else path.with_name(path.name + ".new"), overwrite=True)
    existing = present(path, format)
    for target in existing or [path]:
        check_target(target, overwrite=overwrite)
    return None


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
        raise SourceError(f"'{where}' contains no .csv, .txt or .json file. Check the path.")
    return files
