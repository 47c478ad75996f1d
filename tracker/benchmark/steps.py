"""The steps around the networks, compared with other libraries: crops, decoding and drawing, on one core, in turns.

Times are CPU time, not wall time, so that other load on the machine does not count.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module, metadata
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.geometry import crop, heatmap
from ...models.geometry.keypoints import COCO
from ..evaluation import synthetic
from ..output.overlay import draw_people
from ..types import Poses, State, Tracks
from .machine import machine, one_core

INPUT, MAP = (256, 192), (64, 48)  # (height, width) of ViTPose's crops and heat maps
SMALLEST = (720, 1280)  # minimum (height, width) of the image; a crowd needs a larger one
BLOCK = 10  # calls per turn

Steps = dict[str, Callable[[], Any]]


@dataclass(frozen=True, slots=True)
class Scene:
    """Input of all steps.

    Attributes:
        image: (H, W, 3) BGR.
        poses: N people with 17 confident keypoints.
        heatmaps: (N, 17, 64, 48), simulated output of a network.
    """

    image: NDArray[np.uint8]
    poses: Poses
    heatmaps: NDArray[np.float32]


def measure_stages(people: Sequence[int], *, rounds: int, warmup: int) -> dict[str, Any]:
    """Time crops, decoding and drawing.

    Args:
        people: numbers of people per image, one measurement for each.
        rounds: number of timed calls.
        warmup: number of calls before them.

    Returns:
        `people`, by number, step (of `STAGES`) and library the `median` and `p95` in ms and the median's `ratio` to
        posetrack's; `difference`, the largest distance in pixels from points decoded with the whole map smoothed;
        `missing`, by library the command that installs it; `machine`.
    """
    figures: dict[str, Any] = {"rounds": rounds, "people": {}, "missing": {}, "difference": 0.0}
    figures["machine"] = machine()
    with one_core(), _one_thread():
        for count in people:
            scene = make_scene(count)
            stages: dict[str, dict[str, dict[str, float]]] = {}
            for stage, (ours, package, theirs) in STAGES.items():
                programs = {"posetrack": ours(scene)}
                try:
                    programs[package] = theirs(scene)
                    figures["machine"][package] = metadata.version(package)
                except ImportError:
                    figures["missing"][package] = "pip install 'posetrack[bench]'"
                stages[stage] = _in_turns(programs, rounds=rounds, warmup=warmup)
            figures["people"][str(count)] = stages
            exact = whole_map_decode(scene.heatmaps)
            distance = np.abs(heatmap.decode(scene.heatmaps)[0] - exact).max()
            figures["difference"] = max(figures["difference"], float(distance))
    return figures


def make_scene(count: int) -> Scene:
    """Return an image of blurred noise with synthetic people 200 pixels high; the result is deterministic."""
    rng = np.random.default_rng(0)
    _, poses, _ = next(iter(synthetic.crowd(synthetic.regular(1, 30), count=count).frames()))
    size = np.maximum(poses.boxes[:, [3, 2]].max(0).astype(int) + 20, SMALLEST)
    image = cv2.GaussianBlur(rng.integers(0, 255, (*size, 3), dtype=np.uint8), (0, 0), 3)
    points = rng.uniform(2, [MAP[1] - 3, MAP[0] - 3], (count, len(COCO), 2))
    heights = rng.uniform(0.2, 0.95, (count, len(COCO), 1, 1))
    maps = heights * heatmap.encode(points, size=MAP, sigma=2.0) + rng.uniform(0, 0.02, (count, len(COCO), *MAP))
    return Scene(np.asarray(image, dtype=np.uint8), poses, maps.astype(np.float32))


def whole_map_decode(heatmaps: NDArray[np.float32]) -> NDArray[np.float64]:
    """Decode heat maps (N, K, h, w) to points (N, K, 2) as mmpose does: smooth whole maps and take their logarithm."""
    n, k, _, width = heatmaps.shape
    points = np.empty((n * k, 2))
    for i, whole in enumerate(heatmaps.reshape(n * k, *heatmaps.shape[2:])):
        y, x = divmod(int(whole.argmax()), width)
        smooth = cv2.GaussianBlur(whole.astype(np.float64), (heatmap.KERNEL, heatmap.KERNEL), 0)
        p = np.pad(np.log(np.clip(smooth, 0.001, 50)), 1, mode="edge")[y : y + 3, x : x + 3]
        xx, yy = p[1, 2] - 2 * p[1, 1] + p[1, 0], p[2, 1] - 2 * p[1, 1] + p[0, 1]
        xy = (p[2, 2] - p[1, 2] - p[2, 1] + 2 * p[1, 1] - p[1, 0] - p[0, 1] + p[0, 0]) / 2
        hessian = np.array([[xx, xy], [xy, yy]]) + np.finfo(np.float32).eps * np.eye(2)
        points[i] = (x, y) - np.linalg.solve(hessian, [(p[1, 2] - p[1, 0]) / 2, (p[2, 1] - p[0, 1]) / 2])
    return points.reshape(n, k, 2)


def _our_processor(scene: Scene) -> Callable[[], Any]:
    planes = np.empty((len(scene.poses), 3, *INPUT), np.float32)

    def process() -> Any:
        regions = crop.crop_regions(scene.poses.boxes, input_size=INPUT)
        crops = crop.warp(scene.image, crop.crop_matrices(*regions, input_size=INPUT), input_size=INPUT)
        crop.normalize(crops, planes)
        points, scores = heatmap.decode(scene.heatmaps)
        return planes, crop.transform(points, crop.invert(crop.crop_matrices(*regions, input_size=MAP))), scores

    return process


def _our_dark(scene: Scene) -> Callable[[], Any]:
    return lambda: heatmap.decode(scene.heatmaps)


def _our_overlay(scene: Scene) -> Callable[[], Any]:
    count, image = len(scene.poses), scene.image.copy()
    tracks = Tracks(np.arange(1, count + 1), scene.poses, np.zeros((count, 2)), (State.MEASURED,) * count)
    return lambda: draw_people(image, tracks, skeleton=COCO)


def _their_processor(scene: Scene) -> Callable[[], Any]:
    processor = import_module("transformers").VitPoseImageProcessor()
    boxes = [np.concatenate([scene.poses.boxes[:, :2], np.diff(scene.poses.boxes.reshape(-1, 2, 2), axis=1)[:, 0]], 1)]
    image, boxes = np.ascontiguousarray(scene.image[..., ::-1]), [one.tolist() for one in boxes]  # xywh
    output = SimpleNamespace(heatmaps=import_module("torch").from_numpy(scene.heatmaps))

    def process() -> Any:
        inputs = processor(images=[image], boxes=boxes, return_tensors="pt")
        return inputs, processor.post_process_pose_estimation(output, boxes=boxes)

    return process


def _their_dark(scene: Scene) -> Callable[[], Any]:
    module = import_module(type(import_module("transformers").VitPoseImageProcessor()).__module__)

    def decode() -> Any:
        points, scores = module.get_keypoint_predictions(scene.heatmaps)
        return module.post_dark_unbiased_data_processing(points, scene.heatmaps, kernel=heatmap.KERNEL), scores

    return decode


def _their_overlay(scene: Scene) -> Callable[[], Any]:
    sv = import_module("supervision")
    count, image = len(scene.poses), scene.image.copy()
    ids = np.arange(1, count + 1)
    people = sv.Detections(scene.poses.boxes.astype(float), tracker_id=ids)
    points = sv.KeyPoints(xy=scene.poses.keypoints.astype(np.float32))
    labels, lookup = [str(i) for i in ids], sv.ColorLookup.TRACK
    boxes, tabs = sv.BoxAnnotator(color_lookup=lookup), sv.LabelAnnotator(color_lookup=lookup)
    limbs, joints = sv.EdgeAnnotator(edges=[(a + 1, b + 1) for a, b in COCO.limbs]), sv.VertexAnnotator()

    def annotate() -> Any:
        boxes.annotate(image, people)
        tabs.annotate(image, people, labels=labels)
        limbs.annotate(image, points)
        return joints.annotate(image, points)

    return annotate


STAGES = {  # name -> our step, the other package, its step
    "crop + DARK": (_our_processor, "transformers", _their_processor),
    "DARK": (_our_dark, "transformers", _their_dark),
    "overlay": (_our_overlay, "supervision", _their_overlay),
}


@contextmanager
def _one_thread() -> Iterator[None]:
    torch = import_module("torch")
    before = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before[0])
        torch.set_num_threads(before[1])


def _in_turns(programs: Steps, *, rounds: int, warmup: int) -> dict[str, dict[str, float]]:
    """Time blocks of calls in turn, and return median, p95 and the ratio to posetrack's median."""
    spent: dict[str, list[float]] = {name: [] for name in programs}
    for first in range(0, rounds + warmup, BLOCK):
        for name, step in programs.items():
            for _ in range(min(BLOCK, rounds + warmup - first)):
                start = time.process_time()
                step()
                spent[name].append(1000 * (time.process_time() - start))
    medians = {name: float(np.median(values[warmup:])) for name, values in spent.items()}
    return {
        name: {
            "median": medians[name],
            "p95": float(np.percentile(values[warmup:], 95)),
            "ratio": medians[name] / medians["posetrack"],
        }
        for name, values in spent.items()
    }
