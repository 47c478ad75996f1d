"""Stores for tests: one in memory that can fail, and a web server of a folder."""

import functools
import http.server
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import fsspec
from fsspec.implementations.memory import MemoryFileSystem


class Flaky(MemoryFileSystem):
    """A store in memory, `flaky://`; each request takes the next of `failures`, and raises it unless it is None."""

    protocol = "flaky"
    store, pseudo_dirs = {}, [""]
    failures: ClassVar[list] = []
    asked: ClassVar[list] = []

    @classmethod
    def _strip_protocol(cls, path):
        return MemoryFileSystem._strip_protocol(path.replace("flaky://", "memory://"))

    def _fail(self, what):
        self.asked.append(what)
        if self.failures and (error := self.failures.pop(0)):
            raise error

    def info(self, path, **kwargs):
        self._fail("info")
        return super().info(path, **kwargs)

    def get_file(self, rpath, lpath, **kwargs):
        self._fail("get")
        super().get_file(rpath, lpath, **kwargs)

    def put_file(self, lpath, rpath, **kwargs):
        """Write half before it fails."""
        data = Path(lpath).read_bytes()
        self.pipe_file(rpath, data[: len(data) // 2])
        self._fail("put")
        self.pipe_file(rpath, data)


@contextmanager
def flaky_store():
    """Give an empty store; see `Flaky`."""
    fsspec.register_implementation("flaky", Flaky, clobber=True)
    for kept in (Flaky.store, Flaky.failures, Flaky.asked):
        kept.clear()
    Flaky.pseudo_dirs[:] = [""]
    yield fsspec.filesystem("flaky")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def web_folder(folder, handler=_Quiet):
    """Serve a folder with a listing of its files, and give the host and port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(folder)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
