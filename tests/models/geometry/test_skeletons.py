import pytest

from posetrack.errors import ModelError
from posetrack.models.geometry import skeletons
from posetrack.models.geometry.skeletons import AUTO, COCO_WHOLEBODY, CROWDPOSE, DATASETS, SKELETONS, fitting


def test_the_datasets_stand_in_the_order_of_the_experts():
    assert {name: len(skeleton) for name, skeleton in DATASETS.items()} == {
        "coco": 17,
        "aic": 14,
        "mpii": 16,
        "ap10k": 17,
        "apt36k": 17,
        "wholebody": 133,
    }
    assert list(DATASETS) == ["coco", "aic", "mpii", "ap10k", "apt36k", "wholebody"]


@pytest.mark.parametrize("name", SKELETONS)
def test_every_skeleton_is_whole(name):
    skeleton = SKELETONS[name]
    rows = range(len(skeleton))
    assert skeleton.name == name
    assert len(set(skeleton.keypoints)) == len(skeleton.sigmas) == len(skeleton)
    assert all(0 < sigma < 0.2 for sigma in skeleton.sigmas)
    assert all(a in rows and b in rows and a != b for a, b in skeleton.limbs)
    assert len({frozenset(limb) for limb in skeleton.limbs}) == len(skeleton.limbs)
    order = skeleton.flip_order
    assert order[order].tolist() == list(rows)


@pytest.mark.parametrize(
    ("name", "pairs"),
    [
        *(("coco", 8), ("aic", 6), ("mpii", 6), ("ap10k", 7), ("apt36k", 7), ("wholebody", 61)),
        *(("halpe26", 11), ("coco_25", 11)),
    ],
)
def test_pairs_and_names_agree(name, pairs):
    skeleton = SKELETONS[name]
    assert len({row for pair in skeleton.flip_pairs for row in pair}) == 2 * pairs == 2 * len(skeleton.flip_pairs)
    for i, j in enumerate(skeleton.flip_order):
        here, there = skeleton.keypoints[i], skeleton.keypoints[j]
        if "left" in here or "right" in here:
            assert i != j
            assert here.replace("left", "?").replace("right", "left").replace("?", "right") == there
    for left, right in skeleton.flip_pairs:
        assert "right" not in skeleton.keypoints[left]
        assert "left" not in skeleton.keypoints[right]


def test_crowdpose_is_as_its_authors_have_it():
    assert CROWDPOSE.keypoints[:2] == ("left_shoulder", "right_shoulder")
    assert CROWDPOSE.keypoints[-2:] == ("top_head", "neck")
    assert CROWDPOSE.flip_pairs == ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9), (10, 11))
    assert len(CROWDPOSE.sigmas) == len(CROWDPOSE) == 14
    assert skeletons.skeleton("crowdpose") is CROWDPOSE


def test_limbs_of_both_sides_mirror_each_other():
    for skeleton in SKELETONS.values():
        limbs = {frozenset(limb) for limb in skeleton.limbs}
        assert {frozenset(int(skeleton.flip_order[row]) for row in limb) for limb in limbs} == limbs


def test_the_face_mirrors_as_its_68_points_do():
    face = [int(row) - 23 for row in COCO_WHOLEBODY.flip_order[23:91]]
    assert face == [
        *range(16, -1, -1),
        *range(26, 16, -1),
        *range(27, 31),
        *range(35, 30, -1),
        *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
        *range(54, 47, -1),
        *range(59, 54, -1),
        *range(64, 59, -1),
        *range(67, 64, -1),
    ]


def test_rows_of_the_whole_body():
    names = COCO_WHOLEBODY.keypoints
    assert [names[i] for i in (17, 22, 23, 90, 91, 92, 111, 112, 132)] == [
        "left_big_toe",
        "right_heel",
        "face_0",
        "face_67",
        "left_hand_root",
        "left_thumb1",
        "left_pinky_finger4",
        "right_hand_root",
        "right_pinky_finger4",
    ]
    assert len(COCO_WHOLEBODY.limbs) == 65
    assert [COCO_WHOLEBODY.sigmas[i] for i in (17, 22, 23, 71, 90, 91, 112, 132)] == [
        *(0.068, 0.094, 0.042, 0.008, 0.008, 0.029, 0.029, 0.031)
    ]


@pytest.mark.parametrize(
    ("count", "dataset", "name"),
    [
        *(
            (17, AUTO, "coco"),
            (25, AUTO, "coco_25"),
            (26, AUTO, "halpe26"),
            (133, AUTO, "wholebody"),
            (16, AUTO, "mpii"),
        ),
        *((17, "ap10k", "ap10k"), (14, "crowdpose", "crowdpose")),
    ],
)
def test_a_number_of_keypoints_has_a_skeleton(count, dataset, name):
    assert fitting(count, dataset, "it").name == name


@pytest.mark.parametrize(
    ("count", "dataset", "sentence"),
    [
        (14, AUTO, r"estimates 14 keypoints\. Add --dataset aic or crowdpose\."),
        (26, "coco", r"26 keypoints, but the skeleton of coco has 17\. Add --dataset halpe26\."),
        (99, AUTO, r"99 keypoints\. Give another network\."),
    ],
)
def test_a_number_that_fits_none_or_several_is_refused(count, dataset, sentence):
    with pytest.raises(ModelError, match=sentence):
        fitting(count, dataset, "it")
