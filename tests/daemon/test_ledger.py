"""The slot ledger while the state comes and goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from eventwatch.daemon.ledger import Ledger
from eventwatch.model.errors import StoreError
from eventwatch.model.settings import Secret
from eventwatch.model.state import Slot, SlotStatus
from eventwatch.store.sql import SqlStore, open_store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Away:
    """A state that is away when it is told to be."""

    def __init__(self, store: SqlStore) -> None:
        self._store, self.away = store, False

    def write_slots(self, slots: Sequence[Slot]) -> None:
        if self.away:
            raise StoreError("state: the disk is full")
        self._store.write_slots(slots)

    def slots(self, exposure: str, since: datetime) -> tuple[Slot, ...]:
        return self._store.slots(exposure, since)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Any]:
    opened = open_store(Secret(f"sqlite:///{tmp_path}/state.db"))
    yield Away(opened)
    opened.close()


def slot(minute: int, status: SlotStatus = SlotStatus.RAN) -> Slot:
    return Slot("events", NOW + minute * MINUTE, status)


def test_what_could_not_be_written_goes_with_the_next(state: Any) -> None:
    ledger = Ledger(lambda: state)
    assert ledger.write([slot(0)])
    state.away = True
    assert not ledger.write([slot(1)])
    assert not ledger.write([slot(2)])
    assert ledger.behind
    assert state.slots("events", NOW) == (slot(0),)
    state.away = False
    assert ledger.write([slot(3)])
    assert not ledger.behind
    assert state.slots("events", NOW) == tuple(slot(k) for k in range(4))


def test_a_slot_that_ended_while_the_state_was_away_ends_once_it_is_back(state: Any) -> None:
    ledger = Ledger(lambda: state)
    state.away = True
    ledger.write([slot(0, SlotStatus.RUNNING)])
    ledger.write([replace(slot(0), reason="well")])
    state.away = False
    assert ledger.catch_up()
    assert state.slots("events", NOW) == (replace(slot(0), reason="well"),)


def test_a_slot_that_ended_is_not_due_any_more(state: Any) -> None:
    ledger = Ledger(lambda: state)
    ledger.write([slot(0)])
    # Whoever saw that no worker is free may say so late.
    ledger.write([slot(0, SlotStatus.DUE), slot(1, SlotStatus.DUE)])
    assert state.slots("events", NOW) == (slot(0), slot(1, SlotStatus.DUE))


@pytest.mark.parametrize("age", [timedelta(minutes=1), timedelta(days=1), timedelta(days=300)])
def test_the_newest_rows_are_found_however_old_they_are(state: Any, age: timedelta) -> None:
    ledger = Ledger(lambda: state)
    old = replace(slot(0), scheduled_at=NOW - age)
    ledger.write([old])
    assert ledger.newest("events", NOW)[-1] == old
    assert ledger.newest("another", NOW) == ()


def test_a_state_that_is_away_for_long_is_one_line_of_the_log(
    state: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    ledger = Ledger(lambda: state)
    for _ in range(2):
        state.away = True
        ledger.write([slot(1)])
        for _ in range(20):
            assert not ledger.catch_up()
        state.away = False
        assert ledger.catch_up()
    assert [r.getMessage() for r in caplog.records] == [
        "the slot ledger waits: state: the disk is full",
        "the slot ledger is written again",
    ] * 2
