"""The same story on a real state: what the step reads there leads it to the same rows as in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from eventwatch.alerting.conduct import conduct
from eventwatch.model.alert import Alert
from eventwatch.model.contract import Owner
from eventwatch.model.incident import Changes
from eventwatch.model.settings import Secret
from eventwatch.model.state import CycleRecord
from eventwatch.model.status import Severity
from eventwatch.store.sql import SqlStore, open_store
from tests.alerting.builders import HOUR, MINUTE, NOTIFY, NOW, alert, contract, result, silence
from tests.alerting.conduct_world import TABLE, World, anew, loud, of, over, teams, under


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(Secret(f"sqlite:///{tmp_path}/state.db"))
    yield opened
    opened.close()


class Twice:
    """One story in memory and on a state."""

    def __init__(self, world: World, store: SqlStore) -> None:
        self.world, self.store, self.cycles = world, store, 0

    def step(self, *alerts: Alert, minutes: int = 0) -> None:
        """Both do the same; the state twice."""
        world = self.world
        world.step(*alerts, after=minutes * MINUTE)
        self.cycles += 1
        self.store.commit_cycle(
            CycleRecord(
                exposure="analytics_events",
                run_id=f"r{self.cycles}",
                now=world.now,
                lease=None,
                watermark=None,
                recounted_on=None,
                ledger={},
                alerts=alerts,
                deliveries=(),
            )
        )
        made = self._tell()
        assert {d.key for d in made.deliveries} == {d.key for d in world.changes.deliveries}
        assert {m.id for m in made.moments} == {m.id for m in world.changes.moments}
        assert not self._tell(), "a second step changed something"
        assert {i.id: i for i in self.store.incidents(open_only=False)} == {
            i.id: i for i in world.board.incidents
        }

    def _tell(self) -> Changes:
        now, office = self.world.now, self.world.office
        return self.store.tell(now, lambda board: conduct(board, office, now))


def test_a_long_story_is_the_same_in_memory_and_on_a_state(store: SqlStore) -> None:
    notify = replace(NOTIFY, reminder={Severity.WARNING: HOUR})
    contracts = [contract("a"), contract("b"), contract("c", owner=Owner("search"))]
    world = World(*contracts, notify=notify, teams=teams("search"))
    both = Twice(world, store)
    a, b, c = (alert(result(n)) for n in "abc")
    both.step(a)
    both.step(b, minutes=1)
    both.step(c, minutes=1)
    both.step(minutes=5)
    mute = silence(event_type="c", starts_at=world.now, ends_at=world.now + 90 * MINUTE)
    store.add_silence(mute)
    world.board = replace(world.board, silences=(mute,))
    both.step(minutes=1)
    both.step(loud(a, severity=Severity.CRITICAL), minutes=61)
    table = replace(of(TABLE), started_at=NOW + HOUR, fired_at=NOW + HOUR)
    taken = [replace(x, id=x.id, cause=TABLE, explained=True) for x in (a, b)]
    both.step(table, *taken, minutes=5)
    both.step(*(over(x, world.now) for x in (table, *taken)), minutes=31)
    both.step(minutes=31)
    both.step(over(c, world.now), minutes=1)
    both.step(minutes=45)
    both.step(anew(table, world.now), *under(TABLE, "z"), minutes=10)
    both.step(minutes=-400)
    both.step(minutes=400 + 60)
    assert len(store.deliveries(1_000)) > 20
