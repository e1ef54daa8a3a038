"""What is muted, and what must not be."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from eventwatch.alerting.silence import (
    maintenance_next,
    maintenance_over,
    maintenance_silences,
    silenced_by,
    suppressed_by,
)
from eventwatch.model.contract import Suppression
from eventwatch.model.result import Cut
from eventwatch.model.settings import Maintenance
from eventwatch.model.status import KindName, Status
from tests.alerting.builders import HOUR, NOW, contract, hostile, result, silence, unreadable

ANDROID = Cut("platform", "android")


def test_an_empty_silence_mutes_everything() -> None:
    everything = silence()
    for each in (result(), result(None), unreadable(), result(cut=ANDROID)):
        assert silenced_by(each, "growth", [everything], NOW) == everything


@pytest.mark.parametrize(
    ("patterns", "mutes"),
    [
        ({"event_type": "user_*"}, True),
        ({"event_type": "USER_*"}, False),
        ({"event_type": "order_*"}, False),
        ({"team": "growth", "kind": "volume", "exposure": "analytics_*"}, True),
        ({"team": "growth", "kind": "freshness"}, False),
        ({"dimension": "platform", "value": "and*"}, True),
        ({"dimension": "platform", "value": "ios"}, False),
    ],
)
def test_every_pattern_that_is_set_must_match(patterns: dict[str, Any], mutes: bool) -> None:
    found = silenced_by(result(cut=ANDROID), "growth", [silence(**patterns)], NOW)
    assert (found is not None) == mutes


def test_a_pattern_on_event_types_does_not_mute_the_exposure_itself() -> None:
    assert silenced_by(result(None), "growth", [silence(event_type="*")], NOW) is None


def test_a_pattern_on_a_value_does_not_mute_what_is_about_all_values() -> None:
    assert silenced_by(result(), "growth", [silence(value="*")], NOW) is None


def test_a_silence_begins_with_its_first_instant_and_ends_before_its_last() -> None:
    made = silence()
    assert silenced_by(result(), "", [made], made.starts_at) == made
    assert silenced_by(result(), "", [made], made.ends_at) is None
    assert silenced_by(result(), "", [made], made.starts_at - timedelta(microseconds=1)) is None


def test_the_silence_that_lasts_longest_is_named() -> None:
    short, long = silence(id="a"), silence(id="b", ends_at=NOW + 5 * HOUR)
    assert silenced_by(result(), "", [long, short], NOW) == long


@given(hostile, hostile)
def test_hostile_patterns_and_names_do_not_break_it(pattern: str, name: str) -> None:
    of = silence(event_type=pattern, team=pattern)
    assert silenced_by(result(name), name, [of], NOW) in (None, of)


def off(check: str, until: date = date(2026, 5, 17)) -> Any:
    return contract(suppressions=(Suppression(check, "migration", until),))


@pytest.mark.parametrize(
    ("check", "kind", "aspect", "is_off"),
    [
        ("all", KindName.VOLUME, "bucket", True),
        ("volume", KindName.VOLUME, "bucket", True),
        ("volume", KindName.FRESHNESS, "silence", False),
        ("freshness", KindName.FRESHNESS, "silence", True),
        ("drift", KindName.DRIFT, "missing", True),
        ("drift", KindName.DRIFT, "value_missing", True),
        ("platforms", KindName.DRIFT, "value_missing", True),
        ("platforms", KindName.DRIFT, "missing", False),
        ("platforms", KindName.VOLUME, "value_missing", False),
        ("duplicates", KindName.DUPLICATES, "share", True),
        ("payload", KindName.DRIFT, "missing", False),
    ],
)
def test_a_suppression_switches_off_what_it_names(
    check: str, kind: KindName, aspect: str, is_off: bool
) -> None:
    found = suppressed_by(result(kind=kind, aspect=aspect), off(check), NOW)
    assert (found is not None) == is_off


@pytest.mark.parametrize(
    ("now", "is_off"),
    [
        (datetime(2026, 5, 17, 23, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 5, 18, tzinfo=UTC), False),
        (datetime.fromisoformat("2026-05-18T01:00:00+02:00"), True),
        (datetime.fromisoformat("2026-05-17T23:00:00-02:00"), False),
    ],
)
def test_the_last_day_counts_whole_and_is_a_day_in_utc(now: datetime, is_off: bool) -> None:
    assert (suppressed_by(result(), off("all"), now) is not None) == is_off


def test_our_own_trouble_and_undeclared_event_types_cannot_be_suppressed() -> None:
    assert suppressed_by(result(status=Status.ERROR), off("all"), NOW) is None
    assert suppressed_by(result(), None, NOW) is None


BERLIN = ZoneInfo("Europe/Berlin")


def window(from_time: time, to_time: time, *weekdays: int, **changes: Any) -> Maintenance:
    """A weekly one in Berlin."""
    return Maintenance(
        "load",
        "nightly load",
        weekdays=weekdays,
        from_time=from_time,
        to_time=to_time,
        time_zone=BERLIN,
        **changes,
    )


def test_the_next_opening_of_a_window_is_told_unless_it_is_open() -> None:
    monday = datetime(2026, 11, 23, 12, tzinfo=UTC)
    weekly = window(time(2), time(3), 0)
    (coming,) = maintenance_next([weekly], monday)
    # Berlin is an hour ahead; of one that was open this morning the next is a week away.
    assert coming.starts_at == datetime(2026, 11, 30, 1, tzinfo=UTC)
    assert coming.ends_at == datetime(2026, 11, 30, 2, tzinfo=UTC)
    assert maintenance_next([window(time(12), time(14))], monday) == ()
    single = Maintenance("once", "x", starts_at=monday + HOUR, ends_at=monday + 2 * HOUR)
    assert [s.starts_at for s in maintenance_next([weekly, single], monday)] == [
        monday + HOUR,
        datetime(2026, 11, 30, 1, tzinfo=UTC),
    ]
    assert maintenance_next([single], monday + 3 * HOUR) == ()


def hours_muted(of: Maintenance, first: datetime, days: int) -> list[tuple[datetime, datetime]]:
    """The spans in which a window is open, found minute by five minutes."""
    spans: list[tuple[datetime, datetime]] = []
    for minutes in range(0, days * 24 * 60, 5):
        at = first + timedelta(minutes=minutes)
        for made in maintenance_silences([of], at):
            assert made.starts_at <= at < made.ends_at
            if (made.starts_at, made.ends_at) not in spans:
                spans.append((made.starts_at, made.ends_at))
    return spans


def test_a_window_of_one_night_begins_on_its_weekday_and_ends_on_the_next() -> None:
    friday = window(time(22), time(6), 4)
    (span,) = hours_muted(friday, datetime(2026, 5, 11, tzinfo=UTC), 7)
    assert span == (datetime(2026, 5, 15, 20, tzinfo=UTC), datetime(2026, 5, 16, 4, tzinfo=UTC))


@pytest.mark.parametrize(
    ("first", "hours"),
    [
        (datetime(2026, 3, 28, 12, tzinfo=UTC), 3),
        (datetime(2026, 10, 24, 12, tzinfo=UTC), 5),
        (datetime(2026, 5, 16, 12, tzinfo=UTC), 4),
    ],
)
def test_a_window_is_as_long_as_its_clock_times_say_on_days_that_are_not(
    first: datetime, hours: int
) -> None:
    (span,) = hours_muted(window(time(0), time(4), 6), first, 1)
    assert span[1] - span[0] == timedelta(hours=hours)


def test_a_window_that_ends_at_a_time_that_is_skipped_or_twice_is_not_cut_short() -> None:
    nightly = window(time(1), time(2, 30), *range(7))
    (spring,) = hours_muted(nightly, datetime(2026, 3, 28, 12, tzinfo=UTC), 1)
    assert spring[1] == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    (autumn,) = hours_muted(nightly, datetime(2026, 10, 24, 12, tzinfo=UTC), 1)
    assert autumn[1] == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_each_night_of_a_window_is_a_silence_of_its_own_which_is_known_by_its_id() -> None:
    nightly = window(time(22), time(6), *range(7), event_type="user_*", team="growth")
    (one,) = maintenance_silences([nightly], datetime(2026, 5, 17, 21, tzinfo=UTC))
    (two,) = maintenance_silences([nightly], datetime(2026, 5, 18, 21, tzinfo=UTC))
    assert one.id != two.id
    assert (one.event_type, one.team, one.reason) == ("user_*", "growth", "nightly load")
    assert maintenance_over(one.id, [nightly], one.ends_at - timedelta(seconds=1)) is None
    assert maintenance_over(one.id, [nightly], one.ends_at) == one


def test_a_window_that_the_config_no_longer_has_is_over() -> None:
    nightly = window(time(22), time(6), *range(7))
    (one,) = maintenance_silences([nightly], datetime(2026, 5, 17, 21, tzinfo=UTC))
    gone = maintenance_over(one.id, [], datetime(2026, 5, 17, 22, tzinfo=UTC))
    assert gone is not None
    assert (gone.id, gone.author) == (one.id, "maintenance load")
    assert maintenance_over("maintenance:what", [], NOW) is None
