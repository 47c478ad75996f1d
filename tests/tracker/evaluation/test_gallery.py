import cv2
import numpy as np
import pytest

from posetrack.models.evaluation.annotations import COCO_LIKE
from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.evaluation.gallery import CAPTION, PANEL, draw_error, save_errors
from posetrack.tracker.evaluation.images import Evaluation
from posetrack.tracker.evaluation.mistakes import find_errors


def person(x, *, score=None, size=100.0, image_id=1, **fields):
    line = np.linspace(0, size, len(COCO))
    keypoints = np.stack([x + line, 20 + line, np.full(len(COCO), 2.0)], axis=1).ravel().tolist()
    scored = {} if score is None else {"score": score}
    return (
        {"image_id": image_id, "category_id": 1, "bbox": [x, 20.0, size, size], "keypoints": keypoints}
        | scored
        | fields
    )


def evaluation(truth, found):
    images = [{"id": 1, "file_name": "some/one.png"}]
    return Evaluation(COCO_LIKE, {"images": images, "annotations": truth}, poses=found)


def kinds(run):
    return sorted((case.kind, round(case.oks, 1)) for case in find_errors(run))


def test_poses_misses_and_false_positives_are_distinguished():
    run = evaluation([person(0), person(300)], [person(0, score=0.9), person(600, score=0.8)])
    assert kinds(run) == [("false-positive", 0), ("miss", 0), ("pose", 1)]


def test_the_more_certain_pose_takes_the_person():
    run = evaluation([person(0)], [person(2, score=0.5), person(0, score=0.9)])
    case = next(case for case in find_errors(run) if case.kind == "pose")
    assert case.oks == pytest.approx(1)
    assert kinds(run) == [("false-positive", 0), ("pose", 1)]


def test_a_bad_pose_in_the_persons_own_box_is_no_miss():
    bad = person(0, score=0.01)
    bad["keypoints"] = person(900)["keypoints"]
    assert kinds(evaluation([person(0)], [bad])) == [("pose", 0)]


def test_uncertain_poses_elsewhere_are_noise():
    assert kinds(evaluation([person(0)], [person(600, score=0.01)])) == [("miss", 0)]


@pytest.mark.parametrize("fields", [{"iscrowd": 1}, {"keypoints": [0] * 51}])
def test_crowds_and_unlabelled_people_are_neither_missed_nor_false(fields):
    run = evaluation([person(300, **fields)], [person(300, score=0.9)])
    assert kinds(run) == []


def test_the_worst_come_first_and_earlier_ones_give_way(tmp_path):
    (tmp_path / "some").mkdir()
    cv2.imwrite(str(tmp_path / "some" / "one.png"), np.full((200, 700, 3), 90, np.uint8))
    run = evaluation([person(0), person(300), person(500)], [person(0, score=0.9), person(304, score=0.9)])
    out = tmp_path / "errors"
    out.mkdir()
    assert save_errors(run, tmp_path, out, worst=5) == 3
    names = sorted(path.name for path in out.iterdir())
    assert names[0] == "miss-001-one.jpg"
    assert names[2] == "pose-002-oks1.00-one.jpg"
    assert save_errors(run, tmp_path, out, worst=1) == 2
    assert len(list(out.iterdir())) == 2


def test_both_halves_are_drawn():
    image = np.full((200, 700, 3), 90, np.uint8)
    run = evaluation([person(0)], [person(10, score=0.9)])
    drawn = draw_error(image, find_errors(run)[0], run)
    assert drawn.shape == (CAPTION + PANEL[0], 2 * PANEL[1], 3)
    left, right = drawn[CAPTION:, : PANEL[1]], drawn[CAPTION:, PANEL[1] :]
    for half in (left, right):
        assert (half.max(-1).astype(int) - half.min(-1) > 60).sum() > 500, "coloured limbs"
    assert (left != right).any()
