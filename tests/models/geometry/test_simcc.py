import numpy as np
import pytest

from posetrack.models.geometry import simcc
from posetrack.models.geometry.processing import SIMCC


def responses(*peaks, bins=40):
    """Return Gaussian responses (1, K, bins) around bins."""
    return np.exp(-((np.arange(bins) - np.array(peaks)[:, None]) ** 2) / 8)[None].astype(np.float32)


def test_points_are_half_their_bins():
    points, scores = simcc.decode(responses(10, 31), 0.5 * responses(5, 20))
    np.testing.assert_array_equal(points, [[[5, 2.5], [15.5, 10]]])
    np.testing.assert_allclose(scores, [[0.75, 0.75]])


def test_no_response_is_a_missing_keypoint():
    points, scores = simcc.decode(-responses(10), -responses(5))
    assert np.isnan(points).all()
    assert scores == 0


def test_no_people():
    points, scores = simcc.decode(np.zeros((0, 17, 8), np.float32), np.zeros((0, 17, 6), np.float32))
    assert (points.shape, scores.shape) == ((0, 17, 2), (0, 17))


def test_mirrored_crops_are_averaged():
    """The network finds the left keypoint of the mirrored crop 2 pixels off; the mean is 1 pixel off."""
    crops = np.zeros((1, 3, 16, 20), np.float32)
    crops[..., 0] = 1  # identifies the side

    def network(images):
        x = responses(10, 30) if images[0, 0, 0, 0] else responses(9, 29 - 4)  # left is the mirror image of right
        return {"simcc_x": x, "simcc_y": responses(8, 8, bins=32)}

    points, scores, size = SIMCC.locate(network, crops, flip_order=np.array([1, 0]))
    assert size == (16, 20)
    np.testing.assert_allclose(points[0, :, 0], [6, 15])  # 5 and 7 pixels; 15 and 15
    assert scores[0, 1] == pytest.approx(1)
    assert scores[0, 0] < 1
