"""What every Store does with the slot ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from eventwatch.model.state import Slot, SlotStatus
from eventwatch.store.sql import SqlStore
from tests.store.samples import MINUTE, NASTY, NOW, record

DUE = Slot("events", NOW, SlotStatus.DUE)
EPOCH = NOW - timedelta(days=999)


def test_slots_come_back_oldest_first_and_by_exposure(store: SqlStore) -> None:
    full = Slot(NASTY, NOW, SlotStatus.FAILED, "r" * 500, NOW, NOW + MINUTE, NASTY)
    later = replace(DUE, scheduled_at=NOW + MINUTE)
    store.write_slots((later, full, DUE))
    store.write_slots(())
    assert store.slots("events", EPOCH) == (DUE, later)
    assert store.slots("events", NOW + MINUTE) == (later,)
    assert store.slots(NASTY, EPOCH) == (full,)
    assert store.slots("other", EPOCH) == ()


def test_a_slot_goes_on_until_it_ended(store: SqlStore) -> None:
    running = replace(DUE, status=SlotStatus.RUNNING, started_at=NOW, run_id="r1")
    ran = replace(running, status=SlotStatus.RAN, ended_at=NOW + MINUTE)
    for one in (DUE, running, ran):
        store.write_slots((one,))
        assert store.slots("events", EPOCH) == (one,)


@pytest.mark.parametrize("status", [SlotStatus.RAN, SlotStatus.FAILED, SlotStatus.SKIPPED])
def test_one_that_ended_stays_as_it_is(store: SqlStore, status: SlotStatus) -> None:
    ended = replace(DUE, status=status, reason="coalesced", ended_at=NOW)
    store.write_slots((ended,))
    for other in SlotStatus:
        store.write_slots((replace(DUE, status=other, reason="later"),))
    assert store.slots("events", EPOCH) == (ended,)


def test_they_are_kept_for_thirty_days(store: SqlStore) -> None:
    old, young = (replace(DUE, scheduled_at=NOW - timedelta(days=d)) for d in (31, 29))
    store.write_slots((old, young))
    store.commit_cycle(record())
    assert store.slots("events", EPOCH) == (young,)
