"""The training loop: networks learn, runs go on exactly, several processes are one."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from overfit import Learned, UntilLearned
from stick_people import draw

from posetrack.errors import ModelError, OutputError, TrainingError
from posetrack.models.networks.convvit import ConvViT
from posetrack.models.networks.deit import DeiT
from posetrack.models.networks.potr import POTR
from posetrack.models.networks.transpose import TransPose
from posetrack.models.networks.vitpose import ViTPose
from posetrack.models.training import data, loop
from posetrack.models.training.checkpoint import write_whole
from posetrack.models.training.loop import fit
from posetrack.models.training.pose import PoseTask
from posetrack.models.training.recipe import Augment, Data, Network, Optim, Recipe, Schedule
from posetrack.models.weights import checkpoint
from posetrack.tracker.cli import main

ROOT = Path(__file__).parents[3]


def tiny(family, size):
    torch.manual_seed(0)
    match family:
        case "convvit":
            return ConvViT(input_size=size, backbone_width=0.0625, width=64, depth=1, decoder=(32, 16), drop_path=0.1)
        case "vitpose":
            return ViTPose(dim=96, depth=2, num_heads=2, input_size=size)
        case "transpose":
            return TransPose(dim=32, depth=1, ffn=64, num_heads=2, input_size=size)
        case "potr":
            encoder = DeiT(patch=8, input_size=size, dim=64, depth=2)
            return POTR(encoder=encoder, dim=64, depth=2, hidden=128, num_queries=24)


LOSSES = {"convvit": "places", "vitpose": "vitpose", "transpose": "transpose", "potr": "potr"}


def make_recipe(family="convvit", *, epochs=3, batch=4, lr=1e-3, seed=0, save_every=0, augment=None, ema=0.9, decay=0):
    return Recipe(
        network=Network(variant=family),
        loss=LOSSES[family],
        epochs=epochs,
        batch=batch,
        seed=seed,
        ema=ema,
        clip=1.0,
        save_every=save_every,
        data=Data(workers=0),
        augment=augment or Augment(scale=0.2, rotation=20, color=1.0, cutout=0.2, half_body=0.3),
        optim=Optim(groups="matrix_decay", lr=lr, weight_decay=0.01),
        schedule=Schedule(kind="plateau", warmup=2, decay=decay),
    )


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path, full_disk):
    path = tmp_path / "last.pt"
    write_whole(path, lambda partial: torch.save(torch.ones(10), partial))
    with full_disk(2000), pytest.raises(OutputError, match="Free some space; --resume continues"):
        write_whole(path, lambda partial: torch.save(torch.zeros(10_000), partial))
    assert torch.load(path, weights_only=True).tolist() == [1.0] * 10
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    root = tmp_path_factory.mktemp("people")
    draw(root)
    return data.read(root, split="train")[0]


def run(people, out, recipe, *, family="convvit", size=(64, 48), task=PoseTask, **options):
    out.mkdir(parents=True, exist_ok=True)
    fabric = Fabric(accelerator="cpu", devices=1)
    figures = fit(task(people, people, recipe, network=tiny(family, size)), recipe, out=out, fabric=fabric, **options)
    return figures, torch.load(out / "last.pt", weights_only=True)


def log(out):
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "steps", "lr"),
    [("convvit", 200, 5e-3), ("vitpose", 160, 2e-3), ("transpose", 160, 2e-3), ("potr", 300, 1e-3)],
)
def test_each_family_overfits_eight_people(people, tmp_path, family, steps, lr):
    recipe = make_recipe(family, epochs=steps, batch=8, lr=lr, augment=Augment(flip=0.0), ema=0.0, decay=steps // 3)
    recipe = replace(recipe, validate_every=10)
    with pytest.raises(Learned):
        run(people, tmp_path, recipe, family=family, size=(96, 64), task=UntilLearned)


class Interrupted(Exception):
    """Simulates a kill."""


class InterruptedTask(PoseTask):
    """Stops at the seventh batch."""

    calls = 0

    def loss(self, network, batch, mean=lambda value: value):
        self.calls += network.training
        if self.calls == 8:
            raise Interrupted
        return super().loss(network, batch, mean)


@pytest.mark.slow
def test_a_run_that_was_interrupted_goes_on_bit_for_bit(people, tmp_path, monkeypatch):
    """Two batches an epoch; killed within the fourth, after a checkpoint at the sixth step and one of the epoch."""
    monkeypatch.setattr("posetrack.models.training.report.EVERY", 1)
    recipe = make_recipe(epochs=5, batch=2, save_every=3)
    _, whole = run(people, tmp_path / "whole", recipe)
    with pytest.raises(Interrupted):
        run(people, tmp_path / "parts", recipe, task=InterruptedTask)
    assert torch.load(tmp_path / "parts" / "last.pt", weights_only=True)["step"] == 6
    _, again = run(people, tmp_path / "parts", recipe, resume=True)
    assert again["step"] == whole["step"] == 20
    for part in ("model", "ema"):
        for key, value in whole[part].items():
            assert torch.equal(again[part][key], value), key
    curves = [[(line["step"], line.get("loss"), line.get("val_loss")) for line in log(tmp_path / name)]
              for name in ("whole", "parts")]  # fmt: skip
    assert curves[0] == curves[1]


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # on a machine of one core
def test_the_number_of_workers_changes_nothing(people, tmp_path):
    from dataclasses import replace

    recipe = make_recipe(epochs=1)
    _, alone = run(people, tmp_path / "0", recipe)
    _, helped = run(people, tmp_path / "2", replace(recipe, data=Data(workers=2)))
    for key, value in alone["model"].items():
        assert torch.equal(helped["model"][key], value), key


class Broken(PoseTask):
    def validate(self, network, device):
        raise RuntimeError("no validation")


def test_an_epoch_without_a_validation_ends_with_a_checkpoint(people, tmp_path):
    with pytest.raises(RuntimeError, match="no validation"):
        run(people, tmp_path, replace(make_recipe(epochs=2), validate_every=2), task=Broken)
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] == len(people) // 4


def test_validates_every_second_epoch_and_after_the_last(people, tmp_path):
    run(people, tmp_path, replace(make_recipe(epochs=3), validate_every=2))
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in log if "val_AP" in line] == [2, 3]


def test_the_weights_load_by_themselves_and_are_the_average(people, tmp_path):
    _, state = run(people, tmp_path, make_recipe())
    network = checkpoint.load_checkpoint(tmp_path / "model.safetensors")
    assert network.input_size == (64, 48)
    best = torch.load(tmp_path / "best.pt", weights_only=True)
    for key, value in network.state_dict().items():
        torch.testing.assert_close(value, best["ema"][key])
    assert any(not torch.equal(state["ema"][key], state["model"][key]) for key in state["model"])
    assert (tmp_path / "predictions.jpg").stat().st_size > 0
    assert list(tmp_path.glob("events.out.tfevents*"))


def test_a_loss_that_is_not_finite_stops_and_keeps_the_batch(people, tmp_path):
    class Broken(PoseTask):
        def loss(self, network, batch, mean=lambda value: value):
            return super().loss(network, batch, mean) * torch.nan

    with pytest.raises(TrainingError, match=r"The loss is nan at step 0; its batch is in .*not-finite-0\.pt"):
        run(people, tmp_path, make_recipe(), task=Broken)
    assert "keypoints" in torch.load(tmp_path / "not-finite-0.pt", weights_only=True)


def test_a_new_run_begins_from_another_at_a_higher_resolution(people, tmp_path):
    _, low = run(people, tmp_path / "low", make_recipe())
    recipe = make_recipe(epochs=1, lr=0.0)  # nothing moves, so the weights are those that it began from
    _, high = run(people, tmp_path / "high", recipe, size=(96, 80), init=tmp_path / "low" / "last.pt")
    assert high["model"]["pos_embed"].shape == (1, 64, 6, 5)
    assert high["seen"] == low["seen"] + 8
    torch.testing.assert_close(high["model"]["final_layer.weight"], low["model"]["final_layer.weight"])
    assert high["optimizer"]["pos_embed"]["exp_avg_sq"].shape == (1, 64, 6, 5)
    assert (high["optimizer"]["pos_embed"]["exp_avg_sq"] >= 0).all()
    assert high["optimizer"]["final_layer.weight"]["step"] == low["optimizer"]["final_layer.weight"]["step"] + 2


def test_checkpoints_of_the_first_version_are_taken_with_their_moments(people, tmp_path):
    """There, PyTorch's own state counts the matrices first."""
    _, new = run(people, tmp_path / "new", make_recipe())
    network = tiny("convvit", (64, 48))
    named = list(network.named_parameters())
    order = [name for name, p in named if p.ndim > 1] + [name for name, p in named if p.ndim <= 1]
    old = {i: new["optimizer"][name] for i, name in enumerate(order) if name in new["optimizer"]}
    old = {"state": old, "param_groups": []}
    torch.save({"model": new["model"], "ema": new["ema"], "optimizer": old, "seen": 99}, tmp_path / "old.pt")
    optimizer = torch.optim.AdamW(network.parameters())
    began = loop.Run(network, tiny("convvit", (64, 48)), optimizer)
    began.initialise(tmp_path / "old.pt", read_weights=lambda path: {})
    assert began.seen == 99
    assert began.step == 0
    for name, parameter in network.named_parameters():
        if name not in new["optimizer"]:  # a frozen layer has no moments
            continue
        torch.testing.assert_close(optimizer.state[parameter]["exp_avg"], new["optimizer"][name]["exp_avg"])


