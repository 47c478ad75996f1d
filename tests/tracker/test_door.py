"""The Python door: what it takes, what it refuses with a sentence, and tracks as people read them."""

import json
import pickle
import re
import subprocess
import sys
from datetime import timedelta

import numpy as np
import pytest

import posetrack
from posetrack import (
    ActionFeatures,
    Calibration,
    Detections,
    Frame,
    Pipeline,
    Poses,
    PoseTracker,
    PosetrackError,
    Tracks,
    VideoWriter,
    Zone,
    ZoneCounter,
    open_source,
    refine,
)
from posetrack.errors import InputError, SourceError, UsageError
from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.perception.custom import CustomDetector
from posetrack.tracker.types import State
from posetrack.tracker.types.image import as_bgr

ZONE = Zone("court", ((0, 0), (640, 0), (640, 480)))
IMAGE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)


def estimate(frame, detections):
    n = len(detections)
    middles = (detections.boxes[:, None, :2] + detections.boxes[:, None, 2:]) / 2
    return Poses(detections.boxes, np.repeat(middles, 17, axis=1), np.full((n, 17), 0.9), detections.scores)


estimate.skeleton = COCO


@pytest.fixture
def line():
    return Pipeline(lambda frame: Detections([[10, 5, 30, 45]], [0.9]), estimate)


@pytest.fixture
def tracks():
    scene, tracker = synthetic.crossing(synthetic.regular(0.2, 10)), PoseTracker()
    for time, poses, _ in scene.frames():
        poses.keypoints[0, 9], poses.scores[0, 9] = np.nan, 0
        tracks = tracker.update(poses, time)
    return tracks


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (IMAGE, IMAGE),
        (IMAGE / 255, IMAGE),
        ((IMAGE / 255).astype(np.float32), IMAGE),
        (IMAGE.astype(np.uint16) * 257, IMAGE),
        (IMAGE.astype(np.int64), IMAGE),
        (IMAGE[..., 0], np.repeat(IMAGE[..., :1], 3, axis=2)),
        (IMAGE[..., :1], np.repeat(IMAGE[..., :1], 3, axis=2)),
        (np.dstack([IMAGE, IMAGE[..., 0]]), IMAGE),
        (IMAGE[..., 0] > 128, np.repeat((IMAGE[..., :1] > 128) * np.uint8(255), 3, axis=2)),
        (IMAGE[::-1, ::-2], IMAGE[::-1, ::-2]),
    ],
    ids=["uint8", "float64", "float32", "uint16", "int64", "grey", "one channel", "BGRA", "bool", "view"],
)
def test_images_of_other_kinds_become_bgr(image, expected):
    frame = Frame(image, 0, 0.0)
    assert frame.image.dtype == np.uint8
    np.testing.assert_array_equal(frame.image, expected)


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (IMAGE.astype(float), "values from 0 to 255; give values from 0 to 1, or uint8"),
        (IMAGE.astype(int) - 9, "give values from 0 to 255"),
        (np.full((4, 4, 3), np.nan), "values from nan"),
        (IMAGE.transpose(2, 0, 1), "the channels come last"),
        (IMAGE[None], "or a list of them"),
        (IMAGE[..., :2], "(H, W, 3), BGR"),
        (IMAGE[:0], "with pixels in it"),
        (IMAGE.astype(complex), "dtype complex128"),
        ("dance.mp4", "of type str"),
        (None, "of type NoneType"),
    ],
)
def test_what_is_no_image_is_refused_with_a_remedy(image, sentence, line):
    for door in (lambda: as_bgr(image), lambda: Frame(image, 0, 0.0), lambda: line(image)):
        with pytest.raises(InputError) as caught:
            door()
        assert sentence in str(caught.value)
    assert isinstance(caught.value, PosetrackError)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_a_image_of_fewer_than_16_bits_in_uint16_is_read_with_a_warning(bits):
    white = np.full((4, 4), 2**bits - 1, np.uint16)
    with pytest.warns(UserWarning, match=f"uses {bits} of 16 bits .* give image << {16 - bits}"):
        assert as_bgr(white).max() < 16
    assert as_bgr(white << (16 - bits)).min() >= 254
    assert as_bgr(white * 0).max() == 0  # without a warning, which would be an error here


@pytest.mark.parametrize("time", [np.nan, np.inf, "0", None, timedelta(seconds=1), [0.0, 1.0]])
def test_a_time_is_a_number(time, tracks, tmp_path):
    calls = [
        lambda: Frame(IMAGE, 0, time),
        lambda: PoseTracker().update(Poses([], [], []), time=time),
        lambda: ActionFeatures().update(0, time, tracks),
        lambda: ZoneCounter([ZONE]).update(0, time, tracks),
    ]
    for call in calls:
        with pytest.raises(InputError, match="finite seconds"):
            call()
    if time is not None:  # which is the next one of a constant rate
        with VideoWriter(tmp_path / "a.mp4", size=(64, 48)) as video, pytest.raises(InputError, match="finite seconds"):
            video.write(IMAGE, time)


