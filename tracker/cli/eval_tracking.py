"""`posetrack eval-tracking`: compare tracks with ground truth."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .json_option import add_json, check_json, write_json
from .limits import TABLES

if TYPE_CHECKING:
    from rich.console import Console

Figures = dict[str, float]

_COLUMNS = ("HOTA", "DetA", "AssA", "MOTA", "IDF1", "switches", "missed", "false", "people", "ids")
_RETURNS = {"returns": "returns", "regained": "regained", "wrong_joins": "wrong joins"}


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the command to `posetrack`."""
    parser = subparsers.add_parser(
        "eval-tracking",
        help="compare tracks with ground truth: HOTA, MOTA, IDF1, ID switches, jitter, lag, distance",
        description="Compare tracks with ground truth. Files are tables of --csv (.csv), MOT Challenge boxes (.txt) or "
        "PoseTrack18 poses (.json). A folder or pattern is several videos; files of one video have the same name.",
    )
    parser.add_argument("--truth", metavar="T", required=True, help="file, folder or pattern of the ground truth")
    parser.add_argument("--result", metavar="R", required=True, help="file, folder or pattern of the tracks")
    parser.add_argument(
        "--by",
        choices=("boxes", "poses"),
        default="boxes",
        help="compare boxes by IoU or poses by OKS (default: boxes)",
    )
    parser.add_argument(
        "--visibility",
        metavar="SHARE",
        type=float,
        default=0.0,
        help="ignore people with a smaller visible share (default: 0)",
    )
    parser.add_argument("--measured", action="store_true", help="ignore predicted rows of the table")
    parser.add_argument("--fps", metavar="RATE", type=float, help="frame rate for jitter and lag, if no file has times")
    add_json(parser)
    parser.set_defaults(run=run, memory=TABLES)


def run(args: argparse.Namespace) -> int:
    """Compare, print the tables and write the results."""
    from rich.console import Console

    from ...errors import UsageError
    from ..evaluation.boxes import corner_paths, measure_boxes, overlaps
    from ..evaluation.distance import distances, measure_distance
    from ..evaluation.identity import measure_identity
    from ..evaluation.matching import compare
    from ..evaluation.motion import measure_motion, paths
    from ..evaluation.returns import measure_returns
    from ..evaluation.starts import measure_starts, starts
    from ..formats.files import find_sequences, read_trajectories

    if args.fps is not None and args.fps <= 0:
        raise UsageError(f"--fps is {args.fps}; give a rate above 0.")
    truths, results = find_sequences(args.truth), find_sequences(args.result)
    check_json(args, *truths.values(), *results.values())
    if len(truths) == len(results) == 1:  # the names of two files may differ
        results = dict(zip(truths, results.values()))
    missing = sorted(truths.keys() - results.keys())
    if missing:
        raise UsageError(f"'{args.result}' has no tracks of {', '.join(missing)}. Track them, or narrow --truth.")
    videos, parts = {}, {}
    for name, file in truths.items():
        truth, result = read_trajectories(file), read_trajectories(results[name])
        if args.measured:
            result = result[~result.predicted]
        videos[name] = video = compare(truth, result, poses=args.by == "poses", visibility=args.visibility)
        parts[name] = (
            starts(video, fps=args.fps),
            (overlaps(video), corner_paths(video, fps=args.fps)),
            paths(video, fps=args.fps),
            distances(video),
        )
    identity, returns = measure_identity(videos), measure_returns(videos, fps=args.fps)
    found, fits, moving, apart = zip(*parts.values())
    people = _each(parts, found, measure_starts)
    boxes = _each(
        parts, fits, lambda fits: measure_boxes([f for f, _ in fits], [p for _, paths in fits for p in paths])
    )
    motion = _each(parts, moving, lambda moving: measure_motion([path for paths in moving for path in paths]))
    distance = _each(parts, apart, measure_distance)
    show(identity, returns, people, boxes, motion, distance, Console())
    tables = identity, returns, people, boxes, motion, distance
    figures = {name: _known({k: v for table in tables for k, v in table[name].items()}) for name in identity}
    write_json(args, {"by": args.by, "visibility": args.visibility, "all": figures.pop("all"), "videos": figures})
    return 0


def _each(
    names: Iterable[str], values: Sequence[Any], measure: Callable[[Sequence[Any]], Figures]
) -> dict[str, Figures]:
    """Measure each video, and all of them together under the name "all"."""
    return {name: measure([value]) for name, value in zip(names, values)} | {"all": measure(values)}


def _known(figures: dict[str, float]) -> dict[str, float | None]:
    """Return the results with None for NaN, which JSON lacks."""
    return {key: None if value != value else value for key, value in figures.items()}


def show(
    identity: dict[str, Any],
    returns: dict[str, Figures],
    people: dict[str, Figures],
    boxes: dict[str, Figures],
    motion: dict[str, Figures],
    distance: dict[str, Figures],
    console: Console,
) -> None:
    """Print the identity metrics, starts and boxes, and what else is known."""
    _show("video", identity, {key: key for key in _COLUMNS}, console)
    if returns["all"]["returns"] > 0:
        _show("people who come back", returns, _RETURNS, console)
    heads = {"late": "late s", "late_p95": "p95", "never": "never", "false_tracks": "false tracks"}
    _show("people found", people, heads, console)
    heads = {"box_iou": "IoU", "box_iou_p5": "p5", "box_jitter": "jitter % height/s²", "box_spread": "spread % height"}
    _show("boxes", boxes, heads | {"box_lag": "lag ms"}, console)
    if any(value == value for value in motion["all"].values()):
        heads = {
            "jitter": "jitter px/s²",
            "jitter_height": "% height/s²",
            "spread": "spread px",
            "spread_height": "% height",
            "lag": "lag ms",
        }
        _show("at rest; in motion", motion, heads, console)
    if distance["all"]["distance"] == distance["all"]["distance"]:
        heads = {"distance": "median", "distance_p95": "p95", "confident": "confident", "confident_p95": "p95"}
        _show("keypoint distance, % height", distance, heads, console)


def _show(first: str, rows: dict[str, dict[str, float]], heads: dict[str, str], console: Console) -> None:
    from rich.table import Table

    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column(first)
    for head in heads.values():
        table.add_column(head, justify="right")
    for name, figures in rows.items():
        table.add_row(name, *(_text(figures[key]) for key in heads))
    console.print(table)


def _text(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    if value != value:
        return "-"
    return f"{value:.1f}" if abs(value) >= 2 else f"{round(value, 3) + 0.0:.3f}"  # + 0.0 turns -0 into 0
