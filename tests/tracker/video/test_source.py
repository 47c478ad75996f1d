import http.server
import logging
import os
import socket
import threading

import av
import cv2
import numpy as np
import pytest
import servers

from posetrack.errors import SourceError, UsageError
from posetrack.tracker.video.decode.container import ContainerReader
from posetrack.tracker.video.open import open_source
from posetrack.tracker.video.write.mark import is_marked


def test_reads_every_frame_with_its_own_time(video, make):
    source = open_source(str(video))
    assert (source.size, source.fps, source.frame_count) == ((64, 48), 10.0, 20)
    assert source.duration == pytest.approx(2.0)
    assert (source.live, source.path, source.name) == (False, video, str(video))
    frames = list(source)
    assert [f.index for f in frames] == list(range(20))
    np.testing.assert_allclose([f.time for f in frames], np.arange(20) / 10, atol=1e-6)
    assert all(f.image.shape == (48, 64, 3) and f.image.dtype == np.uint8 for f in frames)
    assert np.all(np.diff([make.bar(f.image) for f in frames]) > 0)
    assert (source.frames_read, source.frames_failed, source.frames_dropped, source.damage) == (20, 0, 0, None)
    assert list(source) == []


def test_context_manager_ends_the_source(video):
    with open_source(video) as frames:
        next(frames)
    assert list(frames) == []


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "ts"])
def test_start_and_end_cut_exactly(tmp_path, make, suffix):
    codec = "mpeg4" if suffix == "avi" else "libx264"
    times = [i / 30 for i in range(30)] if suffix == "avi" else [i / 10 for i in range(30)]
    path = make.encode(tmp_path / f"clip.{suffix}", times, codec=codec, rate=30 if suffix == "avi" else 10)
    if suffix == "avi":
        times = [frame.time for frame in open_source(path)]
    whole = {round(f.time, 3): make.bar(f.image) for f in open_source(path)}
    start, end = times[13] - 0.01, times[22]
    part = list(open_source(path, start=start, end=end))
    np.testing.assert_allclose([f.time for f in part], times[13:22], atol=1.1e-3)
    assert [f.index for f in part] == list(range(13, 22))
    assert [make.bar(f.image) for f in part] == [whole[round(f.time, 3)] for f in part]


def test_irregular_times_are_kept(tmp_path, make):
    times = [0, 0.033, 0.1, 0.5, 0.51, 1.2, 1.25]
    frames = list(open_source(make.encode(tmp_path / "vfr.mp4", times)))
    np.testing.assert_allclose([f.time for f in frames], times, atol=1e-3)


def test_times_count_from_the_first_presentation(tmp_path, make):
    path = make.encode(tmp_path / "late.mkv", [5.0, 5.1, 5.3])
    np.testing.assert_allclose([f.time for f in open_source(path)], [0, 0.1, 0.3], atol=1.1e-3)


def test_frames_without_timestamps_follow_the_rate(tmp_path, make):
    path = make.encode(tmp_path / "raw.h264", [i / 30 for i in range(10)], format="h264")
    times = [f.time for f in open_source(path)]
    assert len(times) == 10
    assert np.all(np.diff(times) > 0)


@pytest.mark.parametrize("rotation", [0, 90, 180, -90])
def test_rotation_of_the_display_matrix_is_applied(tmp_path, make, rotation):
    path = make.encode(tmp_path / "turned.mp4", [0, 0.1, 0.2], rotation=rotation)
    source = open_source(path)
    frame = next(source)
    stored = make.image(0, count=3)
    expected = np.rot90(stored, rotation // 90)  # numpy and FFmpeg both count counterclockwise
    assert source.size == (expected.shape[1], expected.shape[0])
    assert np.abs(frame.image.astype(int) - expected).mean() < 6
    source.close()


@pytest.mark.parametrize(("rotation", "taken"), [(10, 0), (-50, -90), (172, 180)])
def test_a_rotation_by_another_angle_becomes_the_nearest_with_a_sentence(tmp_path, make, caplog, rotation, taken):
    def first(rotation):
        return next(open_source(make.encode(tmp_path / f"{rotation}.mp4", [0, 0.1], rotation=rotation))).image

    expected = first(taken)
    assert not caplog.records
    np.testing.assert_array_equal(first(rotation), expected)
    assert caplog.text.count(f"states a rotation by {-rotation} degrees; the nearest right angle is taken.") == 1


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "size"),
    [
        ("ffv1", "gray", (63, 47)),
        ("ffv1", "gray16le", (64, 48)),
        ("ffv1", "yuv420p10le", (64, 48)),
        ("ffv1", "yuva420p", (64, 48)),
        ("ffv1", "yuv444p", (33, 31)),
        ("png", "rgba", (20, 36)),
    ],
)
def test_any_pixel_format_becomes_bgr(tmp_path, make, codec, pix_fmt, size):
    path = make.encode(
        tmp_path / "clip.mov" if codec == "png" else tmp_path / "clip.mkv",
        [0, 0.1],
        codec=codec,
        pix_fmt=pix_fmt,
        size=size,
    )
    frames = list(open_source(path))
    assert len(frames) == 2
    assert frames[0].image.shape == (size[1], size[0], 3)
    assert frames[0].image.dtype == np.uint8
    assert frames[0].image[..., 1].max() > 150 > 60 > frames[0].image[..., 1].min()


