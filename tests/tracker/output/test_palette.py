import itertools

import numpy as np

from posetrack.tracker.output.palette import oklch, palette


def test_oklch_of_known_colors():
    assert oklch(1, 0, 0) == (255, 255, 255)
    assert oklch(0, 0, 0) == (0, 0, 0)
    assert np.abs(np.subtract(oklch(0.628, 0.2577, 29.23 / 360), (0, 0, 255))).max() <= 2  # sRGB red, BGR order


def test_an_id_keeps_its_color():
    assert palette(1).base == (250, 198, 0)  # in every run, on every machine
    assert palette(1) != palette(2)


def test_the_first_ids_are_far_apart():
    colors = np.array([palette(i).base for i in range(1, 9)], dtype=float)
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(colors, 2)) > 40


def test_all_colors_are_about_equally_bright():
    luma = np.array([np.dot(palette(i).base, (0.0722, 0.7152, 0.2126)) for i in range(1, 100)])
    assert luma.min() > 130
    assert luma.max() < 200


def test_left_is_lighter_than_right():
    for i in range(1, 50):
        assert sum(palette(i).left) > sum(palette(i).base) > sum(palette(i).right) > sum(palette(i).dark)
