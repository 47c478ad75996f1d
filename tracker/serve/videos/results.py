"""The results of a job: the files of its run, and its table in every format."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ...formats.files import read_recording, write_recording
from ...formats.registry import FORMATS

FILES = {
    "save": "tracked.mp4",
    "csv": "tracked.csv",
    "features": "features.csv",
    "events": "events.csv",
    "report": "report.html",
}
TITLES = {
    "report": "Report",
    "save": "Annotated video",
    "csv": "Keypoint table",
    "features": "Joint angles and speeds",
    "events": "Events",
}
CONVERTED = {name: format for name, format in FORMATS.items() if name != "table"}


@dataclass(frozen=True, slots=True)
class Result:
    """A result of a job: its name in the API, its title, and the name of its file."""

    name: str
    title: str
    file: str


def listing(folder: Path) -> list[Result]:
    """Return the results of a complete job."""
    files = [Result(name, TITLES[name], FILES[name]) for name in TITLES if (folder / FILES[name]).exists()]
    made = [
        Result(name, format.title[0].upper() + format.title[1:], f"tracked{format.suffix}")
        for name, format in CONVERTED.items()
    ]
    return files + made


def convert(folder: Path, name: str) -> Path:
    """Write the table of a job in another format; several files become one zip.

    Args:
        folder: of the results.
        name: key of `CONVERTED`.

    Returns:
        A file in a new temporary folder, which the caller deletes.

    Raises:
        PosetrackError: the format cannot hold these tracks, or a library is missing.
    """
    scratch = Path(tempfile.mkdtemp(prefix="convert-", dir=folder))
    try:
        recording = read_recording(folder / FILES["csv"])
        written = write_recording(scratch / f"tracked{CONVERTED[name].suffix}", recording, to=name)
        files = [file for path in written for file in ([path] if path.is_file() else sorted(path.iterdir()))]
        if len(files) == 1:
            return files[0]
        target = scratch / f"tracked{CONVERTED[name].suffix}.zip"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(file, file.relative_to(scratch))
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    return target
