"""A number of a file is a number: `true` and `"5"` are none, wherever JSON and TOML are read."""

import json

import pytest
from gaps import gappy

from posetrack.errors import ModelError, SourceError, UsageError
from posetrack.models.evaluation.annotations import read_annotations
from posetrack.models.geometry.processing import PROCESSINGS
from posetrack.models.weights import card
from posetrack.numeric import as_number, as_numbers, as_whole
from posetrack.tracker.config.recipe import read_recipe
from posetrack.tracker.features.events.regions import zones_from_config
from posetrack.tracker.features.events.repetitions import from_config
from posetrack.tracker.formats.files import read_recording, write_recording
from posetrack.tracker.perception.detector import FileDetector

WRONG = [True, "5", [5]]


@pytest.mark.parametrize("value", [*WRONG, None])
def test_what_is_no_number(value):
    for read in (as_number, as_whole):
        with pytest.raises(ValueError, match="is not a"):
            read(value)
    with pytest.raises(ValueError, match="number"):
        as_numbers([1, True])


def test_whole_numbers_of_other_programs():
    assert (as_whole(5.0), as_whole(5)) == (5, 5)
    assert as_numbers([1, 2.5, None]) == [1, 2.5, None]
    for value in (5.5, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="whole"):
            as_whole(value)


def replaced(document, key, value):
    """Return a JSON document in which the first number below a key is another value."""
    if isinstance(document, list):
        return [replaced(each, key, value) for each in document]
    if not isinstance(document, dict):
        return document
    return {
        name: ([value, *each[1:]] if isinstance(each, list) and each else value)
        if name == key
        else replaced(each, key, value)
        for name, each in document.items()
    }


KEYS = {
    "coco": ("keypoints", "bbox", "image_id", "track_id", "score"),
    "posetrack18": ("keypoints", "scores", "bbox", "track_id", "score"),
    "openpose": ("pose_keypoints_2d", "person_id"),
}


@pytest.mark.parametrize("value", WRONG, ids=str)
@pytest.mark.parametrize(("format", "key"), [(name, key) for name, keys in KEYS.items() for key in keys])
def test_tables(format, key, value, tmp_path):
    (path, *_) = write_recording(tmp_path / "a.json", gappy(), to=format)
    file = sorted(path.iterdir())[10] if path.is_dir() else path
    document = json.loads(file.read_text())
    if format == "posetrack18":
        document["annotations"] = replaced(document["annotations"], key, value)
    else:
        document = replaced(document, key, value)
    file.write_text(json.dumps(document))
    with pytest.raises(SourceError, match=r"is not a (whole )?number"):
        list(read_recording(path))


@pytest.mark.parametrize("value", WRONG, ids=str)
def test_boxes_and_annotations(value, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"image_id": 0, "category_id": 1, "bbox": [value, 2, 30, 40], "score": 0.9}]))
    with pytest.raises(ModelError, match="entry 0"):
        FileDetector(path)
    images, person = [{"id": 1, "file_name": "a.jpg"}], {"image_id": 1, "keypoints": [value, 2, 2] * 17}
    path.write_text(json.dumps({"images": images, "annotations": [person | {"bbox": [1, 2, 3, 4]}]}))
    with pytest.raises(SourceError, match="annotation 0"):
        read_annotations(path)


@pytest.mark.parametrize("value", WRONG, ids=str)
def test_recipes(value, tmp_path):
    (tmp_path / "a.toml").write_text(f"conf = {json.dumps(value)}\n")
    with pytest.raises(UsageError, match="conf"):
        read_recipe(str(tmp_path / "a.toml"))
    with pytest.raises(UsageError, match="two numbers"):
        from_config({"curl": {"angle": "left_elbow", "low": value, "high": 90}})
    with pytest.raises(UsageError, match="points in pixels"):
        zones_from_config({"court": {"points": [[value, 0], [9, 0], [0, 9]]}}, {})


@pytest.mark.parametrize("value", WRONG, ids=str)
def test_cards_of_networks(value):
    pose = {"format": card.FORMAT, "kind": "pose", "processing": next(iter(PROCESSINGS))}
    assert card.from_text(json.dumps(pose | {"input_size": [256, 192]})).input_size == (256, 192)
    with pytest.raises(ValueError, match="is beyond"):
        card.from_text(json.dumps(pose | {"input_size": [256, value]}))
