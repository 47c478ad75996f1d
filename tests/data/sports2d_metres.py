"""Make sports2d_metres.json: positions in metres and floors that Sports2D's own code returns for points made up here.

Run it as sports2d_angles.py, which names the packages; the functions `Sports2D.process.convert_px_to_meters` and
`compute_floor_line` are called as they are. The file holds numbers alone: points (pixels), their floor (origin in
pixels, angle in radians as Sports2D counts it), pixels per metre, the positions (metres), and a walk's toes (pixels)
with the angle (radians) and the height of the line that Sports2D finds. Speeds (metres per second) are the slopes, by
numpy.gradient, of the positions in metres of noisy points, filtered by Pose2Sim's default Butterworth filter (fourth
order, 6 Hz, zero phase), and those of the points without noise.
"""

import json
import sys
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np

for name in ("rtmlib", "rtmlib.tools", "rtmlib.tools.object_detection", "av", "rtoml", "c3d", "lxml", "filterpy", "filterpy.kalman"):
    sys.modules[name] = MagicMock()
for name in ("rtmlib.tools.object_detection.post_processings", "filterpy.common", "statsmodels"):
    sys.modules[name] = MagicMock()
for name in ("statsmodels.nonparametric", "statsmodels.nonparametric.smoothers_lowess"):
    sys.modules[name] = MagicMock()

import pandas as pd  # noqa: E402
from Pose2Sim.filtering import butterworth_filter_1d  # noqa: E402
from Sports2D.process import compute_floor_line, convert_px_to_meters  # noqa: E402

RATE, SPEED = 30.0, 7.0  # frames per second, pixels per frame


def main():
    rng = np.random.default_rng(11)
    scenes = []
    for _ in range(20):
        points = rng.uniform(0, 1000, (5, 2)).round(3)
        origin, angle, height = rng.uniform(0, 600, 2).round(3), round(rng.uniform(-0.3, 0.3), 5), rng.uniform(200, 700)
        table = pd.DataFrame({"x": points[:, 0], "y": points[:, 1], "z": 0.0})
        found = convert_px_to_meters(table, 1.75, height, 10.0, 1920, 1080, *origin, -angle, visible_side="none")
        scene = {"points": points.tolist(), "origin": origin.tolist(), "angle": angle, "px_per_m": height / 1.75}
        scenes.append(scene | {"metres": found.to_numpy()[:, :2].round(6).tolist()})
    document = {"sports2d": "0.8.34", "pose2sim": "0.10.49", "scenes": scenes, "walk": walk(rng)}
    document["speeds"] = speeds(rng)
    Path(__file__).with_suffix(".json").write_text(json.dumps(document) + "\n")


def walk(rng):
    """Return the toes of a walk up a floor that rises by 3 degrees, and the line that Sports2D finds."""
    frames = np.arange(120)
    toes = []
    for phase in (0.0, 0.5):
        turns, share = np.divmod(frames / RATE + phase, 1.0)
        swing = np.clip((share - 0.6) / 0.4, 0, 1)
        along = 150 + 180 * (turns - phase + (1 - np.cos(np.pi * swing)) / 2)
        up = 30 * np.sin(np.pi * swing)
        turn = np.radians(3.0)
        places = np.stack([along * np.cos(turn), 600 - along * np.sin(turn) - up], axis=-1)
        toes.append((places + rng.normal(0, 1.0, places.shape)).round(3))
    sides = ("LBigToe", "RBigToe")
    table = {side: pd.DataFrame({"x": toe[:, 0], "y": toe[:, 1], "z": 0.0}) for side, toe in zip(sides, toes)}
    scores = {side: pd.Series(np.ones(len(frames))) for side in sides}
    angle, origin, _ = compute_floor_line(table, scores, toe_speed_below=SPEED)
    toes = dict(zip(("left", "right"), (toe.tolist() for toe in toes)))
    return {"rate": RATE, "px_per_frame": SPEED, "toes": toes, "angle": float(angle), "origin": float(origin[1])}


def speeds(rng):
    """Return noisy places of three points that move as those of a walker, and their speeds, Sports2D's and true."""
    scale, times = 200.0, np.arange(150) / RATE

    def places(t):
        stride = 0.5 * (1 - np.cos(np.pi * np.clip((t % 1.0) / 0.4, 0, 1)))
        return {
            "left_hip": (100 + 260 * t, 300 + 5 * np.sin(4 * np.pi * t)),
            "left_wrist": (120 + 260 * t + 40 * np.sin(2 * np.pi * t), 320 - 12 * np.cos(4 * np.pi * t)),
            "left_ankle": (90 + 260 * (np.floor(t) + stride), 480 - 30 * np.sin(np.pi * stride)),
        }

    found = {}
    for name, (x, y) in places(times).items():
        seen = (np.stack([x, y], axis=-1) + rng.normal(0, 1.5, (len(times), 2))).round(3)
        smooth = np.stack([butterworth_filter_1d({}, RATE, pd.Series(seen[:, axis])) for axis in (0, 1)], axis=-1)
        table = pd.DataFrame({"x": smooth[:, 0], "y": smooth[:, 1], "z": 0.0})
        metres = convert_px_to_meters(table, 1.8, 1.8 * scale, 10.0, 1920, 1080, 0, 0, 0.0, visible_side="none")
        slopes = np.gradient(metres.to_numpy()[:, :2], 1 / RATE, axis=0)
        before, after = (np.stack(places(times + step)[name], axis=-1) for step in (-1e-4, 1e-4))
        found[name] = {
            "points": seen.tolist(),
            "sports2d": np.linalg.norm(slopes, axis=-1).round(5).tolist(),
            "truth": (np.linalg.norm(after - before, axis=-1) / 2e-4 / scale).round(5).tolist(),
        }
    return {"rate": RATE, "px_per_m": scale, "points": found}


main()
