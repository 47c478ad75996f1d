import pickle

import pytest
import torch
from safetensors.torch import save_file

from posetrack.errors import ModelError
from posetrack.models.networks.convvit import ConvViT
from posetrack.models.weights import checkpoint


@pytest.fixture(scope="module")
def state():
    torch.manual_seed(0)
    return ConvViT(input_size=(32, 32), backbone_width=0.0625, width=32, depth=1, decoder=(8, 8)).state_dict()


def test_wrappers_of_training_frameworks_are_taken_off(state, tmp_path):
    for wrapped in (
        {"state_dict": state, "meta": {"epoch": 1}},
        {"model": state, "optimizer": {}},
        {"state_dict": {f"module.{key}": value for key, value in state.items()}},
        state,
    ):
        torch.save(wrapped, tmp_path / "weights.pth")
        assert checkpoint.load_checkpoint(tmp_path / "weights.pth").input_size == (32, 32)


def test_half_precision_files_load_as_float32(state, tmp_path):
    halves = {key: value.half() if value.is_floating_point() else value for key, value in state.items()}
    save_file(halves, tmp_path / "weights.safetensors")
    model = checkpoint.load_checkpoint(tmp_path / "weights.safetensors")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_a_missing_key_is_named(state):
    broken = {key: value for key, value in state.items() if key != "final_layer.bias"}
    with pytest.raises(ModelError, match=r"1 missing: final_layer\.bias"):
        checkpoint.load_checkpoint(broken)


def test_a_misshapen_key_is_named(state):
    with pytest.raises(ModelError, match=r"with another shape: norm\.weight \(7,\) instead of \(32,\)"):
        checkpoint.load_checkpoint(state | {"norm.weight": torch.zeros(7)})


def test_weights_of_something_else_are_refused():
    with pytest.raises(ModelError, match="not a checkpoint of a pose network"):
        checkpoint.load_checkpoint({"fc.weight": torch.zeros(3, 3)})


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
def test_a_text_file_is_not_weights(tmp_path, name):
    path = tmp_path / name
    path.write_text("hello, I am a text file")
    with pytest.raises(ModelError, match="not a"):
        checkpoint.load_checkpoint(path)


class Evil:
    def __reduce__(self):
        return (print, ("code ran",))


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path, capsys):
    path = tmp_path / "evil.pth"
    with path.open("wb") as file:
        pickle.dump({"state_dict": Evil()}, file, protocol=2)
    with pytest.raises(ModelError, match="which was refused"):
        checkpoint.load_checkpoint(path)
    torch.save({"state_dict": Evil()}, path)
    with pytest.raises(ModelError, match="which was refused"):
        checkpoint.load_checkpoint(path)
    assert capsys.readouterr().out == ""


def test_keys_that_are_no_names_are_left_out(tmp_path):
    torch.save({1: torch.ones(3), b"key": torch.ones(2), (1, 2): torch.ones(1)}, tmp_path / "a.pth")
    with pytest.raises(ModelError, match="contains no tensors"):
        checkpoint.load_checkpoint(tmp_path / "a.pth")
