"""F20: more is due than threads are there; what is late or left out is in the ledger."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from eventwatch import app
from eventwatch.daemon.ledger import Ledger
from eventwatch.daemon.rounds import Deeds, Rounds, Scene
from eventwatch.daemon.steady import SteadyClock
from eventwatch.daemon.workers import Workers
from eventwatch.model.settings import Exposure, Secret
from eventwatch.model.state import SlotStatus
from eventwatch.pipeline.report import ExposureReport
from eventwatch.store.sql import SqlStore, open_store
from tests.faults.figures import Figures
from tests.faults.watched import holes

NAMES = [f"e{i:02}" for i in range(15)]
SIZE = 10


@dataclass
class Machine:
    """A clock that a test moves."""

    seconds: float = 0.0
    began: float = field(default_factory=lambda: datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp())

    def clock(self) -> SteadyClock:
        return SteadyClock(lambda: self.began + self.seconds, lambda: self.seconds)


class Keeper:
    def current(self) -> tuple[None, str]:
        return None, ""


@dataclass(frozen=True)
class Settings:
    exposures: tuple[Exposure, ...]

    def exposure(self, name: str) -> Exposure | None:
        return next((e for e in self.exposures if e.name == name), None)


@dataclass(frozen=True)
class House:
    settings: Settings


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    return open_store(Secret(f"sqlite:///{tmp_path}/state.db"))


def until(condition: Callable[[], object]) -> None:
    for _ in range(600):
        if condition():
            return
        threading.Event().wait(0.02)
    raise AssertionError("it did not come")


def test_fifteen_cycles_on_ten_threads_leave_nothing_out(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, figures: Figures
) -> None:
    machine, gate, begun = Machine(), threading.Event(), threading.Semaphore(0)
    clock = machine.clock()

    def cycle(place: app.Workplace, exposure: Exposure, *_: Any) -> ExposureReport:
        begun.release()
        gate.wait(20)
        return ExposureReport(exposure.name, clock.now())

    monkeypatch.setattr(app, "run_cycle", cycle)
    exposures = tuple(Exposure(n, Secret("x"), every=timedelta(minutes=5)) for n in NAMES)
    scene: Any = Scene(House(Settings(exposures)), Keeper(), None)  # type: ignore[arg-type]
    ledger = Ledger(lambda: store)
    ended: list[str] = []
    rounds = Rounds(
        lambda: scene,
        store=store,
        clock=clock,
        ledger=ledger,
        holder="daemon on here pid 1 abc",
        deeds=Deeds(ended=lambda slot, *_: ended.append(slot.exposure), lost=print),
    )
    for exposure in exposures:
        rounds.resume(exposure, clock.now())
    workers = Workers(SIZE, rounds.run)
    workers.start()
    for name in NAMES:
        assert workers.offer(name)
    for _ in range(SIZE):
        assert begun.acquire(timeout=20)
    assert sorted(workers.waiting()) == NAMES[SIZE:]
    # It is said that they wait, and then a whole period goes by, and five have not even begun.
    for name in workers.waiting():
        rounds.waits(name, 6.0)
    machine.seconds += 301
    for name in NAMES:
        assert not workers.offer(name), "waiting or running already"
    since = clock.now() - timedelta(days=1)
    late = [store.slots(name, since) for name in NAMES[SIZE:]]
    assert [(s.status, s.reason) for (s,) in late] == [
        (SlotStatus.DUE, "waiting for a free worker")
    ] * 5
    gate.set()
    until(lambda: len(ended) == len(NAMES))
    for name in NAMES:
        workers.offer(name)
    until(lambda: not workers.running() and not workers.waiting())
    figures.tried(len(NAMES))
    figures.slots(
        [gap for name in NAMES for gap in holes(store.slots(name, since), 300.0)], timedelta(0)
    )
    for name in NAMES:
        slots = store.slots(name, since)
        assert {s.status for s in slots} <= {SlotStatus.RAN, SlotStatus.SKIPPED}
        assert SlotStatus.RAN in {s.status for s in slots}
        assert all(s.reason for s in slots if s.status is SlotStatus.SKIPPED)
    workers.stop()
    store.close()