def test_an_index_is_a_whole_number():
    with pytest.raises(InputError, match="index of a frame is 'a'"):
        Frame(IMAGE, "a", 0.0)
    assert Frame(IMAGE, np.int64(3), 0.0).index == 3


def test_time_that_runs_backwards_is_refused_by_everything_that_remembers(tracks):
    for memory in (ActionFeatures(), ZoneCounter([ZONE])):
        memory.update(0, 2.0, tracks)
        with pytest.raises(InputError, match=r"Timestamps run backwards, from 2\.0 s to 1\.0 s"):
            memory.update(1, 1.0, tracks)
        memory.update(1, 2.0, tracks)
    for times in ([1.0, 0.5], [0.0, np.nan]):
        with pytest.raises(InputError, match="not finite and ascending"):
            refine(times, [tracks, tracks])
    with pytest.raises(InputError, match="1 times for 2 frames"):
        refine([0.0], [tracks, tracks])


@pytest.mark.parametrize("kind", [lambda x: x / 255, lambda x: x[..., 0], lambda x: np.dstack([x, x[..., 0]])])
def test_images_of_other_kinds_are_written(kind, tmp_path):
    with VideoWriter(tmp_path / "a.mp4", size=(64, 48)) as video:
        video.write(kind(IMAGE))
    assert (tmp_path / "a.mp4").exists()


@pytest.mark.parametrize("size", [(0, 48), (64, -1), (64.5, 48)])
def test_the_size_of_a_video_is_whole_pixels(size, tmp_path):
    with pytest.raises(UsageError, match=r"give \(width, height\) in whole pixels"):
        VideoWriter(tmp_path / "a.mp4", size=size)


@pytest.mark.parametrize("source", [None, 1.5, True, b"a.mp4", ["a.mp4"], IMAGE])
def test_what_is_no_source_is_refused_by_its_type(source):
    with pytest.raises(SourceError, match=f"A source is of type {type(source).__name__}. Give a path"):
        open_source(source)


@pytest.mark.parametrize("words", [{"start": "1"}, {"end": "x"}, {"fps": "30"}, {"start": [1]}])
def test_times_and_rates_of_a_source_are_numbers(words, tmp_path):
    with pytest.raises(UsageError, match="Give"):
        open_source(tmp_path / "a.mp4", **words)


def test_measures_and_zones_that_cannot_be_are_refused():
    for words in ({"person_height": -1}, {"person_height": 0.0}, {"scale": np.nan}):
        with pytest.raises(UsageError, match="above 0"):
            Calibration(**words)
    with pytest.raises(InputError, match="has 2 corners"):
        Zone("court", ((0, 0), (1, 1)))


def test_a_pipeline_takes_images_with_times(line):
    assert [line(IMAGE, time=index / 25).ids.tolist() for index in range(3)] == [[1]] * 3
    several = line([IMAGE, IMAGE], time=[0.2, 0.24])
    assert [type(tracks) for tracks in several] == [Tracks, Tracks]
    assert [tracks.ids.tolist() for tracks in line([Frame(IMAGE, 9, 0.3), Frame(IMAGE, 10, 0.4)])] == [[1], [1]]
    assert line([]) == []


def test_a_image_alone_needs_no_time_and_the_next_one_does(line):
    assert line(IMAGE).ids.tolist() == [1]
    with pytest.raises(InputError, match=r"Give time=seconds .* or call reset\(\)"):
        line(IMAGE)
    line.reset()
    with pytest.raises(InputError, match="Give time=seconds"):
        line([IMAGE, IMAGE])
    with pytest.raises(InputError, match="give one for each"):
        line([IMAGE, IMAGE], time=0.1)
    with pytest.raises(InputError, match="has its own time"):
        line(Frame(IMAGE, 0, 0.0), time=1.0)
    assert line(IMAGE).ids.tolist() == [1]  # nothing of what was refused is left


def test_time_that_runs_backwards_is_refused_before_anything_is_done(line):
    line(IMAGE, time=2.0)
    for images, time in ((IMAGE, 1.0), ([IMAGE, IMAGE], [2.5, 2.4])):
        with pytest.raises(InputError, match="Timestamps run backwards"):
            line(images, time=time)
    assert line(IMAGE, time=2.04).ids.tolist() == [1]
    line.reset()
    assert line(IMAGE, time=1.0).ids.tolist() == [1]


