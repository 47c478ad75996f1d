"""Numbered images are one video where that is asked for: in the order of their numbers, with gaps in time."""

from pathlib import Path

import cv2
import pytest
from PIL import Image

from posetrack.errors import SourceError, UsageError
from posetrack.tracker.video.batch import Item, expand, gather
from posetrack.tracker.video.images.sequence import find_sequences
from posetrack.tracker.video.open import open_source


@pytest.fixture
def folder(make, tmp_path):
    """Writes images into a folder; the k-th has the bar at place k."""

    def write(names, folder="in"):
        (tmp_path / folder).mkdir(exist_ok=True)
        for k, name in enumerate(names):
            cv2.imwrite(str(tmp_path / folder / name), make.image(k))
        return tmp_path / folder

    return write


def read(make, *source, **words):
    """Return (times, bars) of a source."""
    with open_source(*source, **words) as frames:
        shown = list(frames)
    return [frame.time for frame in shown], [make.bar(frame.image) for frame in shown]


def bars(make, *places):
    return pytest.approx([make.bar(make.image(k)) for k in places], abs=1)


@pytest.mark.parametrize("name", ["frame%04d.jpg", "frame*.jpg", ""])
def test_a_pattern_a_glob_and_a_folder_are_one_video(make, folder, caplog, name):
    caplog.set_level("INFO")
    place = folder([f"frame{k:04d}.jpg" for k in range(1, 13)])
    times, seen = read(make, place / name, fps=20)
    assert times == pytest.approx([k / 20 for k in range(12)])
    assert seen == bars(make, *range(12))
    assert "12 images, numbers 1 to 12, are one video at 20 fps." in caplog.text


def test_the_order_is_that_of_the_numbers(make, folder):
    place = folder([f"{k}.png" for k in range(8, 13)])  # as text, 10 comes before 8
    assert read(make, place / "%d.png", fps=1)[1] == bars(make, *range(5))
    assert read(make, place, fps=1)[1] == bars(make, *range(5))


def test_numbers_may_outgrow_their_digits(make, folder):
    place = folder(["f98.png", "f99.png", "f100.png"])
    assert read(make, place / "f%02d.png", fps=1)[1] == bars(make, 0, 1, 2)


def test_missing_numbers_are_gaps_in_time(make, folder, caplog):
    caplog.set_level("INFO")
    place = folder(["f010.png", "f011.png", "f015.png"])
    times, seen = read(make, place / "f%03d.png", fps=10)
    assert times == pytest.approx([0, 0.1, 0.5])
    with open_source(place / "f%03d.png", fps=10) as frames:
        assert [frame.index for frame in frames] == [0, 1, 5]
    assert seen == bars(make, 0, 1, 2)
    assert "3 missing numbers" in caplog.text


def test_a_damaged_image_is_a_gap_too(make, folder, caplog):
    place = folder([f"f{k}.png" for k in range(5)])
    (place / "f2.png").write_bytes(b"broken")
    with open_source(place, fps=10) as frames:
        shown = [(frame.index, frame.time) for frame in frames]
        assert frames.frames_failed == 1
    assert [index for index, _ in shown] == [0, 1, 3, 4]
    assert [time for _, time in shown] == pytest.approx([0, 0.1, 0.3, 0.4])
    assert "1 frames are missing or could not be decoded" in caplog.text


def test_start_and_end_are_times_of_the_video(make, folder):
    place = folder([f"f{k}.png" for k in range(10)])
    times, seen = read(make, place, fps=10, start=0.3, end=0.6)
    assert times == pytest.approx([0.3, 0.4, 0.5])
    assert seen == bars(make, 3, 4, 5)


def test_a_pattern_without_a_rate_is_a_video_whose_rate_is_guessed(make, folder, caplog):
    place = folder([f"f{k}.png" for k in range(3)])
    with open_source(place / "f%d.png") as frames:
        assert (frames.fps, frames.fps_guessed, frames.path) == (25, True, None)
        assert frames.name == str(place / "f%d.png")
    assert "25 fps is assumed. Give --fps." in caplog.text


def test_a_file_may_have_the_name_of_a_pattern(make, folder):
    place = folder(["f%d.png", "f1.png", "f2.png"])
    assert read(make, place / "f%d.png") == ([0.0], bars(make, 0))


