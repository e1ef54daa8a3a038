"""States of every older schema are upgraded, keep what they hold, and go on by the new rules."""

from __future__ import annotations

import multiprocessing
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from eventwatch.model.alert import Action, AlertState, DeliveryState, Outcome, Verdict
from eventwatch.model.errors import StoreError
from eventwatch.model.incident import Board, Changes
from eventwatch.model.settings import Secret
from eventwatch.store.sql import open_reader, open_store
from tests.store import older, upgrader
from tests.store.samples import MINUTE, NASTY, NOW, alert, delivery, silence

NOT_YET = datetime.max.replace(tzinfo=UTC)
ALERTS = (alert("a1"), alert("a2", "b", state=AlertState.FIRING))
SILENCES = (silence("over"), silence("running", ends_at=NOT_YET))
ROWS = (
    delivery("sent", state=DeliveryState.SENT),
    delivery("1", attempts=3),
    delivery("2", created_at=NOW + MINUTE),
    delivery("elsewhere", channel=NASTY),
    delivery("stuck", channel="#b", state=DeliveryState.SENDING, claimed_at=NOW),
    delivery("waits for stuck", channel="#b"),
)


def old_state(url: Secret, revision: str) -> None:
    """With open alerts and messages on their way."""
    tables: dict[str, list[dict[str, Any]]] = {
        "alert": [older.alert_row(one) for one in ALERTS],
        "delivery": [older.delivery_row(one) for one in ROWS],
        "silence": [older.silence_row(one) for one in SILENCES],
    }
    older.make(url, revision, **tables)


@pytest.mark.parametrize("revision", ["0001", "0002"])
def test_an_older_state_is_upgraded_and_keeps_what_it_holds(url: Secret, revision: str) -> None:
    old_state(url, revision)
    with pytest.raises(StoreError, match="run-once --send"):
        open_reader(url)
    store = open_store(url)
    assert set(store.exposure_state("events", NOW).alerts) == set(ALERTS)
    assert set(store.deliveries()) == set(ROWS)
    assert {d.action for d in store.deliveries()} == {Action.POST}
    assert store.silences(NOW) == SILENCES
    assert (store.incidents(), store.labels(NOW)) == ((), ())
    store.close()


def test_old_messages_are_sent_by_the_new_rules(url: Secret) -> None:
    old_state(url, "0002")
    store = open_store(url)
    at = NOW + timedelta(hours=1)
    first = store.claim_deliveries(at, 9)
    assert {d.key for d in first} == {"1", "elsewhere"}
    assert store.claim_deliveries(at, 9) == ()
    (stuck,) = store.stuck_deliveries(at)
    for one in (*first, stuck):
        store.settle_delivery(one, Outcome(Verdict.SENT, reference="C1:1"), at)
    assert {d.key for d in store.claim_deliveries(at, 9)} == {"2", "waits for stuck"}
    store.close()


def test_silences_that_ended_before_ends_were_told_are_not_told_now(url: Secret) -> None:
    old_state(url, "0002")
    store = open_store(url)
    seen = store.board(datetime.now(UTC)).silences
    assert [s.id for s in seen] == ["running"]
    store.close()


def test_open_alerts_become_incidents_in_the_first_step(url: Secret) -> None:
    old_state(url, "0002")
    store = open_store(url)
    found: list[str] = []

    def look(board: Board) -> Changes:
        found.extend(board.alerts)
        return Changes()

    store.tell(NOW, look)
    assert set(found) == {"a1", "a2"}
    store.close()


def test_an_upgrade_that_is_killed_anywhere_leaves_the_old_state_whole(url: Secret) -> None:
    old_state(url, "0002")
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([upgrader.__name__])
    kills, point = 0, 1
    while True:
        process = processes.Process(target=upgrader.upgrade, args=(url.reveal(), point))
        process.start()
        process.join()
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        with pytest.raises(StoreError, match="run-once --send"):
            open_reader(url)
        database = older.opened(url)
        with database.writing() as connection:
            tables = sa.inspect(connection).get_table_names()
            held = connection.exec_driver_sql("SELECT count(*) FROM eventwatch_delivery").scalar()
        database.close()
        assert (held, "eventwatch_incident" in tables) == (len(ROWS), False)
        kills += 1
        # Each takes a while on a server.
        point += 1 if database.path is not None else 7
    assert kills > 5
    store = open_store(url)
    assert set(store.deliveries()) == set(ROWS)
    assert set(store.exposure_state("events", NOW).alerts) == set(ALERTS)
    store.close()
