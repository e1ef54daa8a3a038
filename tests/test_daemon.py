"""Schedules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from eventwatch.daemon import longest_wait, trigger, weekday_names
from eventwatch.model.settings import Exposure, Secret


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("*", "*"),
        ("0", "sun"),
        ("7", "sun"),
        ("1-5", "mon,tue,wed,thu,fri"),
        ("5-7", "fri,sat,sun"),
        ("6-1", "sat,sun,mon"),
        ("*/2", "sun,tue,thu,sat"),
        ("mon,wed", "mon,wed"),
    ],
)
def test_weekdays_are_counted_from_sunday_as_cron_does(field: str, names: str) -> None:
    assert weekday_names(field) == names


def test_a_weekday_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError):
        weekday_names("8")


def test_a_cron_schedule_fires_on_cron_s_days() -> None:
    exposure = Exposure("e", Secret("x"), cron="30 2 * * 0")
    saturday = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert trigger(exposure).get_next_fire_time(None, saturday) == datetime(
        2026, 11, 22, 2, 30, tzinfo=UTC
    )


def test_an_interval_is_the_exposure_s_own() -> None:
    assert trigger(Exposure("e", Secret("x"), every=timedelta(minutes=7))).interval == timedelta(
        minutes=7
    )


def test_the_longest_wait_of_a_weekday_schedule_is_the_weekend() -> None:
    exposure = Exposure("e", Secret("x"), cron="0 9 * * 1-5")
    monday = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert longest_wait(exposure, monday) == timedelta(days=3)
