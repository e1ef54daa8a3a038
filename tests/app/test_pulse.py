"""Health: what is told from outside the daemon."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eventwatch import app
from eventwatch.app.pulse import DAEMON_BEAT, STEADY_BEAT, STOPPED_BEAT, late_in
from eventwatch.daemon import longest_wait
from eventwatch.model.settings import Secret
from eventwatch.store.sql import SqlStore, open_store
from tests.fakes.project import Project

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CYCLE = "exposure:events"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def house(tmp_path: Path) -> app.House:
    project = Project(tmp_path / "shop")
    project.declare("user_a")
    project.config()
    return app.load(project.folder / "config.yaml")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(Secret(f"sqlite:///{tmp_path}/state.db"))
    yield opened
    opened.close()


def late(house: app.House, store: SqlStore, now: datetime = NOW) -> tuple[str, ...]:
    return late_in(house.loaded, store, now, longest_wait)


def test_a_daemon_that_beats_and_cycles_is_well(house: app.House, store: SqlStore) -> None:
    store.heartbeat(CYCLE, NOW - 5 * MINUTE)
    store.heartbeat(DAEMON_BEAT, NOW - timedelta(seconds=20))
    store.heartbeat(STEADY_BEAT, NOW - timedelta(seconds=20))
    assert late(house, store) == ()


def test_a_daemon_that_gives_no_sign_is_seen_long_before_its_cycles_are_late(
    house: app.House, store: SqlStore
) -> None:
    store.heartbeat(CYCLE, NOW - MINUTE)
    store.heartbeat(DAEMON_BEAT, NOW - MINUTE)
    (line,) = late(house, store)
    assert "the daemon gave its last sign 1 min ago" in line


def test_a_daemon_that_was_stopped_on_purpose_need_not_beat(
    house: app.House, store: SqlStore
) -> None:
    """Cycles by hand may go on; they are judged by themselves."""
    store.heartbeat(DAEMON_BEAT, NOW - 10 * HOUR)
    store.heartbeat(STOPPED_BEAT, NOW - 10 * HOUR + MINUTE)
    store.heartbeat(CYCLE, NOW - MINUTE)
    assert late(house, store) == ()
    assert "the last cycle ended" in late(house, store, NOW + 2 * HOUR)[0]


def test_cycles_by_hand_without_a_daemon_are_enough(house: app.House, store: SqlStore) -> None:
    assert "no cycle was ever recorded" in late(house, store)[0]
    store.heartbeat(CYCLE, NOW)
    assert late(house, store) == ()


@pytest.mark.parametrize("jump", [2 * HOUR, -2 * HOUR])
def test_a_clock_that_jumped_makes_no_cycle_late(
    house: app.House, store: SqlStore, jump: timedelta
) -> None:
    """The daemon keeps its own time; both are in the state, so the difference is known."""
    store.heartbeat(CYCLE, NOW - MINUTE)
    store.heartbeat(STEADY_BEAT, NOW)
    store.heartbeat(DAEMON_BEAT, NOW + jump)
    assert late(house, store, NOW + jump + timedelta(seconds=5)) == ()
    # And one that is late is late by any clock.
    store.heartbeat(STEADY_BEAT, NOW + HOUR)
    store.heartbeat(DAEMON_BEAT, NOW + HOUR + jump)
    assert "the last cycle ended 1 h" in late(house, store, NOW + HOUR + jump)[0]


def test_a_beat_from_a_future_that_never_was_is_replaced(house: app.House, store: SqlStore) -> None:
    for name in (CYCLE, DAEMON_BEAT, STEADY_BEAT):
        store.heartbeat(name, NOW + timedelta(days=3650))
        store.heartbeat(name, NOW)
        assert store.last_heartbeat(name) == NOW
    assert late(house, store) == ()
    assert len(late(house, store, NOW + HOUR)) == 2
