"""The options of the main job, `posetrack --source X`: every field of `RunConfig` is one."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from typing import Any

from ... import configs
from ..config import RunConfig

OUTPUTS = ("save", "csv", "features", "events", "report")  # fields of RunConfig that name a file
# field of RunConfig: (metavar, help)
OPTIONS = {
    "source": ("X", "webcam index, video, picture, folder or glob of either, or stream address"),
    "save": ("FILE", "write the annotated video or picture (a folder, where the source is one)"),
    "csv": (
        "FILE",
        "write the keypoint table and FILE.json beside it; another suffix, another format: docs/formats.md",
    ),
    "features": ("FILE", "write joint angles, speeds and postures, and FILE.json beside it (likewise)"),
    "events": ("FILE", "write steps, repetitions, raised hands and falls, and FILE.json beside it (likewise)"),
    "report": ("FILE", "write a page with the video, plots, events and quality: .html (likewise)"),
    "show": (None, "open a window, as without any output; q ends the run"),
    "label": ("WHAT", "what stands at each person: id, angles (with it), or events (with posture and counts)"),
    "model": ("NAME", "pose network: a name of `posetrack models`, or a file of weights"),
    "dataset": ("NAME", "whose keypoints to estimate: coco, aic, mpii, ap10k, apt36k or wholebody; ViTPose+ knows all"),
    "detector": ("NAME", "person detector: bundled, a file of weights, a name such as yolo11n.pt, or a file of boxes"),
    "device": ("NAME", "auto, cpu, cuda, cuda:N or mps"),
    "runtime": ("NAME", "what computes the networks: auto, torch, openvino or onnxruntime"),
    "precision": ("NAME", "auto, fp32, bf16 or fp16"),
    "conf": ("SCORE", "detections below this score are not looked at"),
    "max_people": ("N", "look at no more than N people a frame, the most certain first; 0 is everybody"),
    "detect_size": ("PIXELS", "longer side of the picture that the detector sees; 0 is the one that it learnt at"),
    "flip": (None, "average each pose with the mirrored crop's: a little better, twice the work"),
    "smooth": ("NAME", "keypoints as measured: none; calmer: kalman; at rest, too: one-euro, 10 ms late in a walk"),
    "camera": ("MODE", "static or moving; auto finds out, and follows a moving one"),
    "person_height": ("M", "gives the features' speeds in metres, too, by everybody's height in the picture"),
    "scale": ("PIXELS", "pixels per metre; the same for people who move in one plane"),
    "detect_every": ("N", "look for people in every Nth frame and follow them in between; auto decides by what moves"),
    "pose_every": ("N", "estimate keypoints in every Nth frame and predict them in between; auto decides likewise"),
    "target_fps": ("N", "frames a second that auto keeps up with on a live source; 0 is the source's own rate"),
    "refine": (None, "track a file, then smooth both ways, join and interpolate its tracks; draw in a second pass"),
    "person": ("WHO", "write and draw one person only: largest, longest, an id, or x,y@t (pixels, seconds)"),
    "min_length": ("SECONDS", "leave out who is there for less; for files"),
    "roi": ("X,Y,W,H", "leave out who is elsewhere, by their box's centre; or a polygon: x1,y1,x2,y2,x3,y3,..."),
    "blur_faces": (None, "blur everybody's face in the video, picture and window"),
    "skeleton_only": (None, "draw on black: no pixel of the source is shown"),
    "stream": ("N", "index of the video stream to read, where a file has several"),
    "fps": ("RATE", "frames a second of a file, in place of its own times; makes numbered pictures one video"),
    "start": ("SECONDS", "begin so far into the source"),
    "end": ("SECONDS", "stop so far into the source"),
    "timeout": ("SECONDS", "wait no longer than this for a stream"),
    "reconnect": ("SECONDS", "try for so long to get a lost camera or stream back; 0 gives up at once"),
    "overwrite": (None, "replace existing results"),
    "skip_existing": (None, "leave out sources whose results are complete: go on where a run was stopped"),
    "quiet": (None, "print nothing but errors"),
    "offline": (None, "never use the network"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the main job; one that is not given is absent, so that a recipe can fill it."""
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help=f"{OPTIONS['source'][1]}; several are a batch")
    group = parser.add_argument_group("tracking")
    for field in dataclasses.fields(RunConfig):
        if field.name not in OPTIONS:
            continue  # for recipes alone
        metavar, text = OPTIONS[field.name]
        flag = "--" + field.name.replace("_", "-")
        if metavar is None:
            absent: dict[str, Any] = {"dest": field.name, "default": argparse.SUPPRESS}
            group.add_argument(flag, action="store_true", help=f"{text} (default: off)", **absent)
            no = "--no-" + flag.removeprefix("--")  # turns off what a recipe turns on
            group.add_argument(no, action="store_false", help=argparse.SUPPRESS, **absent)
            continue
        kinds: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "int | str": _every}
        kind = kinds.get(str(field.type).removesuffix(" | None"), str)
        default = "none" if field.default in (None, "") else field.default
        group.add_argument(
            flag, metavar=metavar, type=kind, default=argparse.SUPPRESS, help=f"{text} (default: {default})"
        )
        if field.name == "csv":
            group.add_argument(
                "--config",
                metavar="RECIPE",
                default=argparse.SUPPRESS,
                help=f"{', '.join(configs.names())}, or a TOML file; flags override it (default: none)",
            )


def _every(text: str) -> int | str:
    return int(text) if text.isdecimal() else text
