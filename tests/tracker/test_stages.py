"""Steps side by side do what the same steps do one after the other."""

import os
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import pytest

from posetrack.tracker.stages import MOST, side_by_side

ROOT = Path(__file__).parents[2]


def double(items):
    for item in items:
        yield 2 * item


def add_one(items):
    for item in items:
        yield item + 1


def fail_at_three(items):
    for item in items:
        if item == 3:
            raise ZeroDivisionError("three")
        yield item


def alive():
    return [thread for thread in threading.enumerate() if thread.name.startswith("posetrack-")]


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_order_and_values_are_those_of_a_plain_chain(limit):
    with side_by_side(iter(range(100)), double, add_one, limit=limit) as items:
        together = list(items)
    with side_by_side(iter(range(100)), double, add_one, threads=False) as items:
        assert together == list(items) == [2 * i + 1 for i in range(100)]
    assert not alive()


def test_each_step_has_its_own_thread_and_they_work_at_the_same_time():
    meet = threading.Barrier(3, timeout=300)
    names = set()

    def first(items):
        for item in items:
            if item == 2:
                names.add(threading.current_thread().name)
                meet.wait()
            yield item

    def second(items):
        for item in items:
            if item == 1:
                names.add(threading.current_thread().name)
                meet.wait()
            yield item

    with side_by_side(iter(range(4)), first, second) as items:
        assert next(items) == 0
        meet.wait()  # both other threads are in the middle of another item
        assert list(items) == [1, 2, 3]
    assert names == {"posetrack-first", "posetrack-second"}


@pytest.mark.parametrize(("size", "limit"), [(0, 1), (0, 3), (MOST, 1), (MOST // 2, 2)])
def test_a_slow_consumer_holds_the_steps_back(size, limit):
    begun = []
    waiting = threading.Event()

    def source():
        for item in range(100):
            begun.append(item)
            if len(begun) == 2 * limit + 1:
                waiting.set()
            yield item

    most = 9 if size else limit
    with side_by_side(source(), add_one, add_one, limit=most, size=lambda item: size) as items:
        next(items)
        assert waiting.wait(10)
    assert len(begun) <= 2 * limit + 3


@pytest.mark.parametrize("threads", [True, False])
@pytest.mark.parametrize(
    ("steps", "finished"), [((fail_at_three, double), [0, 2, 4]), ((add_one, fail_at_three), [1, 2])]
)
def test_an_error_comes_after_what_was_finished_before_it(steps, finished, threads):
    done = []
    with (
        pytest.raises(ZeroDivisionError, match="three") as caught,
        side_by_side(iter(range(9)), *steps, threads=threads) as items,
    ):
        done.extend(items)
    assert done == finished
    assert "fail_at_three" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert not alive()


def test_an_error_of_the_consumer_stops_all_threads():
    def consume():
        with side_by_side(iter(int, 1), double, add_one) as items:
            for item in items:
                raise KeyError(item)

    with pytest.raises(KeyError):
        consume()
    assert not alive()


def test_who_waits_for_a_stopped_stage_gets_the_end():
    """A step that waits for its source does not hang the others: the source is woken first, as `loop` does."""
    woken = threading.Event()

    def stuck(items):
        yield from items
        woken.wait(10)

    with side_by_side(iter([1]), stuck, double) as items:
        assert next(items) == 2
        woken.set()
    assert not alive()


INTERRUPTED = """
import faulthandler, random, signal, itertools
from posetrack.tracker.stages import side_by_side

class Once:
    done = False
    def __call__(self, number, frame):
        if not self.done:
            self.done = True
            raise KeyboardInterrupt

faulthandler.dump_traceback_later(100, exit=True)
for _ in range(3000):
    signal.signal(signal.SIGALRM, Once())
    try:
        with side_by_side(itertools.count(), iter, limit=3) as items:
            signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-4, 3e-3))
            for item in items:
                pass
    except KeyboardInterrupt:
        pass
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_an_interrupt_at_any_moment_ends_all_threads():
    subprocess.run([sys.executable, "-c", INTERRUPTED], cwd=ROOT, check=True)
