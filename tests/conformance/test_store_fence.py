"""Who lost the right to be the daemon writes nothing any more, on every store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from eventwatch.model.errors import LeaseHeld
from eventwatch.model.incident import Changes
from eventwatch.model.state import CycleRecord, Slot, SlotStatus
from eventwatch.store.sql import SqlStore

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SPAN = timedelta(seconds=30)
SLOT = Slot("events", NOW, SlotStatus.RAN)
Write = Callable[[SqlStore], object]


def record() -> CycleRecord:
    return CycleRecord("events", "run", NOW, None, NOW, None, {}, (), ())


def nothing(_: object) -> Changes:
    raise AssertionError("it was asked, although it may not write")


WRITES: dict[str, Write] = {
    "heartbeat": lambda s: s.heartbeat("x", NOW),
    "slots": lambda s: s.write_slots([SLOT]),
    "cycle": lambda s: s.commit_cycle(record()),
    "tell": lambda s: s.tell(NOW, nothing),
    "claim": lambda s: s.claim_deliveries(NOW, 1),
    "lease": lambda s: s.take_lease("exposure:events", "one", NOW, SPAN),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_former_daemon_writes_nothing(store: SqlStore, name: str) -> None:
    fenced = store.fenced(store.take_lease("daemon", "one", NOW, SPAN))
    store.take_lease("daemon", "two", NOW + 2 * SPAN, SPAN)
    with pytest.raises(LeaseHeld, match="two"):
        WRITES[name](fenced)
    assert store.last_heartbeat("x") is None
    assert store.slots("events", NOW - SPAN) == ()
    assert store.exposure_state("events", NOW).watermark is None


def test_the_daemon_writes_and_its_lease_can_be_renewed_meanwhile(store: SqlStore) -> None:
    fenced = store.fenced(store.take_lease("daemon", "one", NOW, SPAN))
    fenced.write_slots([SLOT])
    store.take_lease("daemon", "one", NOW + SPAN / 2, SPAN)
    fenced.heartbeat("x", NOW)
    assert store.slots("events", NOW - SPAN) == (SLOT,)


def test_a_lease_that_was_given_back_is_lost(store: SqlStore) -> None:
    held = store.take_lease("daemon", "one", NOW, SPAN)
    fenced = store.fenced(held)
    store.give_lease(held)
    with pytest.raises(LeaseHeld, match="given back"):
        fenced.heartbeat("x", NOW)
