"""Composed scenes: the truth is where the people were drawn, and people of a photograph get their ids back."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest

from posetrack import Frame, load_pipeline
from posetrack.errors import SourceError
from posetrack.tracker.evaluation import composed
from posetrack.tracker.evaluation.composed import Composition, CutOut, Visit
from posetrack.tracker.evaluation.matching import compare
from posetrack.tracker.evaluation.returns import measure_returns
from posetrack.tracker.formats.trajectories import from_tracks

BUS = Path(importlib.util.find_spec("ultralytics").origin).parent / "assets" / "bus.jpg"
PEOPLE = ((18, 158, 98, 362), (89, 162, 139, 345), (266, 158, 324, 352))  # left, top, right, bottom at SCALE
SCALE = 0.4  # of that image
GREY = np.full((180, 320, 3), 90, np.uint8)
PAINTED = [
    CutOut(np.full((100, 40, 3), colour, np.uint8), np.ones((100, 40), np.float32))
    for colour in ((0, 0, 255), (0, 255, 0))
]


@pytest.fixture(scope="module")
def passers_by():
    """Three people cut out of a photograph."""
    image, people = cv2.resize(cv2.imread(str(BUS)), None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_AREA), []
    for left, top, right, bottom in PEOPLE:
        mask = np.zeros(image.shape[:2], np.uint8)
        cv2.setRNGSeed(0)
        box = left, top, right - left - 1, bottom - top
        cv2.grabCut(image, mask, box, np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_RECT)
        alpha = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
        people.append(CutOut(image[top:bottom, left:right], alpha[top:bottom, left:right]))
    return people


def played(composition, cutouts=PAINTED, background=GREY, fps=10):
    return list(composition.frames(cutouts, background, fps=fps))


def test_boxes_are_where_people_are_drawn():
    visit = Visit(0, ((0, 0.2, 0.9), (1, 0.8, 0.9)), height=0.5)
    for image, ids, boxes, shares in played(Composition((visit,), 1.0)):
        assert ids.tolist() == [1]
        assert shares == pytest.approx([1], abs=0.02)
        rows, columns = np.nonzero(image[..., 2] > 170)
        drawn = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        assert boxes[0] == pytest.approx(drawn, abs=2)


def test_the_nearer_person_hides_the_farther_and_a_wall_hides_both():
    far, near = (Visit(person, ((0, 0.5, 0.8 + person / 10), (1, 0.5, 0.8 + person / 10))) for person in (0, 1))
    _, ids, _, shares = played(Composition((far, near), 1.0))[5]
    hidden, whole = shares[ids == 1].item(), shares[ids == 2].item()
    assert hidden < 0.4
    assert whole == pytest.approx(1, abs=0.02)
    assert played(Composition((far, near), 1.0, ((0.3, 0.7),)))[5][3].tolist() == [0, 0]


def test_people_face_the_way_they_walk():
    striped = np.zeros((100, 40, 3), np.uint8)
    striped[:, 20:] = 255
    cutouts = [CutOut(striped, np.ones((100, 40), np.float32))]

    def bright_side(start, end):
        image, _, boxes, _ = played(Composition((Visit(0, ((0, start, 0.9), (1, end, 0.9))),), 0.5), cutouts)[2]
        left, top, right, bottom = boxes[0].astype(int)
        body = image[top:bottom, left:right, 0].mean(0)
        return body[-8:].mean() > body[:8].mean()

    assert bright_side(0.2, 0.8)
    assert not bright_side(0.8, 0.2)


@pytest.mark.parametrize("away", [5.0, 20.0])
def test_those_who_leave_are_away_for_the_time(away):
    scene = composed.leave_and_return(2, away=(away,))
    first, second = sorted(visit.path[0][0] for visit in scene.visits if visit.person == 0)
    assert second - first == pytest.approx(away + 1.3 / 0.15)
    assert [visit.person for visit in scene.visits].count(1) == 1


@pytest.mark.parametrize(("turn_back", "side"), [(False, 1.15), (True, -0.15)])
def test_pairs_meet_behind_the_wall(turn_back, side):
    scene = composed.change_places(2, hidden=4.0, turn_back=turn_back)
    left, right = scene.visits
    assert left.path[-1][1] == pytest.approx(side)
    assert left.path[0][1] == pytest.approx(1 - right.path[0][1])
    times = np.arange(0, scene.seconds, 0.02)
    behind = [scene.walls[0][0] < left.foot(time)[0] < scene.walls[0][1] for time in times if time < left.path[-1][0]]
    assert np.sum(behind) * 0.02 == pytest.approx(4.0, abs=0.1)


def test_cut_outs_are_read_and_others_are_refused(tmp_path):
    with pytest.raises(SourceError, match="contains no PNG file"):
        composed.read_cutouts(tmp_path)
    cv2.imwrite(str(tmp_path / "a.png"), np.dstack([PAINTED[0].image, np.full((100, 40), 255, np.uint8)]))
    (cutout,) = composed.read_cutouts(tmp_path)
    assert (cutout.image == PAINTED[0].image).all()
    assert (cutout.alpha == 1).all()
    cv2.imwrite(str(tmp_path / "b.png"), PAINTED[0].image)
    with pytest.raises(SourceError, match=r"b\.png is not an image with alpha"):
        composed.read_cutouts(tmp_path)


@pytest.mark.slow
def test_passers_by_of_a_photograph_get_their_ids_back(passers_by):
    """Two walk behind a wall from both sides and come out on the other's; the third comes for the first time."""
    pair = composed.change_places(2, hidden=3.0, seed=1)
    newcomer = Visit(2, tuple((time + 8.5, x, y) for time, x, y in pair.visits[0].path), height=0.52)
    scene = Composition((*pair.visits, newcomer), 12.0, pair.walls)
    pipeline = load_pipeline(device="cpu", offline=True)
    truth, tracked = [], []
    for index, (image, *people) in enumerate(played(scene, passers_by, np.full((360, 640, 3), 120, np.uint8), fps=5)):
        truth.append(people)
        tracked.append((index, index / 5, pipeline(Frame(image, index, index / 5))))
    comparison = compare(composed.truth_of(truth, 5), from_tracks(tracked), visibility=0.4)
    found = measure_returns({"scene": comparison})["all"]
    assert found["returns"] >= 2
    assert found["regained"] == found["returns"]
    assert found["wrong_joins"] == 0
