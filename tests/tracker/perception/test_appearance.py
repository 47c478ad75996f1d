"""People are described by the colours of the parts of their bodies."""

import numpy as np
import pytest
from stick_people import STANDING

from posetrack.models.geometry.keypoints import COCO
from posetrack.models.geometry.skeletons import DATASETS
from posetrack.tracker.perception.appearance import LEVELS, PARTS, appearance_vectors

RED, BLUE, SKIN = (20, 20, 220), (220, 20, 20), (120, 150, 220)
ROWS = {name: row for row, name in enumerate(PARTS)}


def person(image, left, top, shirt, trousers, *, mirrored=False, size=100):
    """Paint a person of `size` x 2 `size` pixels; return the box and the keypoints."""
    points = STANDING * [-1, 1] + [1, 0] if mirrored else STANDING
    image[top : top + 2 * size, left : left + size] = SKIN
    image[top + int(0.4 * size) : top + size, left : left + size] = shirt
    image[top + size : top + 2 * size, left : left + size] = trousers
    return [left, top, left + size, top + 2 * size], np.array([left, top]) + size * points


def describe(image, people, scores=None):
    boxes, points = (np.array(values, dtype=np.float32) for values in zip(*people))
    return appearance_vectors(image, boxes, points, np.ones(points.shape[:2]) if scores is None else scores, COCO)


def test_the_same_clothes_are_alike_elsewhere_and_others_are_not():
    image = np.full((600, 900, 3), 100, dtype=np.uint8)
    people = [
        person(image, 10, 10, RED, BLUE),
        person(image, 400, 150, RED, BLUE, mirrored=True, size=60),
        person(image, 600, 50, BLUE, RED),
    ]
    described = describe(image, people)
    assert np.linalg.norm(described, axis=-1) == pytest.approx(1)
    alike = (described[0] * described[1:]).sum(-1)
    assert alike[0].min() > 0.8
    assert alike[1][[ROWS["torso"], ROWS["thighs"]]].max() < 0.3
    assert alike[1][ROWS["head"]] > 0.9


def test_a_little_light_changes_little():
    image = np.full((300, 200, 3), 100, dtype=np.uint8)
    people = [person(image, 10, 10, RED, BLUE)]
    bright = np.minimum(image * 1.1, 255).astype(np.uint8)
    assert (describe(image, people) * describe(bright, people)).sum(-1).min() > 0.7


def test_a_part_is_unknown_where_its_keypoints_are_and_known_by_one_side():
    image = np.full((300, 200, 3), 100, dtype=np.uint8)
    people, scores = [person(image, 10, 10, RED, BLUE)], np.ones((1, 17))
    scores[0, COCO.keypoints.index("left_knee")] = 0
    assert describe(image, people, scores).any(-1).all()
    scores[0, COCO.keypoints.index("right_knee")] = 0
    known = describe(image, people, scores)[0].any(-1)
    assert not known[ROWS["thighs"]]
    assert not known[ROWS["shanks"]]
    assert known.sum() == len(PARTS) - 2
    people[0][1][:] = np.nan
    assert not describe(image, people).any()


def histogram(image, strips, points, height):
    """Return the vector of one part pixel by pixel, as the docstring of `PARTS` defines it."""
    votes = np.zeros((LEVELS, LEVELS, LEVELS))
    for start, end, width in strips:
        first, last = (
            sum(share * points[COCO.keypoints.index(name)] for name, share in e.items()) for e in (start, end)
        )
        for along in range(12):
            for across in range(6):
                x, y = first + (along + 0.5) / 12 * (last - first)
                x += height * width * (2 * (across + 0.5) / 6 - 1)
                levels = image[int(y), int(x)] / 255 * (LEVELS - 1)
                for corner in np.ndindex(2, 2, 2):
                    bins = np.minimum(levels.astype(int), LEVELS - 2) + corner
                    votes[tuple(bins)] += np.prod(1 - np.abs(levels - bins))
    return np.sqrt(votes / votes.sum()).ravel()


def test_people_are_described_as_by_a_loop_over_their_pixels():
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (400, 500, 3), dtype=np.uint8)
    people = [([100, 100, 150, 200], random.uniform(100, 200, (17, 2))) for _ in range(3)]
    for (_, points), vectors in zip(people, describe(image, people), strict=True):
        for strips, vector in zip(PARTS.values(), vectors, strict=True):
            assert vector == pytest.approx(histogram(image, strips, points, 100), abs=1e-5)


@pytest.mark.parametrize("count", [0, 1])
def test_people_may_leave_the_image(count):
    image = np.zeros((20, 30, 3), dtype=np.uint8)
    box, points = np.array([[-50.0, -50, 100, 100]])[:count], np.full((count, 17, 2), -30.0)
    described = appearance_vectors(image, box, points, np.ones((count, 17)), COCO)
    assert described.shape == (count, len(PARTS), 216)
    assert not described.any()


@pytest.mark.parametrize("name", DATASETS)
def test_every_skeleton_has_limbs(name):
    skeleton = DATASETS[name]
    points = np.random.default_rng(0).uniform(10, 90, (1, len(skeleton), 2))
    described = appearance_vectors(
        np.full((100, 100, 3), 50, np.uint8),
        np.array([[0, 0, 100, 100]]),
        points,
        np.ones((1, len(skeleton))),
        skeleton,
    )
    assert described[0, ROWS["thighs"]].any()
