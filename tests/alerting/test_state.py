"""The life of an alert, by example."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from eventwatch.alerting.state import UNJUDGED, alert_id, track
from eventwatch.model.alert import Alert, AlertState, Change, Transition
from eventwatch.model.result import LATE, NEW_LEVEL, Fact, Result
from eventwatch.model.status import Severity, Status
from tests.alerting.builders import HOUR, MINUTE, NOW, alert, result, told, unreadable


def step(
    open_alerts: list[Alert] | Alert | None,
    results: list[Result] | Result,
    now: datetime = NOW,
    judged: bool = True,
) -> Transition:
    """One cycle about one fingerprint."""
    known = [open_alerts] if isinstance(open_alerts, Alert) else open_alerts or []
    given = [results] if isinstance(results, Result) else results
    transitions = track(known, given, now, judged=lambda _: judged)
    assert len(transitions) == 1
    return transitions[0]


def quiet(results: list[Result]) -> tuple[Transition, ...]:
    return track([], results, NOW, judged=lambda _: True)


def test_a_failure_without_hold_fires_at_once() -> None:
    made = step(None, result())
    assert made.change is Change.FIRED
    assert made.alert.state is AlertState.FIRING
    assert made.alert.fired_at == made.alert.started_at == made.alert.seen_at == NOW
    assert made.alert.id == alert_id(result().fingerprint, NOW)


def test_a_failure_has_to_last_as_long_as_hold_says() -> None:
    held = result(hold=10 * MINUTE)
    first = step(None, held)
    assert first.change is Change.PENDING
    second = step(first.alert, held, NOW + 9 * MINUTE)
    assert second.change is Change.NONE
    assert second.alert.state is AlertState.PENDING
    third = step(second.alert, held, NOW + 10 * MINUTE)
    assert third.change is Change.FIRED
    assert third.alert.started_at == NOW


def test_total_silence_does_not_wait() -> None:
    assert step(None, result(hold=HOUR, total=True)).change is Change.FIRED
    pending = step(None, result(hold=HOUR)).alert
    assert step(pending, result(hold=HOUR, total=True), NOW + MINUTE).change is Change.FIRED


@pytest.mark.parametrize("status", [Status.PASS, Status.ERROR, Status.SKIPPED, Status.LEARNING])
def test_only_a_failure_opens_an_alert(status: Status) -> None:
    assert quiet([result(status=status)]) == ()


def test_a_pending_alert_that_passes_is_dropped_untold() -> None:
    pending = step(None, result(hold=HOUR)).alert
    ended = step(pending, result(status=Status.PASS), NOW + MINUTE)
    assert ended.change is Change.EXPIRED
    assert ended.alert.ended_at == NOW + MINUTE


@pytest.mark.parametrize("state", [AlertState.PENDING, AlertState.FIRING])
@pytest.mark.parametrize("status", [Status.ERROR, Status.SKIPPED, Status.LEARNING])
def test_what_could_not_be_judged_leaves_an_alert_exactly_as_it_is(
    state: AlertState, status: Status
) -> None:
    before = told(result(hold=MINUTE), state=state, seen_at=NOW - HOUR, good_since=NOW - HOUR)
    assert step(before, result(status=status)) == Transition(before, Change.NONE)


@pytest.mark.parametrize("status", [Status.SKIPPED, Status.LEARNING])
def test_an_alert_does_not_outlive_its_last_failure_for_ever(status: Status) -> None:
    before = told(seen_at=NOW - UNJUDGED)
    ended = step(before, result(status=status))
    assert ended.change is Change.RESOLVED
    assert ended.alert.end_reason.startswith("not judged for 3 d")
    pending = replace(before, state=AlertState.PENDING)
    assert step(pending, result(status=status)).change is Change.EXPIRED


def test_an_error_holds_an_alert_however_long_it_lasts() -> None:
    before = told(seen_at=NOW - timedelta(days=300))
    assert step(before, result(status=Status.ERROR)).change is Change.NONE


def test_a_firing_alert_is_resolved_after_keep_of_good_results() -> None:
    before = told(result(keep=30 * MINUTE))
    good = result(status=Status.PASS)
    first = step(before, good)
    assert (first.change, first.alert.good_since) == (Change.NONE, NOW)
    second = step(first.alert, good, NOW + 29 * MINUTE)
    assert second.change is Change.NONE
    third = step(second.alert, good, NOW + 30 * MINUTE)
    assert third.change is Change.RESOLVED
    assert third.alert.end_reason == "back to normal"
    assert third.alert.ended_at == NOW + 30 * MINUTE


def test_a_failure_within_keep_starts_the_good_time_again() -> None:
    before = told(result(keep=30 * MINUTE), good_since=NOW - 29 * MINUTE)
    failed = step(before, result(keep=30 * MINUTE))
    assert (failed.change, failed.alert.good_since) == (Change.NONE, None)


def test_absence_counts_as_good_only_where_it_was_judged() -> None:
    before = told()
    assert step(before, [], judged=False) == Transition(before, Change.NONE)
    ended = step(before, [])
    assert (ended.change, ended.alert.end_reason) == (Change.RESOLVED, "no longer found")


def test_a_firing_alert_is_fired_once_however_it_goes_on() -> None:
    before = told(result(severity=Severity.INFO))
    for severity in Severity:
        seen = step(before, result(severity=severity), NOW + 900 * HOUR)
        assert seen.change is Change.NONE
        assert seen.alert.result.severity is severity
    assert step(alert(), result()).change is Change.NONE


def test_rows_that_came_after_all_are_the_reason_of_the_end() -> None:
    came = Fact(LATE, "up to 3 h 10 min")
    ended = step(told(), result(status=Status.PASS, facts=(Fact("x", "y"), came)))
    assert ended.alert.end_reason == "late, not lost: up to 3 h 10 min"
    ended = step(told(), result(status=Status.PASS, facts=(Fact(NEW_LEVEL, "it is the usual"),)))
    assert ended.alert.end_reason == "it is the usual"


def test_a_clock_that_stepped_back_does_not_stop_an_alert() -> None:
    ahead = NOW + timedelta(days=3650)
    pending = step(None, result(hold=MINUTE), ahead).alert
    back = step(pending, result(hold=MINUTE)).alert
    assert back.id == pending.id
    assert step(back, result(hold=MINUTE), NOW + MINUTE).change is Change.FIRED
    good = told(result(keep=HOUR), good_since=ahead)
    once = step(good, result(status=Status.PASS)).alert
    assert step(once, result(status=Status.PASS), NOW + HOUR).change is Change.RESOLVED


def test_the_worst_of_two_results_of_one_thing_counts() -> None:
    both = [result(status=Status.PASS), result(severity=Severity.CRITICAL), result()]
    made = step(None, both)
    assert made.alert.result.severity is Severity.CRITICAL
    assert step(None, list(reversed(both))) == made


def test_our_own_trouble_fires_once_it_lasts_and_ends_when_measured() -> None:
    first = step(None, unreadable())
    assert first.change is Change.PENDING
    assert step(first.alert, unreadable(), NOW + 5 * MINUTE).change is Change.NONE
    fired = step(first.alert, unreadable(), NOW + 10 * MINUTE)
    assert fired.change is Change.FIRED
    assert step(fired.alert, unreadable(), NOW + HOUR).change is Change.NONE
    assert step(fired.alert, [], NOW + HOUR).change is Change.RESOLVED


def test_an_unreadable_exposure_touches_no_data_alert() -> None:
    data = told()
    moved = track([data], [unreadable()], NOW, judged=lambda _: False)
    changes = {t.alert.fingerprint: t.change for t in moved}
    assert changes == {
        data.fingerprint: Change.NONE,
        unreadable().fingerprint: Change.PENDING,
    }


def test_ended_alerts_are_not_touched_again() -> None:
    over: dict[str, Any] = {"state": AlertState.RESOLVED, "ended_at": NOW}
    assert track([alert(**over)], [], NOW, judged=lambda _: True) == ()
