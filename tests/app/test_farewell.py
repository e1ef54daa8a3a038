"""What is open of an exposure that nobody watches any more ends; nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from eventwatch.app.farewell import REASON, UNSEEN, forgotten, say_farewell
from eventwatch.model.alert import Alert, AlertState
from eventwatch.model.settings import Secret
from eventwatch.store.sql import SqlStore, open_store
from tests.store.samples import NOW, alert, record

HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(Secret(f"sqlite:///{tmp_path}/state.db"))
    yield opened
    opened.close()


def cycle(store: SqlStore, *alerts: Alert, exposure: str = "events") -> None:
    store.commit_cycle(record(exposure=exposure, run_id=exposure, alerts=alerts, deliveries=()))
    store.heartbeat(f"exposure:{exposure}", NOW)


def of(exposure: str, alert_id: str, state: AlertState = AlertState.FIRING) -> Alert:
    made = alert(alert_id, state=state)
    return replace(made, result=replace(made.result, exposure=exposure), fingerprint=alert_id)


def test_what_was_taken_out_of_the_config_is_forgotten_at_once(store: SqlStore) -> None:
    cycle(store, of("old", "a1"), exposure="old")
    cycle(store, of("new", "a2"), exposure="new")
    assert forgotten(store, {"new"}, {"old"}, NOW) == ("old",)


def test_what_another_process_may_watch_waits_for_a_day_without_a_cycle(store: SqlStore) -> None:
    cycle(store, of("theirs", "a1"), exposure="theirs")
    assert forgotten(store, {"events"}, set(), NOW + 24 * HOUR) == ()
    later = NOW + UNSEEN + timedelta(seconds=1)
    assert forgotten(store, {"events"}, set(), later) == ("theirs",)
    store.heartbeat("exposure:theirs", NOW + HOUR)
    assert forgotten(store, {"events"}, set(), later) == ()


def test_its_alerts_end_with_the_reason_and_those_of_others_stay(store: SqlStore) -> None:
    cycle(store, of("old", "a1"), of("old", "a2", AlertState.PENDING), exposure="old")
    cycle(store, of("new", "a3"), exposure="new")
    assert say_farewell(store, "old", "r9", "me", NOW + HOUR) == 2
    assert store.exposure_state("old", NOW).alerts == ()
    ended = {a.id: a for a in store.alerts_of(("a1", "a2"))}
    assert (ended["a1"].state, ended["a2"].state) == (AlertState.RESOLVED, AlertState.EXPIRED)
    assert {(a.end_reason, a.ended_at) for a in ended.values()} == {(REASON, NOW + HOUR)}
    assert [a.id for a in store.exposure_state("new", NOW).alerts] == ["a3"]
    assert forgotten(store, {"new"}, {"old"}, NOW + HOUR) == ()


def test_nobody_is_disturbed_who_just_looks_at_it(store: SqlStore) -> None:
    cycle(store, of("old", "a1"), exposure="old")
    lease = store.take_lease("exposure:old", "somebody else", NOW, HOUR)
    assert say_farewell(store, "old", "r9", "me", NOW) == 0
    assert len(store.exposure_state("old", NOW).alerts) == 1
    store.give_lease(lease)
    assert say_farewell(store, "old", "r9", "me", NOW) == 1
