from dataclasses import replace

import numpy as np
import pytest

from posetrack.errors import UsageError
from posetrack.models.geometry.keypoints import COCO, Skeleton
from posetrack.tracker.output.overlay import draw_fps, draw_people
from posetrack.tracker.output.palette import palette
from posetrack.tracker.types import Poses, State, Tracks

STICK = Skeleton(name="stick", keypoints=("head", "foot"), limbs=((0, 1),), flip_pairs=(), sigmas=(0.08, 0.08))


def blank(height=240, width=320, value=0):
    return np.full((height, width, 3), value, dtype=np.uint8)


def close(pixel, color):
    """Whether a pixel has a color, a thin line's being a little mixed with its rim."""
    return np.abs(pixel.astype(int) - color).max() < 25


def stick(*, head=(100, 60), foot=(100, 180), scores=(1, 1), state=State.MEASURED, box=(70, 40, 130, 200)):
    return Tracks([1], Poses([box], [[head, foot]], [scores]), [[0, 0]], (state,))


@pytest.mark.parametrize("value", [0, 255])
def test_limbs_are_drawn_in_the_color_of_the_id_and_far_pixels_stay(value):
    image = blank(value=value)
    assert draw_people(image, stick(), skeleton=STICK) is image
    assert close(image[120, 100], palette(1).base)
    assert (image[:, 150:] == value).all()
    assert (image[120, 80:90] == value).all()  # between the box and the limb
    assert (image[215:] == value).all()


def test_without_people_the_image_is_unchanged():
    assert not draw_people(blank(), Tracks.empty(), skeleton=COCO).any()


def test_fps_is_drawn_in_the_corner():
    image = blank(value=9)
    draw_fps(image, 29.97)
    assert (image[:40, 200:] != 9).any()
    assert (image[40:] == 9).all()
    assert (image[:, :200] == 9).all()


@pytest.mark.parametrize("hidden", [{"scores": (0.19, 1)}, {"foot": (np.nan, np.nan)}, {"head": (np.inf, 5)}])
def test_a_keypoint_that_is_unsure_or_missing_takes_its_limb_along(hidden):
    assert not draw_people(blank(), stick(**hidden), skeleton=STICK)[120, 85:115].any()


def test_min_score_may_be_lowered():
    assert draw_people(blank(), stick(scores=(0.1, 1)), skeleton=STICK, min_score=0.05)[120, 100].any()


def test_a_predicted_keypoint_of_a_measured_person_is_drawn_thinner():
    size = {"head": (400, 200), "foot": (400, 600), "box": (300, 150, 500, 650)}
    measured = draw_people(blank(720, 1280), stick(**size), skeleton=STICK)
    tracks = replace(stick(**size), keypoint_states=[[0, 1]])
    predicted = draw_people(blank(720, 1280), tracks, skeleton=STICK)
    assert 0 < predicted[400, 350:450].any(-1).sum() < measured[400, 350:450].any(-1).sum()
    assert (predicted[180:220, 350:450] == measured[180:220, 350:450]).mean() > 0.9  # the measured head


def test_a_prediction_is_thinner_and_its_box_dashed():
    size = {"head": (400, 200), "foot": (400, 600), "box": (300, 150, 500, 650)}
    measured = draw_people(blank(720, 1280), stick(**size), skeleton=STICK)
    predicted = draw_people(blank(720, 1280), stick(**size, state=State.PREDICTED), skeleton=STICK)
    between = draw_people(blank(720, 1280), stick(**size, state=State.INTERPOLATED), skeleton=STICK)
    assert (between[400, 350:450] == measured[400, 350:450]).all()
    assert (between[200:600, 500] == predicted[200:600, 500]).all()
    assert 0 < predicted[400, 350:450].any(-1).sum() < measured[400, 350:450].any(-1).sum()
    assert measured[200:600, 500].any(-1).all()
    assert 0.2 < predicted[200:600, 500].any(-1).mean() < 0.8


def test_lines_grow_with_the_image():
    def limb_width(scale):
        tracks = stick(
            head=(100 * scale, 60 * scale), foot=(100 * scale, 180 * scale), box=np.array([70, 40, 130, 200]) * scale
        )
        image = draw_people(blank(240 * scale, 320 * scale), tracks, skeleton=STICK)
        return image[120 * scale, 85 * scale : 115 * scale].any(-1).sum()

    assert limb_width(1) < limb_width(4) < limb_width(9) < limb_width(1) * 9


