"""Files of images are read whole, or a sentence says what is left out."""

import struct
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from posetrack.errors import SourceError
from posetrack.tracker.video.batch import Item, expand, is_still
from posetrack.tracker.video.open import open_source

COUNT = 6
DURATIONS = [100, 200, 50, 300, 100, 150]  # ms
TIMES = [0, 0.1, 0.3, 0.35, 0.65, 0.75]


@pytest.fixture
def save(make, tmp_path):
    """Writes the bar's way through a file of images, with the words that go to Pillow."""

    def save(name, *, count=COUNT, mode="RGB", **words):
        images = [Image.fromarray(make.image(k, count=COUNT)[..., ::-1]).convert(mode) for k in range(count)]
        images[0].save(tmp_path / name, save_all=True, append_images=images[1:], **words)
        return tmp_path / name

    return save


def assert_way(make, images, start=0):
    for k, image in enumerate(images, start):
        assert image.shape == (48, 64, 3)
        assert make.bar(image) == pytest.approx(make.bar(make.image(k, count=COUNT)), abs=1)


ANIMATIONS = ["clip.webp", "clip.png", "clip.apng", "clip.avif", "clip.gif"]


@pytest.mark.parametrize("name", ANIMATIONS)
def test_an_animation_is_a_video_with_its_own_times(make, save, name):
    words = {"format": "PNG"} if name.endswith("apng") else {}
    with open_source(save(name, duration=DURATIONS, **words)) as frames:
        assert frames.frame_count in (COUNT, None)
        shown = list(frames)
    assert [frame.time for frame in shown] == pytest.approx(TIMES, abs=2e-3)
    assert_way(make, [frame.image for frame in shown])


@pytest.mark.parametrize("name", ["clip.webp", "clip.png"])
def test_of_joined_images_the_first_is_read_with_a_sentence(save, name, caplog):
    path = save(name, duration=DURATIONS)
    assert len(list(open_source(path))) == COUNT
    assert not caplog.records
    path.write_bytes(2 * path.read_bytes())
    assert len(list(open_source(path))) == COUNT
    assert "contains several images: the first is used, the others are left out." in caplog.text


def test_what_an_animation_says_of_itself(save):
    with open_source(save("clip.webp", duration=DURATIONS)) as frames:
        assert (frames.duration, frames.fps) == pytest.approx((0.9, COUNT / 0.9))
        assert not frames.fps_guessed


@pytest.mark.parametrize("name", ANIMATIONS)
def test_a_rate_overrules_the_times_of_an_animation(save, name):
    words = {"format": "PNG"} if name.endswith("apng") else {}
    with open_source(save(name, duration=DURATIONS, **words), fps=4) as frames:
        assert [frame.time for frame in frames] == pytest.approx([k / 4 for k in range(COUNT)])


def test_start_and_end_hold_for_animations(make, save):
    with open_source(save("clip.webp", duration=DURATIONS), start=0.3, end=0.65) as frames:
        assert frames.frame_count == 2
        shown = list(frames)
    assert [frame.time for frame in shown] == pytest.approx([0.3, 0.35])
    assert_way(make, [frame.image for frame in shown], start=2)


def test_images_without_a_duration_last_as_long_as_in_a_browser(save):
    with open_source(save("clip.webp", duration=0)) as frames:
        assert [frame.time for frame in frames] == pytest.approx([k / 10 for k in range(COUNT)])


def test_the_image_for_programs_without_animation_is_not_a_frame(make, save):
    with open_source(save("clip.png", default_image=True, duration=100)) as frames:
        shown = list(frames)
    assert [frame.time for frame in shown] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert_way(make, [frame.image for frame in shown], start=1)


def test_a_transparent_animation_is_read(save):
    with open_source(save("clip.webp", mode="RGBA", duration=100)) as frames:
        assert {frame.image.shape for frame in frames} == {(48, 64, 3)}


def test_a_cut_animation_is_damaged_and_never_a_single_image(save, caplog):
    path = save("clip.png", duration=100)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    with open_source(path) as frames:
        count = len(list(frames))
        assert 1 < count < COUNT
        assert f"{count} of its {COUNT} images" in frames.damage
    assert "is damaged" in caplog.text


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_stack_is_a_video_whose_rate_is_guessed_and_announced(make, save, caplog, mode):
    with open_source(save("stack.tif", mode=mode)) as frames:
        assert (frames.fps, frames.fps_guessed, frames.frame_count) == (25, True, COUNT)
        shown = list(frames)
    assert [frame.time for frame in shown] == pytest.approx([k / 25 for k in range(COUNT)])
    if mode == "RGB":
        assert_way(make, [frame.image for frame in shown])
    assert caplog.text.count("states no frame rate") == 1


