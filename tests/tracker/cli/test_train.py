"""`posetrack train` from the command line, on a few drawn people."""

import json

import pytest
from stick_people import draw

from posetrack.models.weights import checkpoint
from posetrack.tracker.cli import main

RECIPE = """
loss = "places"
epochs = 1
batch = 4
[network]
variant = "convvit"
input_size = [64, 48]
[data]
held_out = 0.25
workers = 0
"""


@pytest.fixture
def train(tmp_path, capsys):
    draw(tmp_path / "data")
    (tmp_path / "tiny.toml").write_text(RECIPE)

    def run(*options):
        target = ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--device", "cpu"]
        code = main(["train", str(tmp_path / "tiny.toml"), *target, *options])
        return code, *capsys.readouterr()

    return run


def test_a_run_leaves_weights_that_load_and_goes_on(train, tmp_path):
    code, made, printed = train("--init", "bundled", "--set", "optim.lr=1e-5")
    assert (code, made) == (0, f"{tmp_path / 'out' / 'model.safetensors'}\n")
    assert "epoch 1, held out: loss" in printed
    assert checkpoint.load_checkpoint(tmp_path / "out" / "model.safetensors").input_size == (64, 48)
    assert "lr = 1e-05" in (tmp_path / "out" / "recipe.toml").read_text()

    code, made, printed = train()
    assert (code, made) == (1, "")
    assert "already contains a run. Add --resume" in printed

    assert train("--resume", "--set", "epochs=2")[0] == 0
    lines = [json.loads(line) for line in (tmp_path / "out" / "log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines if "val_AP" in line] == [1, 2]


def test_problems_of_the_data_are_reported(train, tmp_path):
    (tmp_path / "data" / "images" / "3.png").unlink()
    assert "1 images are missing, left out: 3.png." in train()[2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "batsch=3"], "Did you mean batch?"),
        (["--set", "batch=400"], "fewer than a batch of 400"),
        (["--set", "loss=mse"], "The loss 'mse' is unknown"),
        (["--set", "network.variant=convvitt"], "Did you mean convvit?"),
        (["--set", "network.input_size=[60, 48]"], "not a multiple of 16"),
        (["--resume", "--init", "bundled"], "give one of them"),
    ],
)
def test_a_wrong_request_is_reported(train, options, message):
    code, _, printed = train(*options)
    assert code == 2
    assert message in printed


def test_without_the_extra_the_error_has_the_command_to_install_it(train, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    code, _, printed = train()
    assert code == 2
    assert "pip install 'posetrack[train]'" in printed
