"""One daemon per state."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eventwatch.app.runs import lease_name
from eventwatch.daemon.right import (
    LEASE,
    LEASE_TIME,
    FileLock,
    ServerLease,
    blocked,
    gone,
    identity,
    take_over,
)
from eventwatch.model.errors import LeaseHeld, StateOwned, StoreError
from eventwatch.model.settings import Exposure, Secret
from eventwatch.store.sql import SqlStore, open_store
from tests.fakes.clock import FakeClock

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
EVENTS = Exposure("events", Secret("x"))
HOST = socket.gethostname()
HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(Secret(f"sqlite:///{tmp_path}/state.db"))
    yield opened
    opened.close()


def dead() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_second_owner_is_told_who_the_first_is(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "new" / "state.db"), FileLock(tmp_path / "new" / "state.db")
    first.take()
    with pytest.raises(StateOwned, match=f"pid {os.getpid()} on {HOST}"):
        second.take()
    first.give()
    second.take()
    second.give()
    assert (tmp_path / "new" / "state.lock").stat().st_mode & 0o777 == 0o600


def test_a_child_process_does_not_keep_the_lock(tmp_path: Path) -> None:
    first = FileLock(tmp_path / "state.db")
    first.take()
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=-1)
    first.give()
    again = FileLock(tmp_path / "state.db")
    again.take()
    again.give()
    child.communicate()


def test_a_link_in_place_of_the_lock_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("kept")
    (tmp_path / "state.lock").symlink_to(tmp_path / "precious")
    with pytest.raises(StoreError, match="write beside the state"):
        FileLock(tmp_path / "state.db").take()
    assert (tmp_path / "precious").read_text() == "kept"


def test_identities_are_never_the_same() -> None:
    assert len({identity() for _ in range(50)}) == 50


def test_a_lease_is_renewed_in_time_and_lost_to_who_takes_it(store: SqlStore) -> None:
    clock = FakeClock(NOW)
    one, two = ServerLease(store, clock, "one"), ServerLease(store, clock, "two")
    one.take()
    with pytest.raises(LeaseHeld):
        two.take()
    for _ in range(20):
        clock.step(LEASE_TIME / 3)
        assert one.keep()
    clock.step(LEASE_TIME + timedelta(seconds=1))
    two.take()
    assert not one.keep()
    assert not one.keep()
    assert two.keep()
    two.give()
    one.take()


def test_what_a_daemon_left_behind_is_given_back(store: SqlStore) -> None:
    store.take_lease(lease_name(EVENTS), "daemon on elsewhere pid 1 ab12cd", NOW, HOUR)
    assert "elsewhere" in blocked(store, EVENTS, "me", NOW)
    take_over(store, [EVENTS], "me", NOW)
    assert blocked(store, EVENTS, "me", NOW) == ""


def test_a_cycle_by_hand_that_lives_is_left_alone(store: SqlStore) -> None:
    holder = f"{HOST} pid {os.getpid()}"
    store.take_lease(lease_name(EVENTS), holder, NOW, HOUR)
    take_over(store, [EVENTS], "me", NOW)
    assert blocked(store, EVENTS, "me", NOW) == holder


def test_a_cycle_by_hand_that_was_killed_holds_nothing_up(store: SqlStore) -> None:
    store.take_lease(lease_name(EVENTS), f"{HOST} pid {dead()}", NOW, HOUR)
    assert blocked(store, EVENTS, "me", NOW) == ""


@pytest.mark.parametrize(
    ("holder", "is_gone"),
    [
        (f"{HOST} pid {os.getpid()}", False),
        (f"daemon on {HOST} pid {os.getpid()} abc123", False),
        ("elsewhere pid 99999", False),
        (f"{HOST} pid 1", False),
        (f"{HOST} pid x", False),
        ("", False),
    ],
    # A process of pytest-xdist must name its tests as every other does.
    ids=["own", "own daemon", "elsewhere", "the first", "no number", "nobody"],
)
def test_only_a_process_of_this_machine_can_be_known_to_be_gone(holder: str, is_gone: bool) -> None:
    assert gone(holder) is is_gone
    assert gone(f"{HOST} pid {dead()}")


def test_a_state_whose_lease_was_lost_cannot_be_written(store: SqlStore) -> None:
    mine = store.take_lease(LEASE, "one", NOW, LEASE_TIME)
    fenced = store.fenced(mine)
    fenced.heartbeat("x", NOW)
    store.take_lease(LEASE, "two", NOW + HOUR, LEASE_TIME)
    with pytest.raises(LeaseHeld):
        fenced.heartbeat("x", NOW + HOUR)
    with pytest.raises(LeaseHeld):
        fenced.write_slots([])
    with pytest.raises(LeaseHeld):
        fenced.take_lease(lease_name(EVENTS), "one", NOW, HOUR)
    assert fenced.last_heartbeat("x") == NOW
