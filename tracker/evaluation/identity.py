"""HOTA, CLEAR MOT and identity metrics of a comparison, computed by TrackEval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import UsageError
from .matching import Comparison

MEASURES = {  # our name: TrackEval's metric and field
    "HOTA": ("HOTA", "HOTA"),
    "DetA": ("HOTA", "DetA"),
    "AssA": ("HOTA", "AssA"),
    "MOTA": ("CLEAR", "MOTA"),
    "IDF1": ("Identity", "IDF1"),
    "switches": ("CLEAR", "IDSW"),
    "fragments": ("CLEAR", "Frag"),
    "missed": ("CLEAR", "CLR_FN"),
    "false": ("CLEAR", "CLR_FP"),
}
COUNTS = ("switches", "fragments", "missed", "false")


def measure_identity(videos: Mapping[str, Comparison]) -> dict[str, dict[str, float]]:
    """Compute the metrics of each video, and of all of them together under the name "all".

    Returns:
        `MEASURES`, the numbers of `boxes` and `people` in the truth, and of `ids` in the result, for each video. Ratios
        are in [0, 1]; HOTA, DetA and AssA are means over the thresholds .05 to .95 (Luiten et al. 2020), the others
        use a similarity of at least .5.

    Raises:
        UsageError: TrackEval is not installed.
    """
    try:
        from trackeval.metrics import CLEAR, HOTA, Identity
    except ImportError as error:
        raise UsageError("Tracking metrics need TrackEval. Install it: pip install 'posetrack[eval]'") from error
    quiet = {"PRINT_CONFIG": False}
    metrics = {"HOTA": HOTA(), "CLEAR": CLEAR(quiet), "Identity": Identity(quiet)}
    data = {name: _data(comparison) for name, comparison in videos.items()}
    parts = {
        kind: {name: metric.eval_sequence(values) for name, values in data.items()} for kind, metric in metrics.items()
    }
    counts = {
        name: {"boxes": d["num_gt_dets"], "people": d["num_gt_ids"], "ids": d["num_tracker_ids"]}
        for name, d in data.items()
    }
    counts["all"] = {key: sum(each[key] for each in counts.values()) for key in ("boxes", "people", "ids")}
    for kind, metric in metrics.items():
        parts[kind]["all"] = metric.combine_sequences(parts[kind])
    return {
        name: {key: _number(key, parts[kind][name][field]) for key, (kind, field) in MEASURES.items()} | count
        for name, count in counts.items()
    }


def _number(name: str, value: Any) -> float | int:
    return int(value) if name in COUNTS else float(np.mean(value))


def _data(comparison: Comparison) -> dict[str, Any]:
    """Convert a comparison to TrackEval's format, with ids that count from 0."""
    data: dict[str, Any] = {"similarity_scores": comparison.similarities, "num_timesteps": len(comparison.similarities)}
    sides = (("gt", comparison.truth, comparison.truth_rows), ("tracker", comparison.result, comparison.result_rows))
    for name, people, frames in sides:
        rows = np.concatenate([np.zeros(0, dtype=np.intp), *frames])
        ids, numbers = np.unique(people.ids[rows], return_inverse=True)
        ends = np.cumsum([0, *(len(frame) for frame in frames)])[1:]
        data[f"{name}_ids"] = np.split(numbers, ends)[:-1]
        data[f"num_{name}_dets"], data[f"num_{name}_ids"] = len(rows), len(ids)
    return data
