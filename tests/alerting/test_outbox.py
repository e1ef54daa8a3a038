"""One message per owner and cycle, never two for the same event, a row for what was held back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventwatch.alerting.outbox import Outbox, deliveries_for, fallback_for
from eventwatch.alerting.route import Route
from eventwatch.alerting.state import track
from eventwatch.model.alert import (
    Alert,
    AlertState,
    Change,
    DeliveryState,
    Silence,
    Transition,
)
from eventwatch.model.result import Result
from eventwatch.model.status import Severity, Status
from tests.alerting.builders import (
    EXPOSURE,
    GROWTH,
    HOUR,
    NOTIFY,
    NOW,
    alert,
    catalog,
    contract,
    result,
    silence,
    told,
)
from tests.alerting.slack_view import assert_inert, blocks, picture

DATA = Route("data-platform", "#data-platform", "", "fallback team", is_fallback=True)


def cycle(
    transitions: Sequence[Transition],
    now: datetime = NOW,
    muted: dict[str, Silence] | None = None,
    routes: dict[str, Route] | None = None,
) -> Outbox:
    return deliveries_for(
        transitions,
        routes={t.alert.fingerprint: GROWTH for t in transitions} | (routes or {}),
        muted=muted or {},
        catalog=catalog(contract()),
        exposure=EXPOSURE,
        notify=NOTIFY,
        now=now,
        run_id="r1",
    )


def fired(name: str = "a", severity: Severity = Severity.WARNING) -> Transition:
    return Transition(alert(result(name, severity=severity)), Change.FIRED)


def test_all_alerts_of_one_owner_are_one_message_worst_first() -> None:
    made = cycle([fired("a"), fired("b", Severity.CRITICAL), fired("c")])
    assert len(made.deliveries) == 1
    row = made.deliveries[0]
    assert (row.channel, row.team, row.state) == (
        "#growth-alerts",
        "growth",
        DeliveryState.PENDING,
    )
    assert row.alert_ids[0] == fired("b").alert.id
    assert len(row.alert_ids) == 3


def test_owners_do_not_share_a_message_even_in_one_channel() -> None:
    other = replace(GROWTH, team="invites")
    b = fired("b")
    made = cycle([fired("a"), b, fired("c")], routes={b.alert.fingerprint: other})
    assert [(d.channel, d.team) for d in made.deliveries] == [
        ("#growth-alerts", "growth"),
        ("#growth-alerts", "invites"),
    ]


@pytest.mark.parametrize("change", [Change.NONE, Change.PENDING, Change.EXPIRED])
def test_what_no_person_needs_to_hear_makes_no_message(change: Change) -> None:
    made = cycle([Transition(told(), change)])
    assert made.deliveries == ()
    assert made.alerts == (told(),)


def test_the_alert_remembers_that_it_was_told_and_how_loud() -> None:
    (after,) = cycle([fired("a", Severity.CRITICAL)]).alerts
    assert (after.notified_at, after.notified_severity) == (NOW, Severity.CRITICAL)
    milder = told(result(severity=Severity.INFO), notified_severity=Severity.CRITICAL)
    (after,) = cycle([Transition(milder, Change.REMIND)]).alerts
    assert after.notified_severity is Severity.CRITICAL


def test_the_end_of_what_nobody_heard_of_is_not_told() -> None:
    unheard = alert(state=AlertState.RESOLVED, ended_at=NOW)
    assert cycle([Transition(unheard, Change.RESOLVED)]).deliveries == ()
    heard = told(state=AlertState.RESOLVED, ended_at=NOW)
    assert len(cycle([Transition(heard, Change.RESOLVED)]).deliveries) == 1


def test_the_same_event_has_the_same_key_whenever_it_is_computed() -> None:
    transitions = [fired("a"), fired("b")]
    first = cycle(transitions)
    again = cycle(transitions[::-1], NOW + HOUR)
    assert first.deliveries[0].key == again.deliveries[0].key


def test_different_events_have_different_keys() -> None:
    of = told(result("a", severity=Severity.CRITICAL))
    keys = {
        cycle([t]).deliveries[0].key
        for t in (
            fired("a"),
            fired("b"),
            Transition(of, Change.REMIND),
            Transition(replace(of, notified_at=NOW), Change.REMIND),
            Transition(of, Change.WORSE),
            Transition(of, Change.RESOLVED),
        )
    }
    assert len(keys) == 6


def test_what_a_silence_holds_back_is_a_row_with_the_reason() -> None:
    a, b = fired("a"), fired("b")
    made = cycle([a, b], muted={a.alert.fingerprint: silence()})
    sent, withheld = made.deliveries
    assert sent.alert_ids == (b.alert.id,)
    assert (withheld.state, withheld.alert_ids) == (DeliveryState.WITHHELD, (a.alert.id,))
    assert withheld.last_error == "silenced by ada until 2026-05-17 16:05 UTC: planned work"
    assert made.alerts[0].notified_at is None


def test_a_silenced_alert_makes_one_row_however_many_cycles_it_lasts() -> None:
    a = fired("a")
    muted = {a.alert.fingerprint: silence()}
    keys = {cycle([a], NOW + i * HOUR, muted).deliveries[0].key for i in range(5)}
    assert len(keys) == 1


def test_when_the_silence_ends_what_still_fires_is_told() -> None:
    quiet = cycle([fired("a")], muted={fired("a").alert.fingerprint: silence()}).alerts
    (again,) = track(quiet, [result("a")], NOW + HOUR, reminders={}, judged=lambda _: True)
    made = cycle([again], NOW + HOUR)
    assert [d.state for d in made.deliveries] == [DeliveryState.PENDING]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(
                st.tuples(
                    st.sampled_from("abc"),
                    st.sampled_from((Status.FAIL, Status.FAIL, Status.PASS, Status.ERROR)),
                    st.sampled_from(Severity),
                ),
                max_size=4,
                unique_by=lambda r: r[0],
            ),
            st.integers(1, 90),
            st.sets(st.sampled_from("abc")),
        ),
        max_size=12,
    )
)
def test_nothing_is_told_twice_and_nothing_that_fires_stays_untold(
    story: list[tuple[list[tuple[str, Status, Severity]], int, set[str]]],
) -> None:
    known: tuple[Alert, ...] = ()
    now, keys = NOW, set()
    for given_results, minutes, muted_names in story:
        now += timedelta(minutes=minutes)
        results = [result(n, status=s, severity=v) for n, s, v in given_results]
        muted = {result(n).fingerprint: silence() for n in muted_names}
        known, made = _run(known, results, now, muted)
        for row in made.deliveries:
            if row.state is DeliveryState.PENDING:
                assert row.key not in keys
                keys.add(row.key)
        again, repeated = _run(known, results, now, muted)
        assert [d for d in repeated.deliveries if d.state is DeliveryState.PENDING] == []
        assert {a.id for a in again} == {a.id for a in known}
        for each in known:
            if each.result.event_type not in muted_names and each.seen_at == now:
                assert each.notified_at is not None


def _run(
    known: tuple[Alert, ...], results: list[Result], now: datetime, muted: dict[str, Silence]
) -> tuple[tuple[Alert, ...], Outbox]:
    transitions = track(
        known, results, now, reminders=dict.fromkeys(Severity, HOUR), judged=lambda _: False
    )
    made = cycle(transitions, now, muted)
    return tuple(a for a in made.alerts if a.open), made


def test_a_refused_message_goes_to_the_fallback_route_with_the_reason() -> None:
    (row,) = cycle([fired("a")]).deliveries
    second = fallback_for(row, "Slack says channel_not_found", DATA, NOW + HOUR)
    assert (second.channel, second.team, second.is_fallback) == (
        "#data-platform",
        "data-platform",
        True,
    )
    assert second.alert_ids == row.alert_ids
    assert second.key != row.key
    assert second.key == fallback_for(row, "another reason", DATA, NOW).key
    shown = picture(second.message)
    assert "could not be delivered to `#growth-alerts` (team growth)" in shown
    assert "Slack says channel_not_found" in shown
    assert len(blocks(second.message)) == len(blocks(row.message)) + 1
    assert "channel_not_found" in second.message.plain
    assert_inert(second.message)
