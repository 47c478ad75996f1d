import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

from posetrack.tracker.video import sample
from posetrack.tracker.video.open import open_source


def test_the_camera_moves_smoothly_through_two_shots(tmp_path):
    path = sample.make_sample(tmp_path / "sample.mp4", seconds=2, fps=10)
    frames = list(open_source(path))
    assert len(frames) == 20
    assert frames[0].image.shape == (480, 640, 3)
    steps = [np.abs(a.image.astype(int) - b.image).mean() for a, b in pairwise(frames)]
    assert int(np.argmax(steps)) == 9  # the cut


def test_the_views_stay_inside_the_photographs():
    for shot in sample.SHOTS:
        height, width = sample.read_image(sample.PHOTOS / shot.photo).shape[:2]
        views = np.array([sample._view(shot.views, t) for t in np.linspace(0, 0.999, 100)])  # (100, 3): x, y, height
        half = views[:, 2:] / 2 * (sample.SIZE[0] / sample.SIZE[1], 1)
        assert np.all(views[:, :2] - half >= -3)
        assert np.all(views[:, :2] + half <= np.array([width, height]) + 3)


def test_nothing_heavy_is_imported():
    code = "import sys, posetrack.tracker.video.sample; sys.exit(not {'torch', 'ultralytics'}.isdisjoint(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(sample.__file__).parents[2]).returncode == 0
