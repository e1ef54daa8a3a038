"""What a cause leaves behind belongs to it for a while, and what goes on comes back by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from eventwatch.alerting.causes import Past
from eventwatch.alerting.causes_after import past_of
from eventwatch.model.alert import Alert, AlertState
from eventwatch.model.cause import CauseKind
from eventwatch.model.incident import Incident, IncidentState, Recipient, Role
from eventwatch.model.status import KindName, Severity
from tests.alerting.causes_scene import (
    BEGAN,
    HOUR,
    NOW,
    SOURCE,
    TABLE,
    alert,
    error,
    result,
    seen,
    silent,
    stale,
    volume,
    with_hours,
)


def under(of: Alert) -> Alert:
    """The alert as the cycle before left it: explained by a table that had stopped."""
    return seen(stale(since=NOW - 8 * HOUR), of)[1]


def key(of: Alert) -> str:
    assert of.cause is not None
    return of.cause.key


def over(*, ago: timedelta = timedelta(0)) -> Past:
    (root,) = seen(stale())
    assert root.cause is not None
    return Past(root.cause, BEGAN, NOW - ago)


def test_it_is_explained_in_the_very_cycle_in_which_the_cause_ends_and_a_while_after() -> None:
    (first,) = seen(under(silent("a")))
    assert first.explained
    assert first.cause is not None
    assert first.cause.ended_at == NOW
    (second,) = seen(first, now=NOW + HOUR)
    assert second.explained
    assert second.cause == first.cause


def test_what_stays_silent_comes_back_by_itself() -> None:
    (first,) = seen(under(silent("a")))
    (later,) = seen(first, now=NOW + 2 * HOUR)
    assert not later.explained
    assert later.cause is not None
    assert later.cause.kind is CauseKind.EVENT_TYPE


def test_what_is_on_its_way_out_does_not_come_back() -> None:
    (first,) = seen(replace(under(silent("a")), good_since=NOW))
    (later,) = seen(first, now=NOW + 9 * HOUR)
    assert later.explained


@pytest.mark.parametrize(("since", "explained"), [(20.0, True), (4.0, False)])
def test_a_window_that_reaches_back_is_explained_while_rows_come_again(
    since: float, explained: bool
) -> None:
    # It ended five hours ago; the window that it is judged by holds the hole.
    hours = {6: 0.0, 7: 0.0} | dict.fromkeys(range(1, 6), since)
    of = with_hours(under(volume("a", since=NOW - 8 * HOUR)), hours)
    assert of.cause is not None
    ended = replace(of, cause=replace(of.cause, ended_at=NOW - 5 * HOUR - HOUR / 12))
    assert seen(ended)[0].explained is explained


def test_a_window_that_begins_after_the_end_is_its_own() -> None:
    of = with_hours(under(volume("a")), {})
    amount = of.result.amount
    assert amount is not None
    assert of.cause is not None
    fresh = replace(of.result, amount=replace(amount, start_at=NOW - HOUR))
    ended = replace(of, result=fresh, cause=replace(of.cause, ended_at=NOW - 5 * HOUR))
    assert not seen(ended)[0].explained


def test_the_rows_that_were_held_up_come_all_at_once() -> None:
    spike = volume("a", came=900.0, since=NOW, started_at=NOW)
    made = seen(spike, past=[over()])
    assert made[0].explained
    assert key(made[0]) == over().cause.key


def test_a_rise_that_began_while_nothing_came_is_its_own() -> None:
    spike = volume("a", came=900.0, since=BEGAN - 12 * HOUR, started_at=NOW)
    assert not seen(spike, past=[over()])[0].explained


def test_the_hole_is_explained_when_its_hours_are_judged_late() -> None:
    hole = volume("a", since=BEGAN, started_at=NOW)
    assert seen(hole, past=[over()])[0].explained


def test_a_drop_that_begins_after_the_end_is_its_own() -> None:
    drop = silent("a", since=NOW - HOUR / 4)
    assert not seen(replace(drop, started_at=NOW), past=[over(ago=HOUR)])[0].explained


def test_the_root_that_ends_in_this_cycle_is_remembered() -> None:
    (root,) = seen(stale())
    ended = replace(root, state=AlertState.RESOLVED, ended_at=NOW)
    spike = volume("a", came=900.0, since=NOW, started_at=NOW)
    assert seen(spike, closed=[ended])[0].explained


def test_duplicates_after_an_outage_are_their_own() -> None:
    twice = alert(result("a", kind=KindName.DUPLICATES, aspect="repeated"), started_at=NOW)
    assert not seen(twice, past=[over()])[0].explained


def test_an_alert_that_had_a_cause_of_its_own_is_no_after_effect() -> None:
    (own,) = seen(volume("a", came=900.0, since=NOW))
    assert not seen(own, past=[over()])[0].explained


def test_no_grace_runs_out_while_the_source_cannot_be_read() -> None:
    (first,) = seen(under(silent("a")))
    held = seen(first, alert(error()), results=[error()], now=NOW + 9 * HOUR)
    assert held[0] == first


def test_a_clock_that_stepped_back_keeps_nothing_for_ever() -> None:
    (first,) = seen(under(silent("a")), now=NOW + 10_000 * HOUR)
    (second,) = seen(first, now=NOW)
    assert second.cause is not None
    assert second.cause.ended_at == NOW
    assert not seen(second, now=NOW + 3 * HOUR)[0].explained


def test_only_incidents_that_are_over_and_touched_the_exposure_are_remembered() -> None:
    def incident(of: Alert, **changes: object) -> Incident:
        assert of.cause is not None
        made = Incident(
            id="1",
            cause=of.cause,
            state=IncidentState.OPEN,
            severity=Severity.WARNING,
            owner=Recipient(Role.OWNER, "", ""),
            opened_at=BEGAN,
            began_at=BEGAN,
            members=(),
        )
        return replace(made, **changes)  # type: ignore[arg-type]

    (late,), (down,) = seen(stale()), seen(alert(error()))
    (contracts,) = seen(alert(error(kind=KindName.DRIFT)))
    (own,) = seen(silent("a"))
    ended = {"good_since": NOW - HOUR}
    known = [
        incident(late, **ended),
        incident(down, **ended),
        incident(contracts, **ended),
        incident(own, **ended),
        incident(late),
        incident(late, good_since=NOW - 9 * HOUR),
    ]
    found = past_of(known, TABLE, SOURCE, NOW)
    assert [p.cause.kind for p in found] == [CauseKind.EXPOSURE, CauseKind.SOURCE]
    other = past_of(known, replace(TABLE, name="other"), replace(SOURCE, key="ff"), NOW)
    assert other == ()