def test_percent_signs_in_names(make, folder):
    place = folder(["50%_1.png", "50%_2.png"])
    assert expand(place, fps=5) == [Item(place / "50%%_%d.png", Path("50%"))]
    assert read(make, place, fps=5)[1] == bars(make, 0, 1)


@pytest.mark.parametrize(
    ("names", "pattern", "why"),
    [
        ([], "f%d.png", "No image is named like"),
        (["f1.png"], "f%04d.png", "No image is named like"),
        (["f1.png", "f01.png"], "f%d.png", "have the same number"),
    ],
)
def test_a_pattern_that_cannot_be_a_video_is_a_sentence(folder, names, pattern, why):
    with pytest.raises(SourceError, match=why):
        open_source(folder(names) / pattern)


def test_images_have_no_streams(folder):
    with pytest.raises(UsageError, match="no streams"):
        open_source(folder(["f1.png"]) / "f%d.png", stream=1)


def test_a_folder_of_photographs_stays_a_batch_and_the_run_says_so(folder, caplog):
    caplog.set_level("INFO")
    place = folder(["IMG_0001.jpg", "IMG_0002.jpg", "cat.jpg"])
    assert [item.source.name for item in expand(place)] == ["IMG_0001.jpg", "IMG_0002.jpg", "cat.jpg"]
    assert "each a separate source; with --fps they are one video" in caplog.text
    with pytest.raises(SourceError, match="is a folder"):
        open_source(place)


def test_each_sequence_of_a_folder_is_a_video_beside_its_other_files(folder, tmp_path):
    folder(["cam1_f01.png", "cam1_f02.png", "cam2_f01.png", "cam2_f02.png", "cat.png"])
    folder([f"{k:06d}.jpg" for k in range(3)], "in/walk")
    (tmp_path / "in" / "clip.mp4").touch()
    items = expand(tmp_path / "in", fps=30)
    assert [(item.source.relative_to(tmp_path / "in").as_posix(), item.mirror.as_posix()) for item in items] == [
        ("cam1_f%02d.png", "cam1_f"),
        ("cam2_f%02d.png", "cam2_f"),
        ("walk/%06d.jpg", "walk"),
        ("cat.png", "cat"),
        ("clip.mp4", "clip"),
    ]


def test_outputs_of_a_batch_have_different_names(folder):
    place = folder(["f1.png", "f2.png", "f-1.png", "f-2.png", "f1.jpg", "f2.jpg", "f.png"])
    mirrors = [item.mirror for item in expand(place, fps=30)]
    assert len(set(mirrors)) == len(mirrors) == 4


def test_one_sequence_is_one_source_and_not_a_batch_of_one(folder):
    place = folder(["f1.png", "f2.png"])
    assert not gather([place], fps=30).many
    assert not gather([place / "f%d.png"]).many
    assert not gather([place / "f1.png"]).many
    assert gather([place]).many
    assert gather([place / "f1*"], fps=30).many


@pytest.mark.parametrize(
    ("names", "patterns"),
    [
        (["img_0001_1080p.png", "img_0002_1080p.png"], ["img_%04d_1080p.png"]),
        (["a9.png", "a10.png"], ["a%d.png"]),
        (["a09.png", "a10.png", "a100.png"], ["a%02d.png"]),
        (["a1.png", "b1.png"], []),
        (["a1.png", "a2.jpg"], []),
        (["a1.mp4", "a2.mp4"], []),
        (["a.png"], []),
    ],
)
def test_patterns_are_found(names, patterns):
    assert [str(pattern) for pattern in find_sequences(map(Path, names))] == patterns


def test_numbered_stacks_are_read_by_their_main_image_with_one_sentence(make, tmp_path, caplog):
    for k in range(3):
        pages = [Image.fromarray(make.image(page)[..., ::-1]) for page in (k, 9)]
        pages[0].save(tmp_path / f"z{k}.tif", save_all=True, append_images=pages[1:])
    assert read(make, tmp_path / "z%d.tif", fps=10)[1] == bars(make, 0, 1, 2)
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert "holds 2 images: of each file the main one is used." in record.getMessage()


def test_numbered_photographs_may_be_avif(make, tmp_path):
    for k in range(3):
        Image.fromarray(make.image(k)[..., ::-1]).save(tmp_path / f"p{k}.avif", quality=100)
    assert read(make, tmp_path / "p%d.avif", fps=10) == ([0, 0.1, 0.2], bars(make, 0, 1, 2))
