"""F12: a year of schedules on clocks that are turned, in a process whose time a test moves."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo, available_timezones

import pytest

from eventwatch.daemon import agenda as words
from eventwatch.daemon.agenda import Agenda
from eventwatch.model.schedule import Schedule
from eventwatch.model.state import Slot, SlotStatus
from tests.fakes.clock import FakeClock

ZONES = {
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),
    "Africa/Casablanca": (date(2026, 2, 15), date(2026, 3, 22)),
}
DAILY, HALF_HOURS, HOURLY = "30 2 * * *", "*/30 * * * *", "0 * * * *"
DAY = timedelta(days=1)


def lived(schedule: Schedule, start: datetime, end: datetime, step: timedelta) -> list[Slot]:
    """The ledger of a daemon that looks at its agenda every ``step``."""
    clock, agenda = FakeClock(start), Agenda("events", schedule)
    first = schedule.latest(start)
    assert first is not None
    agenda.resume((Slot("events", first, SlotStatus.RAN),), start)
    rows: list[Slot] = []
    while clock.step(step) <= end:
        due = agenda.due(clock.now())
        if due is not None:
            agenda.reason = words.BUSY
            rows += [*due.skipped, replace(due.slot, status=SlotStatus.RAN)]
    return rows


def schedule(zone: str, cron: str | None, every: timedelta = DAY) -> Schedule:
    return Schedule(every, cron, ZoneInfo(zone), timedelta(seconds=1))


def around(day: date, days: int = 3) -> tuple[datetime, datetime]:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return noon - days * DAY, noon + days * DAY


@pytest.mark.parametrize("zone", ZONES)
def test_a_daily_job_runs_once_on_each_local_date(zone: str) -> None:
    for turned in ZONES[zone]:
        start, end = around(turned)
        rows = lived(schedule(zone, DAILY), start, end, timedelta(minutes=1))
        dates = Counter(r.scheduled_at.astimezone(ZoneInfo(zone)).date() for r in rows)
        assert {r.status for r in rows} == {SlotStatus.RAN}
        assert set(dates.values()) == {1}
        assert {turned + k * DAY for k in (-1, 0, 1)} <= set(dates)


@pytest.mark.parametrize("zone", ZONES)
def test_half_hours_are_real_half_hours(zone: str) -> None:
    for turned in ZONES[zone]:
        start, end = around(turned)
        rows = lived(schedule(zone, HALF_HOURS), start, end, timedelta(minutes=1))
        gaps = {b.scheduled_at - a.scheduled_at for a, b in pairwise(rows)}
        assert gaps == {timedelta(minutes=30)}


@pytest.mark.parametrize("zone", [z for z in ZONES if "Lord_Howe" not in z])
def test_hours_are_real_hours(zone: str) -> None:
    for turned in ZONES[zone]:
        start, end = around(turned)
        rows = lived(schedule(zone, HOURLY), start, end, timedelta(minutes=1))
        assert {b.scheduled_at - a.scheduled_at for a, b in pairwise(rows)} == {timedelta(hours=1)}


@pytest.mark.parametrize("zone", ZONES)
def test_every_24_hours_does_not_move_with_the_clock(zone: str) -> None:
    start, end = around(ZONES[zone][1])
    rows = lived(schedule(zone, None), start, end, timedelta(minutes=7))
    assert {b.scheduled_at - a.scheduled_at for a, b in pairwise(rows)} == {DAY}


@pytest.mark.parametrize("cron", [DAILY, HALF_HOURS, HOURLY])
def test_a_daemon_that_slept_over_the_turn_leaves_no_hole(cron: str) -> None:
    for zone, turns in ZONES.items():
        for turned in turns:
            start, end = around(turned, 2)
            made = schedule(zone, cron)
            rows = lived(made, start, end, timedelta(hours=31))
            told = {r.scheduled_at for r in rows}
            last = max(told)
            wanted = list(takewhile(last.__ge__, made.after(start)))
            assert [at for at in wanted if at not in told] == []


def years(zones: list[str], first: int, last: int) -> None:
    start, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last, 1, 1, tzinfo=UTC)
    for zone in zones:
        there = ZoneInfo(zone)
        slots = list(takewhile(lambda at: at < end, schedule(zone, DAILY).after(start)))
        dates = Counter(at.astimezone(there).date() for at in slots)
        assert set(dates.values()) == {1}, zone
        inner = sorted(dates)[1:-1]
        assert all(b - a == DAY for a, b in pairwise(inner)), zone


def test_four_zones_and_two_years() -> None:
    years(list(ZONES), 2025, 2027)


@pytest.mark.slow
def test_forty_zones_and_ten_years() -> None:
    regions = sorted(z for z in available_timezones() if z.startswith(("A", "E", "P")))
    years(regions[:: len(regions) // 40][:40], 2024, 2034)
