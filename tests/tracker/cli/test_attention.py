import cv2
import numpy as np
import pytest
import torch

from posetrack.models.networks.transpose import SIZES, TransPose
from posetrack.tracker.cli import main
from posetrack.tracker.perception import detector
from posetrack.tracker.types import Detections


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with an image and the weights of an untrained TransPose whose maps all have a positive peak."""
    folder = tmp_path_factory.mktemp("attention")
    cv2.imwrite(str(folder / "photo.png"), np.random.default_rng(0).integers(0, 255, (120, 90, 3), np.uint8))
    torch.manual_seed(0)
    network = TransPose(**SIZES["transpose-r-a3"])
    torch.nn.init.constant_(network.final_layer.bias, 3.0)
    torch.save(network.state_dict(), folder / "transpose.pth")
    return folder


@pytest.fixture
def attention(files, tmp_path):
    """Run the command, return its exit code and the file that it should write."""

    def call(*words, image=files / "photo.png"):
        output = tmp_path / "figures" / "out.png"
        model = ["--model", str(files / "transpose.pth"), "--device", "cpu"]
        return main(["attention", "--image", str(image), *model, "--out", str(output), "--overwrite", *words]), output

    return call


def test_a_figure_is_written(attention):
    code, output = attention("--keypoint", "left_wrist", "--box", "10,10,80,110")
    assert code == 0
    assert cv2.imread(str(output)).shape[0] > 900  # three layers


def test_the_keypoints_are_those_of_the_dataset(attention, capsys):
    words = ("--box", "10,10,80,110", "--keypoint", "left_front_paw")
    assert attention(*words, "--dataset", "ap10k")[0] == 0
    assert attention(*words)[0] == 2
    assert attention(*words[:2], "--dataset", "mpii", "--keypoint", "pelvis")[0] == 1
    assert "Add --dataset coco or ap10k" in capsys.readouterr().err


def test_the_most_certain_person_is_taken(attention, monkeypatch):
    people = Detections([[0, 0, 20, 20], [10, 10, 80, 110]], [0.4, 0.9])
    monkeypatch.setattr(detector, "load_detector", lambda *names, **options: lambda frame: people)
    _, output = attention("--box", "10,10,80,110")
    expected = output.read_bytes()
    assert attention()[0] == 0
    assert output.read_bytes() == expected


def test_a_image_without_people_is_reported_in_one_sentence(attention, monkeypatch, capsys):
    monkeypatch.setattr(detector, "load_detector", lambda *names, **options: lambda frame: Detections.empty())
    assert attention()[0] == 1
    assert "finds no person" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--keypoint", "left_wirst"], "Did you mean left_wrist?"),
        (["--box", "1,2,3"], "give four numbers"),
        (["--box", "9,9,1,1"], "is empty"),
        (["--out", "figure.docx"], "give the name of an image"),
    ],
)
def test_a_wrong_request_is_one_sentence(attention, capsys, words, message):
    assert attention(*words)[0] == 2
    assert message in capsys.readouterr().err


def test_a_missing_image_is_one_sentence(attention, tmp_path, capsys):
    assert attention("--box", "1,1,9,9", image=tmp_path / "none.png")[0] == 1
    assert "Cannot read" in capsys.readouterr().err