def test_images_of_all_kinds_are_one_frame(tmp_path):
    grey = np.linspace(0, 65535, 20 * 30).reshape(20, 30).astype(np.uint16)
    alpha = np.full((20, 30, 4), (10, 20, 30, 128), np.uint8)
    for name, image in (("grey16.png", grey), ("alpha.PNG", alpha), ("größe 图.bmp", alpha[..., :3])):
        path = tmp_path / name
        cv2.imencode(path.suffix.lower(), image)[1].tofile(path)
        source = open_source(path)
        assert (source.size, source.frame_count) == ((30, 20), 1)
        (frame,) = source
        assert (frame.image.shape, frame.image.dtype, frame.index, frame.time) == ((20, 30, 3), np.uint8, 0, 0.0)
        if image is grey:
            assert frame.image.max() == 255
        else:
            assert (frame.image == (10, 20, 30)).all()


def test_exif_orientation_turns_a_image(tmp_path):
    data = cv2.imencode(".jpg", np.zeros((20, 30, 3), np.uint8))[1].tobytes()
    tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"  # Orientation = 6
    exif = b"\xff\xe1" + (len(tiff) + 8).to_bytes(2, "big") + b"Exif\0\0" + tiff
    path = tmp_path / "phone.jpg"
    path.write_bytes(data[:2] + exif + data[2:])
    assert open_source(path).size == (20, 30)


def write(path, data):
    path.write_bytes(data)
    return path


def no_video(path, make):
    with av.open(str(path), "w") as container:
        track = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.int16), format="s16", layout="mono")
        frame.sample_rate = 16000
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    return path


BAD = {
    "missing": (lambda p, make: p / "missing.mp4", "There is no file"),
    "folder": (lambda p, make: p, "is a folder"),
    "empty": (lambda p, make: write(p / "zero.mp4", b""), r"is empty \(0 bytes\)"),
    "text": (lambda p, make: write(p / "notes.mp4", b"Dear diary,\n" * 50), "not a video"),
    "text by name": (lambda p, make: write(p / "notes.txt", b"Dear diary,\n" * 50), "not a video"),
    "no image": (lambda p, make: write(p / "fake.jpg", b"not an image"), "contains no image"),
    "sound only": (lambda p, make: no_video(p / "sound.mp4", make), "no video"),
    "no frames": (lambda p, make: make.encode(p / "none.mkv", []), "before its first frame"),
    "only an index": (lambda p, make: make.encode(p / "none.mp4", []), "no video that can be decoded"),
    "no index": (
        lambda p, make: write(p / "cut.mp4", make.encode(p / "c.mp4", [0, 0.1, 0.2]).read_bytes()[:400]),
        "moov",
    ),
    "nothing": (lambda p, make: "", "source is empty"),
    "negative camera": (lambda p, make: -1, "count from 0"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_a_sentence(tmp_path, make, kind):
    build, words = BAD[kind]
    with pytest.raises(SourceError, match=words) as caught:
        open_source(build(tmp_path, make))
    assert str(caught.value).endswith(".")


def test_a_video_of_which_nothing_can_be_decoded(tmp_path, make):
    path = make.encode(tmp_path / "clip.mov", [0, 0.1, 0.2], codec="png", pix_fmt="rgb24")
    path.write_bytes(path.read_bytes().replace(b"\x89PNG", b"gone"))
    with pytest.raises(SourceError, match=r"no frame that can be read \(\d could not be decoded\)"):
        open_source(path)


def test_start_after_the_end_of_the_video(video):
    with pytest.raises(SourceError, match=r"no frame after 99 s: it lasts 2\.00 s"):
        open_source(video, start=99)


@pytest.mark.parametrize("words", [{"start": -1}, {"end": float("nan")}, {"start": 2, "end": 1}, {"timeout": 0}])
def test_senseless_times_are_refused(video, words):
    with pytest.raises(UsageError):
        open_source(video, **words)


def test_damage_in_the_middle_is_counted_and_skipped(tmp_path, make, caplog):
    path = make.encode(tmp_path / "clip.mov", [i / 10 for i in range(20)], codec="png", pix_fmt="rgb24")
    data = bytearray(path.read_bytes())
    places = [i for i in range(len(data)) if data[i : i + 4] == b"\x89PNG"]
    data[places[7] : places[7] + 40] = bytes(40)
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING, "posetrack"):
        source = open_source(path)
        frames = list(source)
    assert (len(frames), source.frames_failed) == (19, 1)
    assert "could not be decoded" in caplog.text
    assert frames[-1].time == pytest.approx(1.9, abs=2e-3)


@pytest.mark.parametrize("kind", ["mkv", "mp4"])
def test_a_cut_file_gives_what_is_there(tmp_path, make, caplog, kind):
    options = {"movflags": "faststart"} if kind == "mp4" else {}
    path = make.encode(tmp_path / f"clip.{kind}", [i / 10 for i in range(60)], container_options=options)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    with caplog.at_level(logging.WARNING, "posetrack"):
        source = open_source(path)
        frames = list(source)
    assert 5 < len(frames) < 60
    assert source.damage
    assert "is damaged" in caplog.text


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def server(tmp_path):
    def handler(*args):
        return Quiet(*args, directory=str(tmp_path))

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_a_file_over_http_is_read_whole(video, server):
    with open_source(f"http://me:secret1@127.0.0.1:{server}/clip.mp4?token=secret2", timeout=5) as source:
        assert not source.live
        assert len(list(source)) == 20
        assert "secret" not in source.name
        assert "***@127.0.0.1" in source.name


def test_a_stream_without_an_end_is_live(make, tmp_path):
    data = make.encode(tmp_path / "clip.ts", [i / 10 for i in range(300)]).read_bytes()

    class Endless(Quiet):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            for start in range(0, len(data), 2000):
                self.wfile.write(data[start : start + 2000])

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endless) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        with open_source(f"http://127.0.0.1:{server.server_address[1]}/live", timeout=60, reconnect=0) as source:
            assert source.live
            times = [frame.time for frame in source]
        server.shutdown()
        thread.join()
    assert source.damage == "the server closed it"
    assert times[0] == 0.0
    assert np.all(np.diff(times) > 0)
    assert source.frames_read + source.frames_dropped <= 300


