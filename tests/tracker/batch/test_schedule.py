"""Tasks go to whichever worker is free; one whose worker dies runs again, and is given up at last."""

from collections import deque
from functools import partial

import pytest
from batch_tasks import Double, Kill, Refuse

from posetrack.errors import PosetrackError, SourceError, UsageError
from posetrack.tracker.batch.schedule import ATTEMPTS, Assigned, Lost, schedule
from posetrack.tracker.batch.worker import Died, Finished, Frames, Ready
from posetrack.tracker.config.networks import Networks
from posetrack.tracker.config.tracking import Tracking
from posetrack.tracker.run.networks import load


class Fakes:
    """Workers in this process: a task that is None ends its worker, and so does the start of the first `stillborn`."""

    def __init__(self, *, stillborn=0):
        self.started, self.alive, self.messages, self.stillborn, self.busy = 0, set(), deque(), stillborn, 0

    def start(self):
        self.started += 1
        self.alive.add(self.started)
        dies = self.started <= self.stillborn
        self.messages.append((self.started, Died("was ill") if dies else Ready(("networks",))))
        return self.started

    def give(self, worker, task):
        assert worker in self.alive
        if task is None:
            self.alive.remove(worker)
            self.messages.append((worker, Died("was ill")))
        else:
            self.messages += [(worker, Frames(1)), (worker, Finished(task(None, lambda: None)))]

    def wait(self):
        while self.messages:
            yield self.messages.popleft()


def loading(model):
    return partial(load, Networks(model, offline=True, device="cpu"), Tracking(), live=False, blur_faces=False)


def ends(events):
    return {number: event for number, event in events if isinstance(event, Finished | Lost)}


def test_every_task_is_run_once():
    events = list(schedule(Fakes(), [Double(number) for number in range(7)], count=3))
    assert ends(events) == {number: Finished(2 * number) for number in range(7)}
    given = [number for number, event in events if isinstance(event, Assigned)]
    assert sorted(given) == list(range(7))


def test_there_are_no_more_workers_than_tasks():
    workers = Fakes()
    assert ends(schedule(workers, [Double(1)], count=8)) == {0: Finished(2)}
    assert workers.started == 1
    assert not list(schedule(Fakes(), [], count=8))


@pytest.mark.parametrize("count", [1, 2])
def test_a_task_that_ends_every_worker_costs_itself_only(count):
    events = list(schedule(Fakes(), [Double(1), None, Double(2)], count=count))
    assert ends(events) == {0: Finished(2), 1: Lost("was ill"), 2: Finished(4)}
    assert [event for number, event in events if number == 1][:-1] == [Assigned(n + 1) for n in range(ATTEMPTS)]
    last = [number for number, event in events if isinstance(event, Assigned)]
    assert last[-2:] == [1, 1]  # again after the others


def test_workers_that_never_get_ready_end_the_run():
    with pytest.raises(PosetrackError, match="3 workers ended before they were ready; the last one was ill"):
        list(schedule(Fakes(stillborn=9), [Double(1)], count=2))
    assert ends(schedule(Fakes(stillborn=2), [Double(1)], count=1)) == {0: Finished(2)}


@pytest.mark.slow
def test_a_process_that_dies_is_replaced_and_its_task_run_again(tmp_path):
    from posetrack.tracker.batch.processes import Processes

    tasks = [Double(1), Kill(tmp_path / "once", 1), Refuse(), Kill(tmp_path / "always", 99), Double(2)]
    workers = Processes(loading("bundled"), threads=1)
    try:
        found = ends(schedule(workers, tasks, count=2))
    finally:
        workers.close()
    assert (found[0], found[1], found[4]) == (Finished(2), Finished("survived"), Finished(4))
    assert isinstance(found[2].result, SourceError)
    assert "memory is full" in found[3].why
    assert len((tmp_path / "always").read_text().splitlines()) == ATTEMPTS


@pytest.mark.slow
def test_networks_that_cannot_be_loaded_are_an_error_of_the_run():
    from posetrack.tracker.batch.processes import Processes

    workers = Processes(loading("missing.pth"), threads=1)
    try:
        with pytest.raises(UsageError, match=r"missing\.pth"):
            list(schedule(workers, [Double(1)], count=1))
    finally:
        workers.close()
