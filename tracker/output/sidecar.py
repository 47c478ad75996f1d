"""What a reader of the CSV has to know about the run that made it: `out.csv.json` beside `out.csv`."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from ...models.geometry.keypoints import Skeleton
from ...version import __version__
from ..formats.table_writer import columns
from ..partial import PartialFile, Transaction, partial_path, sidecar_path

NAMES = "backslashreplace"  # JSON's own escape of file names that are not UTF-8
OPENCV_NAMES = ("opencv-python", "opencv-contrib-python", "opencv-python-headless", "opencv-contrib-python-headless")


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """A network that took part: its name, the sha256 of its weights, and what computed it (None where nothing did)."""

    name: str
    sha256: str | None = None
    runtime: str | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the source's frames; `last` is the number of the last one read."""

    read: int = 0
    dropped: int = 0
    failed: int = 0
    last: int | None = None


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One run, as its sidecar tells it.

    Attributes:
        skeleton: of the keypoints' columns.
        source: path or address, without its credentials.
        size: (width, height) of the displayed frame in pixels.
        fps: nominal frames a second of the source; None where unknown. The truth is in the column `time_s`.
        fps_guessed: nothing in the source says so.
        model: the pose network.
        detector: the person detector.
        device: the one that was really used.
        config: the resolved options.
        counts: of frames.
        complete: whether the source was read to its end.
        refined: whether the rows are those of `--refine`; without it, they are as they were tracked online.
        size_changes: `frame`, `time_s`, `width` and `height` where another size begins; pixels are those of the frame.
        gaps: `from_s`, `to_s` and `seconds` of the times in which a live source was lost, in the time of the table.
        latency_ms: `median` and `p95` from a live frame's capture to its output; None where the source is a file.
        looks: in how many frames people were detected, followed without that, or only expected.
    """

    skeleton: Skeleton
    source: str
    size: tuple[int, int]
    fps: float | None
    model: NetworkFacts
    detector: NetworkFacts
    device: str
    config: Mapping[str, Any]
    counts: Counts
    complete: bool
    fps_guessed: bool = False
    refined: bool = False
    size_changes: Sequence[Mapping[str, float]] = ()
    gaps: Sequence[Mapping[str, float]] = ()
    latency_ms: Mapping[str, float] | None = None
    looks: Mapping[str, int] = field(default_factory=dict)


def write_sidecar(csv: str | Path, facts: RunFacts, *, results: Transaction | None = None) -> Path:
    """Write the sidecar in one piece and return its path.

    Args:
        csv: the table's final name; an incomplete run's sidecar stands beside its partial table.
        facts: what it says.
        results: gives a complete run's sidecar its name; None gives it at once.

    Raises:
        OutputError: when it cannot be written.
    """
    return write_facts(csv, document(facts), complete=facts.complete, results=results)


def write_facts(
    result: str | Path, facts: Mapping[str, Any], *, complete: bool, results: Transaction | None = None
) -> Path:
    """Write the facts of a table beside it, as JSON; arguments are as of `write_sidecar`."""
    path, partial = (sidecar_path(result, complete=whole) for whole in (complete, False))
    with ExitStack() as own:
        results = results if complete and results else own.enter_context(Transaction())
        results.scratch(partial_path(path))  # the sidecar of the partial table stays if the run fails
        with PartialFile(path, overwrite=True, results=results) as file:
            file.write((json.dumps(facts, indent=2, ensure_ascii=False, default=str) + "\n").encode(errors=NAMES))
        results.remove(partial)
    return path


def document(facts: RunFacts) -> dict[str, Any]:
    """Return what the sidecar holds, the most asked first."""
    skeleton = facts.skeleton
    names = skeleton.keypoints
    return {
        "complete": facts.complete,
        "refined": facts.refined,
        "source": facts.source,
        "size": {"width": facts.size[0], "height": facts.size[1]},
        "size_changes": list(facts.size_changes),
        "fps": facts.fps,
        "fps_guessed": facts.fps_guessed,
        "frames": asdict(facts.counts),
        "looks": dict(facts.looks),
        "gaps": list(facts.gaps),
        "latency_ms": facts.latency_ms,
        "skeleton": {"name": skeleton.name, "keypoints": list(names)},
        "limbs": [[names[a], names[b]] for a, b in skeleton.limbs],
        "model": asdict(facts.model),
        "detector": asdict(facts.detector),
        "device": facts.device,
        "versions": versions(),
        "config": dict(facts.config),
        "columns": columns(skeleton),
    }


def versions() -> dict[str, str | None]:
    """Return what the results depend on, read from the installed packages' records without importing them."""
    known = {
        "posetrack": __version__,
        "python": platform.python_version(),
        **{name: _version(name) for name in ("torch", "openvino", "onnxruntime", "ultralytics", "numpy")},
    }
    return {**known, "opencv": next(filter(None, map(_version, OPENCV_NAMES)), None)}


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
