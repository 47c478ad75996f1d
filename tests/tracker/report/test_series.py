"""Series stay exact while they are short; of long ones no extreme is lost and memory is bounded."""

import tracemalloc

import numpy as np

from posetrack.tracker.report.series import Series, thinned

PLAIN = (False, True)


def noise(rows, seed=0):
    values = np.random.default_rng(seed).normal(size=(rows, 2))
    values[::7, 0] = np.nan
    return np.column_stack([np.arange(rows) / 30, values])


def test_few_rows_stay_as_they_are():
    series, table = Series(PLAIN, max_rows=100), noise(100)
    for time, *values in table:
        series.add(1, time, np.array(values))
    np.testing.assert_array_equal(series.table(1), table)
    assert series.bucket == 0
    assert series.table(2).shape == (0, 3)


def test_thinning_keeps_extremes_within_their_bucket():
    table, bucket = noise(3000), 1.0
    table[1234, 1], table[2345, 1] = 50.0, -60.0
    short = thinned(table, bucket, np.array([True, False, True]))
    assert len(short) == 200
    for start in range(100):
        long_ones = table[np.floor(table[:, 0]) == start]
        short_ones = short[np.floor(short[:, 0]) == start]
        assert np.nanmax(short_ones[:, 1]) == np.nanmax(long_ones[:, 1])
        assert np.nanmin(short_ones[:, 1]) == np.nanmin(long_ones[:, 1])
        np.testing.assert_array_equal(short_ones[:, 2], long_ones[[0, -1], 2])  # places are real ones
    assert (np.diff(short[:, 0]) > 0).all()


def test_an_hour_stays_bounded_and_keeps_every_peak():
    series, peaks = Series(PLAIN, max_rows=2000), {7: 99.0, 31_000: 77.0, 107_999: 88.0}
    most = 0
    for index in range(108_000):
        series.add(index % 3, index / 30, np.array([peaks.get(index, 0.0), index]))
        most = max(most, sum(len(series.table(person)) for person in range(3)) if index % 500 == 0 else 0)
    assert most <= 2000
    assert 1 < series.bucket < 60
    everything = np.concatenate([series.table(person) for person in range(3)])
    assert {99.0, 77.0, 88.0} <= set(everything[:, 1])
    for index, peak in peaks.items():
        table = series.table(index % 3)
        assert abs(table[table[:, 1] == peak, 0] - index / 30).min() <= series.bucket


def test_very_many_people_are_all_kept():
    series = Series(PLAIN, max_rows=50)
    for person in range(200):
        series.add(person, person / 10, np.zeros(2))
    assert all(len(series.table(person)) == 1 for person in range(200))


def test_a_full_table_is_thinned_as_a_whole_without_a_copy_of_it():
    series, table = Series((False,) * 39, max_rows=8000), np.random.default_rng(0).normal(size=(8001, 40))
    table[:, 0] = np.arange(8001) / 30
    for time, *values in table[:8000]:
        series.add(1, time, np.array(values))
    tracemalloc.start()
    series.add(1, table[8000, 0], table[8000, 1:])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    expected = thinned(table[:8000], series.bucket, np.array([True, *[False] * 39]))
    np.testing.assert_array_equal(series.table(1)[:-1], expected)
    assert peak < table[:4000].nbytes
