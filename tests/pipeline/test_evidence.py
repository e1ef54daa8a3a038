"""What the rows say of a cause: by value, since the trouble began, against earlier weeks."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from eventwatch.alerting.causes_evidence import Evidence
from eventwatch.model.alert import Alert, AlertState
from eventwatch.model.result import Amount, Result
from eventwatch.model.status import KindName, Status
from eventwatch.pipeline.evidence import MOST_VALUES, evidence
from tests.fakes.views import NOW, Row, view_of

HOUR = timedelta(hours=1)
STOP = NOW.replace(minute=0, second=0) - 3 * HOUR


def fallen(name: str | None, since: datetime = STOP, **more: object) -> Alert:
    values: dict[str, object] = {
        "kind": KindName.VOLUME,
        "aspect": "bucket",
        "amount": Amount("events", 1.0, 9.0),
    }
    made = Result(
        exposure="events",
        event_type=name,
        status=Status.FAIL,
        since=since,
        **(values | more),  # type: ignore[arg-type]
    )
    return Alert(made.fingerprint, made.fingerprint, AlertState.FIRING, made, since, NOW)


def hourly(name: str, weeks: int, counts: dict[str, int], *, gone: str = "") -> list[Row]:
    """Rows in every hour of some weeks; one value stops at STOP."""
    rows = []
    at = NOW.replace(minute=0, second=0) - timedelta(weeks=weeks)
    while at < NOW:
        for value, count in counts.items():
            if value != gone or at < STOP:
                rows.append(Row(name, at + HOUR / 6, at + HOUR / 7, count, {"platform": value}))
        at += HOUR
    return rows


def seen(rows: list[Row], *alerts: Alert) -> Evidence:
    return evidence(view_of(rows), alerts)


def test_nothing_is_counted_where_nothing_moved() -> None:
    rows = hourly("a", 1, {"ios": 5})
    assert seen(rows) == Evidence()
    twice = fallen("a", kind=KindName.DUPLICATES, aspect="repeated", amount=None)
    assert seen(rows, twice) == Evidence()


def test_a_value_that_stopped_has_nothing_and_the_others_what_they_had() -> None:
    found = seen(hourly("a", 3, {"android": 40, "ios": 20}, gone="android"), fallen("a"))
    table = found.moved["a", "platform"]
    assert table["android"].observed == 0
    # Three hours that are over; the running one counts as far as it has come.
    assert table["android"].expected == pytest.approx(120, rel=0.05)
    assert table["ios"].observed == pytest.approx(table["ios"].expected, rel=0.4)
    assert found.hours["a"] == pytest.approx(3, abs=0.2)


def test_event_types_without_an_alert_count_in_the_whole() -> None:
    rows = [
        *hourly("a", 3, {"android": 40, "ios": 20}, gone="android"),
        *hourly("b", 3, {"android": 40, "ios": 20}, gone="android"),
        *hourly("c", 3, {"android": 40, "ios": 20}),
    ]
    found = seen(rows, fallen("a"))
    assert set(found.moved) == {("a", "platform")}
    android = found.whole["platform"]["android"]
    assert (android.known, android.fell) == (3, ("a", "b"))
    assert found.whole["platform"]["ios"].fell == ()


def test_one_bad_week_says_nothing() -> None:
    rows = hourly("a", 4, {"ios": 20})
    start, end = STOP - timedelta(weeks=2, hours=1), STOP - timedelta(weeks=2, hours=-5)
    bad = [r for r in rows if not start <= r.loaded <= end]  # type: ignore[operator]
    assert seen(bad, fallen("a")).moved["a", "platform"]["ios"].expected == pytest.approx(
        60, rel=0.1
    )


def test_a_new_level_is_what_is_expected_and_new_versions_have_their_share() -> None:
    low = [
        Row(r.event_type, r.loaded, r.occurred, 10, {"platform": "5.0"})
        for r in hourly("a", 4, {"x": 1})
        if r.loaded < NOW - timedelta(days=5)  # type: ignore[operator]
    ]
    high = [
        Row(r.event_type, r.loaded, r.occurred, 40, {"platform": "5.1"})
        for r in hourly("a", 4, {"x": 1})
        if r.loaded >= NOW - timedelta(days=5)  # type: ignore[operator]
    ]
    table = seen([*low, *high], fallen("a")).moved["a", "platform"]
    assert table["5.1"].expected == pytest.approx(120, rel=0.1)
    assert "5.0" not in table


def test_with_less_than_a_week_days_are_compared() -> None:
    rows = hourly("a", 1, {"android": 40, "ios": 20}, gone="android")
    young = [r for r in rows if r.loaded > NOW - timedelta(days=4)]  # type: ignore[operator]
    table = seen(young, fallen("a")).moved["a", "platform"]
    assert table["android"].expected == pytest.approx(120, rel=0.1)
    assert table["android"].observed == 0


def test_a_table_that_stopped_is_counted_up_to_its_last_rows() -> None:
    rows = [r for r in hourly("a", 3, {"ios": 20}) if r.loaded < STOP]  # type: ignore[operator]
    table = seen(rows, fallen("a", STOP - 6 * HOUR)).moved["a", "platform"]
    assert table["ios"].observed == pytest.approx(table["ios"].expected, rel=0.2)


def test_what_began_a_moment_ago_has_a_span() -> None:
    found = seen(hourly("a", 3, {"ios": 20}), fallen("a", NOW - timedelta(minutes=2)))
    assert found.moved["a", "platform"]["ios"].expected > 0


def test_the_rarest_of_many_values_count_as_one() -> None:
    rows = hourly("a", 2, {f"v{i:02d}": 60 - i for i in range(40)})
    table = seen(rows, fallen("a")).moved["a", "platform"]
    assert len(table) == MOST_VALUES + 1
    assert table["@other"].expected > 0


def test_a_lag_says_nothing_of_counts() -> None:
    slow = fallen("a", kind=KindName.FRESHNESS, aspect="lag", amount=None)
    assert seen(hourly("a", 1, {"ios": 5}), slow) == Evidence()
