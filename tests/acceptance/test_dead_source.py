"""A source that dies under 500 checks: one incident of its operators, and of the data not a word, neither
while it is dead nor when it comes back."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from eventwatch import app
from eventwatch.model.alert import Action, DeliveryState
from eventwatch.model.cause import CauseKind
from eventwatch.model.incident import IncidentState, MomentKind
from eventwatch.model.status import Status
from tests.fakes.clock import FakeClock
from tests.fakes.notifier import FakeNotifier
from tests.fakes.project import Project

DIES = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
EXPOSURES, TYPES, DAYS, PER_HOUR = 10, 50, 5, 12.0
STEP = timedelta(minutes=20)
BACK = DIES + timedelta(hours=1)
NAMES = tuple(f"user_did_thing_{i:02d}" for i in range(TYPES))


def stream() -> pd.DataFrame:
    """Rows of every type by chance, loaded a minute after they occur."""
    chance = np.random.default_rng(5)
    begin = DIES - timedelta(days=DAYS)
    seconds = (DAYS * 24 + 4) * 3600.0
    count = chance.poisson(PER_HOUR * seconds / 3600.0, TYPES)
    occurred = pd.Timestamp(begin) + pd.to_timedelta(chance.uniform(0, seconds, count.sum()), "s")
    frame = pd.DataFrame({"event_type": np.repeat(NAMES, count), "occurred_at": occurred})
    frame["event_id"] = frame.index.astype(str)
    frame["loaded_at"] = occurred + pd.to_timedelta(chance.exponential(60, len(frame)), "s")
    frame["platform"] = chance.choice(["ios", "web"], len(frame))
    return frame


class World:
    """Ten exposures of one database, and the rounds of a daemon over them."""

    def __init__(self, project: Project, rows: pd.DataFrame) -> None:
        self.project, self.clock = project, FakeClock(DIES)
        project.declare(*NAMES)
        columns = "{event_type: event_type, occurred_at: occurred_at, loaded_at: loaded_at}"
        project.config(
            "".join(
                f"  copy_{i}:\n    connection: duckdb://{project.database}\n    table: events\n"
                f"    columns: {columns}\n"
                for i in range(1, EXPOSURES)
            )
        )
        with duckdb.connect(str(project.database)) as connection:
            connection.register("frame", rows)
            connection.execute("CREATE TABLE everything AS SELECT * FROM frame")
        house = app.load(project.folder / "config.yaml")
        self.house = replace(house, clock=self.clock)
        self.store = app.store(self.house)
        history = app.adapter("history")(house.settings.history)
        self.place = app.Workplace(self.house, self.store, history, self.house.catalog)

    def round(self, at: datetime) -> None:
        """A cycle of every exposure, and what is told of them."""
        if self.project.database.exists():
            self.project.sql(
                "CREATE OR REPLACE VIEW events AS SELECT * FROM everything "
                f"WHERE loaded_at <= TIMESTAMPTZ '{at.isoformat()}'"
            )
        self.clock.at = at
        for exposure in self.house.settings.exposures:
            app.run_cycle(self.place, exposure, app.RunOptions(), at.isoformat())
        app.tell(self.house, self.store, FakeNotifier())

    def data_alerts(self) -> set[str]:
        """Ids of all that was ever remembered of data and is open."""
        return {
            alert.id
            for exposure in self.house.settings.exposures
            for alert in self.store.exposure_state(exposure.name, self.clock.at).alerts
            if alert.result.status is Status.FAIL and not alert.explained
        }


# With two exposures it is a test of every day; so many cost as much again.
LONG = pytest.mark.skipif(os.environ.get("EVENTWATCH_SLOW") != "1", reason="EVENTWATCH_SLOW=1")


@pytest.mark.parametrize("loads", ["went on", pytest.param("waited", marks=LONG)])
def test_500_checks_on_a_dead_source_are_one_incident_of_its_operators(
    tmp_path: Path, loads: str
) -> None:
    rows = stream()
    if loads == "waited":
        held = (rows.loaded_at >= DIES) & (rows.loaded_at < BACK)
        rows["loaded_at"] = rows.loaded_at.where(~held, pd.Timestamp(BACK))
    world = World(Project(tmp_path / "shop"), rows)
    world.round(DIES)
    assert world.data_alerts() == set()
    assert world.store.incidents(open_only=False) == ()

    away = world.project.database.with_suffix(".away")
    world.project.database.rename(away)
    at = DIES + STEP
    while at < BACK:
        world.round(at)
        assert world.data_alerts() == set()
        at += STEP
    (down,) = world.store.incidents(open_only=False)
    assert down.cause.kind is CauseKind.SOURCE
    assert down.state is IncidentState.OPEN
    assert (down.owner.team, down.others) == ("data-platform", ())
    assert len(down.members) == EXPOSURES

    away.rename(world.project.database)
    for minutes in (1, 20, 40):
        world.round(BACK + timedelta(minutes=minutes))
        assert world.data_alerts() == set(), minutes
    (over,) = world.store.incidents(open_only=False)
    assert (over.id, over.reopened) == (down.id, 0)
    kinds = [moment.kind for moment in world.store.moments(over.id)]
    assert kinds.count(MomentKind.OPENED) == 1
    assert MomentKind.REOPENED not in kinds
    if loads == "went on":
        # Rows that waited keep it open for as long as they are late.
        assert over.state is IncidentState.RESOLVED
        assert kinds.count(MomentKind.RESOLVED) == 1
    told = [row for row in world.store.deliveries(1000) if row.state is not DeliveryState.WITHHELD]
    assert [(row.channel, row.team) for row in told if row.action is Action.POST] == [
        ("#data-platform", "data-platform")
    ]
    world.store.close()
