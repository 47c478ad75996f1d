"""A network of a fixed number of images takes any number."""

import numpy as np

from posetrack.tracker.perception.runtimes.batches import FixedBatch


class Suppressing:
    """Takes one image, and returns as many rows as its first value says: box and score 1, and labels."""

    name, device, precision, reason, streams = "suppressing", "cpu", "fp32", "", 1

    def __call__(self, images):
        assert len(images) == 1
        rows = int(images[0, 0, 0, 0])
        return {"dets": np.full((1, rows, 5), 1, np.float32), "labels": np.full((1, rows), 7, np.float32)}


def test_fewer_rows_of_a_image_are_filled_with_zeros():
    images = np.zeros((3, 3, 4, 4), np.float32)
    images[:, 0, 0, 0] = 2, 0, 3
    outputs = FixedBatch(Suppressing(), 1)(images)
    assert outputs["dets"].shape == (3, 3, 5)
    assert outputs["dets"].sum((1, 2)).tolist() == [10, 0, 15]
    assert outputs["labels"].tolist() == [[7, 7, 0], [0, 0, 0], [7, 7, 7]]
