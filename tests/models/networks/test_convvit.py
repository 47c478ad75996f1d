import math

import pytest
import torch

from posetrack.models.networks.convvit import SIGMA, ConvViT
from posetrack.models.weights.checkpoint import load_checkpoint


@pytest.fixture(scope="module")
def tiny():
    torch.manual_seed(0)
    return ConvViT(input_size=(64, 48), backbone_width=0.0625, width=64, depth=2, decoder=(32, 16)).eval()


def test_heatmaps_are_a_distribution_over_places(tiny):
    with torch.inference_mode():
        heatmaps = tiny(torch.randn(2, 3, 64, 48))
    assert heatmaps.shape == (2, 17, 16, 12)
    torch.testing.assert_close(heatmaps.sum((2, 3)), torch.full((2, 17), 2 * math.pi * SIGMA**2))


def test_a_network_is_rebuilt_from_its_state_dict_alone(tiny):
    again = load_checkpoint(tiny.state_dict())
    images = torch.randn(1, 3, 64, 48)
    assert again.input_size == (64, 48)
    with torch.inference_mode():
        torch.testing.assert_close(again(images), tiny(images))


def test_an_input_that_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="multiple of 16"):
        ConvViT(input_size=(100, 75))