def test_left_and_right_limbs_differ():
    pair = Skeleton("p", ("la", "ra", "lb", "rb"), ((0, 2), (1, 3)), ((0, 1), (2, 3)), (0.08,) * 4)
    points = [[(200, 60), (100, 60), (200, 180), (100, 180)]]
    tracks = Tracks([1], Poses([[70, 40, 230, 200]], points, np.ones((1, 4))), [[0, 0]], (State.MEASURED,))
    image = draw_people(blank(), tracks, skeleton=pair)
    assert close(image[120, 200], palette(1).left)
    assert close(image[120, 100], palette(1).right)


def test_people_are_drawn_alike_in_any_order(people):
    tracks = people(4)
    order = [2, 0, 3, 1]
    shuffled = Tracks(tracks.ids[order], tracks.poses[order], tracks.velocities[order], tracks.states)
    tracks.poses.boxes[:, 3] += np.arange(4)
    shuffled.poses.boxes[:, 3] += order
    assert (draw_people(blank(), tracks, skeleton=COCO) == draw_people(blank(), shuffled, skeleton=COCO)).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (3, 500), (500, 3), (240, 320)])
@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("value", [0, -5, 1e5, -1e5, 1e9, -1e9, 3e38, np.nan, np.inf, -np.inf])
def test_no_size_and_no_coordinate_is_too_much(people, size, state, value):
    tracks = people(2, states=(state,) * 2)
    tracks.poses.keypoints[0, ::2] = value
    tracks.poses.keypoints[1, 3, 0] = value
    tracks.poses.boxes[0, 2:] = value
    tracks.poses.boxes[1, :2] = value
    draw_fps(draw_people(blank(*size), tracks, skeleton=COCO), 12.3)


def test_sixty_people(people):
    image = draw_people(blank(1080, 1920), people(60), skeleton=COCO)
    assert image.any()


def test_a_box_at_the_edge_has_its_label_inside():
    tracks = stick(head=(10, 20), foot=(10, 80), box=(0, 0, 30, 90))
    assert tuple(draw_people(blank(), tracks, skeleton=STICK)[1, 1]) == palette(1).base


def pair(*, left=(200, 60, 200, 180), right=(100, 60, 100, 180), score=1.0):
    skeleton = Skeleton("p", ("la", "ra", "lb", "rb"), ((0, 2), (1, 3)), ((0, 1), (2, 3)), (0.08,) * 4)
    points = [[left[:2], right[:2], left[2:], right[2:]]]
    poses = Poses([[70, 40, 230, 200]], points, np.full((1, 4), score))
    return skeleton, Tracks([1], poses, [[0, 0]], (State.MEASURED,))


def test_sides_have_hues_of_their_own_that_no_id_changes():
    skeleton, tracks = pair()
    other = Tracks([7], tracks.poses, tracks.velocities, tracks.states)
    for people in (tracks, other):
        blue, _, red = draw_people(blank(), people, skeleton=skeleton, colors="side")[120, 200].astype(int)
        assert blue > red + 80  # left
        blue, _, red = draw_people(blank(), people, skeleton=skeleton, colors="side")[120, 100].astype(int)
        assert red > blue + 80  # right
    with pytest.raises(UsageError, match="give id or side"):
        draw_people(blank(), tracks, skeleton=skeleton, colors="rainbow")


def test_a_lower_score_is_fainter():
    levels = []
    for score in (0.25, 0.45, 0.9, 1.0):
        skeleton, tracks = pair(score=score)
        levels.append(int(draw_people(blank(), tracks, skeleton=skeleton)[120, 200].max()))
    assert levels[0] < levels[1] < levels[2] == levels[3]
    white = draw_people(blank(value=255), pair(score=0.25)[1], skeleton=skeleton)
    assert (white[120, 200] > palette(1).left).any()  # the image shows through


def test_boxes_can_be_left_out_and_the_label_stays():
    with_box, without = (draw_people(blank(), stick(), skeleton=STICK, boxes=boxes) for boxes in (True, False))
    assert with_box[120, 130].any()
    assert not without[120, 130].any()
    assert (with_box[30, 75] == without[30, 75]).all()
    assert without[30, 75].any()


def test_a_trail_leads_to_the_person():
    image = draw_people(
        blank(), stick(), skeleton=STICK, trails={1: [(250, 220), (280, 220), (300, 220)], 2: [(5, 5), (9, 9)]}
    )
    assert image[220, 260].any()
    assert not image[5:10, 5:10].any()  # of a person who is not there
    for path in ([(np.nan, 1), (2, 2)], [(1e9, -1e9), (0, 0)], [(3, 3)]):
        draw_people(blank(), stick(), skeleton=STICK, trails={1: path})
