"""The backbone and neck of YOLOv8: its maps, and the weights of a published file."""

import pytest
import torch

from posetrack.models.networks.csp_pan import CSPPAN, rename_published


@pytest.fixture(scope="module")
def published():
    """Ultralytics' own YOLOv8n-pose with random weights and batch statistics."""
    from posetrack.models.networks.ultralytics_import import load_tasks

    torch.manual_seed(0)
    model = load_tasks().PoseModel("yolov8n-pose.yaml", verbose=False).eval()
    for name, value in model.state_dict().items():
        if name.endswith(("running_mean", "bn.bias")):
            value.normal_(std=0.1)
        elif name.endswith(("running_var", "bn.weight")):
            value.uniform_(0.5, 1.5)
    return model


def maps_of(model, images):
    outputs, x = [], images
    for layer in list(model.model)[:22]:
        if layer.f != -1:
            x = outputs[layer.f] if isinstance(layer.f, int) else [x if j == -1 else outputs[j] for j in layer.f]
        x = layer(x)
        outputs.append(x)
    return [outputs[i] for i in (2, 15, 18, 21)]


@torch.no_grad()
def test_published_weights_give_the_published_maps(published):
    network = CSPPAN().eval()
    network.load_state_dict(rename_published(published.state_dict()))
    images = torch.rand(2, 3, 96, 64)
    for found, expected in zip(network(images), maps_of(published, images), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_folded_weights_are_read_alike(published):
    state = rename_published(published.state_dict())
    folded = {key.replace("layers.", "model."): value for key, value in state.items()}
    assert all(torch.equal(value, state[key]) for key, value in rename_published(folded).items())


def test_maps_come_at_four_strides_and_sides_are_rounded_up():
    maps = CSPPAN().eval()(torch.zeros(1, 3, 96, 80))
    assert [tuple(m.shape[1:]) for m in maps] == [(32, 24, 20), (64, 12, 10), (128, 6, 5), (256, 3, 3)]


def test_frozen_layers_have_no_gradients():
    network = CSPPAN(0.0625)
    network.freeze(2)
    network(torch.rand(1, 3, 32, 32))[-1].sum().backward()
    assert {name for name, p in network.named_parameters() if p.grad is None and p.requires_grad} == set()
    assert {name.split(".")[1] for name, p in network.named_parameters() if not p.requires_grad} == {"0", "1"}