def test_sessions_share_the_networks_and_nothing_else(line):
    line(IMAGE, time=5.0)
    other = line.session()
    assert other.detector is line.detector
    assert other.estimator is line.estimator
    moved = Pipeline(lambda frame: Detections([[30, 5, 60, 45]], [0.9]), estimate)
    assert other(IMAGE, time=0.0).ids.tolist() == [1]
    assert moved.session()(IMAGE).ids.tolist() == [1]
    assert line(IMAGE, time=5.04).ids.tolist() == [1]
    assert sum(other.modes.values()) == 1


def test_a_session_begins_with_the_limits_of_the_first_source():
    from posetrack.tracker.perception.pace import LEVELS
    from posetrack.tracker.perception.schedule import Limits, Schedule

    line = Pipeline(lambda frame: Detections.empty(), estimate, schedule=Schedule("auto", "auto"))
    line.schedule.limits = LEVELS[-1]  # as a live source that is too fast leaves it
    assert line.session().schedule.limits == Limits()
    line.reset()
    assert line.schedule.limits == Limits()


@pytest.mark.parametrize("answer", [[], np.zeros((0, 4)), ([], []), Detections.empty()])
def test_custom_detectors_may_find_no_one(answer):
    assert len(CustomDetector(lambda frame: answer)(Frame(IMAGE, 0, 0.0))) == 0


def test_own_detectors_answer_in_several_ways():
    boxes, frame = [[0, 0, 9, 9], [5, 5, 20, 40]], Frame(IMAGE, 0, 0.0)
    for answer in (boxes, np.array(boxes), (boxes, [1, 1]), Detections(boxes, [1, 1])):
        np.testing.assert_array_equal(CustomDetector(lambda frame, a=answer: a)(frame).boxes, boxes)
    found = CustomDetector(lambda frame: (boxes, [0.3, 0.8]), conf=0.2, max_people=1)(frame)
    np.testing.assert_array_equal(found.boxes, boxes[1:])
    for answer in (
        None,
        3,
        [[1, 2]],
        ([[0, 0, 9, 9]], [0.5, 0.5]),
        ([[0, 0, 9, np.nan]], [0.5]),
        ([[0, 0, 9, 9]], [7]),
    ):
        with pytest.raises(InputError, match="The detector"):
            CustomDetector(lambda frame, a=answer: a)(frame)


def test_empty_lists_are_no_people():
    assert len(Detections([], [])) == 0
    assert Detections([], []).boxes.shape == (0, 4)
    assert len(PoseTracker().update(Poses([], [], []), 0.0)) == 0
    assert len(Tracks([], Poses([], [], []), [], ())) == 0
    with pytest.raises(InputError, match="is not an array of numbers"):
        Detections([["a", 1, 2, 3]], [1])


def test_tracks_are_people(tracks):
    assert [person.id for person in tracks] == tracks.ids.tolist() == [1, 2]
    assert len(tracks) == 2
    person = tracks[0]
    assert (person.id, person.state) == (1, State.MEASURED)
    assert person.score == pytest.approx(0.9)
    np.testing.assert_array_equal(person.box, tracks.boxes[0])
    x, y, score = person.keypoints["left_knee"]
    np.testing.assert_array_equal([x, y], tracks.poses.keypoints[0, COCO.keypoints.index("left_knee")])
    assert person.keypoints["left_knee"].score == score > 0
    assert np.isnan(person.keypoints["left_wrist"].x)
    assert list(person.keypoints) == list(COCO.keypoints)
    assert tracks[-1].id == 2
    assert tracks[np.int64(1)].id == 2
    for beyond in (2, -3):
        with pytest.raises(IndexError, match="There is no person"):
            tracks[beyond]
    np.testing.assert_array_equal(tracks["left_knee"], tracks.keypoints[:, COCO.keypoints.index("left_knee")])
    with pytest.raises(KeyError, match="Did you mean 'left_knee'"):
        tracks["left_nee"]
    assert tracks[[1]].names == tracks[tracks.ids == 1].names == COCO.keypoints
    assert tracks.scores.shape == tracks.keypoints.shape[:2] == (2, 17)
    assert tracks.box_scores.shape == (2,)
    assert list(Tracks.empty()) == []


def test_tracks_become_plain_values(tracks):
    message = json.loads(json.dumps(tracks.to_dict(), allow_nan=False))
    assert [person["id"] for person in message["people"]] == [1, 2]
    assert message["people"][0]["keypoints"]["left_wrist"] is None
    assert len(message["people"][0]["keypoints"]["nose"]) == 3


