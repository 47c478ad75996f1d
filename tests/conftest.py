"""Makes the helpers beside the tests importable in any import mode."""

import logging
import os
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

if workers := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):
    # Each worker takes its share of the cores, before anything that starts threads is imported; one that has nothing
    # to do sleeps instead of holding a core that another needs.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // int(workers))))
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from skips import pytest_addoption, pytest_configure  # noqa: F401


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Keep the user's cache out of the tests, and the tests out of it; all workers of one run share theirs."""
    run = tmp_path_factory.getbasetemp()
    cache = (run.parent if "PYTEST_XDIST_WORKER" in os.environ else run) / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSETRACK_CACHE", str(cache))
        yield


@pytest.fixture(autouse=True)
def _log_level():
    """Undo the log level of `--quiet`, also that of a fixture with a wider scope."""
    log = logging.getLogger("posetrack")
    log.setLevel(logging.NOTSET)
    yield
    log.setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def shared():
    """Folder with real videos and weights beside the checkout; not part of the project."""
    folder = Path(__file__).parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("needs the folder shared/ beside the checkout")
    return folder


@pytest.fixture(scope="session")
def walking_clip(tmp_path_factory):
    """A second of video with real people, 10 frames."""
    from posetrack.tracker.video.sample import make_sample

    return make_sample(tmp_path_factory.mktemp("clips") / "people.mp4", seconds=1, fps=10)


@pytest.fixture
def full_disk():
    """A disk that is full where a file has `size` bytes, within a `with` block."""
    resource = pytest.importorskip("resource", reason="limits are those of Unix")

    @contextmanager
    def limit(size):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limit
