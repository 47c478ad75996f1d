import socket
import threading
from contextlib import contextmanager

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")

import httpx
from websockets.sync.client import connect

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.config.run import RunConfig
from posetrack.tracker.pipeline import Pipeline
from posetrack.tracker.serve.server import make_server
from posetrack.tracker.serve.settings import Settings
from posetrack.tracker.types import Detections, Poses


class Brightness:
    """An estimator that finds one person, whose nose is at x = the brightness of the image."""

    name, sha256, skeleton, network = "brightness", "", COCO, None

    def __call__(self, frame, detections):
        steps = np.linspace(0.1, 0.9, len(COCO))
        points = np.stack([30 + 20 * np.cos(np.arange(len(COCO))), 10 + 80 * steps], axis=-1)
        points[0, 0] = frame.image.mean()
        scores = np.full((1, len(COCO)), 0.9)
        scores[0, 0] = 0.2  # the nose is far from the box, which a confident one would widen
        return Poses(detections.boxes, points[None], scores, detections.scores)


def pipeline_of_brightness(before=lambda: None):
    """A pipeline of that estimator; `before()` runs first in every frame."""

    def one_person(frame):
        before()
        return Detections([[10.0, 5.0, 60.0, 95.0]], [0.9])

    return Pipeline(one_person, Brightness())


def images(level, size=(128, 96)):
    """A grey image as JPEG."""
    return cv2.imencode(".jpg", np.full((size[1], size[0], 3), level, np.uint8))[1].tobytes()


class Running:
    """A server that runs, and clients of it."""

    def __init__(self, server, port, scheme="http"):
        self.server, self.port, self.url = server, port, f"{scheme}://127.0.0.1:{port}"

    def client(self, **words):
        return httpx.Client(base_url=self.url, **({"timeout": 60} | words))

    def socket(self, path, **words):
        return connect(f"{self.url.replace('http', 'ws')}{path}", **words)


@pytest.fixture
def serving(tmp_path):
    """Runs the app on a free port within a `with` block."""

    @contextmanager
    def run(pipeline=None, **settings):
        pipeline = pipeline or pipeline_of_brightness()
        words = {"history": tmp_path / "history", "run": RunConfig.of(offline=True)} | settings
        server = make_server(Settings(**words), pipeline)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            try:
                yield Running(server, listener.getsockname()[1])
            finally:
                server.should_exit = True
                thread.join()

    return run


@pytest.fixture
def app(serving):
    """A server on the loopback, whose people are those of `Brightness`."""
    with serving() as running:
        yield running


@pytest.fixture
def grey():
    return images


@pytest.fixture
def brightness():
    return pipeline_of_brightness
