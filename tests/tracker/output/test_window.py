import subprocess
import sys

import cv2
import numpy as np
import pytest

from posetrack.errors import OutputError
from posetrack.tracker.output import window as module
from posetrack.tracker.output.window import Window

IMAGE = np.zeros((40, 60, 3), dtype=np.uint8)


@pytest.fixture
def screen(monkeypatch):
    """A display that always works; what is done with it is in the lists."""
    seen = {"shown": [], "size": None, "key": -1, "visible": 1.0, "destroyed": []}
    monkeypatch.setattr(module, "check_display", lambda: None)
    monkeypatch.setattr(cv2, "namedWindow", lambda *a: None)
    monkeypatch.setattr(cv2, "resizeWindow", lambda name, w, h: seen.update(size=(w, h)))
    monkeypatch.setattr(cv2, "imshow", lambda name, image: seen["shown"].append(image.shape))
    monkeypatch.setattr(cv2, "waitKey", lambda ms: seen["key"])
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *a: seen["visible"])
    monkeypatch.setattr(cv2, "destroyWindow", seen["destroyed"].append)
    return seen


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux may lack a display")
def test_without_a_display_there_is_a_sentence(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(OutputError, match=r"no display: neither DISPLAY nor WAYLAND_DISPLAY is set.*--save"):
        Window()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux may lack a display")
def test_a_display_that_does_not_answer_aborts_only_the_child(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":77")
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    with pytest.raises(OutputError, match=r"no display.*--save"):
        Window()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux may lack a display")
def test_a_display_that_hangs(monkeypatch):
    def hang(*args, **kwargs):
        raise subprocess.TimeoutExpired("python", 20)

    monkeypatch.setenv("DISPLAY", ":77")
    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(OutputError, match=r"did not answer within 20 s"):
        Window()


def test_images_are_shown_until_a_key_closes_the_window(screen):
    with Window("title") as window:
        window.write(IMAGE, 0.0)
        assert not window.closed
        screen["key"] = ord("q")
        window.write(IMAGE, 0.1)
        assert window.closed
        window.write(IMAGE, 0.2)
    assert len(screen["shown"]) == 2
    assert screen["destroyed"] == ["title"]


def test_the_frame_rate_is_drawn_in_the_window_only(screen, monkeypatch):
    images = []
    monkeypatch.setattr(cv2, "imshow", lambda name, image: images.append(image))
    with Window() as window, Window("without", show_fps=False) as plain:
        for time in (0.0, 0.1):
            window.write(IMAGE, time)
            plain.write(IMAGE, time)
    assert [image.any() for image in images] == [False, False, True, False]
    assert not IMAGE.any()


@pytest.mark.parametrize("change", [{"key": 27}, {"key": ord("Q")}, {"visible": 0.0}])
def test_every_way_to_close(screen, change):
    screen.update(change)
    with Window() as window:
        window.write(IMAGE, 0.0)
        assert window.closed


def test_a_large_image_opens_scaled_down(screen):
    with Window() as window:
        window.write(np.zeros((2160, 3840, 3), dtype=np.uint8), 0.0)
    assert screen["size"] == (1280, 720)


def test_headless_opencv(screen, monkeypatch):
    def missing(*args):
        raise cv2.error("The function is not implemented")

    monkeypatch.setattr(cv2, "namedWindow", missing)
    with pytest.raises(OutputError, match=r"cannot open windows.*--save"), Window() as window:
        window.write(IMAGE, 0.0)


def test_a_window_that_showed_nothing_closes_quietly(screen):
    with Window():
        pass
    assert screen["destroyed"] == []
