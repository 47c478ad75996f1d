"""How many processes `--jobs auto` starts."""

import pytest

from posetrack.tracker.batch.choice import JOB_MEMORY, process_count


@pytest.mark.parametrize(
    ("cores", "memory", "count"),
    [(16, 100 * JOB_MEMORY, 8), (16, 3.5 * JOB_MEMORY, 3), (2, 100 * JOB_MEMORY, 1), (1, 0, 1), (8, -1, 1)],
)
def test_one_process_for_two_cores_and_its_memory(cores, memory, count):
    assert process_count(cores=cores, memory=int(memory)) == count