@pytest.mark.parametrize(
    ("scheme", "remedy"),
    [
        ("rtsp", "Check the address"),
        ("http", "Check the address"),
        ("s3", "does not read such addresses. Track them with"),
    ],
)
def test_an_unreachable_stream_fails_and_keeps_the_secret(scheme, remedy):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(SourceError, match=remedy) as caught:
        open_source(f"{scheme}://me:se@cret@127.0.0.1:{port}/live?password=cret", timeout=2)
    assert "cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_silent_stream_fails_in_time():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(SourceError, match=r"no answer within 0\.5 s"):
            open_source(f"http://127.0.0.1:{silent.getsockname()[1]}/live", timeout=0.5)


def test_a_stream_that_falls_silent_is_lost_after_the_timeout():
    over = threading.Event()

    def body():
        yield from servers.multipart([servers.jpeg(90)] * 10)
        over.wait()

    with servers.LiveServer(body, kind="multipart/x-mixed-replace; boundary=picture") as server:
        reader = ContainerReader(f"http://127.0.0.1:{server.port}/live", name="it", start=None, end=None, timeout=0.5)
        with pytest.raises(SourceError, match=r"Lost 'it': no answer within 0\.5 s\."):
            list(reader)
        over.set()
        reader.close()


def test_a_camera_that_is_not_there_is_a_sentence(capfd):
    with pytest.raises(SourceError, match="Cannot open camera 97"):
        open_source("97")
    assert capfd.readouterr().err == ""


def test_a_file_with_a_number_as_its_name_is_a_file(video, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    video.rename(tmp_path / "0")
    assert len(list(open_source("0"))) == 20


@pytest.mark.parametrize(
    "script",
    [
        "ffconcat version 1.0\nfile neighbour.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nneighbour.mp4\n#EXT-X-ENDLIST\n",
        '<?xml version="1.0"?>\n<MPD profiles="urn:mpeg:dash:profile:isoff-on-demand:2011">\n',
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5000 RTP/AVP 96\n",
    ],
)
def test_a_playlist_under_a_videos_name_opens_no_neighbour(script, tmp_path, video):
    (tmp_path / "neighbour.mp4").write_bytes(video.read_bytes())
    path = tmp_path / "script.mp4"
    path.write_text(script)
    with pytest.raises(SourceError, match="is a playlist, which opens other files"):
        open_source(path)
    assert not is_marked(path)


@pytest.mark.skipif(os.name == "nt", reason="files of Unix")
@pytest.mark.parametrize("suffix", [".mp4", ".png"])
def test_pipes_and_devices_are_refused_without_waiting(tmp_path, suffix):
    pipe, device = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    for path in (pipe, device):
        with pytest.raises(SourceError, match=r"is a pipe, a socket or a device.*Give a file\."):
            open_source(path)
