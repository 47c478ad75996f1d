"""The clip is a video while it is small, and evenly spread images of it in any case."""

from base64 import b64decode

import av
import cv2
import numpy as np

from posetrack.tracker.report import clip as module


def test_a_short_clip_is_a_video_of_the_same_length(clip, tmp_path):
    taken = clip(2.0)
    path = tmp_path / "clip.mp4"
    path.write_bytes(taken.video)
    with av.open(str(path)) as video:
        stream = video.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert sum(1 for _ in video.decode(video=0)) == 60
    assert taken.size == (320, 240)
    assert [image.time for image in taken.stills] == [0, 1]


def test_a_long_clip_is_images_alone(clip, monkeypatch):
    monkeypatch.setattr(module, "MAX_STILLS", 8)
    taken = clip(60.0, fps=5, max_bytes=4000)
    assert taken.video is None
    times = np.array([image.time for image in taken.stills])
    assert 4 <= len(times) <= 8
    assert times[0] == 0
    assert times[-1] > 45
    assert len(set(np.diff(times).round(6))) == 1
    data = b64decode(taken.stills[0].uri.partition(",")[2])
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape == (240, 320, 3)


def test_one_image_is_no_video(clip):
    taken = clip(1 / 30)
    assert taken.video is None
    assert len(taken.stills) == 1
