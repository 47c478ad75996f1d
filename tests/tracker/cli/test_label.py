"""`posetrack label` on a real photograph, and a training on its labels."""

import gzip
import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from posetrack import load_pipeline
from posetrack.models.training import data
from posetrack.tracker.cli import main

BUS = Path(importlib.util.find_spec("ultralytics").origin).parent / "assets" / "bus.jpg"


@pytest.fixture
def photograph(tmp_path):
    """A folder with one photograph: a person with true keypoints, one with a teacher's, and a crowd."""
    (tmp_path / "images").mkdir()
    shutil.copy(BUS, tmp_path / "images" / "bus.jpg")
    common = {"image_id": 7, "category_id": 1, "iscrowd": 0, "area": 1000.0, "keypoints": [10, 10, 2] * 17}
    truth = {
        "images": [{"id": 7, "file_name": "bus.jpg", "width": 810, "height": 1080}],
        "annotations": [
            common | {"id": 1, "bbox": [221, 405, 124, 452], "label_source": "teacher", "num_keypoints": 17},
            common | {"id": 2, "bbox": [48, 400, 196, 505], "num_keypoints": 17},
            common | {"id": 3, "bbox": [600, 400, 100, 100], "num_keypoints": 17, "iscrowd": 1},
        ],
        "categories": [{"id": 1, "name": "person"}],
    }
    (tmp_path / "annotations.json").write_text(json.dumps(truth))
    return tmp_path


def label(folder, *options):
    views = ("--teacher", "bundled", "--teacher", "bundled:mirrored")
    return main(["label", "--data", str(folder), "--out", str(folder / "new.json.gz"), *views, *options])


def test_a_teacher_is_replaced_and_the_truth_is_not(photograph):
    assert label(photograph) == 0
    new = json.loads(gzip.decompress((photograph / "new.json.gz").read_bytes()))
    by_id = {annotation["id"]: annotation for annotation in new["annotations"]}
    old = {a["id"]: a for a in json.loads((photograph / "annotations.json").read_text())["annotations"]}
    assert by_id[2] == old[2]
    assert by_id[3] == old[3]
    image = data.read(photograph, split="train")[0].image(0)[0]
    seen = load_pipeline(detector=lambda frame: [[221, 405, 345, 857]])(image)[0]
    labels = np.array(by_id[1]["keypoints"]).reshape(17, 3)
    sure = (seen.keypoints.scores > 0.6) & (labels[:, 2] > 0)
    assert sure.sum() > 8
    distances = np.linalg.norm(labels[sure, :2] - seen.keypoints.xy[sure], axis=1)
    assert distances.max() < 0.05 * 452

    people, _ = data.read(photograph, split="train", labels=photograph / "new.json.gz")
    assert people.true.tolist() == [False, True]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "exists already"),
        (("--overwrite", "--teacher", "bundled@320"), "Leave out @320"),
        (("--overwrite", "--teacher", "bundled@100"), "multiple of 32"),
        (("--out", "labels.csv"), "does not end in .json"),
    ],
)
def test_mistakes_are_sentences(photograph, capsys, options, message):
    (photograph / "new.json.gz").write_bytes(b"")
    assert label(photograph, *options) != 0
    assert message in capsys.readouterr().err.replace("\n", " ")
