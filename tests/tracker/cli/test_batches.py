"""Folders and several sources: results do not depend on neighbours, are not sources, and a stopped run resumes."""

import json
import shutil

import av
import cv2
import numpy as np
import pytest
from commands import posetrack, rows

from posetrack.tracker.cli import main
from posetrack.tracker.video.sample import make_sample


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Three clips of different sizes, the second of a moving camera that ends in a cut, and an image."""
    folder = tmp_path_factory.mktemp("sources")
    make_sample(folder / "b.mp4", seconds=1, fps=10)
    with av.open(str(folder / "b.mp4")) as video:
        images = [frame.to_ndarray(format="bgr24") for frame in video.decode(video=0)]
    for name, size, order in (("a.mp4", (320, 240), slice(None, 5)), ("c.mp4", (240, 320), slice(None, None, -2))):
        with av.open(str(folder / name), "w") as container:
            stream = container.add_stream("libx264", rate=10)
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            for frame in images[order]:
                image = av.VideoFrame.from_ndarray(cv2.resize(frame, size), format="bgr24")
                container.mux(stream.encode(image))
            container.mux(stream.encode(None))
    cv2.imwrite(str(folder / "photo.png"), images[0][:300])
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("--config", "realtime"), ("--refine",)], ids=lambda words: "-".join(words))
def test_a_file_gives_the_same_alone_as_in_a_folder(sources, words, tmp_path):
    assert posetrack(sources, "--csv", tmp_path / "all", "--events", tmp_path / "events", "--quiet", *words) == 0
    names = ("a.mp4", "b.mp4", "c.mp4", "photo.png")
    for source in map(sources.__truediv__, names):
        table, events = tmp_path / "alone.csv", tmp_path / "alone.events.csv"
        assert posetrack(source, "--csv", table, "--events", events, "--quiet", "--overwrite", *words) == 0
        assert table.read_bytes() == (tmp_path / "all" / f"{source.stem}.csv").read_bytes()
        assert events.read_bytes() == (tmp_path / "events" / f"{source.stem}.csv").read_bytes()
        assert rows(table)[0]["track_id"] == "1"


def test_the_first_person_of_every_file_is_number_1(sources, tmp_path):
    assert posetrack(sources, "--csv", tmp_path, "--person", 1, "--quiet") == 0
    assert all(rows(tmp_path / f"{name}.csv") for name in ("a", "b", "c", "photo"))


@pytest.mark.slow
def test_own_results_are_no_sources_and_what_is_left_out_is_named(sources, tmp_path, capsys, caplog):
    clips = tmp_path / "clips"
    shutil.copytree(sources, clips)
    (clips / "notes.txt").touch()
    (clips / "old.partial.mp4").touch()
    words = ("--save", clips / "out", "--csv", clips / "out")
    assert posetrack(clips, *words) == 0
    first = sorted(path.relative_to(clips) for path in clips.rglob("*"))
    assert "notes.txt (no video or image)" in caplog.text
    assert "old.partial.mp4 (unfinished)" in caplog.text
    assert posetrack(clips, *words, "--overwrite") == 0
    assert "a result of posetrack" in caplog.text
    assert sorted(path.relative_to(clips) for path in clips.rglob("*")) == first

    for path in (clips / "out").iterdir():  # wherever they are, and under any name
        shutil.move(path, clips / f"z-{path.name}")
    assert posetrack(clips, "--csv", tmp_path / "tables", "--quiet") == 0
    tables = {path.name for path in (tmp_path / "tables").glob("*.csv")}
    assert tables == {"a.csv", "b.csv", "c.csv", "photo.csv"}
    assert posetrack(clips / "z-a.mp4", "--csv", tmp_path / "again.csv", "--quiet") == 0  # it was asked for by name
    assert posetrack(clips / "z-*", "--csv", tmp_path / "none") == 1
    assert "only results of posetrack" in capsys.readouterr().err


def test_one_existing_result_leaves_the_others_be(sources, tmp_path, capsys):
    (tmp_path / "b.csv").write_text("precious")
    assert posetrack(sources, "--csv", tmp_path) == 1
    message = capsys.readouterr().err
    assert f"'{tmp_path / 'b.csv'}' exists already" in message
    assert "1 of 4 sources failed; the others are done." in message
    assert (tmp_path / "b.csv").read_text() == "precious"
    assert all(rows(tmp_path / f"{name}.csv") for name in ("a", "c", "photo"))


@pytest.mark.slow
def test_a_stopped_run_goes_on(sources, tmp_path, capsys, caplog):
    words = (sources, "--csv", tmp_path / "t", "--save", tmp_path / "v")
    assert posetrack(*words, "--quiet") == 0
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}
    (tmp_path / "t" / "a.csv").unlink()  # as where it was stopped before
    (tmp_path / "v" / "b.mp4").rename(tmp_path / "v" / "b.partial.mp4")  # and in the middle
    (tmp_path / "t" / "c.csv").write_text("someone's own")
    (tmp_path / "t" / "c.csv.json").unlink()
    capsys.readouterr()
    assert posetrack(*words, "--skip-existing") == 1
    message = capsys.readouterr().err
    assert "photo.png': its results are complete" in caplog.text
    assert "c.csv' exists already" in message
    assert (tmp_path / "t" / "c.csv").read_text() == "someone's own"
    assert rows(tmp_path / "t" / "a.csv")
    assert (tmp_path / "v" / "b.mp4").is_file()
    kept = tmp_path / "t" / "photo.csv"
    assert kept.stat().st_mtime_ns == stamps[kept]
    assert posetrack(*words, "--skip-existing", "--overwrite") == 2


def test_a_table_whose_sidecar_says_that_it_is_not_complete_is_done_again(sources, tmp_path):
    words = (sources / "a.mp4", "--csv", tmp_path / "a.csv", "--quiet", "--skip-existing")
    assert posetrack(*words) == 0
    sidecar = tmp_path / "a.csv.json"
    before = sidecar.read_bytes()
    assert posetrack(*words) == 0
    assert sidecar.read_bytes() == before
    sidecar.write_text(json.dumps(json.loads(before) | {"complete": False}))
    assert posetrack(*words) == 0
    assert json.loads(sidecar.read_text())["complete"] is True


def test_several_sources_are_a_batch_with_names_of_their_own(sources, tmp_path):
    for day in ("day1", "day2"):
        (tmp_path / day).mkdir()
        shutil.copy(sources / "a.mp4", tmp_path / day / "x.mp4")
    first, second = tmp_path / "day1" / "x.mp4", tmp_path / "day2" / "x.mp4"
    assert posetrack(first, second, tmp_path / "day1", "--csv", tmp_path / "t", "--quiet") == 0
    assert rows(tmp_path / "t" / "day1" / "x.csv") == rows(tmp_path / "t" / "day2" / "x.csv")
    assert len(list((tmp_path / "t").rglob("*.csv"))) == 2


@pytest.mark.parametrize(("option", "name"), [("--csv", "out.csv"), ("--save", "out.mp4"), ("--report", "out.html")])
def test_the_results_of_several_sources_are_no_file(sources, option, name, tmp_path, capsys):
    assert posetrack(sources, option, tmp_path / name) == 2
    assert f"Give a folder for the results: {option} {tmp_path / 'out'}." in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_images_bear_a_mark_and_stay_as_they_are(suffix, tmp_path):
    from posetrack.tracker.video.images.image import read_image
    from posetrack.tracker.video.write.image import write_image
    from posetrack.tracker.video.write.mark import is_marked

    image = np.full((40, 60, 3), (10, 120, 240), np.uint8)
    write_image(tmp_path / f"own{suffix}", image)
    cv2.imwrite(str(tmp_path / f"other{suffix}"), image)
    assert is_marked(tmp_path / f"own{suffix}")
    assert not is_marked(tmp_path / f"other{suffix}")
    np.testing.assert_array_equal(read_image(tmp_path / f"own{suffix}"), read_image(tmp_path / f"other{suffix}"))


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_videos_bear_a_mark(suffix, sources, tmp_path):
    from posetrack.tracker.video.write.mark import MARK, is_marked
    from posetrack.tracker.video.write.video import VideoWriter

    with VideoWriter(tmp_path / f"own{suffix}", size=(64, 48), comment=MARK) as writer:
        for index in range(3):
            writer.write(np.zeros((48, 64, 3), np.uint8), index / 10)
    assert is_marked(tmp_path / f"own{suffix}")
    assert not is_marked(sources / "a.mp4")


@pytest.mark.parametrize(("sources", "name"), [(("0", "1"), "camera 0"), (("rtsp://c/1", "udp://c:2"), "rtsp://c/1")])
def test_a_camera_is_refused_before_other_sources_for_it_has_no_end(sources, name, tmp_path, capsys):
    assert main([*sources, "--csv", str(tmp_path / "tables")]) == 2
    assert f"'{name}' has no end, so the sources after it would wait for ever." in capsys.readouterr().err
