"""Slots: the same for whoever asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventwatch.model.schedule import EPOCH, LONGEST_SPREAD, Schedule, longest_wait, schedule_of
from eventwatch.model.settings import Exposure, Secret

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def exposure(**settings: object) -> Exposure:
    return Exposure("events", Secret("x"), **settings)  # type: ignore[arg-type]


def plain(every: timedelta = timedelta(minutes=5), cron: str | None = None) -> Schedule:
    return Schedule(every, cron, ZoneInfo("UTC"), timedelta(0))


def test_an_interval_counts_from_1970_whenever_it_is_asked() -> None:
    assert plain().next(NOW) == NOW + timedelta(minutes=5)
    assert plain().next(NOW - timedelta(seconds=1)) == NOW
    assert plain(timedelta(days=7)).next(NOW) == EPOCH + timedelta(days=7) * (
        (NOW - EPOCH) // timedelta(days=7) + 1
    )


def test_a_weekly_interval_falls_on_thursdays_as_1970_began_on_one() -> None:
    assert plain(timedelta(days=7)).next(NOW) == datetime(2026, 11, 26, tzinfo=UTC)


def test_cron_follows_the_time_zone_of_the_exposure() -> None:
    there = exposure(cron="0 9 * * *", time_zone=ZoneInfo("America/New_York"))
    assert schedule_of(there).next(NOW) == datetime(2026, 11, 23, 14, tzinfo=UTC)
    assert schedule_of(exposure(cron="0 9 * * *")).next(NOW) == datetime(
        2026, 11, 24, 9, tzinfo=UTC
    )


@pytest.mark.parametrize("cron", [None, "* * * * *", "0 9 * * *", "0 0 1 1 *"])
def test_cycles_of_one_schedule_are_spread_a_little_and_always_alike(cron: str | None) -> None:
    spreads = {schedule_of(Exposure(f"e{i}", Secret("x"), cron=cron)).spread for i in range(20)}
    assert len(spreads) == 20
    assert max(spreads) <= LONGEST_SPREAD
    assert min(spreads) >= timedelta(0)
    assert schedule_of(exposure(cron=cron)) == schedule_of(exposure(cron=cron))


def test_the_spread_is_small_beside_the_interval() -> None:
    for i in range(50):
        made = schedule_of(Exposure(f"e{i}", Secret("x"), every=timedelta(seconds=10)))
        assert made.spread <= timedelta(seconds=0.5)


@given(
    st.sampled_from([None, "*/7 * * * *", "0 9 * * 1-5", "30 2 1 * *", "0 0 29 2 *"]),
    st.timedeltas(timedelta(seconds=10), timedelta(days=3)),
    st.timedeltas(timedelta(0), timedelta(days=9)),
    st.integers(1, 30),
)
def test_what_was_missed_is_what_came_in_between(
    cron: str | None, every: timedelta, absence: timedelta, most: int
) -> None:
    schedule = Schedule(every, cron, ZoneInfo("Europe/Berlin"), timedelta(seconds=3))
    last = NOW - min(absence, 3000 * every)
    come = NOW - schedule.spread
    every_one = list(takewhile(lambda at: at <= come, schedule.after(last)))
    missed = schedule.missed(last, NOW, most)
    assert missed.count == len(every_one)
    assert list(missed.listed) == every_one[-most:]
    assert missed.first == (every_one[0] if every_one else None)


@pytest.mark.parametrize("cron", [None, "*/7 * * * *", "0 9 * * 1", "0 0 1 1 *", "0 0 29 2 *"])
def test_the_latest_slot_has_none_between_it_and_now(cron: str | None) -> None:
    schedule = plain(cron=cron)
    latest = schedule.latest(NOW)
    assert latest is not None
    assert latest <= NOW
    following = schedule.next(latest)
    assert following is None or following > NOW


def test_years_of_absence_are_counted_without_walking_through_them() -> None:
    missed = plain(timedelta(seconds=10)).missed(EPOCH, NOW, 3)
    assert missed.count == (NOW - EPOCH) // timedelta(seconds=10)
    assert missed.listed[-1] == NOW


def test_the_longest_wait_of_a_weekday_schedule_is_the_weekend() -> None:
    assert longest_wait(exposure(cron="0 9 * * 1-5"), NOW) == timedelta(days=3)
    assert longest_wait(exposure(every=timedelta(minutes=7)), NOW) == timedelta(minutes=7)
