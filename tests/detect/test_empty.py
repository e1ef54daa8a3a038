"""Daily batches and office hours: where nothing ever comes, nothing is learned, so what comes in the
other hours is judged as narrowly as anything else."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from eventwatch.detect.clock import Clock, clock_of
from eventwatch.detect.empty import DAYS, FLOOR, Empty
from eventwatch.detect.engine import run
from eventwatch.detect.panel import Panel, Scored
from eventwatch.detect.settings import DetectSettings, grain, threshold_for

FloatArray = NDArray[np.float64]

DAY, SERIES = 24, 12
HOURS = np.arange(80 * DAY)
HOUR, WEEKDAY = HOURS % DAY, HOURS // DAY % 7
AT = 1_704_067_200 + 3600 * HOURS  # A Monday.
TOLD = threshold_for(0.003)
BATCH = 10_000.0 * (HOUR == 3)
OFFICE = 200.0 * ((HOUR >= 8) & (HOUR < 18) & (WEEKDAY < 5))
WORKDAY_BATCH = 3_000.0 * ((HOUR == 6) & (WEEKDAY < 5))
TUESDAY, THURSDAY = 71, 73


def counts(mean: NDArray[np.floating], strays: float = 0.05, seed: int = 3) -> FloatArray:
    """[T, SERIES], Poisson around a mean [T] that strays by so much, relative."""
    rng = np.random.default_rng(seed)
    shape = 1.0 / strays**2
    moved = rng.gamma(shape, 1.0 / shape, size=(len(mean), SERIES))
    return rng.poisson(mean[:, None] * moved).astype(float)


def scored(x: FloatArray, *, one_table: bool) -> Scored:
    """All series of one panel."""
    settings = DetectSettings(witness=one_table, one_place=one_table)
    width = grain(3600)
    return run(Panel(x, clock_of(AT[: len(x)], width, settings), width), settings)


def told(x: FloatArray, day: int, *, one_table: bool = False) -> float:
    """Part of the series that are told of on a day."""
    score = scored(x[: (day + 1) * DAY], one_table=one_table).score
    return float((score[day * DAY :] >= TOLD).any(axis=0).mean())


@pytest.mark.parametrize("one_table", [False, True])
@pytest.mark.parametrize(
    "mean", [BATCH, OFFICE, WORKDAY_BATCH], ids=["batch", "office", "workdays"]
)
def test_weeks_as_usual_are_silent(mean: FloatArray, *, one_table: bool) -> None:
    score = scored(counts(mean), one_table=one_table).score[28 * DAY :]
    assert (score >= TOLD).any(axis=0).mean() < 0.1


@pytest.mark.parametrize("factor", [0.5, 3.0])
@pytest.mark.parametrize(
    "mean", [BATCH, OFFICE, WORKDAY_BATCH], ids=["batch", "office", "workdays"]
)
def test_half_and_three_times_are_told_on_the_day(mean: FloatArray, factor: float) -> None:
    x = counts(mean)
    x[THURSDAY * DAY : (THURSDAY + 1) * DAY] = np.round(
        factor * x[THURSDAY * DAY : (THURSDAY + 1) * DAY]
    )
    assert told(x, THURSDAY) > 0.8


def test_a_silent_working_day_is_no_sunday_in_a_table_that_works() -> None:
    x = np.hstack([counts(OFFICE), counts(np.full(OFFICE.shape, 60.0), seed=4)])
    x[TUESDAY * DAY :, :3] = 0.0
    score = scored(x[: (TUESDAY + 1) * DAY], one_table=True).score[TUESDAY * DAY :]
    assert (score[:, :3] >= TOLD).any(axis=0).all()
    assert not (score[:, 3:] >= TOLD).any()


def test_a_batch_that_moves_is_told_for_some_days_and_then_held_to_its_new_hour() -> None:
    moved = np.where(HOURS < 50 * DAY, BATCH, 10_000.0 * (HOUR == 5))
    x = counts(moved)
    score = scored(x, one_table=False).score
    assert (score[50 * DAY : 51 * DAY] >= TOLD).any(axis=0).all()
    assert (score[54 * DAY :] >= TOLD).any(axis=0).mean() < 0.2
    x[THURSDAY * DAY : (THURSDAY + 1) * DAY] = 0.0
    assert told(x, THURSDAY) > 0.8


def test_the_level_does_not_sink_by_hours_that_bring_nothing() -> None:
    level = scored(counts(BATCH), one_table=False).level[14 * DAY :]
    assert np.abs(level / (10_000.0 / DAY) - 1.0).max() < 0.25


def clock_of_day(day: int) -> Clock:
    """One day of hours."""
    return Clock(np.arange(DAY), np.full(DAY, day % 7), DAY)


def days_of(*days: FloatArray) -> Empty:
    """What is learned of days of one series of 60 rows an hour."""
    empty = Empty(1, DAY)
    for at, day in enumerate(days):
        empty.learn(clock_of_day(at), day[:, None], np.array([60.0]), np.ones((DAY, 1), dtype=bool))
    return empty


def test_days_without_any_row_make_no_hour_empty() -> None:
    works = np.where(np.arange(DAY) < 12, 120.0, 0.0)
    outage = np.zeros(DAY)
    assert not days_of(outage, outage, outage, outage).at(clock_of_day(4)).any()
    found = days_of(works, works, outage, works).at(clock_of_day(4))[:, 0]
    assert found.tolist() == (works == 0).tolist()


def test_a_few_hours_of_silence_make_no_hour_empty_before_the_third_day() -> None:
    works, broken = np.full(DAY, 60.0), np.full(DAY, 60.0)
    broken[6:10] = 0.0
    for times in range(DAYS + 1):
        found = days_of(works, *[broken] * times).at(clock_of_day(times + 1))
        assert found.any() == (times >= DAYS)


def test_an_hour_that_was_empty_is_not_any_more_on_the_third_day_on_which_something_comes() -> None:
    works = np.where(np.arange(DAY) < 12, 120.0, 0.0)
    empty = days_of(works, works, works)
    told, level = np.ones((DAY, 1), dtype=bool), np.array([60.0])
    for day in range(3, 3 + DAYS):
        back, often = empty.learn(clock_of_day(day), np.full((DAY, 1), 30.0), level, told)
        assert back.any() == (day == 2 + DAYS)
    assert np.flatnonzero(back[:, 0]).tolist() == list(range(12, DAY))
    assert (often[12:, 0] == 0.5).all()


def test_a_week_without_any_row_counts_for_no_hour_of_the_week() -> None:
    works, outage = np.full(DAY, 60.0), np.zeros(DAY)
    empty = days_of(*[works] * 7, *[outage] * 7, *[works] * 6, outage)
    assert not empty.at(clock_of_day(6)).any()


def test_what_comes_in_an_empty_hour_is_no_news_up_to_what_the_season_expects() -> None:
    works = np.where(np.arange(DAY) < 12, 120.0, 0.0)
    empty = days_of(works, works, works)
    came = works.copy()
    came[20], came[21] = 6.0, 600.0
    season = np.full((DAY, 1), 0.2)
    bent = empty.bend(clock_of_day(3), season, came[:, None], np.array([60.0]), None)[:, 0]
    assert (bent[:12] == 0.2).all()
    assert bent[20] == pytest.approx(0.1)
    assert bent[21] == pytest.approx(0.2)
    assert bent[23] == pytest.approx(FLOOR)
