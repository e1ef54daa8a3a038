"""The time before a tenure is none in which the process stood still."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from eventwatch import app
from eventwatch.daemon.ledger import CLOCK
from eventwatch.daemon.steady import SteadyClock
from eventwatch.daemon.tenure import Tenure
from eventwatch.model.state import Slot
from eventwatch.store.sql import SqlStore
from tests.fakes.project import Project, steady


class Machine:
    """A clock and a count of seconds that pass when they are told to, besides by themselves."""

    def __init__(self) -> None:
        self.passed = 0.0

    def wall(self) -> float:
        return time.time() + self.passed

    def seconds(self) -> float:
        return time.monotonic() + self.passed


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> app.House:
    project = Project(tmp_path / "shop")
    project.declare("user_a")
    project.config("    look_back: 20d\n")
    project.rows(steady(["user_a"], until=datetime.now(UTC), days=1))
    monkeypatch.chdir(project.folder)
    return app.load(Path("config.yaml"))


@pytest.fixture
def store(house: app.House) -> Iterator[SqlStore]:
    opened: SqlStore = app.store(house)  # type: ignore[assignment]
    yield opened
    opened.close()


def notes(store: SqlStore) -> tuple[Slot, ...]:
    return store.slots(CLOCK, datetime(2000, 1, 1, tzinfo=UTC))


def test_a_long_start_is_no_pause_and_a_pause_afterwards_is(
    house: app.House, store: SqlStore
) -> None:
    machine = Machine()
    tenure = Tenure(house, store, SteadyClock(machine.wall, machine.seconds), "me")
    # The upgrade of a large state, or the imports on a busy machine.
    machine.passed += 30.0
    tenure.start()
    try:
        assert tenure.check() == ""
        assert notes(store) == ()
        machine.passed += 30.0
        assert tenure.check() == ""
        (note,) = notes(store)
        assert note.reason.startswith("pause: the process stood still for")
    finally:
        tenure.end(time.monotonic() + 20.0)
