"""A few of the attempts of `python tasks.py soak`, at moments that differ from run to run."""

import os
import random
import sys

import pytest

if sys.platform == "win32":
    pytest.skip("signals and limits are those of Unix", allow_module_level=True)

import soak

SEED = int(os.environ.get("POSETRACK_SOAK_SEED") or random.SystemRandom().randrange(2**32))


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    return soak.Expected(tmp_path_factory.mktemp("expected"), fps=6)


@pytest.fixture
def rng(request):
    print(f"POSETRACK_SOAK_SEED={SEED}")  # shown where a test fails
    return random.Random(f"{SEED} {request.node.name}")


@pytest.mark.slow
def test_a_killed_run_leaves_readable_results(expected, tmp_path, rng):
    assert soak.kills(expected, tmp_path, rng, 2).total() == 2


@pytest.mark.slow
def test_a_full_disk_is_one_sentence_and_no_result(expected, tmp_path, rng):
    assert soak.disks(expected, tmp_path, rng, 2).total() == 2


@pytest.mark.slow
def test_of_two_runs_one_writes_and_the_other_is_refused(expected, tmp_path):
    assert soak.rivals(expected, tmp_path, 1).total() == 1


@pytest.mark.slow
def test_a_live_run_outlives_its_server(tmp_path, rng):
    figures = soak.restarts(tmp_path, rng, 2, seconds=0.5)
    assert set(figures) == {"latency", "back", "fresh"}
