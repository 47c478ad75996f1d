"""What a run writes and draws, and the people in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import UsageError
from ..features.calibration.measures import Calibration, parse_floor, parse_lengths
from ..tracking.selectors import parse_person, parse_roi
from .option import AUTO, check, not_negative, option, positive

LABELS = ("id", "angles", "events")
COLORS = ("id", "side")
MOVEMENT = ("features", "events", "reps", "gait", "balance")  # tables that are computed from the poses
RESULTS = ("save", "csv", *MOVEMENT, "report")  # outputs that are files


def _is_floor(value: str) -> bool:
    return value == AUTO or bool(parse_floor(value))


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
        "table of steps, repetitions, raised hands and falls, and of a recipe's zones and lines",
        "FILE",
        see="events.md",
    )
    reps: str | None = option(None, "table of repetitions with phases, depth and ranges", "FILE", see="repetitions.md")
    gait: str | None = option(None, "table of gait cycles with heel strikes and toe-offs", "FILE", see="gait.md")
    balance: str | None = option(None, "table of quiet standing (sway) and jumps", "FILE", see="balance.md")
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
        "label at each person: `id`; `angles` adds those of knees, hips and elbows; `events` adds posture and counts",
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
        "draw the path of each person in the last SECONDS",
        "SECONDS",
        unit="s",
        check=not_negative,
        remedy="a number of 0 or more",
    )
    person_height: float | None = option(
        None,
        "height of the people in metres; adds speeds in metres",
        "M",
        unit="m",
        check=positive,
        remedy="a height in metres, e.g. 1.75",
    )
    scale: float | None = option(
        None,
        "pixels per metre, for people who move in one plane; adds speeds in metres",
        "PIXELS",
        check=positive,
        remedy="a positive number of pixels per metre",
        see="calibration.md",
    )
    known_length: str | None = option(
        None,
        "two points (pixels) and the metres between them; with a second length at another depth, after a semicolon, "
        "the scale follows the feet",
        "X1,Y1,X2,Y2,M",
        check=parse_lengths,
    )
    floor: str | None = option(
        None,
        "two points (pixels) of a line on the floor along which people move; angles and heights are measured from it; "
        "`auto` estimates it from standing feet, files only",
        "X1,Y1,X2,Y2",
        check=_is_floor,
    )
    person: str | None = option(
        None,
        "write and draw only one person: `largest`, `longest`, an ID, or `x,y@t` (pixels, seconds)",
        "WHO",
        check=parse_person,
        see="people.md",
    )
    min_length: float = option(
        0.0,
        "omit people whose track is shorter; files only",
        "SECONDS",
        unit="s",
        check=not_negative,
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
        """Scale in pixels per metre, and the line of the floor."""
        lengths = parse_lengths(self.known_length) if self.known_length else ()
        finds_floor = self.floor == AUTO
        floor = parse_floor(self.floor) if self.floor and not finds_floor else None
        return Calibration(self.person_height, self.scale, lengths, floor, finds_floor)

    @property
    def files(self) -> dict[str, str]:
        """The results that were requested, by the name of their option: paths, or addresses in a store."""
        return {name: path for name in RESULTS if (path := getattr(self, name))}
