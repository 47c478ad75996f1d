"""All formats, and the format of a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...errors import UsageError
from .c3d import write_c3d
from .coco import read_coco, write_coco
from .csv_rows import header_of
from .deeplabcut import read_dlc_csv, read_dlc_h5, write_dlc_csv, write_dlc_h5
from .libraries import library
from .long import read_long, write_long
from .mmaction import read_mmaction, write_mmaction
from .mot import read_mot, write_mot
from .openpose import read_openpose, write_openpose
from .parquet import read_parquet, write_parquet
from .posetrack18 import read_posetrack18, write_posetrack18
from .recording import Recording
from .sleap import read_sleap, write_sleap
from .table import read_table, write_table
from .trc import read_trc, write_trc


@dataclass(frozen=True, slots=True)
class Format:
    """A file format.

    Attributes:
        suffix: of its files.
        title: name in messages.
        write: `(path, recording, **options)`.
        read: `(path, **options)`; None if the format is only written.
        boxes: whether boxes without keypoints can be written.
        spread: whether several files are written, one per person.
        options: of `write`.
        read_options: of `read`.
        needs: required modules of the extra `formats`.
    """

    suffix: str
    title: str
    write: Callable[..., None]
    read: Callable[..., Recording] | None = None
    boxes: bool = False
    spread: bool = False
    options: tuple[str, ...] = ()
    read_options: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


_GAPS = ("max_gap", "rate", "label")
_CALIBRATION = ("calibration",)

FORMATS = {
    "table": Format(".csv", "posetrack's table", write_table, read_table),
    "long": Format(".long.csv", "tidy table, one row per keypoint", write_long, read_long),
    "parquet": Format(".parquet", "posetrack's table as Parquet", write_parquet, read_parquet, needs=("pyarrow",)),
    "mot": Format(".txt", "MOT Challenge boxes", write_mot, read_mot, boxes=True),
    "posetrack18": Format(".json", "PoseTrack18", write_posetrack18, read_posetrack18),
    "coco": Format(".coco.json", "COCO results", write_coco, read_coco),
    "openpose": Format(".openpose", "folder of OpenPose JSON, BODY_25", write_openpose, read_openpose),
    "dlc": Format(".dlc.csv", "DeepLabCut CSV", write_dlc_csv, read_dlc_csv),
    "dlc-h5": Format(".dlc.h5", "DeepLabCut HDF5", write_dlc_h5, read_dlc_h5, needs=("pandas", "tables", "h5py")),
    "sleap": Format(".sleap.h5", "SLEAP analysis HDF5", write_sleap, read_sleap, needs=("h5py",)),
    "trc": Format(
        ".trc", "OpenSim markers", write_trc, read_trc, spread=True, options=_CALIBRATION, read_options=("scale",)
    ),
    "c3d": Format(".c3d", "C3D markers", write_c3d, spread=True, options=_CALIBRATION, needs=("ezc3d",)),
    "mmaction": Format(".pkl", "MMAction2 and PYSKL skeletons", write_mmaction, read_mmaction, options=_GAPS),
}
SUFFIXES = sorted({format.suffix for format in FORMATS.values()}, key=len, reverse=True)
SINGLE = {".csv", ".parquet", ".txt", ".json", ".h5", ".trc", ".pkl"}  # last suffixes of readable files


def format_of(path: Path, name: str | None = None) -> Format:
    """Return the format of a file to write: the named one, or that of its suffix.

    Raises:
        UsageError: the name or the suffix is unknown.
    """
    if name is not None:
        if name not in FORMATS:
            raise UsageError(f"There is no format '{name}'. Choose one of {', '.join(FORMATS)}.")
        return FORMATS[name]
    file = path.name.lower()
    suffix = next((suffix for suffix in SUFFIXES if file.endswith(suffix)), None)
    if suffix is None:
        raise UsageError(
            f"'{path}' has an unknown suffix. Choose one of {', '.join(f.suffix for f in FORMATS.values())}."
        )
    return next(format for format in FORMATS.values() if format.suffix == suffix)


def format_in(path: Path) -> Format:
    """Return the format of an existing file, by its suffix and, if that is ambiguous, its first bytes.

    Raises:
        UsageError: the suffix is that of no format.
    """
    if path.is_dir():
        return FORMATS["openpose"]
    suffix = path.suffix.lower()
    if suffix not in {*SINGLE, FORMATS["c3d"].suffix}:
        raise UsageError(
            f"'{path}' has an unknown suffix. Give one of {', '.join(sorted(SINGLE))}, or a folder; of a video, write "
            "a table first: posetrack VIDEO --csv FILE."
        )
    if suffix == ".csv":
        header = header_of(path)
        return FORMATS["dlc" if header[:1] == ["scorer"] else "long" if {"keypoint", "x", "y"} & {*header} else "table"]
    if suffix == ".json":
        with path.open("rb") as file:
            return FORMATS["coco" if file.read(64).lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"[") else "posetrack18"]
    if suffix == ".h5":
        h5py = library("h5py", f"'{path}'")
        with h5py.File(path) as file:
            return FORMATS["sleap" if "tracks" in file else "dlc-h5"]
    return format_of(path)
