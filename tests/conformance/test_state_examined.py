"""Examining a state, on every adapter: nothing is made, nothing is changed, everything is counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from eventwatch.model.alert import Delivery, DeliveryState, Message
from eventwatch.model.settings import Secret
from eventwatch.model.state import CycleRecord
from eventwatch.store.examine import examine
from eventwatch.store.sql import SqlStore, open_reader

NOW = datetime(2026, 5, 17, 15, 5, tzinfo=UTC)


def row(key: str, age: timedelta, state: DeliveryState) -> Delivery:
    message = Message("t", "[]", "p")
    return Delivery(key, "#a", "a", message, (), NOW - age, state=state)


def test_where_no_state_is_none_is_made(url: Secret) -> None:
    found = examine(url, NOW)
    assert (found.exists, found.trouble, found.older) == (False, "", False)
    assert open_reader(url) is None


def test_an_empty_state_is_sound_and_nothing_waits(url: Secret, store: SqlStore) -> None:
    found = examine(url, NOW)
    assert (found.exists, found.trouble, found.older) == (True, "", False)
    assert (found.unsent_count, found.oldest_unsent, found.dead_count) == (0, None, 0)
    assert found.newest_beat is None
    assert (found.pages, found.journal != "") in (("ok", True), ("", False))


def test_what_waits_and_what_was_refused_lately_is_counted(url: Secret, store: SqlStore) -> None:
    hour = timedelta(hours=1)
    rows = (
        row("a", 2 * hour, DeliveryState.PENDING),
        row("b", 3 * hour, DeliveryState.SENDING),
        row("c", 9 * hour, DeliveryState.SENT),
        row("d", 9 * hour, DeliveryState.WITHHELD),
        row("e", 24 * hour, DeliveryState.DEAD),
        row("f", 240 * hour, DeliveryState.DEAD),
    )
    store.commit_cycle(CycleRecord("events", "r", NOW, None, NOW, None, {}, (), rows))
    store.heartbeat("exposure:events", NOW)
    store.heartbeat("exposure:other", NOW - hour)
    found = examine(url, NOW)
    assert (found.unsent_count, found.oldest_unsent) == (2, NOW - 3 * hour)
    assert found.dead_count == 1
    assert found.newest_beat == NOW


def test_a_server_that_is_away_is_said_without_its_password() -> None:
    found = examine(Secret("postgresql://u:hunter22@127.0.0.1:9/state"), NOW)
    assert found.trouble
    assert "hunter22" not in str(found)
