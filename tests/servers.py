"""Servers on the loopback that send live video until they are killed."""

import http.server
import io
import subprocess
import sys
import threading
import time

import av
import cv2
import numpy as np
import pytest

BOUNDARY = b"--image"


def jpeg(level, size=(64, 48)):
    """A grey image, as JPEG."""
    return cv2.imencode(".jpg", np.full((size[1], size[0], 3), level, np.uint8))[1].tobytes()


def mpegts(count, size=(64, 48), fps=25):
    """Blocks of a transport stream that start with every frame."""
    out = io.BytesIO()
    with av.open(out, "w", format="mpegts") as container:
        stream = container.add_stream("mpeg2video", rate=fps)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for i in range(count):
            frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), i, np.uint8), format="bgr24")
            container.mux(stream.encode(frame))
            yield out.getvalue()
            out.seek(0)
            out.truncate()


def multipart(images):
    """The body of a multipart MJPEG stream, block by block."""
    for image in images:
        yield (BOUNDARY + b"\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(image) + image + b"\r\n")


class LiveServer:
    """Send the blocks that `body()` yields over HTTP, one every `pace` seconds, without a length; port 0 is any."""

    def __init__(self, body, *, kind, port=0, pace=0.01, size=(64, 48)):
        self._sockets, self._stopped = [], threading.Event()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                owner._sockets.append(self.connection)
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.end_headers()
                try:
                    for block in body():
                        self.wfile.write(block)
                        if owner._stopped.wait(pace):
                            return
                except OSError:
                    pass  # the other side, or kill(), closed the connection

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def kill(self):
        """End all connections and listen no more."""
        self._stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


class RtspServer:
    """A folder of videos behind RTSP, in a separate process that can be killed."""

    CODE = "import asyncio, sys; from aio_rtsp_toolkit import server; folder, port = sys.argv[1], int(sys.argv[2]);"
    CODE += "asyncio.run(server.serve(folder, '127.0.0.1', port, control_port=0))"

    def __init__(self, folder, port):
        pytest.importorskip("aio_rtsp_toolkit", reason="it is the RTSP server")
        command = [sys.executable, "-c", self.CODE, str(folder), str(port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self):
        self._process.kill()
        self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


def until(condition, seconds=120):
    """Wait for a condition and return its value; the limit only ends a test that hangs."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.005)
    return result
