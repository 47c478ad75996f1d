"""Make sports2d_angles.json: the angles that Sports2D's own code returns for poses that are made up here.

Run it with the packages sports2d 0.8.34 and pose2sim 0.10.49 (BSD-3-Clause, David Pagnon and contributors), whose
functions `Sports2D.process.compute_angles_for_person` and `add_shoulder_neck_hip_coords` are called as they are:

    pip install --no-deps sports2d pose2sim && pip install numpy pandas scipy matplotlib tqdm anytree opencv-python-headless
    python tests/data/sports2d_angles.py

Their further dependencies take part in none of this and are left out. The file holds numbers alone: 80 poses (pixels),
the view that Sports2D was told ("auto" lets it look at the feet), and its angles in degrees.
"""

import json
import sys
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np

for name in ("rtmlib", "rtmlib.tools", "rtmlib.tools.object_detection", "av", "lxml", "filterpy", "filterpy.kalman"):
    sys.modules[name] = MagicMock()
for name in ("rtmlib.tools.object_detection.post_processings", "filterpy.common", "statsmodels"):
    sys.modules[name] = MagicMock()
for name in ("statsmodels.nonparametric", "statsmodels.nonparametric.smoothers_lowess"):
    sys.modules[name] = MagicMock()

from Pose2Sim.common import angle_dict  # noqa: E402
from Sports2D.process import add_shoulder_neck_hip_coords, compute_angles_for_person  # noqa: E402

PAIRED = ("Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle", "BigToe", "Heel")
NAMES = ["Nose", "Head", *(side + name for name in PAIRED for side in "LR")]
ANGLES = [name for name in angle_dict if "wrist" not in name and "hand" not in name]


def main():
    rng = np.random.default_rng(7)
    poses = []
    for number in range(80):
        view = ("auto", "right", "left", "front", "back")[number % 5]
        points = rng.uniform([100, 50], [500, 650], (len(NAMES), 2)).round(3)
        x, y, scores = (*points.T, np.ones(len(NAMES)))
        names, ids = NAMES.copy(), list(range(len(NAMES)))
        for added in ("Hip", "Neck"):
            x, y, scores = add_shoulder_neck_hip_coords(added, x, y, scores, ids, names)
            names.append(added)
            ids.append(len(x) - 1)
        feet = [names.index(name) for name in ("LBigToe", "LHeel", "RBigToe", "RHeel")]
        _, angles, seen = compute_angles_for_person(x, y, view, True, ids, names, ANGLES, angle_dict, feet)
        poses.append(
            {"view": view, "seen": seen, "points": points.tolist(), "angles": [round(float(a), 4) for a in angles]}
        )
    document = {"sports2d": "0.8.34", "pose2sim": "0.10.49", "keypoints": NAMES, "angles": ANGLES, "poses": poses}
    Path(__file__).with_suffix(".json").write_text(json.dumps(document) + "\n")


main()
