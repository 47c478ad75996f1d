"""One call tracks a source, another one a folder; and the examples in docstrings run."""

import doctest
import inspect
import threading

import numpy as np
import pytest

import posetrack
from posetrack import Detections, Frame, Pipeline, Poses, PoseTracker, VideoWriter, open_source, track, track_folder
from posetrack.errors import InputError, SourceError, UsageError
from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.video.sample import make_sample


class Box:
    """A detector that finds the brightest place of an image."""

    name, sha256, network = "box", "", None

    def __call__(self, frame):
        rows, columns = np.nonzero(frame.image[..., 0] > 128)
        found = [[columns.min(), rows.min(), columns.max(), rows.max()]] if len(rows) else []
        return Detections(found, [0.9] * len(found))


class Middle:
    name, sha256, network, skeleton = "middle", "", None, COCO

    def __call__(self, frame, detections):
        middles = (detections.boxes[:, None, :2] + detections.boxes[:, None, 2:]) / 2
        n = len(detections)
        return Poses(detections.boxes, np.repeat(middles, 17, axis=1), np.full((n, 17), 0.9), detections.scores)


@pytest.fixture
def pipeline():
    return Pipeline(Box(), Middle())


def video(path, *, frames=8, empty=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, size=(64, 48), fps=10) as writer:
        for index in range(frames):
            image = np.zeros((48, 64, 3), np.uint8)
            image[10:40, 10 + index : 30 + index] = 0 if empty else 255
            writer.write(image)
    return path


def alive():
    return [thread for thread in threading.enumerate() if thread.name.startswith("posetrack-")]


def test_tracks_are_those_of_the_plain_loop(pipeline, tmp_path):
    path = video(tmp_path / "a.mp4")
    with open_source(path) as frames:
        expected = [(frame.index, frame.time, pipeline(frame).to_dict()) for frame in frames]
    found = [(frame.index, frame.time, tracks.to_dict()) for frame, tracks in track(path, pipeline=pipeline)]
    assert found == expected
    assert len(found) == 8
    assert [people["people"][0]["id"] for *_, people in found] == [1] * 8


def test_a_loop_that_is_left_ends_its_threads_and_closes_the_source(pipeline, tmp_path):
    frames = open_source(video(tmp_path / "a.mp4"), start=0.2)
    people = track(frames, pipeline=pipeline)
    frame, _ = next(people)
    assert frame.index == 2
    people.close()
    assert not alive()
    assert list(frames) == []
    with pytest.raises(SourceError, match="is closed"):
        track(frames, pipeline=pipeline)


def test_a_part_of_a_video_is_tracked(pipeline, tmp_path):
    path = video(tmp_path / "a.mp4")
    found = [frame.index for frame, _ in track(path, start=0.2, end=0.5, pipeline=pipeline)]
    assert found == [2, 3, 4]
    with pytest.raises(UsageError, match="is open already"):
        track(open_source(path), end=0.5, pipeline=pipeline)


def test_a_wrong_request_is_refused_before_the_loop(pipeline, tmp_path):
    with pytest.raises(SourceError, match="There is no file"):
        track(tmp_path / "none.mp4", pipeline=pipeline)
    with pytest.raises(UsageError, match="loaded already, without conf"):
        track(tmp_path / "none.mp4", pipeline=pipeline, conf=0.5)
    with pytest.raises(UsageError, match="conf is 7"):
        track(tmp_path / "none.mp4", conf=7)


def test_a_folder_is_one_table(pipeline, tmp_path):
    pytest.importorskip("pandas", reason="needs posetrack[formats]")
    first, second = video(tmp_path / "clips" / "a.mp4"), video(tmp_path / "clips" / "day" / "b.mp4", frames=5)
    video(tmp_path / "clips" / "nobody.mp4", empty=True)
    table = track_folder(tmp_path / "clips", pipeline=pipeline)
    assert table.groupby("file").size().to_dict() == {str(first): 8, str(second): 5}
    assert list(table.columns) == ["file", *PoseTracker().update(Poses([], [], []), 0.0).to_df(frame()).columns]
    assert set(table["track_id"]) == {1}
    of_first = table[table["file"] == str(first)]
    assert of_first["frame"].tolist() == list(range(8))
    np.testing.assert_allclose(of_first["time_s"], np.arange(8) / 10, atol=1e-6)
    assert of_first["left_knee_x"].is_monotonic_increasing


def frame():
    return Frame(np.zeros((4, 4, 3), np.uint8), 0, 0.0)


def test_a_folder_without_people_is_an_empty_table(pipeline, tmp_path):
    pytest.importorskip("pandas", reason="needs posetrack[formats]")
    table = track_folder(video(tmp_path / "a.mp4", empty=True).parent, pipeline=pipeline)
    assert len(table) == 0
    assert "left_knee_x" in table.columns


def test_a_broken_file_is_reported_and_the_others_are_tracked(pipeline, tmp_path, caplog):
    pytest.importorskip("pandas", reason="needs posetrack[formats]")
    video(tmp_path / "b.mp4")
    (tmp_path / "a.mp4").write_bytes(b"no video")
    assert len(track_folder(tmp_path, pipeline=pipeline)) == 8
    assert "a.mp4" in caplog.text
    (tmp_path / "b.mp4").unlink()
    with pytest.raises(SourceError, match=r"a\.mp4"):
        track_folder(tmp_path, pipeline=pipeline)


def test_draw_leaves_the_image_and_knows_the_skeleton(pipeline, tmp_path):
    frame, tracks = next(iter(track(video(tmp_path / "a.mp4"), pipeline=pipeline)))
    before = frame.image.copy()
    by_id, by_side = (posetrack.draw(frame.image, tracks, colors=colors) for colors in ("id", "side"))
    np.testing.assert_array_equal(frame.image, before)
    assert (by_id != before).any()
    assert (posetrack.draw(frame.image, tracks, boxes=False) != by_id).any()
    assert by_side.shape == before.shape
    with pytest.raises(UsageError, match="colours are 'sides'; give id or side"):
        posetrack.draw(frame.image, tracks, colors="sides")
    with pytest.raises(InputError):
        posetrack.draw("a.jpg", tracks)


def test_a_video_needs_the_name_of_a_video(tmp_path):
    with pytest.raises(UsageError, match=r"ends in \.mp4"):
        VideoWriter(tmp_path / "out.avi", size=(64, 48))


DOCTESTED = ("EventDetector", "Tracks", "VideoWriter", "draw", "joint_angles", "load_pipeline", "track", "track_folder")


def public():
    for name in posetrack.__all__:
        thing = getattr(posetrack, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            yield name, thing


@pytest.mark.parametrize("name", DOCTESTED)
def test_examples_in_docstrings_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for copy in ("video.mp4", "clips/a.mp4"):
        (tmp_path / copy).parent.mkdir(exist_ok=True)
        make_sample(tmp_path / copy, seconds=0.4, fps=10)
    thing = getattr(posetrack, name)
    found = [test for test in doctest.DocTestFinder().find(inspect.unwrap(thing), name, globs={}) if test.examples]
    assert found
    for test in found:
        log = []
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=log.append)
        assert not log, "".join(log)


@pytest.mark.parametrize(("name", "thing"), list(public()), ids=lambda value: value if isinstance(value, str) else "")
def test_public_names_have_docstrings_that_state_their_arguments(name, thing):
    text = inspect.getdoc(thing)
    assert text
    if inspect.isfunction(thing):
        for argument in inspect.signature(thing).parameters:
            assert f"{argument}:" in text, argument
