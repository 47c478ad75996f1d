"""Machine code is compiled once, told about, and found again without the compiler."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from posetrack.tracker.tracking.compiled import kernel, part

ROOT = Path(__file__).parents[3]
CODE = """
import logging, sys
logging.basicConfig(level=logging.INFO, format="%(message)s")
import numpy as np
from posetrack.tracker.tracking.compiled import kernel

@kernel
def shifted(values, by):
    out = np.empty_like(values)
    for i in range(len(values)):
        out[i] = values[i] + by
    return out

print(shifted(np.arange(3.0), 2.0).tolist(), "numba" in sys.modules)
for number in sys.argv[1:]:
    print(shifted(np.arange(3), int(number)).tolist(), "numba" in sys.modules)
"""
TOLD = "Compiling the tracker for this machine, once: up to 20 seconds ...\n"


def start(tmp_path, *numbers, cache=None):
    (tmp_path / "code.py").write_text(CODE)
    place = os.environ | {"POSETRACK_CACHE": str(cache or tmp_path / "cache"), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "code.py", *numbers], cwd=tmp_path, env=place, capture_output=True, text=True, check=True
    )


def test_a_later_start_finds_the_machine_code_without_loading_the_compiler(tmp_path):
    first, later = start(tmp_path), start(tmp_path)
    assert first.stdout == "[2.0, 3.0, 4.0] True\n"
    assert later.stdout == "[2.0, 3.0, 4.0] False\n"
    assert first.stderr == TOLD
    assert later.stderr == ""


def test_the_compiler_is_loaded_after_machine_code_for_what_is_new(tmp_path):
    start(tmp_path)
    assert start(tmp_path, "2").stdout == "[2.0, 3.0, 4.0] False\n[2, 3, 4] True\n"
    assert start(tmp_path, "2").stdout == "[2.0, 3.0, 4.0] False\n[2, 3, 4] False\n"


def test_a_file_that_is_not_whole_is_made_again(tmp_path):
    start(tmp_path)
    (file,) = (tmp_path / "cache").rglob("shifted-*")
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    again = start(tmp_path)
    assert again.stdout == "[2.0, 3.0, 4.0] True\n"
    assert again.stderr == TOLD
    assert len(file.read_bytes()) == len(whole)


def test_it_is_compiled_at_every_start_where_nothing_can_be_kept(tmp_path):
    (tmp_path / "file").touch()
    told = start(tmp_path, cache=tmp_path / "file")
    assert told.stdout == "[2.0, 3.0, 4.0] True\n"
    assert told.stderr.startswith(TOLD + "Compiling the tracker takes up to 20 seconds at every start: ")


@part
def _double(value):
    return 2 * value


@kernel
def doubled(values):
    out = np.empty_like(values)
    for i in range(len(values)):
        out[i] = _double(values[i])
    return out


@kernel
def doubled_twice(values):
    return doubled(doubled(values)), values.sum()


@pytest.mark.parametrize(
    "values",
    [np.arange(6.0), np.arange(6), np.arange(6.0, dtype=np.float32), np.arange(12.0)[::2], np.arange(6.0)[:, None]],
    ids=["float64", "int64", "float32", "every other", "two axes"],
)
def test_each_kind_of_array_has_machine_code_of_its_own(values):
    if values.ndim == 1:
        twice, total = doubled_twice(values)
        assert total == values.sum()
        np.testing.assert_array_equal(twice, 4 * values)
    found = doubled(values[:, 0] if values.ndim == 2 else values)
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found, 2 * values.reshape(-1))


def test_an_array_that_cannot_be_written_is_read():
    values = np.arange(3.0)
    values.flags.writeable = False
    assert doubled(values).tolist() == [0, 2, 4]


class Picture(np.ndarray):
    """An array of a class of its own."""


@pytest.mark.parametrize("dtype", [np.float64, np.int64])
def test_arrays_of_another_class_are_told_apart_too(dtype):
    assert doubled(np.arange(3, dtype=dtype).view(Picture)).tolist() == [0, 2, 4]


@kernel
def refusing(value):
    if value < 0:
        raise ValueError("too little")
    return value


def test_errors_come_through():
    assert refusing(1.0) == 1.0
    with pytest.raises(ValueError, match="too little"):
        refusing(-1.0)
