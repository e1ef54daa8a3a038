"""Rows by bucket are those of a plain loop, for hours and for days of any zone."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from eventwatch.kinds.volume_counts import hourly_counts, last_rows, summed
from eventwatch.kinds.volume_panel import grid_of
from eventwatch.model.measurement import HOUR, Cells, SeriesKey

NOW = 1_792_887_000
"""A Sunday on which the clocks of Berlin go back."""
START = NOW - 20 * 86400


def cells() -> Cells:
    random = np.random.default_rng(4)
    count = 4000
    occurred = random.integers(START - 30 * 86400, NOW + 86400, count) // 300 * 300
    series = random.integers(0, 5, count).astype(np.int32)
    rows = random.integers(0, 50, count)
    keys = tuple(SeriesKey(f"type_{n}") for n in range(5))
    return Cells(keys, series, occurred, occurred, rows, occurred, occurred)


@pytest.mark.parametrize("step", [HOUR, 6 * HOUR, 24 * HOUR])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_counts_are_those_of_a_plain_loop(step: int, zone: str) -> None:
    grid, of = grid_of(START, NOW, step, ZoneInfo(zone)), cells()
    found = hourly_counts(of, grid.edges, START, NOW)
    assert found is not None
    plain = np.zeros((grid.size, 5))
    for at, series, rows in zip(of.occurred, of.series, of.rows, strict=True):
        place = np.searchsorted(grid.edges, at, side="right") - 1
        if 0 <= place < grid.size:
            plain[place, series] += rows
    assert np.array_equal(found, plain)
    assert np.array_equal(summed(of, grid.place(of.occurred), grid.size), plain)


def test_days_that_do_not_begin_with_an_hour_are_left_to_others() -> None:
    grid = grid_of(START, NOW, 86400, ZoneInfo("Asia/Kolkata"))
    assert hourly_counts(cells(), grid.edges, START, NOW) is None


def test_counts_may_be_changed_and_asked_for_again() -> None:
    grid, of = grid_of(START, NOW, HOUR, ZoneInfo("UTC")), cells()
    first = hourly_counts(of, grid.edges, START, NOW)
    assert first is not None
    first[:] = np.nan
    again = hourly_counts(of, grid.edges, START, NOW)
    assert again is not None
    assert np.isfinite(again).all()


def test_the_last_row_is_the_last_that_does_not_lie_ahead() -> None:
    of = cells()
    found = last_rows(of, START, NOW)
    for series in range(5):
        mine = of.occurred[(of.series == series) & (of.occurred <= NOW)]
        assert found[series] == max(mine.max(), START)
