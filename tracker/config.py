"""What a run is asked to do: defaults, overridden by a recipe, overridden by flags. Loads nothing heavy."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from .. import configs
from ..errors import UsageError
from .people import parse_person, parse_roi

AUTO = "auto"
SMOOTH = ("none", "kalman", "one-euro")  # the choices of the tracker
LABELS = ("id", "angles", "events")


@dataclass(frozen=True, slots=True)
class RunConfig:
    """One run of the tracker; every field is a flag of the command line and a key of a recipe.

    Attributes:
        source: webcam index, video, picture, folder or glob of either, or stream address.
        save: annotated video (a folder, where the source is one).
        csv: keypoint table (a folder, where the source is one).
        features: table of joint angles, speeds and postures (a folder, where the source is one).
        events: table of steps, repetitions, raised hands and falls (a folder, where the source is one).
        report: page with the video, plots, events and quality (a folder, where the source is one).
        show: open a window.
        label: what stands at each person in the picture, one of `LABELS`.
        model: pose network by name or file.
        dataset: whose keypoints are estimated, a name of `models.skeletons.DATASETS`.
        detector: person detector by name or file, or a file of boxes.
        device: auto, cpu, cuda, cuda:N or mps.
        runtime: what computes the networks: auto, torch, openvino or onnxruntime.
        precision: auto, fp32, bf16 or fp16.
        conf: detections below this score are not looked at.
        max_people: look at no more than so many people a frame, the most certain first; 0 is everybody.
        detect_size: longer side in pixels that the detector sees; 0 is the one that it learnt at.
        flip: average each pose with the mirrored crop's.
        smooth: how keypoints are smoothed, one of `SMOOTH`.
        camera: auto, static or moving.
        person_height: metres; gives the features' speeds in metres by everybody's height in the picture.
        scale: pixels per metre; gives them where everybody moves in one plane.
        detect_every: look for people in every Nth frame, or in as few as `auto` finds safe; followed in between.
        pose_every: estimate keypoints in every Nth frame, or in as few as `auto` finds safe; predicted in between.
        target_fps: frames a second that `auto` keeps up with on a live source; 0 is the source's own rate.
        refine: look at a whole file's tracks again before anything is written; takes the place of `smooth`.
        person: who is shown and written, see `people.parse_person`; None is everybody.
        min_length: seconds that somebody must be there to be shown and written; for files.
        roi: where somebody must be to be shown and written, see `people.parse_roi`; None is everywhere.
        blur_faces: blur everybody's face in the annotated pictures.
        skeleton_only: draw on black.
        stream: index of the video stream in its file; None takes the one that FFmpeg would.
        fps: frames a second of a file, in place of its own times; None keeps these.
        start: seconds into the source to begin at.
        end: seconds into the source to stop at.
        timeout: seconds to wait for a stream.
        reconnect: seconds to try to get a lost camera or stream back.
        overwrite: replace existing results.
        skip_existing: leave out sources whose results are there and complete.
        quiet: no progress and no summary.
        offline: never use the network.
        repetitions: what is to be counted, too, tables of a recipe: `[repetitions.NAME]` with angle, low and high.
    """

    source: str = ""
    save: str | None = None
    csv: str | None = None
    features: str | None = None
    events: str | None = None
    report: str | None = None
    show: bool = False
    label: str = "id"
    model: str = "bundled"
    dataset: str = "coco"
    detector: str = "bundled"
    device: str = "auto"
    runtime: str = "auto"
    precision: str = "auto"
    conf: float = 0.2
    max_people: int = 0
    detect_size: int = 0
    flip: bool = False
    smooth: str = "one-euro"
    camera: str = "auto"
    person_height: float | None = None
    scale: float | None = None
    detect_every: int | str = 1
    pose_every: int | str = 1
    target_fps: float = 0.0
    refine: bool = False
    person: str | None = None
    min_length: float = 0.0
    roi: str | None = None
    blur_faces: bool = False
    skeleton_only: bool = False
    stream: int | None = None
    fps: float | None = None
    start: float | None = None
    end: float | None = None
    timeout: float = 10.0
    reconnect: float = 30.0
    overwrite: bool = False
    skip_existing: bool = False
    quiet: bool = False
    offline: bool = False
    repetitions: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.conf <= 1:
            raise UsageError(f"conf is {self.conf}; give a score between 0 and 1.")
        if self.camera not in ("auto", "static", "moving"):
            raise UsageError(f"camera is '{self.camera}'; give auto, static or moving.")
        if self.max_people < 0:
            raise UsageError(f"max_people is {self.max_people}; give a positive number, or 0 for everybody.")
        if self.detect_size != 0 and self.detect_size < 32:
            raise UsageError(f"detect_size is {self.detect_size} pixels; give at least 32, or 0 for the network's own.")
        if self.smooth not in SMOOTH:
            raise UsageError(f"smooth is '{self.smooth}'; give one of {', '.join(SMOOTH)}.")
        if self.label not in LABELS:
            raise UsageError(f"label is '{self.label}'; give one of {', '.join(LABELS)}.")
        check_calibration(self.person_height, self.scale)
        for name in ("detect_every", "pose_every"):
            every = getattr(self, name)
            if every != AUTO and (not isinstance(every, int) or every < 1):
                raise UsageError(f"{name} is '{every}'; give a number of frames from 1 on, or {AUTO}.")
        if self.person is not None:
            parse_person(self.person)
        if self.roi is not None:
            parse_roi(self.roi)
        if not 0 <= self.min_length < math.inf:
            raise UsageError(f"min_length is {self.min_length} s; give a number of seconds from 0 on.")
        if self.blur_faces and self.max_people:
            raise UsageError("max_people would leave people out whom blur_faces is to hide. Leave one of them out.")
        if self.blur_faces and self.detect_every != 1:
            every = self.detect_every
            raise UsageError(f"detect_every is {every}, which overlooks newcomers whom blur_faces is to hide; give 1.")
        if not 0 <= self.target_fps < math.inf:
            raise UsageError(f"target_fps is {self.target_fps}; give frames a second, or 0 for the source's own rate.")
        if self.stream is not None and self.stream < 0:
            raise UsageError(f"stream is {self.stream}; give the index of a video stream, from 0 on.")
        if self.fps is not None and not 0 < self.fps < math.inf:
            raise UsageError(f"fps is {self.fps}; give frames a second, e.g. 29.97.")
        if self.start is not None and self.start < 0:
            raise UsageError(f"start is {self.start} s; give a time from 0 on.")
        if self.end is not None and self.end <= (self.start or 0):
            raise UsageError(f"end is {self.end} s, not after the start at {self.start or 0} s; give a later time.")
        if self.overwrite and self.skip_existing:
            raise UsageError("overwrite replaces results and skip_existing keeps them. Leave one of them out.")
        if self.timeout <= 0:
            raise UsageError(f"timeout is {self.timeout} s; give a positive number of seconds.")
        if not 0 <= self.reconnect < math.inf:
            raise UsageError(f"reconnect is {self.reconnect} s; give a number of seconds from 0 on.")


def check_calibration(person_height: float | None, scale: float | None) -> None:
    """Hold what gives the features' speeds in metres to its limits.

    Raises:
        UsageError: a value is not positive, or both are given.
    """
    if person_height is not None and scale is not None:
        raise UsageError("Both person_height and scale are given, two measures of a metre. Give one of them.")
    if person_height is not None and not 0 < person_height < math.inf:
        raise UsageError(f"person_height is {person_height}; give a height in metres, e.g. 1.75.")
    if scale is not None and not 0 < scale < math.inf:
        raise UsageError(f"scale is {scale}; give a positive number of pixels per metre.")


def read_recipe(name: str) -> dict[str, Any]:
    """Read a recipe: the name of a shipped one, or a TOML file.

    Raises:
        UsageError: there is no such recipe, it is not TOML, or a key or a value is not a run's.
    """
    return checked(configs.read(name), origin=f"Recipe {name}")


def checked(values: Mapping[str, Any], *, origin: str) -> dict[str, Any]:
    """Hold keys and types against the fields of `RunConfig`; dashes may stand for underscores.

    Raises:
        UsageError: an unknown key (the nearest name is offered), or a value of the wrong type.
    """
    types = {field.name: str(field.type) for field in fields(RunConfig)}
    result = {}
    for key, value in values.items():
        name = key.replace("-", "_")
        if name not in types:
            near = difflib.get_close_matches(name, types, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"The keys are {', '.join(types)}."
            raise UsageError(f"{origin} has the unknown key '{key}'. {hint}")
        result[name] = _convert(name, value, types[name], origin)
    return result


def _convert(name: str, value: Any, kind: str, origin: str) -> Any:
    wanted = kind.removesuffix(" | None")
    if wanted == "float" and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if wanted == "int" and isinstance(value, int) and not isinstance(value, bool):
        return value
    if wanted == "int | str" and (value == AUTO or (isinstance(value, int) and not isinstance(value, bool))):
        return value
    if wanted.startswith("Mapping") and isinstance(value, dict):
        return value
    if (wanted == "bool" and isinstance(value, bool)) or (wanted == "str" and isinstance(value, str)):
        return value
    raise UsageError(f"{origin} sets {name} to {value!r}, which is no {wanted}. Give a value of that type.")
