"""How slow the loads are, times that cannot be, and days that changed afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventwatch.kinds.delays import quantile
from eventwatch.model.measurement import DELAY_BINS, Changed
from eventwatch.model.settings import Columns
from eventwatch.model.status import Severity, Status
from tests.fakes.views import NOW, Row, catalog, contract, steady, view_of
from tests.kinds.conftest import Asked

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def slow(event_type: str, lag: timedelta, hours: float, count: int = 20) -> list[Row]:
    return steady(event_type, NOW - hours * HOUR, NOW, count=count, lag=lag)


@given(st.lists(st.integers(0, 10**9), min_size=5, max_size=200))
def test_a_quantile_lies_in_the_bin_that_holds_it(delays: list[int]) -> None:
    bins = np.zeros(DELAY_BINS)
    for delay in delays:
        bins[0 if delay < 1 else min(delay.bit_length(), DELAY_BINS - 1)] += 1
    exact = sorted(delays)[int(np.ceil(0.95 * len(delays))) - 1]
    found = quantile(bins, 0.95)
    assert found <= max(2 * exact, 1)
    assert found >= exact / 2


def test_the_quantile_of_no_rows_is_not_a_number() -> None:
    assert np.isnan(quantile(np.zeros(DELAY_BINS), 0.95))


def test_the_p95_delay_is_held_against_the_limit(freshness: Asked) -> None:
    view = view_of(slow("a", 2 * MINUTE, 48) + slow("a", 50 * MINUTE, 5))
    result = freshness(view, max_lag="20m").of("lag")

    assert result.status is Status.FAIL
    assert result.amount is not None
    assert 32 * 60 < result.amount.observed < 70 * 60
    assert result.amount.upper == 1200
    assert result.since is not None
    assert timedelta(0) <= result.since - (NOW - 6 * HOUR) <= HOUR
    assert "the limit is 20 min" in result.summary
    assert freshness(view, max_lag="2h").of("lag").status is Status.PASS


def test_a_few_slow_rows_do_not_make_a_p95(freshness: Asked) -> None:
    view = view_of(slow("a", 2 * MINUTE, 48, 40) + slow("a", 9 * HOUR, 48, 1))
    assert freshness(view, max_lag="20m").of("lag").status is Status.PASS


def test_without_a_limit_the_delay_is_held_against_its_own_two_weeks(freshness: Asked) -> None:
    months = slow("a", 70 * DAY, 24 * 12)
    assert freshness(view_of(months)).of("lag").status is Status.PASS
    usual = slow("a", 4 * MINUTE, 24 * 12)
    late = view_of([r for r in usual if r.loaded < NOW - 3 * HOUR] + slow("a", 2 * HOUR, 3))  # type: ignore[operator]
    result = freshness(late).of("lag")
    assert result.status is Status.FAIL
    assert "usually" in result.summary


def test_a_backfill_every_night_is_no_news(freshness: Asked) -> None:
    night = [Row("a", NOW - i * DAY, NOW - (i + 9) * DAY, count=4000) for i in range(13)]
    view = view_of(slow("a", 4 * MINUTE, 24 * 13) + night)
    assert freshness(view).of("lag").status is Status.PASS


def test_a_learned_limit_is_never_under_five_minutes(freshness: Asked) -> None:
    usual = slow("a", timedelta(seconds=2), 24 * 12)
    view = view_of([r for r in usual if r.loaded < NOW - 3 * HOUR] + slow("a", 2 * MINUTE, 3))  # type: ignore[operator]
    assert freshness(view).of("lag").status is Status.PASS


def test_too_few_rows_or_hours_are_no_verdict(freshness: Asked) -> None:
    few = freshness(view_of([Row("a", NOW - MINUTE, count=9)]), max_lag="1s").of("lag")
    assert few.status is Status.SKIPPED
    young = freshness(view_of(slow("a", MINUTE, 5))).of("lag")
    assert young.status is Status.LEARNING


def test_the_contract_limits_the_delay_of_its_event_type(freshness: Asked) -> None:
    rows = slow("a", 30 * MINUTE, 24, 5) + slow("b", MINUTE, 24, 5) + [Row("c", NOW - HOUR)]
    known = catalog(*(contract(name, max_lag=10 * MINUTE) for name in "abc"))
    found = freshness(view_of(rows, known), max_lag="9h")

    assert found.of("lag", "a").status is Status.FAIL
    assert "the contract allows 10 min" in found.of("lag", "a").summary
    assert found.of("lag", "b").status is Status.PASS
    assert found.of("lag", "c").status is Status.SKIPPED
    assert found.of("lag").status is Status.PASS


def test_without_a_load_time_the_delay_is_unknown_and_says_so(freshness: Asked) -> None:
    view = view_of(slow("a", HOUR, 24), catalog(contract("a", max_lag=MINUTE)))
    bare = replace(view, exposure=replace(view.exposure, columns=Columns(loaded_at=None)))
    found = freshness(bare, max_lag="1m")
    for event_type in (None, "a"):
        result = found.of("lag", event_type)
        assert result.status is Status.SKIPPED
        assert "no load time" in result.summary


def test_impossible_times_are_told_to_the_owner_of_the_event_type(freshness: Asked) -> None:
    rows = [
        *slow("good", MINUTE, 30),
        *slow("a", MINUTE, 30, 10),
        Row("a", NOW - 2 * HOUR, count=60, bad="future"),
        Row("a", NOW - HOUR, count=40, bad="null_occurred"),
        Row("good", NOW - HOUR, count=3, bad="old"),
    ]
    found = freshness(view_of(rows, catalog("a", "good")))
    result = found.of("times", "a")

    assert result.status is Status.FAIL
    assert "40 rows without a time of occurrence and 60 rows that occurred in the future" in (
        result.summary
    )
    assert result.since == NOW.replace(microsecond=0) - 2 * HOUR
    assert found.of("times", "good").status is Status.PASS
    assert found.of("times").status is Status.PASS
    assert freshness(view_of(rows), max_bad_times=0.5).of("times", "a").status is Status.PASS


def test_impossible_times_everywhere_are_told_once_of_the_exposure(freshness: Asked) -> None:
    names = [f"e{i}" for i in range(8)]
    rows = [r for n in names for r in slow(n, MINUTE, 30)]
    rows += [Row(n, NOW - HOUR, count=500, bad="future") for n in names]
    found = freshness(view_of(rows, catalog(*names)))

    assert [pair for pair in found.failing() if pair[0] == "times"] == [("times", None)]
    assert "4,000 rows that occurred in the future" in found.of("times").summary


def test_rows_that_are_never_or_not_yet_loaded_are_counted(freshness: Asked) -> None:
    view = view_of(slow("a", MINUTE, 10))
    bad = replace(view, null_loaded=1200, future_loaded=30)
    result = freshness(bad).of("load_times")
    assert result.status is Status.FAIL
    assert "1,200 rows have no load time and 30 rows are to be loaded in the future" in (
        result.summary
    )
    assert freshness(replace(view, null_loaded=3)).of("load_times").status is Status.PASS
    assert freshness(view).of("load_times").status is Status.PASS


@pytest.mark.parametrize(
    ("before", "after", "words", "severity"),
    [
        (30_000, 18_000, "12,000 rows loaded on Wed 18 Nov were deleted since", Severity.WARNING),
        (18_000, 18_900, "900 rows loaded on Wed 18 Nov were added since", Severity.INFO),
    ],
)
def test_a_past_day_that_changed_behind_our_back_is_told(
    freshness: Asked, before: int, after: int, words: str, severity: Severity
) -> None:
    day = datetime(2026, 11, 18, tzinfo=UTC)
    rows = [*slow("a", MINUTE, 10), Row("a", day + 5 * HOUR, count=after)]
    change = Changed(int(day.timestamp()), "a", before, after)
    result = freshness(replace(view_of(rows), changed=(change,))).of("changed")

    assert result.status is Status.FAIL
    assert result.summary.startswith(words)
    assert result.severity is severity
    assert result.since == day
    assert any(f"{before:,} → {after:,}" in fact.text for fact in result.facts)


def test_a_change_within_tolerance_is_not_told(freshness: Asked) -> None:
    day = datetime(2026, 11, 18, tzinfo=UTC)
    rows = [*slow("a", MINUTE, 10), Row("a", day + 5 * HOUR, count=100_000)]
    few = (Changed(int(day.timestamp()), "a", 100_090, 100_000),)
    some = (Changed(int(day.timestamp()), "a", 100_900, 100_000),)
    view = view_of(rows)
    assert freshness(replace(view, changed=few)).of("changed").status is Status.PASS
    assert freshness(replace(view, changed=some)).of("changed").status is Status.PASS
    strict = freshness(replace(view, changed=some), max_changed=0.001)
    assert strict.of("changed").status is Status.FAIL


@pytest.mark.parametrize(("count", "told"), [(4, False), (5, True)])
def test_five_event_types_with_impossible_times_are_a_matter_of_the_table(
    freshness: Asked, count: int, told: bool
) -> None:
    names = [f"e{i}" for i in range(count)]
    rows = [r for n in names for r in slow(n, MINUTE, 30)]
    rows += [Row(n, NOW - HOUR, count=500, bad="future") for n in names]
    found = freshness(view_of(rows, catalog(*names)))
    whole = [("times", None)] if told else [("times", n) for n in names]
    assert [pair for pair in found.failing() if pair[0] == "times"] == whole
