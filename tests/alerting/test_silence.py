"""What is muted, and what must not be."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given

from eventwatch.alerting.silence import silenced_by, suppressed_by
from eventwatch.model.contract import Suppression
from eventwatch.model.result import Cut
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
    silenced_by(result(name), name, [silence(event_type=pattern, team=pattern)], NOW)


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
