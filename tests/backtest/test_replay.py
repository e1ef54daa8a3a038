from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from eventwatch.backtest.replay import MOST_DAYS, shares
from eventwatch.backtest.span import Span

START = datetime(2026, 3, 1, tzinfo=UTC)


def days_of(count: int) -> tuple[tuple[datetime, ...], ...]:
    step = timedelta(hours=6)
    return Span.of(START, START + timedelta(days=count) - step, step).by_day()


def weekly(days: tuple[tuple[datetime, ...], ...]) -> list[datetime]:
    return [day[0] - timedelta(days=(day[0] - START).days % 7) for day in days]


@given(count=st.integers(1, 200), jobs=st.integers(1, 16))
def test_shares_are_all_days_in_their_order_and_each_of_one_look_back(
    count: int, jobs: int
) -> None:
    days = days_of(count)
    starts = weekly(days)
    found = shares(days, starts, jobs)
    assert tuple(itertools.chain.from_iterable(found)) == days
    start_of = dict(zip(days, starts, strict=True))
    assert all(len({start_of[day] for day in share}) == 1 for share in found)
    assert all(1 <= len(share) <= MOST_DAYS for share in found)


@given(count=st.integers(1, 200), jobs=st.integers(2, 16))
def test_no_share_is_more_than_its_part_of_what_is_left(count: int, jobs: int) -> None:
    days = days_of(count)
    left = count
    for share in shares(days, weekly(days), jobs):
        assert len(share) <= max(left / jobs, 1)
        left -= len(share)


def test_days_stay_together_where_there_are_enough() -> None:
    days = days_of(56)
    # A week makes a share of four days and one of three, and each replays the weeks before once.
    assert [len(share) for share in shares(days, weekly(days), 4)][:6] == [4, 3, 4, 3, 4, 3]


def test_one_process_takes_day_after_day() -> None:
    days = days_of(20)
    assert [len(share) for share in shares(days, weekly(days), 1)] == [1] * 20


def test_where_every_day_looks_back_anew_none_stay_together() -> None:
    days = days_of(30)
    assert {len(share) for share in shares(days, [day[0] for day in days], 4)} == {1}