def test_tracks_become_a_data_frame_with_the_columns_of_the_table(tracks):
    pytest.importorskip("pandas", reason="needs posetrack[formats]")
    from posetrack.tracker.formats.table import columns

    table = tracks.to_df(Frame(IMAGE, 7, 0.28))
    assert list(table.columns) == list(columns(COCO))
    assert table["frame"].tolist() == [7, 7]
    assert table["left_wrist_x"].isna().tolist() == [True, False]
    assert "frame" not in tracks.to_df().columns
    assert len(Tracks.empty().to_df(Frame(IMAGE, 7, 0.28))) == 0


def test_what_flows_can_be_pickled(tracks):
    frame, poses = Frame(IMAGE, 3, 0.12), tracks.poses
    for value in (frame, tracks, poses, Detections([[0, 0, 9, 9]], [0.5]), tracks[0]):
        again = pickle.loads(pickle.dumps(value))
        assert type(again) is type(value)
    again = pickle.loads(pickle.dumps(tracks))
    assert again.to_dict() == tracks.to_dict()
    assert not hasattr(tracks, "__dict__")


def test_tracks_become_supervision_objects(tracks):
    sv = pytest.importorskip("supervision", reason="needs posetrack[formats]")
    detections, points = tracks.to_supervision()
    assert detections.tracker_id.tolist() == points.data["tracker_id"].tolist() == tracks.ids.tolist()
    np.testing.assert_array_equal(detections.xyxy, tracks.boxes)
    np.testing.assert_array_equal(points.xy[1], tracks.keypoints[1])
    assert points.xy[0, 9].tolist() == [0, 0]
    assert detections.data["state"].tolist() == ["measured"] * 2
    image = sv.VertexAnnotator().annotate(np.zeros((480, 640, 3), np.uint8), points)
    assert image.any()
    assert not image[:2, :2].any()  # a missing keypoint is not drawn
    assert [len(thing) for thing in Tracks.empty().to_supervision()] == [0, 0]


def test_a_notebook_shows_a_table_and_skeletons(tracks):
    page = tracks._repr_html_()
    assert "<b>2 people</b>" in page
    assert page.count("<tr>") == 1 + 2
    assert page.count("<circle") == 2 * 17 - 1  # one keypoint is missing
    assert page.count("<line") == 2 * len(COCO.limbs) - 1
    assert "nan" not in page
    assert "<b>0 people</b>" in Tracks.empty()._repr_html_()
    nowhere = Tracks(
        [1], Poses([[0, 0, 9, 9]], np.full((1, 17, 2), np.nan), np.zeros((1, 17))), [[0, 0]], ("measured",)
    )
    assert "<svg" not in nowhere._repr_html_()


def test_data_are_equal_if_their_values_are(tracks):
    assert pickle.loads(pickle.dumps(tracks)) == tracks
    assert tracks[0] in list(tracks)
    assert tracks[0] != tracks[1]
    assert tracks[:1] != tracks
    assert tracks != 3
    assert Frame(IMAGE, 0, 0.0) == Frame(IMAGE.copy(), 0, 0.0)
    assert Frame(IMAGE, 0, 0.0) != Frame(IMAGE[::-1], 0, 0.0)


def test_data_print_in_one_line(tracks):
    assert repr(tracks) == "Tracks(ids=[1, 2], states=['measured', 'measured'])"
    assert repr(tracks[0]).startswith("Person(id=1, state='measured', score=")
    assert repr(Frame(IMAGE, 3, 0.1)) == "Frame(index=3, time=0.1, 64 x 48 pixels)"


def test_a_wrong_image_is_reported_before_a_missing_time(line):
    line(IMAGE)
    with pytest.raises(InputError, match="of type str"):
        line("video.mp4")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"conf": "0.3"}, "conf is '0.3'; give a number."),
        ({"conf": True}, "conf is True; give a number."),
        ({"max_people": 1.5}, "max_people is 1.5; give a whole number."),
        ({"model": 3}, "model is 3; give text."),
        ({"detector": 3}, "detector is 3; give text or a function."),
        ({"flip": 1}, "flip is 1; give True or False."),
        ({"detect_every": []}, "detect_every is of type list; give a whole number or 'auto'."),
        ({"detector": Detections}, "The detector is the class Detections. Give an instance of it."),
    ],
)
def test_the_type_of_an_option_is_checked(options, sentence):
    with pytest.raises(PosetrackError, match=re.escape(sentence)):
        posetrack.load_pipeline(**options)


def test_names_are_listed_before_they_are_loaded():
    code = "import posetrack; assert {*posetrack.__all__} <= {*dir(posetrack)}"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_is_drawn_must_be_tracks(tracks):
    with pytest.raises(InputError, match="tracks is of type list"):
        posetrack.draw(IMAGE, list(tracks))


@pytest.mark.parametrize("height", [-1, 0, "1.7", float("nan")])
def test_a_measure_is_a_number_above_0(height):
    with pytest.raises(PosetrackError, match="person_height is"):
        posetrack.Calibration(person_height=height)
