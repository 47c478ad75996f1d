"""A network learns from the heat maps of a teacher, and only one that sees and answers the same may teach."""

import pytest
import torch
from safetensors.torch import save_file
from stick_people import draw

from posetrack.errors import UsageError
from posetrack.models.networks.convvit import ConvViT
from posetrack.models.networks.transpose import TransPose
from posetrack.models.networks.vitpose import ViTPose
from posetrack.models.training import data
from posetrack.models.training.objectives import OBJECTIVES, distil_heatmaps, distil_logits
from posetrack.models.training.pose import PoseTask
from posetrack.models.training.recipe import Network, Recipe, Teacher
from posetrack.models.training.samples import to_planes
from posetrack.models.weights import checkpoint

SIZE = (64, 48)
LAST = "keypoint_head.final_layer.weight"


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    root = tmp_path_factory.mktemp("people")
    draw(root)
    return data.read(root, split="train")[0]


def student():
    torch.manual_seed(1)
    return ConvViT(input_size=SIZE, backbone_width=0.0625, width=64, depth=1, decoder=(32, 16))


def saved(network, folder):
    path = folder / "teacher.safetensors"
    state = {key: value.contiguous() for key, value in network.state_dict().items()}
    save_file(state, path, metadata=checkpoint.metadata(network))
    return str(path)


def task(people, teacher, *, network=None, weight=1.0, loss="places"):
    recipe = Recipe(
        network=Network(variant="convvit", input_size=SIZE), loss=loss, epochs=1, batch=4,
        teacher=Teacher(network=teacher, weight=weight),
    )  # fmt: skip
    return PoseTask(people, people, recipe, network=network or student())


def batch_of(task):
    return torch.utils.data.default_collate([task.samples[0, index] for index in range(4)])


def vitpose(size=SIZE):
    torch.manual_seed(2)
    network = ViTPose(dim=384, depth=1, num_heads=12, input_size=size)
    torch.nn.init.normal_(network.state_dict(keep_vars=True)[LAST], std=0.5)  # a fresh head answers nearly nothing
    return network


def places_of(maps):
    """Return the logits of a network whose distribution over places is that of a teacher's maps."""
    return (maps.clamp(min=0) ** ((2 / 1.5) ** 2)).clamp(min=1e-30).log()


def test_the_teacher_adds_its_weight_times_its_distance_and_only_in_training(people, tmp_path):
    teacher = saved(vitpose(), tmp_path)
    alone, taught, twice = task(people, ""), task(people, teacher), task(people, teacher, weight=2.0)
    batch = batch_of(alone)
    network = student().eval()  # no drop path, no moving statistics
    held_out = [each.loss(network, batch) for each in (alone, taught, twice)]
    assert held_out[0] == held_out[1] == held_out[2]
    network.training = True
    losses = [each.loss(network, batch).item() for each in (alone, taught, twice)]
    assert losses[1] > losses[0]
    assert losses[2] - losses[0] == pytest.approx(2 * (losses[1] - losses[0]), rel=1e-4)


@pytest.mark.slow
def test_a_student_comes_to_answer_as_its_teacher(people, tmp_path):
    taught = task(people, saved(vitpose(), tmp_path))
    batch = batch_of(taught)
    batch["weights"] = torch.zeros_like(batch["weights"])  # nothing is annotated
    maps = taught.teacher(to_planes(batch["images"]))
    least = distil_logits(places_of(maps), maps).item()
    network = student()
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = taught.loss(network, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item() - least)
    assert 0 < losses[-1] < 0.7 * losses[0]
    assert all(parameter.grad is None for parameter in taught.teacher.network.parameters())


def test_the_distance_is_least_at_the_teachers_own_answer():
    torch.manual_seed(0)
    maps = torch.rand(2, 3, 8, 6) ** 4
    assert distil_heatmaps(maps, maps) == 0
    own = places_of(maps)
    for _ in range(5):
        assert distil_logits(own + 0.1 * torch.randn_like(own), maps) > distil_logits(own, maps)


def test_a_teacher_who_sees_nothing_teaches_nothing():
    assert distil_logits(torch.randn(1, 2, 8, 6), torch.zeros(1, 2, 8, 6)) == 0


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: vitpose((96, 64)), r"takes crops of 96 x 64, but convvit those of 64 x 48"),
        (lambda: TransPose(dim=32, depth=1, ffn=64, num_heads=2, input_size=SIZE), "has other crops"),
        (student, "does not output heat maps"),
    ],
)
def test_a_teacher_of_something_else_is_refused(people, tmp_path, make, reason):
    with pytest.raises(UsageError, match=reason):
        task(people, saved(make(), tmp_path))


def test_sets_and_detectors_have_no_teacher(people, tmp_path):
    assert OBJECTIVES["potr"].distillation is None
    with pytest.raises(UsageError, match="does not support a teacher"):
        task(people, saved(vitpose(), tmp_path), network=vitpose(), loss="potr")
    with pytest.raises(UsageError, match="not detectors"):
        Recipe(network=Network("yolo"), loss="detection", epochs=1, batch=1, teacher=Teacher("vitpose-b"))