def test_a_checkpoint_of_another_network_is_refused(people, tmp_path):
    run(people, tmp_path, make_recipe(epochs=1))
    with pytest.raises(ModelError, match="does not fit the network"):
        run(people, tmp_path / "other", make_recipe("potr"), family="potr", init=tmp_path / "last.pt")
    with pytest.raises(ModelError, match="of another network"):
        run(people, tmp_path, make_recipe("potr"), family="potr", resume=True)


TWO_STEPS = """
loss = "vitpose"
epochs = 1
batch = 4
[network]
variant = "timm"
backbone = "test_vit"
head = "simple"
input_size = [64, 48]
[optim]
groups = "slow_encoder"
[data]
workers = 0
"""


LAUNCHED = {  # how, and with what options
    "two": (["-m", "posetrack"], ["--devices", "2"]),
    "torchrun": (["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "posetrack"], []),
}


@pytest.mark.slow
def test_two_processes_are_one_with_the_double_batch(tmp_path):
    draw(tmp_path / "data")
    (tmp_path / "two-steps.toml").write_text(TWO_STEPS)

    def words(name):
        options = ["--device", "cpu", "--out", str(tmp_path / name), "--quiet"]
        return ["train", str(tmp_path / "two-steps.toml"), "--data", str(tmp_path / "data"), *options]

    assert main(words("one")) == 0
    for name, (launcher, devices) in LAUNCHED.items():
        subprocess.run([sys.executable, *launcher, *words(name), *devices], check=True, cwd=ROOT, timeout=600)
    losses = {name: [line["loss"] for line in log(tmp_path / name) if "loss" in line] for name in ("one", *LAUNCHED)}
    np.testing.assert_allclose(losses["one"], losses["two"], rtol=1e-5)
    np.testing.assert_allclose(losses["one"], losses["torchrun"], rtol=1e-5)


@pytest.mark.parametrize("family", ["convvit", "vitpose"])
def test_every_way_through_a_network_computes_in_the_precision_of_the_recipe(people, tmp_path, family):
    """ConvViT is trained by `logits`, ViTPose by its call."""
    kinds = set()

    class Watched(PoseTask):
        def loss(self, network, batch, mean=lambda value: value):
            if network.training:
                last = self.network.blocks[-1] if family == "convvit" else self.network.backbone.blocks[-1]
                handle = last.mlp.register_forward_hook(lambda module, given, made: kinds.add(made.dtype))
                loss = super().loss(network, batch, mean)
                handle.remove()
                return loss
            return super().loss(network, batch, mean)

    (tmp_path / "out").mkdir()
    recipe = make_recipe(family, epochs=1)
    fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")
    fit(Watched(people, people, recipe, network=tiny(family, (64, 48))), recipe, out=tmp_path / "out", fabric=fabric)
    assert kinds == {torch.bfloat16}
