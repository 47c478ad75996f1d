"""How many processes `--jobs auto` starts."""

import pytest

from posetrack.tracker.batch.start import JOB_MEMORY, how_many


@pytest.mark.parametrize(
    ("cores", "memory", "count"),
    [(8, 100 * JOB_MEMORY, 8), (8, 3.5 * JOB_MEMORY, 3), (1, 100 * JOB_MEMORY, 1), (8, 0, 1), (8, -1, 1)],
)
def test_one_process_for_each_core_that_has_memory(cores, memory, count):
    assert how_many(cores=cores, memory=int(memory)) == count
