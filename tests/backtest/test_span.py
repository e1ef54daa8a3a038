from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventwatch.backtest.incident import week_of, weeks_of
from eventwatch.backtest.span import Span

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@given(
    begin=st.integers(0, 3 * 86400),
    length=st.integers(1, 20 * 86400),
    step=st.integers(1, 2 * 288).map(lambda n: timedelta(seconds=300 * n)),
)
def test_cycles_lie_in_the_span_on_whole_five_minutes_a_step_apart(
    begin: int, length: int, step: timedelta
) -> None:
    first = START + timedelta(seconds=begin)
    last = first + timedelta(seconds=length)
    span = Span.of(first, last, step)
    instants = span.instants()
    assert len(instants) == span.cycle_count
    assert instants[0] == span.first_at >= first
    assert instants[-1] == span.last_at
    assert all(at.timestamp() % 300 == 0 for at in instants)
    assert {b - a for a, b in itertools.pairwise(instants)} <= {step}
    assert last - span.last_at < step + timedelta(minutes=5)
    assert [at for day in span.by_day() for at in day] == list(instants)
    assert all(len({at.date() for at in day}) == 1 for day in span.by_day())


def test_both_ends_are_cycles() -> None:
    span = Span.of(START, START + timedelta(days=1), HOUR)
    assert span.cycle_count == 25


def test_everything_wrong_with_a_span_is_said_at_once() -> None:
    with pytest.raises(ValueError, match=r"must lie before.*\n.*multiple of 5 minutes"):
        Span.of(START, START - HOUR, timedelta(minutes=7))


@pytest.mark.parametrize("step", [timedelta(0), timedelta(minutes=1), timedelta(days=8)])
def test_a_step_that_makes_no_sense_is_refused(step: timedelta) -> None:
    with pytest.raises(ValueError, match="--step"):
        Span.of(START, START + timedelta(days=30), step)


def test_more_cycles_than_anybody_waits_for_are_refused() -> None:
    with pytest.raises(ValueError, match="longer --step"):
        Span.of(START, START + timedelta(days=2000), timedelta(minutes=5))


def test_weeks_begin_on_monday_and_cover_the_span() -> None:
    assert week_of(datetime(2026, 3, 1, 23, 59, tzinfo=UTC)) == date(2026, 2, 23)
    assert week_of(datetime(2026, 3, 2, tzinfo=UTC)) == date(2026, 3, 2)
    span = Span.of(START, START + timedelta(days=9), HOUR)
    assert weeks_of(span) == (date(2026, 2, 23), date(2026, 3, 2), date(2026, 3, 9))
