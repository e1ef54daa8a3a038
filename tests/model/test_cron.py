"""Cron as cron reads it, on clocks that are turned."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventwatch.model.cron import parse_cron, times_after

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC")


def between(text: str, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    return list(takewhile(lambda at: at < end, times_after(parse_cron(text), zone, start)))


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("*/5 * * * *", "*/5 * * * *"),
        ("0 9 * * MON-fri", "0 9 * * mon-fri"),
        ("0,30 8-18/2 * * *", "0,30 8-18/2 * * *"),
        ("  0   9 * *\t* ", "0 9 * * *"),
        ("0 0 29 2 *", "0 0 29 2 *"),
        ("5 4 * jan 5-7", "5 4 * jan 5-7"),
        ("@daily", "0 0 * * *"),
        ("@Weekly", "0 0 * * 0"),
        ("0 9 13 * 5", "0 9 13 * 5"),
    ],
)
def test_what_cron_knows_is_taken(text: str, fields: str) -> None:
    assert parse_cron(text).text == fields


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "five fields"),
        ("* * * * * *", "five fields"),
        ("@reboot", "no such word"),
        ("60 * * * *", "minute that is not between 0 and 59"),
        ("* 24 * * *", "hour that is not between"),
        ("* * 0 * *", "day of the month that is not"),
        ("* * * 13 *", "month that is not"),
        ("* * * * 8", "day of the week that is not"),
        ("* * * foo *", "month that is not"),
        ("*/0 * * * *", "step of 0"),
        ("5-1 * * * *", "ends before it begins"),
        ("1- * * * *", "not a number, range, list or step"),
        ("$(x) * * * *", "not a number"),
        ("² * * * *", "not a number"),
        ("0 0 30 2 *", "would never run"),
        ("0 0 31 4,6 *", "would never run"),
    ],
)
def test_what_would_not_run_as_meant_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_cron(text)


@pytest.mark.parametrize(
    ("field", "days"),
    [
        ("*", "sun mon tue wed thu fri sat"),
        ("0", "sun"),
        ("7", "sun"),
        ("1-5", "mon tue wed thu fri"),
        ("5-7", "sun fri sat"),
        ("sat-mon", "sun mon sat"),
        ("*/2", "sun tue thu sat"),
        ("mon,wed", "mon wed"),
    ],
)
def test_weekdays_are_counted_from_sunday(field: str, days: str) -> None:
    start = datetime(2026, 11, 21, 12, tzinfo=UTC)
    fires = between(f"0 0 * * {field}", ZoneInfo("UTC"), start, start + timedelta(days=7))
    names = {at.strftime("%a").lower() for at in fires}
    assert names == set(days.split())


def test_either_kind_of_day_is_enough_where_both_are_restricted() -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    fires = between("0 9 13 * 5", ZoneInfo("UTC"), start, datetime(2026, 12, 1, tzinfo=UTC))
    assert [at.day for at in fires] == [6, 13, 20, 27]
    fires = between("0 9 10 * 5", ZoneInfo("UTC"), start, datetime(2026, 12, 1, tzinfo=UTC))
    assert [at.day for at in fires] == [6, 10, 13, 20, 27]


def test_a_day_with_a_star_restricts_together_with_the_weekday() -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    fires = between("0 9 */2 * 1", ZoneInfo("UTC"), start, datetime(2026, 12, 1, tzinfo=UTC))
    assert [(at.day, at.weekday()) for at in fires] == [(9, 0), (23, 0)]


def test_leap_days_come_every_fourth_year() -> None:
    fires = islice(
        times_after(parse_cron("0 0 29 2 *"), ZoneInfo("UTC"), datetime(2026, 1, 1, tzinfo=UTC)),
        3,
    )
    assert [at.year for at in fires] == [2028, 2032, 2036]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("text", ["30 2 * * *", "0 0 * * *", "15 1 * * *", "59 23 * * *"])
def test_a_daily_job_runs_once_per_local_date_in_every_year(zone: str, text: str) -> None:
    start, end = datetime(2024, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    there = ZoneInfo(zone)
    dates = Counter(at.astimezone(there).date() for at in between(text, there, start, end))
    inner = [day for day in dates if start.date() < day < end.date() - timedelta(days=1)]
    assert set(dates.values()) == {1}
    assert all(b - a == timedelta(days=1) for a, b in pairwise(sorted(inner)))


def test_a_time_that_is_left_out_in_spring_is_the_instant_at_which_it_would_have_been() -> None:
    start = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert next(times_after(parse_cron("30 2 * * *"), BERLIN, start)) == datetime(
        2026, 3, 29, 1, 30, tzinfo=UTC
    )


def test_a_time_that_comes_twice_in_autumn_counts_the_first_time() -> None:
    start = datetime(2026, 10, 24, 12, tzinfo=UTC)
    fires = list(islice(times_after(parse_cron("30 2 * * *"), BERLIN, start), 2))
    assert fires == [
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 26, 1, 30, tzinfo=UTC),
    ]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("text", "minutes"), [("*/30 * * * *", 30), ("*/10 * * * *", 10)])
def test_half_hours_are_real_half_hours_whatever_the_clock_does(
    zone: str, text: str, minutes: int
) -> None:
    for month in (2, 3, 4, 10, 11):
        start = datetime(2026, month, 1, 0, 1, tzinfo=UTC)
        fires = between(text, ZoneInfo(zone), start, start + timedelta(days=31))
        assert {b - a for a, b in pairwise(fires)} == {timedelta(minutes=minutes)}


@given(
    st.sampled_from(["*/7 * * * *", "30 2 * * *", "0 */3 * * 1-5", "5 4 1,15 * *", "0 0 * * 7"]),
    st.sampled_from(ZONES),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    st.integers(1, 40),
)
def test_the_times_after_any_instant_are_the_rest_of_those_before_it(
    text: str, zone: str, start: datetime, count: int
) -> None:
    cron, there = parse_cron(text), ZoneInfo(zone)
    fires = list(islice(times_after(cron, there, start), count + 5))
    assert fires == sorted(set(fires))
    assert fires[0] > start
    middle = fires[count - 1]
    assert list(islice(times_after(cron, there, middle), 5)) == fires[count : count + 5]
    just_before = middle - timedelta(microseconds=1)
    assert next(times_after(cron, there, just_before)) == middle


def test_the_end_of_the_calendar_is_an_end() -> None:
    start = datetime(9999, 12, 30, tzinfo=UTC)
    assert len(list(times_after(parse_cron("0 0 * * *"), ZoneInfo("UTC"), start))) == 1
    list(times_after(parse_cron("0 23 * * *"), ZoneInfo("America/New_York"), start))
