"""Training recipes: the shipped ones are complete, and every mistake is reported with its remedy."""

import pytest

from posetrack import configs
from posetrack.errors import UsageError
from posetrack.models.networks import yolo
from posetrack.models.training import recipe_file
from posetrack.models.training.objectives import OBJECTIVES
from posetrack.models.weights.variants import ZOO

EPOCHS = {"vitpose": 210, "transpose-r": 230, "transpose-h": 240, "potr": 80}
LEARNING_RATES = {"vitpose": 5e-4, "transpose": 1e-4, "potr": 1e-4}


@pytest.mark.parametrize("name", configs.names(recipe_file.FOLDER))
def test_every_recipe_is_whole(name):
    read = recipe_file.read(name)
    assert read.loss in {*OBJECTIVES, "detection"}
    assert read.network.variant in {*ZOO, *yolo.VARIANTS.values(), "timm"}
    assert [n for prefix, n in EPOCHS.items() if name.startswith(prefix)] in ([read.epochs], [])
    assert [n for prefix, n in LEARNING_RATES.items() if name.startswith(prefix)] in ([read.optim.lr], [])


def test_the_families_and_the_bundled_networks_have_recipes():
    potr = {"potr-deit-s16", "potr-deit-dino-s8", "potr-xcit-s12-p16", "potr-xcit-s12-p8", "potr-resnet50"}
    others = {"vitpose-s", "vitpose-b", "transpose-r-a4", "transpose-h-s", "bundled-pose", "bundled-detector"}
    assert potr | others | {"potr-vab-deit-s16"} <= set(configs.names(recipe_file.FOLDER))


def test_keys_are_overridden_and_the_resolved_recipe_reads_back(tmp_path):
    overrides = ["optim.lr=1e-4", "network.input_size=[128, 96]", "schedule.at=[1, 2.5]", "network.pretrained=mae.pth"]
    read = recipe_file.read("vitpose-s", overrides)
    assert read.optim.lr == 1e-4
    assert read.network.input_size == (128, 96)
    assert read.network.pretrained == "mae.pth"
    recipe_file.write(read, tmp_path / "recipe.toml")
    assert recipe_file.read(str(tmp_path / "recipe.toml")) == read


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("optim.lrr=1", r"unknown key 'optim\.lrr'\. Did you mean optim\.lr\?"),
        ("batsch=8", "Did you mean batch?"),
        ("optim.lr=fast", "sets optim.lr to 'fast', but it must be of type float"),
        ("epochs=1.5", "but it must be of type int"),
        ("network.input_size=[256]", r"but it must be of type list like \[256, 192\]"),
        ("optim=3", "but it must be of type table"),
        ("epochs=0", "epochs is 0; give at least 1"),
        ("precision=half", "choose one of 32-true, bf16-mixed"),
        ("epochs", "has no value"),
        ("loss.kind=1", "loss is a value and has no keys"),
    ],
)
def test_a_wrong_override_is_reported(override, message):
    with pytest.raises(UsageError, match=message):
        recipe_file.read("vitpose-s", [override])


def test_an_unknown_recipe_is_reported_with_the_nearest():
    with pytest.raises(UsageError, match=r"Did you mean vitpose-s\?"):
        recipe_file.read("vitpose-x")
    with pytest.raises(UsageError, match="no recipe file"):
        recipe_file.read("mine.toml")


def test_a_recipe_that_lacks_something_is_reported(tmp_path):
    (tmp_path / "a.toml").write_text("loss = 'potr'")
    with pytest.raises(UsageError, match="lacks the key 'network'"):
        recipe_file.read(str(tmp_path / "a.toml"))
