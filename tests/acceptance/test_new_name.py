"""A new name: where it takes over the rows of a declared one, its owner hears of it at once; where it
is truly new, the fallback team does, as soon."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from eventwatch import app
from eventwatch.model.cause import CauseKind
from eventwatch.model.incident import Incident
from tests.fakes.clock import FakeClock
from tests.fakes.notifier import FakeNotifier
from tests.fakes.project import Project, steady

TYPES = ("checkout_started", "cart_opened", "item_seen", "page_seen")
BEGINS = datetime(2026, 3, 10, 12, 10, tzinfo=UTC)
STEP = timedelta(minutes=10)


def incidents(
    folder: Path, frame: pd.DataFrame, until: timedelta
) -> dict[timedelta, list[Incident]]:
    """Those that are open, by the time since it began; a cycle every ten minutes."""
    project = Project(folder)
    project.declare(*TYPES)
    project.config()
    with duckdb.connect(str(project.database)) as connection:
        connection.register("frame", frame)
        connection.execute("CREATE TABLE everything AS SELECT * FROM frame")
    clock = FakeClock(BEGINS - STEP)
    house = replace(app.load(project.folder / "config.yaml"), clock=clock)
    store = app.store(house)
    history = app.adapter("history")(house.settings.history)
    place = app.Workplace(house, store, history, house.catalog)
    project.sql("CREATE VIEW events AS SELECT * FROM everything WHERE false")
    found: dict[timedelta, list[Incident]] = {}
    while clock.now() <= BEGINS + until:
        now = clock.now()
        project.sql(
            "CREATE OR REPLACE VIEW events AS SELECT * FROM everything "
            f"WHERE loaded_at <= TIMESTAMPTZ '{now.isoformat()}'"
        )
        report = app.run_cycle(place, house.settings.exposures[0], app.RunOptions(), str(now))
        assert not report.error
        app.tell(house, store, FakeNotifier())
        found[now - BEGINS] = list(store.incidents())
        clock.step(STEP)
    store.close()
    return found


def rows(per_hour: int) -> pd.DataFrame:
    return steady(TYPES, until=BEGINS + timedelta(hours=4), days=9, per_hour=per_hour)


@pytest.mark.parametrize(("per_hour", "part"), [(90, 1.0), (360, 0.6)])
def test_the_first_alert_of_a_new_name_goes_to_whose_rows_it_takes(
    tmp_path: Path, per_hour: int, part: float
) -> None:
    frame = rows(per_hour)
    number = frame.event_id.str.split("-").str[1].astype(int)
    moved = (frame.event_type == "checkout_started") & (frame.occurred_at >= BEGINS)
    moved &= number % 10 < 10 * part
    frame.loc[moved, "event_type"] = "checkout_was_started"
    seen = incidents(tmp_path / "shop", frame, timedelta(hours=2))
    assert seen[-STEP] == []
    assert seen[timedelta(0)] == []
    known = {i.id: i for each in seen.values() for i in each}
    ((first,),) = (seen[STEP],)
    assert (first.cause.kind, first.cause.event_type) == (CauseKind.RENAME, "checkout_started")
    assert first.cause.other == "checkout_was_started"
    assert (first.owner.team, first.owner.is_fallback) == ("growth", False)
    assert "looks like checkout_started of team growth" in first.cause.detail
    assert set(known) == {first.id}, "what follows belongs to it"
    last = known[first.id]
    assert len(last.members) > 1
    assert (last.cause.kind, last.owner.team) == (CauseKind.RENAME, "growth")


def test_a_truly_new_name_is_told_as_soon_to_the_fallback_team(tmp_path: Path) -> None:
    frame = rows(120)
    extra = frame[(frame.event_type == "checkout_started") & (frame.occurred_at >= BEGINS)]
    extra = extra.assign(event_type="checkout_was_started", event_id="x" + extra.event_id)
    seen = incidents(tmp_path / "shop", pd.concat([frame, extra]), STEP)
    (only,) = seen[STEP]
    assert (only.cause.kind, only.cause.event_type) == (
        CauseKind.EVENT_TYPE,
        "checkout_was_started",
    )
    assert (only.owner.team, only.owner.is_fallback) == ("data-platform", True)
