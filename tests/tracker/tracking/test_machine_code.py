"""Machine code is kept whole, and linked only where everything is that it calls."""

from dataclasses import replace

import numpy as np
import pytest

from posetrack.tracker.tracking import compiled, machine_code
from posetrack.tracker.tracking.compiled import Kernel
from posetrack.tracker.tracking.compiler import compile_for
from posetrack.tracker.tracking.machine_code import Code, LinkError, link


def total(values):
    found = 0.0
    for i in range(len(values)):
        found += values[i]
    return found


@pytest.fixture(scope="module")
def code():
    return compile_for(Kernel(total, {}), (np.zeros(1),))


def test_what_is_kept_is_what_was_compiled(code):
    assert Code.from_bytes(code.to_bytes()) == code


@pytest.mark.parametrize("spoil", [lambda kept: kept[:-1], lambda kept: kept[1:], lambda kept: kept[:-1] + b"?"])
def test_what_was_spoilt_is_not_read(code, spoil):
    with pytest.raises((ValueError, KeyError)):
        Code.from_bytes(spoil(code.to_bytes()))


def test_linked_code_answers(code):
    assert link(code)(np.array([1.0, 2.5])) == 3.5


def test_code_that_asks_for_what_is_nowhere_is_not_linked(code):
    with pytest.raises(LinkError, match="nowhere_to_be_found"):
        link(replace(code, needs=(*code.needs, "nowhere_to_be_found")))


def test_where_it_cannot_be_linked_the_compiler_itself_answers(monkeypatch, tmp_path):
    def refuse(code):
        raise LinkError("it needs a library")

    monkeypatch.setenv("POSETRACK_CACHE", str(tmp_path))
    compiled._folder.cache_clear()
    monkeypatch.setattr(machine_code, "link", refuse)
    assert Kernel(total, {})(np.array([1.0, 2.0])) == 3.0
    compiled._folder.cache_clear()


def test_where_numba_has_other_modules_the_compiler_itself_answers(monkeypatch):
    monkeypatch.setattr(machine_code, "_MODULES", ("_of_another_version",))
    machine_code.here.cache_clear()
    assert Kernel(total, {})(np.array([1.0, 2.0])) == 3.0
    with pytest.raises(LinkError, match=r"This numba has no .*_of_another_version"):
        machine_code.here()


def test_code_is_for_this_processor_and_python():
    assert machine_code.here() == machine_code.here.__wrapped__()
    assert "_helperlib" in machine_code.here()
