"""Axes: local days, round counts from 0, letters that fit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventwatch.charts.ticks import bucket_word, count_ticks, short, time_ticks, top_of
from tests.fakes import traces


def test_long_pictures_have_their_ticks_at_local_midnights() -> None:
    ticks = time_ticks(traces.trace(hours=24 * 10), 12)
    assert [t.label for t in ticks][:3] == ["Mon 2", "Tue 3", "Wed 4"]
    assert {t.at.astimezone(ZoneInfo(traces.ZONE)).hour for t in ticks} == {0}


def test_a_few_hours_have_their_ticks_at_whole_hours_and_name_each_day_once() -> None:
    labels = [t.label for t in time_ticks(traces.trace(hours=30), 8)]
    assert labels == ["Mon 00:00", "06:00", "12:00", "18:00", "Tue 00:00"]


def test_hours_of_a_zone_between_those_of_utc_are_whole_there() -> None:
    made = replace(traces.trace(hours=30), zone="Asia/Kolkata")
    ticks = time_ticks(made, 8)
    local = [t.at.astimezone(ZoneInfo("Asia/Kolkata")) for t in ticks]
    assert ticks
    assert {at.minute for at in local} == {0}


@pytest.mark.parametrize("hours", [1, 30, 80, 500, 2000])
@pytest.mark.parametrize("most", [3, 8])
def test_there_are_never_more_ticks_than_fit(hours: int, most: int) -> None:
    assert len(time_ticks(traces.trace(hours=hours), most)) <= most + 1


@given(st.floats(1.0, 1e15))
def test_ticks_of_counts_are_whole_begin_at_0_and_are_few(top: float) -> None:
    ticks = count_ticks(top)
    assert ticks[0] == 0
    assert 1 <= len(ticks) - 1 <= 4 or top < 2
    assert all(t <= top * 1.0001 for t in ticks)
    assert all(t == int(t) for t in ticks)
    assert all(b > a for a, b in pairwise(ticks))


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (850, "850"), (1500, "1.5k"), (10e6, "10M"), (2e9, "2G"), (3e12, "3T")],
)
def test_large_counts_are_short(count: float, text: str) -> None:
    assert short(count) == text


def test_a_range_that_nobody_knows_does_not_flatten_what_was_seen() -> None:
    made = traces.trace()
    wide = replace(made, upper=tuple(1e6 for _ in made.observed))
    assert top_of(wide) < 2 * top_of(made)


def test_a_series_without_a_row_has_an_axis() -> None:
    made = traces.trace()
    empty = replace(made, observed=(0.0,) * 80, expected=(), lower=(), upper=())
    assert top_of(empty) >= 1
    assert count_ticks(top_of(empty))[0] == 0


@pytest.mark.parametrize(
    ("step", "word"),
    [
        (timedelta(hours=1), "hour"),
        (timedelta(days=1), "day"),
        (timedelta(minutes=5), "5 min"),
        (timedelta(hours=4), "4 h"),
        (timedelta(days=7), "7 days"),
    ],
)
def test_a_bucket_is_named_as_people_do(step: timedelta, word: str) -> None:
    assert bucket_word(step) == word
