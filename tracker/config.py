"""Configuration of a run: defaults, overridden by a recipe, overridden by options. Loads nothing heavy."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import configs
from ..errors import UsageError
from .features.calibration.calibration import Calibration, parse_floor, parse_lengths
from .options import AUTO, check, convert, option
from .tracking.config import TrackerConfig
from .tracking.selectors import parse_person, parse_roi

SMOOTH = ("none", "kalman", "one-euro")
LABELS = ("id", "angles", "events")
COLORS = ("id", "side")
MOVEMENT = ("features", "events", "reps", "gait", "balance")  # tables that are computed from the poses
RESULTS = ("save", "csv", *MOVEMENT, "report")  # outputs that are files
POSITIVE = "a number above 0"
MAX_DETECT_SIZE = 8192  # pixels; an image of twice the side would need gigabytes


def _every(value: Any) -> bool:
    return value == AUTO or (isinstance(value, int) and value >= 1)


def _positive(value: float) -> bool:
    return 0 < value < math.inf


def _not_negative(value: float) -> bool:
    return 0 <= value < math.inf


@dataclass(frozen=True)
class Source:
    """What is read."""

    source: str = option("", "webcam index, video, image, folder, glob or stream address", "X", see="sources.md")
    stream: int | None = option(
        None,
        "index of the video stream in a file with several; by default the one that FFmpeg selects",
        "N",
        check=_not_negative,
        remedy="the index of a video stream, 0 or more",
    )
    fps: float | None = option(
        None,
        "frame rate that replaces the file's timestamps; required for numbered images and TIFF stacks",
        "RATE",
        check=_positive,
        remedy="frames per second, e.g. 29.97",
    )
    start: float | None = option(
        None,
        "start time in the source",
        "SECONDS",
        unit="s",
        check=_not_negative,
        remedy="a time of 0 or more",
        common=True,
    )
    end: float | None = option(None, "end time in the source", "SECONDS", unit="s", common=True)
    timeout: float = option(
        10.0,
        "longest wait for data from a stream",
        "SECONDS",
        unit="s",
        check=_positive,
        remedy=POSITIVE,
        live=True,
    )
    reconnect: float = option(
        30.0,
        "how long to try to reopen a lost camera or stream; 0 gives up at once",
        "SECONDS",
        unit="s",
        check=_not_negative,
        remedy="a number of 0 or more",
        see="live.md",
        live=True,
    )

    def __post_init__(self) -> None:
        check(self)
        if self.end is not None and self.end <= (self.start or 0):
            raise UsageError(f"end is {self.end} s, not after the start at {self.start or 0} s; give a later time.")


@dataclass(frozen=True)
class Outputs:
    """Outputs of a run, and the people in them."""

    save: str | None = option(None, "annotated video or image; a folder if the source is a folder", "FILE", common=True)
    csv: str | None = option(
        None,
        "keypoint table and `FILE.json`; the suffix selects another format",
        "FILE",
        see="formats.md",
        common=True,
    )
    keypoint_states: bool = option(False, "add a column per keypoint to the table: measured, predicted or interpolated")
    features: str | None = option(None, "table of joint angles, speeds and postures", "FILE", see="features.md")
    events: str | None = option(
        None,
        "table of steps, repetitions, raised hands, falls, and entries to a recipe's zones",
        "FILE",
        see="features.md",
    )
    reps: str | None = option(None, "table of repetitions with phases, depth and ranges", "FILE", see="features.md")
    gait: str | None = option(None, "table of gait cycles with heel strikes and toe-offs", "FILE", see="features.md")
    balance: str | None = option(None, "table of quiet standing (sway) and jumps", "FILE", see="features.md")
    report: str | None = option(
        None,
        "offline HTML page with video, plots, events and quality",
        "FILE",
        see="report.md",
        common=True,
    )
    title: str | None = option(None, "heading of the report instead of the source's name", "TEXT")
    notes: str | None = option(None, "text below the report's heading, such as the person, task and camera", "TEXT")
    logo: str | None = option(None, "image beside the report's heading: .png, .jpg or .svg", "FILE")
    show: bool = option(False, "live window; `q` quits", common=True)
    label: str = option(
        "id",
        "label next to each person: `id`; `angles` of knees, hips and elbows too, or `events`",
        "WHAT",
        choices=LABELS,
        common=True,
    )
    colors: str = option(
        "id", "colours of limbs: `id`, one for each person; `side`, left blue and right orange", "BY", choices=COLORS
    )
    boxes: bool = option(True, "draw no boxes around people")
    trails: float = option(
        0.0,
        "draw the path of each person over this time",
        "SECONDS",
        unit="s",
        check=_not_negative,
        remedy="a number of 0 or more",
    )
    person_height: float | None = option(
        None,
        "height of the people in metres; adds speeds in metres",
        "M",
        unit="m",
        check=_positive,
        remedy="a height in metres, e.g. 1.75",
    )
    scale: float | None = option(
        None,
        "pixels per metre, for people who move in one plane; adds speeds in metres",
        "PIXELS",
        check=_positive,
        remedy="a positive number of pixels per metre",
        see="features.md",
    )
    known_length: str | None = option(
        None,
        "two points (pixels) and the metres between them; a second, `X1,Y1,X2,Y2,M;...`, at another depth of the floor "
        "lets the scale follow the feet",
        "X1,Y1,X2,Y2,M",
        check=parse_lengths,
    )
    floor: str | None = option(
        None,
        "two points (pixels) of a line on the floor along which people move; angles and heights are measured from it",
        "X1,Y1,X2,Y2",
        check=parse_floor,
    )
    person: str | None = option(
        None,
        "write and draw one person: `largest`, `longest`, an ID, or `x,y@t` (pixels, seconds)",
        "WHO",
        check=parse_person,
        see="people.md",
    )
    min_length: float = option(
        0.0,
        "omit people whose track is shorter; files only",
        "SECONDS",
        unit="s",
        check=_not_negative,
        remedy="a number of 0 or more",
    )
    roi: str | None = option(
        None,
        "omit people whose box centre is outside this rectangle, or polygon `x1,y1,x2,y2,x3,y3,...`",
        "X,Y,W,H",
        check=parse_roi,
    )
    blur_faces: bool = option(False, "blur all faces in the video, image and window")
    skeleton_only: bool = option(False, "draw on black; no pixel of the source is shown")
    overwrite: bool = option(False, "replace existing results", common=True)
    skip_existing: bool = option(
        False, "continue a batch: skip sources whose results are complete or that failed", see="scale.md"
    )
    retry_failed: bool = option(False, "with `--skip-existing`: retry sources that failed in an earlier run")
    checksums: bool = option(False, "record the SHA-256 of each source in the manifest of a batch")
    quiet: bool = option(False, "print errors only")
    repetitions: Mapping[str, Any] = field(default_factory=dict)  # of a recipe: [repetitions.NAME], angle, low, high
    zones: Mapping[str, Any] = field(default_factory=dict)  # of a recipe: [zones.NAME], points
    lines: Mapping[str, Any] = field(default_factory=dict)  # of a recipe: [lines.NAME], points

    def __post_init__(self) -> None:
        check(self)
        _ = self.calibration  # checks it
        if self.overwrite and self.skip_existing:
            raise UsageError("overwrite replaces results and skip_existing keeps them. Leave one of them out.")
        if self.retry_failed and not self.skip_existing:
            raise UsageError("retry_failed continues a batch. Add skip_existing.")

    @property
    def calibration(self) -> Calibration:
        """What a metre is, and where the floor is."""
        lengths = parse_lengths(self.known_length) if self.known_length else ()
        return Calibration(self.person_height, self.scale, lengths, parse_floor(self.floor) if self.floor else None)

    @property
    def files(self) -> dict[str, Path]:
        """The results that were requested, by the name of their option."""
        return {name: Path(path) for name in RESULTS if (path := getattr(self, name))}


@dataclass(frozen=True)
class Networks:
    """The two networks, and where they run."""

    model: str = option(
        "bundled",
        "pose network: a name from `posetrack models`, a weights or ONNX file, a single-stage network such as "
        "`yolo11n-pose.pt`, which needs no detector, or `auto`, the best one on this machine that is fast enough",
        "NAME",
        see="models.md",
        common=True,
    )
    dataset: str = option(
        "auto",
        "skeleton: `auto` is the network's own; `coco`, `aic`, `mpii`, `ap10k`, `apt36k`, `wholebody` of a ViTPose+",
        "NAME",
    )
    detector: str | Callable[..., Any] = option(  # noqa: RUF009  # declares a field
        "bundled",
        "person detector: `bundled`, a name such as `yolo11n.pt`, a weights or ONNX file, a file of boxes, or `auto`",
        "NAME",
    )
    device: str = option(
        "auto", "`auto`, `cpu`, `cuda`, `cuda:N` or `mps`; an unavailable device is an error", "NAME", common=True
    )
    runtime: str = option(
        "auto", "inference backend: `auto`, `torch`, `openvino` or `onnxruntime`", "NAME", see="speed.md"
    )
    precision: str = option("auto", "numeric precision: `auto`, `fp32`, `bf16` or `fp16`", "NAME")
    conf: float = option(
        0.2,
        "detections with a lower confidence are ignored",
        "SCORE",
        check=lambda value: 0 <= value <= 1,
        remedy="a score between 0 and 1",
    )
    max_people: int = option(
        0,
        "largest number of people per frame, by confidence; 0 is no limit",
        "N",
        check=_not_negative,
        remedy="a positive number, or 0 for no limit",
    )
    detect_size: int = option(
        0,
        "longer side of the detector's input; 0 is the size that it was trained with",
        "PIXELS",
        unit="pixels",
        check=lambda value: value == 0 or 32 <= value <= MAX_DETECT_SIZE,
        remedy=f"at least 32 and at most {MAX_DETECT_SIZE}, or 0 for the size that it was trained with",
    )
    flip: bool = option(
        False, "average each pose with that of the mirrored crop: slightly more accurate, twice the computation"
    )
    offline: bool = option(False, "never access the internet")

    @property
    def files(self) -> list[str]:
        """The names of the networks, and the file of boxes; a bundled or published network is no file."""
        return [name for name in (self.model, self.detector) if isinstance(name, str)]

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Tracking:
    """How people are tracked from frame to frame."""

    smooth: str = option(
        "one-euro",
        "`none`: as measured; `kalman`: 1.3 times less noise at rest, 1 ms lag; `one-euro`: 4 times less, 10 ms lag",
        "NAME",
        choices=SMOOTH,
        see="decisions/0011-smoothing.md",
    )
    refine: bool = option(
        False,
        "files only: smooth in both directions, join tracks, interpolate gaps; draws in a second pass",
        common=True,
    )
    remember: float = option(
        TrackerConfig().remember_seconds,
        "how long to remember people who left, to restore their IDs by appearance; 0 turns this off",
        "SECONDS",
        unit="s",
        check=_not_negative,
        remedy="a number of 0 or more",
        see="tracking.md",
    )
    camera: str = option(
        "auto",
        "`static` or `moving`; `auto` detects and compensates camera motion",
        "MODE",
        choices=("auto", "static", "moving"),
    )
    detect_every: int | str = option(
        1,
        "run the detector in every Nth frame; `auto` decides by motion",
        "N",
        check=_every,
        remedy=f"a number of frames, 1 or more, or {AUTO}",
        see="speed.md",
    )
    pose_every: int | str = option(
        1,
        "run the pose network in every Nth frame, and predict in between; `auto` as above",
        "N",
        check=_every,
        remedy=f"a number of frames, 1 or more, or {AUTO}",
    )
    target_fps: float = option(
        0.0,
        "frame rate that `auto` aims at; 0 is the source's rate, and for `auto` networks 25, or 2 for files",
        "N",
        check=_not_negative,
        remedy="frames per second, or 0 for the source's rate",
        live=True,
    )

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Workers:
    """How many processes share the work, and where."""

    jobs: int | str = option(
        1,
        "worker processes, for the files of a batch or the minutes of a long video; `auto` is one per core, as far as "
        "memory allows",
        "N",
        check=_every,
        remedy=f"a number of processes, 1 or more, or {AUTO}",
        see="scale.md",
    )
    engine: str = option(
        "local",
        "where processes run: `local`, on this machine, or `ray`, on a cluster",
        "NAME",
        choices=("local", "ray"),
    )
    address: str = option(
        "local",
        "Ray cluster: `auto` joins the one that this machine belongs to, `local` starts one on this machine only",
        "HOST",
    )
    gpus: float = option(
        0.0,
        "GPUs of each process on Ray; 0.25 lets four share one",
        "SHARE",
        check=_not_negative,
        remedy="a number of 0 or more",
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def parallel(self) -> bool:
        """Whether worker processes are requested."""
        return self.jobs != 1 or self.engine != "local"


GROUPS = {"source": Source, "outputs": Outputs, "networks": Networks, "tracking": Tracking, "workers": Workers}
# Options that change neither results nor their sidecars.
UNSTATED = ("skip_existing", "retry_failed", "checksums", *(each.name for each in dataclasses.fields(Workers)))
TYPES = {each.name: str(each.type) for group in GROUPS.values() for each in dataclasses.fields(group)}


@dataclass(frozen=True)
class RunConfig:
    """Complete configuration of a run."""

    source: Source = Source()
    outputs: Outputs = Outputs()
    networks: Networks = Networks()
    tracking: Tracking = Tracking()
    workers: Workers = Workers()

    def __post_init__(self) -> None:
        if not self.outputs.blur_faces:
            return
        if self.networks.max_people:
            raise UsageError("max_people would leave people out whose faces blur_faces hides. Leave one of them out.")
        if (every := self.tracking.detect_every) != 1:
            raise UsageError(f"detect_every is {every}, which misses new people, whose faces blur_faces hides; give 1.")

    @classmethod
    def of(cls, **values: Any) -> RunConfig:
        """Return the configuration with these options, each by its name."""
        groups = {}
        for name, group in GROUPS.items():
            own = {each.name for each in dataclasses.fields(group)} & values.keys()
            groups[name] = group(**{key: values.pop(key) for key in own})
        if values:
            raise TypeError(f"There is no option {', '.join(values)}.")
        return cls(**groups)

    def flat(self) -> dict[str, Any]:
        """Return every option by its name."""
        return {name: value for group in dataclasses.asdict(self).values() for name, value in group.items()}

    def stated(self) -> dict[str, Any]:
        """Return every option that results depend on, by its name."""
        return {name: value for name, value in self.flat().items() if name not in UNSTATED}


def read_recipe(name: str) -> dict[str, Any]:
    """Read a recipe: the name of a bundled one, or a TOML file.

    Raises:
        UsageError: the recipe does not exist, is not TOML, has an unknown key or a value of the wrong type, or chooses
            which files are written or replaced.
    """
    values = checked(configs.read(name), origin=f"Recipe {name}")
    for key in (*RESULTS, "overwrite", "skip_existing", "retry_failed"):
        if key in values:
            flag = "--" + key.replace("_", "-")
            raise UsageError(
                f"Recipe {name} sets {key}. A recipe may come from someone else and does not choose which files are "
                f"written or replaced. Remove the key, and give {flag} in the command."
            )
    return values


def checked(values: Mapping[str, Any], *, origin: str) -> dict[str, Any]:
    """Return values by the names of their options; see `options.convert`."""
    types = TYPES | {"detector": "str"}
    return convert(values, types, origin=origin)