def test_a_stack_of_16_bits_is_scaled_to_8(tmp_path, caplog):
    pages = [np.full((20, 30), 1000 * k, np.uint16) for k in range(5)]
    cv2.imwritemulti(str(tmp_path / "stack.tiff"), pages)
    with open_source(tmp_path / "stack.tiff", fps=10) as frames:
        shown = list(frames)
        assert not frames.fps_guessed
    assert [int(frame.image.mean()) for frame in shown] == pytest.approx([1000 * k // 256 for k in range(5)], abs=1)
    assert "assumed" not in caplog.text


def test_pages_of_several_sizes_are_no_video(tmp_path, caplog):
    pages = [Image.new("RGB", size, (10, 200, 30)) for size in ((64, 48), (32, 24))]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:])
    with open_source(tmp_path / "scan.tif") as frames:
        assert [frame.image.shape for frame in frames] == [(48, 64, 3)]
    assert "holds 2 images: the main one is used" in caplog.text


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_a_stack_whose_white_is_unknown_is_refused(tmp_path, dtype):
    pages = [Image.fromarray(np.full((20, 30), k, dtype)) for k in range(3)]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(SourceError, match="Save it again as a JPEG or PNG"):
        open_source(tmp_path / "stack.tif")


def test_a_photograph_of_several_images_says_what_is_left_out(save, caplog):
    with open_source(save("photo.mpo", count=3)) as frames:
        assert len(list(frames)) == 1
    assert "holds 3 images: the main one is used, the others are left out" in caplog.text


def test_the_video_in_a_moving_photograph_is_left_out_with_a_sentence(make, video, tmp_path, caplog):
    still = cv2.imencode(".jpg", make.image(0))[1].tobytes()
    (tmp_path / "photo.jpg").write_bytes(still + video.read_bytes())
    with open_source(tmp_path / "photo.jpg") as frames:
        assert len(list(frames)) == 1
    assert "holds an image and a video" in caplog.text


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.avif", "a.tif", "a.bmp"])
def test_a_single_image_stays_one_without_a_word(make, tmp_path, caplog, name):
    Image.fromarray(make.image(3)[..., ::-1]).save(tmp_path / name)
    with open_source(tmp_path / name) as frames:
        (frame,) = frames
    assert make.bar(frame.image) == pytest.approx(make.bar(make.image(3)), abs=1)
    assert not caplog.text


def heic(path):
    """Write no more than the head of a HEIC photograph, which is enough to know it by."""
    path.write_bytes(struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic" + bytes(200))
    return path


@pytest.mark.parametrize("name", ["photo.heic", "photo.HEIF", "photo.mp4", "photo"])
def test_a_heic_photograph_is_never_read_as_one_of_its_tiles(tmp_path, monkeypatch, name):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    path = heic(tmp_path / name)
    with pytest.raises(SourceError, match=r"pip install 'posetrack\[heic\]'"):
        open_source(path)
    assert is_still(Item(path, path))


def test_a_heic_photograph_is_read_whole(make, tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif", reason="needs the extra heic")
    pillow_heif.register_heif_opener()
    Image.fromarray(make.image(3)[..., ::-1]).save(tmp_path / "photo.heic")
    with open_source(tmp_path / "photo.heic") as frames:
        (frame,) = frames
    assert make.bar(frame.image) == pytest.approx(make.bar(make.image(3)), abs=1)


def test_in_a_batch_an_animation_counts_as_a_video(save, tmp_path):
    save("clip.webp", duration=100)
    Image.new("RGB", (64, 48)).save(tmp_path / "photo.jpg")
    assert [is_still(item) for item in expand(tmp_path)] == [False, True]


def read_in_part(path):
    """Return the number of images that can be read; 0 if the file is refused by its name."""
    try:
        return len(list(open_source(path)))
    except SourceError as error:
        return 0 if str(path) in str(error) else -1


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("name", ["clip.tif", "clip.avif", "clip.webp", "clip.png", "clip.gif"])
def test_a_cut_file_is_read_in_part_or_refused_with_a_sentence(save, name, kept):
    data = (path := save(name)).read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    assert 0 <= read_in_part(path) <= COUNT


def test_damage_within_an_animation_is_no_traceback(save):
    data = bytearray((path := save("clip.avif")).read_bytes())
    for at in range(len(data) - 400, len(data), 7):
        data[at] ^= 0x5A
    path.write_bytes(data)
    assert 0 <= read_in_part(path) < COUNT
