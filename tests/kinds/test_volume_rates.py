"""Which event types come so seldom that their counts say next to nothing."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from eventwatch.kinds.volume_panel import Grid, VolumePanel
from eventwatch.kinds.volume_rates import least_of_rise, rates

DAY, DAYS = 86400, 60
RNG = np.random.default_rng(1)


def panel(*types: list[float] | np.ndarray, step: int = DAY) -> VolumePanel:
    """Counts of each type; the newest bucket last."""
    counts = np.column_stack([np.asarray(each, dtype=float) for each in types])
    size = len(counts)
    edges = np.arange(size + 1, dtype=np.int64) * step
    none = np.zeros(counts.shape)
    end = int(edges[-1])
    return VolumePanel(
        Grid(edges, step), tuple("abcdef"[: len(types)]), counts, none + 1.0, none, end, end,
        np.zeros(len(types), dtype=np.int64), np.ones(1),
    )  # fmt: skip


def least(of: VolumePanel) -> list[float]:
    """Of each type."""
    found: list[float] = least_of_rise(of, rates(of)).tolist()
    return found


def on(days: dict[int, float]) -> np.ndarray:
    """Rows so many days before the newest."""
    made = np.zeros(DAYS)
    for back, rows in days.items():
        made[-1 - back] = rows
    return made


def test_a_type_that_sleeps_must_bring_thirty_rows_or_thrice_its_largest_day() -> None:
    assert least(panel(on({0: 7.0, 20: 1.0}), on({0: 90.0, 40: 25.0}))) == [30.0, 75.0]


def test_what_comes_on_few_days_is_rare_however_much_it_brings() -> None:
    assert least(panel(on({2: 90.0, 20: 80.0}))) == [240.0]


def test_a_type_of_each_week_is_judged_as_any_other() -> None:
    weekly = np.where(np.arange(DAYS) % 7 == 0, 40.0, 0.0)
    assert least(panel(weekly, np.full(DAYS, 1.0), np.full(DAYS, 500.0))) == [0.0, 0.0, 0.0]


def test_the_newest_days_do_not_make_a_type_less_rare() -> None:
    burst = on({0: 9.0, 1: 9.0, 2: 9.0})
    assert least(panel(burst)) == [30.0]


@pytest.mark.parametrize("hours", [1, 6])
def test_buckets_of_hours_are_taken_by_day(hours: int) -> None:
    of_day = on({0: 7.0, 20: 11.0})
    per_day = timedelta(days=1) // timedelta(hours=hours)
    spread = np.zeros((DAYS, per_day))
    spread[:, -1] = of_day
    assert least(panel(spread.ravel(), step=hours * 3600)) == [33.0]


def test_days_that_nobody_measured_are_neither_many_nor_few() -> None:
    known = np.where(np.arange(DAYS) % 2 == 0, np.nan, 1.0)
    assert least(panel(known)) == [0.0]
    assert least(panel(np.full(DAYS, np.nan))) == [30.0]
