"""What every Store counts for the metrics."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from eventwatch.model.alert import DeliveryState
from eventwatch.model.incident import Changes, IncidentState
from eventwatch.model.state import Tally
from eventwatch.model.status import Severity
from eventwatch.store.sql import SqlStore
from tests.store.incident_samples import cause, incident, recipient, resolved, tell
from tests.store.samples import MINUTE, NASTY, NOW, delivery, record


def test_an_empty_state_has_nothing_to_count(store: SqlStore) -> None:
    assert store.tally() == Tally()


def test_open_incidents_are_counted_by_severity_and_owner(store: SqlStore) -> None:
    mine = recipient(team="growth")
    made = (
        incident("000000000001", cause=cause("a"), owner=mine),
        # The same team for another reason, and in another state.
        incident(
            "000000000002",
            cause=cause("b"),
            owner=replace(mine, reason="else"),
            state=IncidentState.OPEN,
        ),
        incident("000000000003", cause=cause("c"), owner=mine, severity=Severity.INFO),
        incident("000000000004", cause=cause("d"), owner=recipient(team=NASTY)),
        resolved("000000000005", owner=mine),
    )
    tell(store, Changes(incidents=made))
    assert store.tally().open_incidents == {
        ("critical", "growth"): 2,
        ("info", "growth"): 1,
        ("critical", NASTY): 1,
    }


def test_what_waits_is_counted_and_the_oldest_of_it_found(store: SqlStore) -> None:
    states = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.PENDING)
    waiting = [
        delivery(f"w{i}", state=state, created_at=NOW - i * MINUTE)
        for i, state in enumerate(states)
    ]
    over = [
        delivery(state.value, state=state, created_at=NOW - timedelta(days=1))
        for state in (DeliveryState.SENT, DeliveryState.DEAD, DeliveryState.WITHHELD)
    ]
    # One that rests until later waits as well.
    rests = delivery("rests", created_at=NOW, not_before=NOW + timedelta(hours=1))
    store.commit_cycle(record(deliveries=(*waiting, *over, rests)))
    tally = store.tally()
    assert (tally.unsent, tally.oldest_unsent_at) == (4, NOW - 2 * MINUTE)


def test_every_sign_of_life_is_named(store: SqlStore) -> None:
    store.heartbeat("daemon", NOW)
    store.heartbeat(f"exposure:{NASTY}", NOW + MINUTE)
    assert store.tally().beats == {"daemon": NOW, f"exposure:{NASTY}": NOW + MINUTE}
