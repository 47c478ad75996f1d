"""People in COCO's layout: read from files, shards and a cache, and checked against the rules."""

import gzip
import json
import tarfile

import numpy as np
import pytest
from stick_people import draw

from posetrack.errors import SourceError
from posetrack.models.training import annotation_file, data


def rewrite(root, change):
    path = root / "annotations.json"
    truth = json.loads(path.read_text())
    change(truth)
    path.write_text(json.dumps(truth))


def test_people_are_arrays_in_the_order_of_images(tmp_path):
    truth = draw(tmp_path, count=3)
    rewrite(tmp_path, lambda t: t["annotations"].reverse())
    people, problems = data.read(tmp_path, split="train")
    assert problems == []
    assert people.image_rows.tolist() == [0, 1, 2]
    x, y, w, h = truth["annotations"][0]["bbox"]
    np.testing.assert_allclose(people.boxes[0], [x, y, x + w, y + h], rtol=1e-5)
    assert people.weights.tolist() == [[1.0] * 17] * 3
    image, scale = people.image(0)
    x, y = people.keypoints[0, 16].round().astype(int)
    assert image[y, x].tolist() == [240, 15, 0]
    assert scale.tolist() == [1, 1]


def test_the_published_layout_of_coco(tmp_path):
    draw(tmp_path, count=3, name="annotations/person_keypoints_train2017.json", folder="train2017")
    draw(tmp_path, count=2, name="annotations/person_keypoints_val2017.json", folder="val2017")
    assert len(data.read(tmp_path, split="train")[0]) == 3
    assert len(data.read(tmp_path, split="val")[0]) == 2


def test_shards_and_the_cache_give_the_same_pixels(tmp_path):
    draw(tmp_path, count=3)
    plain, _ = data.read(tmp_path, split="train")
    pixels = [plain.image(i)[0] for i in range(3)]
    packed = tmp_path / "packed"
    packed.mkdir()
    with tarfile.open(packed / "images-00.tar", "w") as tar:
        for i in (1, 2, 3):
            tar.add(tmp_path / "images" / f"{i}.png", f"{i}.png")
    (packed / "annotations.json.gz").write_bytes(gzip.compress((tmp_path / "annotations.json").read_bytes()))
    for _ in range(2):  # the second time, the cache is there
        shards, _ = data.read(packed, split="train", cache=tmp_path / "cache")
        for i in range(3):
            np.testing.assert_array_equal(shards.image(i)[0], pixels[i])
    bare, _ = data.read(packed, split="train")
    np.testing.assert_array_equal(bare.image(2)[0], pixels[2])
    small, _ = data.read(packed, split="train", cache=tmp_path / "small", max_side=60)
    image, scale = small.image(1)
    assert image.shape == (60, 50, 3)
    assert scale.tolist() == [0.5, 0.5]


def test_a_cache_of_other_images_is_refused_and_unchanged(tmp_path):
    draw(tmp_path / "a", count=1)
    draw(tmp_path / "b", count=2)
    data.read(tmp_path / "a", split="train", cache=tmp_path / "cache")
    before = {path.name: path.read_bytes() for path in (tmp_path / "cache").iterdir()}
    assert set(before) == {"pixels.bin", "index.json"}
    with pytest.raises(SourceError, match=r"is of other images: it lacks 2\.png"):
        data.read(tmp_path / "b", split="train", cache=tmp_path / "cache")
    assert {path.name: path.read_bytes() for path in (tmp_path / "cache").iterdir()} == before


def test_every_problem_is_reported_once_and_the_good_ones_stay(tmp_path):
    draw(tmp_path, count=8)
    (tmp_path / "images" / "1.png").unlink()
    (tmp_path / "images" / "2.png").write_bytes(b"no image")

    def spoil(truth):
        people = truth["annotations"]
        people[2]["bbox"] = [3, 4, 0, 9]
        people[3]["keypoints"] = [1, 2, 3]
        people[4]["keypoints"][2] = 7
        people[5]["num_keypoints"] = 3
        people.append(people[6] | {"id": 99, "image_id": 77})
        truth["images"].append({"id": 9, "file_name": "9.png"})

    rewrite(tmp_path, spoil)
    people, problems = data.read(tmp_path, split="train")
    assert len(people) == 3
    message = "\n".join(problems)
    for sentence in (
        "1 images are missing, left out: 1.png.",
        "1 images cannot be read, left out: 2.png.",
        "1 annotations have a box without an area, left out: 3.",
        "1 annotations have keypoints that are not 51 numbers, left out: 4.",
        "1 annotations have a visibility other than 0, 1 and 2, left out: 5.",
        "1 annotations have another num_keypoints than visible keypoints, corrected: 6.",
        "1 annotations are of an image that is not listed, left out: 99.",
        "1 images lack an id, a file_name below the folder, a width or a height, left out",
    ):
        assert sentence in message
    assert len(problems) == 8


