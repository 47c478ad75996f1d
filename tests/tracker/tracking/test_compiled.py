"""Kernels are compiled once for a machine, and again when a source changes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from posetrack.tracker.tracking.compiled import kernel, subroutine

ROOT = Path(__file__).parents[3]
CODE = """
import logging
logging.basicConfig(level=logging.INFO, format="%(message)s")
import numpy as np
from posetrack.tracker.tracking.compiled import announce, kernel
from code_parts import by

announce()

@kernel
def shifted(values):
    out = np.empty_like(values)
    for i in range(len(values)):
        out[i] = values[i] + by()
    return out

print(shifted(np.arange(3.0)).tolist(), sum(shifted.stats.cache_hits.values()))
"""
PARTS = """
from posetrack.tracker.tracking.compiled import subroutine

@subroutine
def by():
    return 2.0
"""
ONCE = "Compiling the tracker for this machine, once: a few seconds ...\n"


def start(tmp_path, *, cache=None):
    (tmp_path / "code.py").write_text(CODE)
    place = os.environ | {"POSETRACK_CACHE": str(cache or tmp_path / "cache"), "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    place.pop("NUMBA_CACHE_DIR", None)
    return subprocess.run(
        [sys.executable, "code.py"], cwd=tmp_path, env=place, capture_output=True, text=True, check=True
    )


@pytest.mark.slow
def test_a_later_start_finds_the_machine_code(tmp_path):
    (tmp_path / "code_parts.py").write_text(PARTS)
    first = start(tmp_path)
    assert (first.stdout, first.stderr) == ("[2.0, 3.0, 4.0] 0\n", ONCE)
    assert start(tmp_path).stdout == "[2.0, 3.0, 4.0] 1\n"


@pytest.mark.slow
def test_a_change_in_a_file_that_the_kernel_calls_counts(tmp_path):
    (tmp_path / "code_parts.py").write_text(PARTS)
    start(tmp_path)
    (tmp_path / "code_parts.py").write_text(PARTS.replace("2.0", "5.0"))
    assert start(tmp_path).stdout == "[5.0, 6.0, 7.0] 0\n"


def test_it_is_compiled_at_every_start_where_nothing_can_be_kept(tmp_path):
    (tmp_path / "code_parts.py").write_text(PARTS)
    (tmp_path / "file").touch()
    result = start(tmp_path, cache=tmp_path / "file")
    assert result.stdout == "[2.0, 3.0, 4.0] 0\n"
    assert result.stderr.startswith("Compiling the tracker takes a few seconds at every start: ")
    assert result.stderr.endswith("cannot be written.\n")


def test_a_full_disk_ends_no_run(tmp_path, full_disk):
    (tmp_path / "code_parts.py").write_text(PARTS)
    with full_disk(1000):
        result = start(tmp_path)
    assert result.stdout == "[2.0, 3.0, 4.0] 0\n"
    assert result.stderr.startswith("Compiling the tracker takes a few seconds at every start: ")


@pytest.mark.slow
def test_numbas_own_setting_of_the_cache_folder_is_left_alone(tmp_path):
    code = "import posetrack.tracker.tracking.tracker as t, numba; t.warm_up(); print(repr(numba.config.CACHE_DIR))"
    place = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "numba"), "POSETRACK_CACHE": str(tmp_path / "other")}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=place, capture_output=True, text=True, check=True
    )
    assert result.stdout == f"{str(tmp_path / 'numba')!r}\n"
    assert list((tmp_path / "numba").rglob("*.nbi"))
    assert not (tmp_path / "other").exists()
    shutil.rmtree(tmp_path / "numba")


@subroutine
def _double(value):
    return 2 * value


@kernel
def doubled(values):
    out = np.empty_like(values)
    for i in range(len(values)):
        out[i] = _double(values[i])
    return out


@pytest.mark.parametrize(
    "values",
    [np.arange(6.0), np.arange(6), np.arange(12.0)[::2]],
    ids=["float64", "int64", "every other"],
)
def test_each_kind_of_array_has_machine_code_of_its_own(values):
    found = doubled(values)
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found, 2 * values)


def test_an_array_that_cannot_be_written_is_read():
    values = np.arange(3.0)
    values.flags.writeable = False
    assert doubled(values).tolist() == [0, 2, 4]


@kernel
def refusing(value):
    if value < 0:
        raise ValueError("too little")
    return value


def test_errors_come_through():
    assert refusing(1.0) == 1.0
    with pytest.raises(ValueError, match="too little"):
        refusing(-1.0)
