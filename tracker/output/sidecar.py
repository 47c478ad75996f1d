"""The metadata of a run: `out.csv.json` beside `out.csv`."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from ...models.geometry.keypoints import Skeleton
from ...version import __version__
from ..formats.table import columns
from ..partial import PartialFile, Transaction, partial_path, sidecar_path

NAMES = "backslashreplace"  # JSON's own escape of file names that are not UTF-8
OPENCV_NAMES = ("opencv-python", "opencv-contrib-python", "opencv-python-headless", "opencv-contrib-python-headless")


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """A network of the run: name, SHA-256 of its weights, and inference backend; None if it has none."""

    name: str
    sha256: str | None = None
    runtime: str | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of frames by outcome, and the number of the last frame read."""

    read: int = 0
    dropped: int = 0
    failed: int = 0
    last: int | None = None


@dataclass(frozen=True, slots=True)
class RunFacts:
    """Metadata of a run, as stated in its sidecar.

    Attributes:
        skeleton: of the keypoints' columns.
        source: path or address, without its credentials.
        size: (width, height) of the displayed frame in pixels.
        fps: nominal frame rate of the source; None if unknown. The column `time_s` has the actual times.
        fps_guessed: whether the rate is an assumption.
        model: the pose network.
        detector: the person detector; None with a single-stage pose network.
        device: of the networks.
        config: the resolved options.
        counts: of frames.
        analysed: UTC of the analysis.
        complete: whether the source was read to its end.
        refined: whether the rows are those of `--refine`, or as tracked online.
        size_changes: `frame`, `time_s`, `width` and `height` of each change of the frame size.
        gaps: `from_s`, `to_s` and `seconds` of each time without a connection to a live source.
        started: UTC at which a live source's time was 0; None for files.
        latency_ms: `median` and `p95` from capture to output; None for files.
        keypoint_states: whether the table has the state of each keypoint.
        modes: number of frames by mode: detect, follow or predict.
    """

    skeleton: Skeleton
    source: str
    size: tuple[int, int]
    fps: float | None
    model: NetworkFacts
    detector: NetworkFacts | None
    device: str
    config: Mapping[str, Any]
    counts: Counts
    analysed: datetime
    complete: bool
    fps_guessed: bool = False
    refined: bool = False
    size_changes: Sequence[Mapping[str, float]] = ()
    gaps: Sequence[Mapping[str, float]] = ()
    started: datetime | None = None
    latency_ms: Mapping[str, float] | None = None
    keypoint_states: bool = False
    modes: Mapping[str, int] = field(default_factory=dict)


def write_sidecar(csv: str | Path, facts: RunFacts, *, results: Transaction | None = None) -> Path:
    """Write the sidecar atomically and return its path.

    Args:
        csv: final name of the table; the sidecar of an incomplete run is beside the partial table.
        facts: its contents.
        results: gives a complete run's sidecar its name; None gives it at once.

    Raises:
        OutputError: it cannot be written.
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
    """Return the contents of the sidecar, the most useful first."""
    skeleton = facts.skeleton
    names = skeleton.keypoints
    return {
        "complete": facts.complete,
        "refined": facts.refined,
        "source": facts.source,
        "size": {"width": facts.size[0], "height": facts.size[1]},
        "size_changes": list(facts.size_changes),
        "analysed": facts.analysed.isoformat(timespec="seconds"),
        "started": facts.started and facts.started.isoformat(timespec="milliseconds"),
        "fps": facts.fps,
        "fps_guessed": facts.fps_guessed,
        "frames": asdict(facts.counts),
        "modes": dict(facts.modes),
        "gaps": list(facts.gaps),
        "latency_ms": facts.latency_ms,
        "skeleton": {"name": skeleton.name, "keypoints": list(names)},
        "limbs": [[names[a], names[b]] for a, b in skeleton.limbs],
        "model": asdict(facts.model),
        "detector": asdict(facts.detector) if facts.detector else {},
        "device": facts.device,
        "versions": versions(),
        "config": dict(facts.config),
        "columns": columns(skeleton, states=facts.keypoint_states),
    }


def versions() -> dict[str, str | None]:
    """Return the versions of the libraries that affect results, without importing them."""
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