def test_no_valid_person_is_an_error_with_the_reasons(tmp_path):
    draw(tmp_path, count=2)
    for path in (tmp_path / "images").iterdir():
        path.unlink()
    with pytest.raises(SourceError, match=r"no valid person\. 2 images are missing"):
        data.read(tmp_path, split="train")
    with pytest.raises(SourceError, match="contains no annotations for 'train'"):
        data.read(tmp_path / "images", split="train")


def test_trust_and_unknown_keypoints_become_weights(tmp_path):
    draw(tmp_path, count=1)

    def change(truth):
        truth["annotations"][0]["keypoint_weights"] = [0.5] * 17
        truth["annotations"][0]["keypoints"][2] = 0
        truth["annotations"][0]["num_keypoints"] = 16

    rewrite(tmp_path, change)
    people, problems = data.read(tmp_path, split="train")
    assert problems == []
    assert people.weights[0].tolist() == [0.0, *[0.5] * 16]


def test_whole_images_are_held_out(tmp_path):
    draw(tmp_path, count=8)
    rewrite(tmp_path, lambda t: t["annotations"].extend([a | {"id": a["id"] + 50} for a in t["annotations"]]))
    people, _ = data.read(tmp_path, split="train")
    assert len(people) == 16
    learnt, held_out = data.split_off(people, part=0.25, seed=0)
    assert (len(learnt), len(held_out)) == (12, 4)
    assert not set(learnt.names) & set(held_out.names)
    assert {a["image_id"] for a in held_out.truth["annotations"]} == set(held_out.ids.tolist())
    np.testing.assert_array_equal(held_out.image(0)[0].shape, (120, 100, 3))
    assert held_out.of_image(1) == slice(2, 4)


DAMAGED = {
    "without end": ("annotations.json", lambda text: b"[" * 100_000),
    "cut": ("annotations.json.gz", lambda text: gzip.compress(text)[:-20]),
    "mixed up": ("annotations.json.gz", lambda text: gzip.compress(text)[:30] + b"xxxxx" + gzip.compress(text)[35:]),
    "packed": ("annotations.json.gz", lambda text: gzip.compress(text + b" " * 300_000)),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_damaged_annotations_are_refused(tmp_path, monkeypatch, kind):
    draw(tmp_path, count=3)
    text = (tmp_path / "annotations.json").read_bytes()
    (tmp_path / "annotations.json").unlink()
    name, damage = DAMAGED[kind]
    (tmp_path / name).write_bytes(damage(text))
    monkeypatch.setattr(annotation_file, "MOST_BYTES", 200_000)
    with pytest.raises(SourceError, match=r"Cannot read annotations.*Give a COCO"):
        data.read(tmp_path, split="train")


def test_entries_of_other_kinds_and_names_out_of_the_folder_are_left_out(tmp_path):
    draw(tmp_path / "data", count=3)

    def change(truth):
        first, second, _ = truth["images"]
        first["file_name"] = f"../data/{first['file_name']}"
        second["width"] = 10**30
        truth["annotations"] += ["text", {"image_id": {}}, {"image_id": 10**30}]

    rewrite(tmp_path / "data", change)
    people, problems = data.read(tmp_path / "data", split="train")
    assert len(people) == 1
    assert [problem.split(":")[0] for problem in problems] == [
        "2 images lack an id, a file_name below the folder, a width or a height, left out",
        "2 annotations lack an image_id, left out",
        "1 annotations are of an image that is not listed, left out",
    ]


def test_shards_and_images_that_cannot_be_read_are_a_sentence(tmp_path):
    draw(tmp_path, count=3)
    (tmp_path / "images" / "1.png").write_bytes(  # the header of an image of 100,000 x 100,000 pixels
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\x86\xa0\0\1\x86\xa0\x08\2\0\0\0\x27\x30\x9c\x9f"
    )
    people, _ = data.read(tmp_path, split="train")
    with pytest.raises(SourceError, match="Download the data again"):
        people.image(0)
    (tmp_path / "a.tar").write_bytes(b"no tar" * 1000)
    with pytest.raises(SourceError, match="Download the data again"):
        data.read(tmp_path, split="train")
