"""Rows of hours that come after all: the incident they made ends as late, and says how late."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd

from eventwatch import app
from eventwatch.model.incident import IncidentState
from tests.fakes.clock import FakeClock
from tests.fakes.notifier import FakeNotifier
from tests.fakes.project import Project, steady

TYPES = ("order_placed", "order_paid", "cart_opened", "item_seen", "page_seen", "user_met")
START = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOLE = (START, START + timedelta(hours=4))
FILLED_AT = START + timedelta(hours=4, minutes=20)


def test_an_incident_that_late_rows_fill_ends_as_late(tmp_path: Path) -> None:
    project = Project(tmp_path / "shop")
    project.declare(*TYPES)
    project.config()
    frame = steady(TYPES, until=START + timedelta(hours=10), days=12, per_hour=120)
    held = (
        (frame.event_type == "order_paid")
        & (frame.occurred_at >= HOLE[0])
        & (frame.occurred_at < HOLE[1])
    )
    frame.loc[held, "loaded_at"] = pd.Timestamp(FILLED_AT)
    project.rows(frame.iloc[:0])
    clock = FakeClock(START - timedelta(hours=1))
    house = replace(app.load(project.folder / "config.yaml"), clock=clock)
    store = app.store(house)
    history = app.adapter("history")(house.settings.history)
    place = app.Workplace(house, store, history, house.catalog)
    speaker = FakeNotifier()
    done = pd.Timestamp("2000-01-01", tz="UTC")
    seen: list[str] = []
    while clock.now() <= START + timedelta(hours=9):
        now = pd.Timestamp(clock.now())
        new = frame[(frame.loaded_at > done) & (frame.loaded_at <= now)]
        with duckdb.connect(str(project.database)) as connection:
            connection.register("new", new)
            connection.execute("INSERT INTO events SELECT * FROM new")
        report = app.run_cycle(place, house.settings.exposures[0], app.RunOptions(), str(now))
        assert not report.error
        app.tell(house, store, speaker)
        done = now
        seen += [i.state.value for i in store.incidents()]
        clock.step(timedelta(minutes=20))
    # That the table's rows came late is told as well, by the table.
    known = store.incidents(open_only=False)
    (incident,) = (i for i in known if i.cause.event_type == "order_paid")
    store.close()
    assert "open" in seen
    assert incident.state is IncidentState.RESOLVED
    assert incident.end_reason.startswith("late, not lost")
    assert incident.late is not None
    assert timedelta(hours=2) < incident.late < timedelta(hours=6)
