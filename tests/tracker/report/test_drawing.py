"""Figures are drawn without a display from either table, and hold measurements's lines."""

import cv2
import matplotlib
import pytest

from posetrack.errors import UsageError
from posetrack.tracker.report.drawing import save_figure
from posetrack.tracker.report.measurements import Measurements


def test_a_figure_is_a_image_and_the_users_backend_stays(two_people, tmp_path):
    before = matplotlib.rcParams["backend"]
    save_figure(tmp_path / "all.png", two_people)
    save_figure(tmp_path / "path.png", two_people, kinds=("path",))
    both, one = (cv2.imread(str(tmp_path / name)) for name in ("all.png", "path.png"))
    assert both.shape[1] == one.shape[1] == 1440
    assert both.shape[0] > 2 * one.shape[0]
    assert (one < 200).any()
    assert matplotlib.rcParams["backend"] == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.png", "path.png"]


def test_a_table_without_people_has_no_figure(tmp_path):
    with pytest.raises(UsageError, match="no values to draw"):
        save_figure(tmp_path / "x.png", Measurements("bh"))
