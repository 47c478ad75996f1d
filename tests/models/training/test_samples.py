"""Samples: labels follow the pixels, and chance is a function of seed, epoch and index."""

import numpy as np
import pytest
import torch
from stick_people import draw

from posetrack.errors import UsageError
from posetrack.models.geometry import crop, processing
from posetrack.models.geometry.keypoints import COCO
from posetrack.models.training import augment, data
from posetrack.models.training.recipe import Augment
from posetrack.models.training.samples import Batches, Crops, mirrored, to_planes

SIZE = (128, 96)
FAMILIES = {"vitpose": processing.UDP, "transpose": processing.DARK_TRANSPOSE, "potr": processing.POTR}
VARIED = Augment(scale=0.2, rotation=30, shift=0.1, shift_probability=1.0, squeeze=0.1, half_body=0.3, truncate=0.2)


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    root = tmp_path_factory.mktemp("people")
    draw(root)
    return data.read(root, split="train")[0]


@pytest.mark.parametrize("family", list(FAMILIES))
def test_labels_follow_the_pixels(people, family):
    """A dot's colour identifies its keypoint: the colour must be where the label is, in mirrored crops too."""
    crops = Crops(people, processing=FAMILIES[family], input_size=SIZE, augmentation=VARIED)
    hits = total = 0
    for index in range(len(people)):
        for epoch in range(3):
            sample = crops[epoch, index]
            for k, (x, y) in enumerate(sample["keypoints"].round().astype(int)):
                if 2 < x < SIZE[1] - 3 and 2 < y < SIZE[0] - 3:
                    blue, green, _ = sample["images"][y, x].astype(int)
                    own = {k, COCO.flip_order[k]}  # a mirrored left wrist is drawn as the right one was
                    total += 1
                    hits += any(abs(blue - 15 * j) < 12 and abs(green - 255 + 15 * j) < 12 for j in own)
    assert total > 150
    assert hits > 0.75 * total  # face dots cover one another


def test_a_mirror_swaps_left_and_right(people):
    straight = Crops(people, processing=processing.POTR, input_size=SIZE, augmentation=Augment(flip=0.0))
    flipped = Crops(people, processing=processing.POTR, input_size=SIZE, augmentation=Augment(flip=1.0))
    a, b = straight[0, 0], flipped[0, 0]
    np.testing.assert_allclose(b["keypoints"][COCO.flip_order, 0], SIZE[1] - a["keypoints"][:, 0], atol=1e-4)
    np.testing.assert_allclose(b["keypoints"][COCO.flip_order, 1], a["keypoints"][:, 1], atol=1e-4)


@pytest.mark.parametrize(("family", "axis"), [("vitpose", 47.5), ("transpose", 47.5), ("potr", 48.0)])
def test_the_mirror_axis_is_that_of_the_family(family, axis):
    own = FAMILIES[family]
    centers, sizes = own.regions(np.array([[10.0, 20.0, 60.0, 110.0]]), SIZE)
    matrix = own.matrices(centers, sizes, input_size=SIZE)[0]
    reflected = crop.transform(centers[None] + 5, mirrored(matrix, centers[0])[None])[0, 0]
    plain = crop.transform(centers[None] + 5, matrix[None])[0, 0]
    np.testing.assert_allclose([reflected[0] + plain[0], reflected[1]], [2 * axis, plain[1]])


def test_chance_is_a_function_of_seed_epoch_and_index(people):
    def sample(seed, epoch, index):
        crops = Crops(people, processing=processing.UDP, input_size=SIZE, augmentation=VARIED, seed=seed)
        return crops[epoch, index]["keypoints"].tolist()

    assert sample(0, 1, 2) == sample(0, 1, 2)
    assert len({str(sample(*key)) for key in [(0, 1, 2), (1, 1, 2), (0, 2, 2), (0, 1, 3)]}) == 4


def test_batches_are_shuffled_shared_and_resumed():
    whole = Batches(10, batch=4, seed=3)
    steps = list(whole)
    assert len(steps) == len(whole) == 2
    assert len({index for step in steps for _, index in step}) == 8
    shares = [list(Batches(10, batch=4, seed=3, rank=rank, world=2)) for rank in (0, 1)]
    assert [sorted(a + b) for a, b in zip(*shares, strict=True)] == [sorted(step) for step in steps]
    whole.start = 1
    assert list(whole) == steps[1:]
    whole.epoch = 1
    assert [index for _, index in next(iter(whole))] != [index for _, index in steps[1]]


def test_batches_that_cannot_be_are_reported():
    with pytest.raises(UsageError, match=r"3 samples, fewer than a batch of 4\. Give --set batch=3"):
        Batches(3, batch=4, seed=0)
    with pytest.raises(UsageError, match="cannot be split among 3 processes"):
        Batches(9, batch=4, seed=0, world=3)


def test_planes_are_those_of_running():
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 6, 3)).astype(np.uint8)
    torch.testing.assert_close(to_planes(torch.from_numpy(images)), torch.from_numpy(crop.normalize(images)))


def test_half_a_body_takes_nine_known_keypoints():
    keypoints = np.stack([np.arange(17.0), np.arange(17.0) ** 2], axis=1)
    box, rng = np.array([0.0, 0, 16, 256]), np.random.default_rng(0)
    eight = (np.arange(17) < 8).astype(float)
    np.testing.assert_array_equal(augment.half_body(box, keypoints, eight, rng, probability=1.0), box)
    boxes = [augment.half_body(box, keypoints, np.ones(17), rng, probability=1.0) for _ in range(400)]
    upper = np.mean([np.allclose((b[:2] + b[2:]) / 2, keypoints[:11].mean(0)) for b in boxes])
    assert 0.6 < upper < 0.78  # 0.69, as a normal number is below 0.5


def test_a_truncated_person_is_seen_up_to_the_waist_or_from_there(people):
    rng = np.random.default_rng(0)
    points, weights = people.keypoints[0].astype(float), people.weights[0]
    for _ in range(20):
        low, high = np.split(augment.truncated(people.boxes[0], points, weights, rng, probability=1.0), 2)
        inside = ((points > low) & (points < high)).all(1)
        assert inside[:11].all() or inside[11:].all()
        assert not inside.all()
