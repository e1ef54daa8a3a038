"""One cause is one incident: cycles of the daemon over real tables in which one thing breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from eventwatch.app.house import House, RunOptions, load, store
from eventwatch.app.runs import audit, cycle
from eventwatch.model.alert import Alert, AlertState
from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.incident import Incident, Role
from eventwatch.model.status import Status
from tests.fakes.clock import FakeClock
from tests.fakes.project import Project

BREAKS = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAYS = 12
MINUTES, HOUR = timedelta(minutes=30), timedelta(hours=1)
PLATFORMS = {"android": 0.45, "ios": 0.35, "web": 0.2}
Broken = Callable[[pd.DataFrame], pd.DataFrame]


def names(number: int) -> tuple[str, ...]:
    return tuple(f"user_did_thing_{i:02d}" for i in range(number))


def stream(number: int, per_hour: float, hours_after: int) -> pd.DataFrame:
    """Rows of a daily rhythm, by chance."""
    chance = np.random.default_rng(11)
    hours = np.arange(DAYS * 24 + hours_after)
    frames = []
    for name in names(number):
        rate = per_hour * (1.0 + 0.4 * np.sin(2 * np.pi * hours / 24))
        came = chance.poisson(rate)
        seconds = np.repeat(hours * 3600.0, came) + chance.uniform(0, 3600, came.sum())
        occurred = pd.Timestamp(BREAKS - timedelta(days=DAYS)) + pd.to_timedelta(seconds, unit="s")
        frames.append(
            pd.DataFrame(
                {
                    "event_id": [f"{name}-{k}" for k in range(len(occurred))],
                    "event_type": name,
                    "occurred_at": occurred,
                    "loaded_at": occurred
                    + pd.to_timedelta(chance.exponential(60, len(occurred)), unit="s"),
                    "platform": chance.choice(
                        list(PLATFORMS), len(occurred), p=list(PLATFORMS.values())
                    ),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


class World:
    """A project whose table shows what was loaded by now."""

    def __init__(self, project: Project, rows: pd.DataFrame, types: int, extra: str = "") -> None:
        self.project = project
        project.declare(*names(types))
        project.config(extra)
        with duckdb.connect(str(project.database)) as connection:
            connection.register("frame", rows)
            connection.execute("CREATE TABLE everything AS SELECT * FROM frame")
        self.clock = FakeClock(BREAKS)
        self.show(BREAKS)
        self.house: House = replace(load(project.folder / "config.yaml"), clock=self.clock)

    def show(self, at: datetime) -> None:
        self.project.sql(
            "CREATE OR REPLACE VIEW events AS SELECT * FROM everything "
            f"WHERE loaded_at <= TIMESTAMPTZ '{at.isoformat()}'"
        )

    def at(self, now: datetime) -> tuple[Alert, ...]:
        """Open alerts after a cycle."""
        if self.project.database.exists():
            self.show(now)
        self.clock.at = now
        cycle(self.house, RunOptions())
        return self.alerts()

    def until(self, end: datetime, start: datetime | None = None) -> list[tuple[Alert, ...]]:
        """Open alerts after each cycle, every half an hour."""
        found, now = [], start or self.clock.at + MINUTES
        while now <= end:
            found.append(self.at(now))
            now += MINUTES
        return found

    def alerts(self) -> tuple[Alert, ...]:
        with_state = store(self.house)
        try:
            return tuple(
                alert
                for exposure in self.house.settings.exposures
                for alert in with_state.exposure_state(exposure.name, self.clock.at).alerts
            )
        finally:
            with_state.close()

    def incidents(self) -> tuple[Incident, ...]:
        """All that ever were."""
        with_state = store(self.house)
        try:
            return with_state.incidents(open_only=False)
        finally:
            with_state.close()


def causes(alerts: tuple[Alert, ...]) -> dict[str, Cause]:
    """Of firing alerts that speak for themselves, by key."""
    return {
        a.cause.key: a.cause
        for a in alerts
        if a.state is AlertState.FIRING and not a.explained and a.cause is not None
    }


def without(rows: pd.DataFrame, gone: pd.Series) -> pd.DataFrame:
    return rows[~gone]


@pytest.fixture
def made(project: Project) -> Callable[..., World]:
    """A world in which something breaks at noon."""

    def make(broken: Broken, *, types: int = 8, per_hour: float = 30, hours: int = 5) -> World:
        return World(project, broken(stream(types, per_hour, hours)), types)

    return make


def test_a_platform_that_stopped_across_41_event_types_is_one_incident(
    made: Callable[..., World],
) -> None:
    def stop(rows: pd.DataFrame) -> pd.DataFrame:
        android = (rows.platform == "android") & (rows.occurred_at >= BREAKS)
        return without(rows, android & (np.random.default_rng(1).random(len(rows)) < 0.96))

    world = made(stop, types=41, per_hour=12)
    cycles = world.until(BREAKS + 4 * HOUR)
    assert all(len(causes(alerts)) <= 1 for alerts in cycles)
    ((_, cause),) = causes(cycles[-1]).items()
    assert cause.kind is CauseKind.CUT
    assert (cause.subject, cause.exposure) == ("android", "events")
    assert cause.affected == names(41)
    assert cause.detail.startswith("android: 41 event types at −9")
    assert cause.detail.endswith(" %, other platforms normal")
    (incident,) = world.incidents()
    assert incident.cause.key == cause.key


def test_an_audit_sees_the_same_cause(made: Callable[..., World]) -> None:
    def stop(rows: pd.DataFrame) -> pd.DataFrame:
        return without(rows, (rows.platform == "android") & (rows.occurred_at >= BREAKS))

    world = made(stop, types=12)
    world.show(BREAKS + 3 * HOUR)
    world.clock.at = BREAKS + 3 * HOUR
    report = audit(world.house, RunOptions())
    found = [f.alert.cause for e in report.exposures for f in e.findings if f.alert is not None]
    assert {c.kind for c in found if c is not None} == {CauseKind.CUT}
    assert len({c.key for c in found if c is not None}) == 1


def test_a_table_that_stopped_is_one_incident_and_its_owners_hear_of_it(
    made: Callable[..., World],
) -> None:
    world = made(lambda rows: without(rows, rows.loaded_at >= BREAKS))
    cycles = world.until(BREAKS + 3 * HOUR)
    assert all(len(causes(alerts)) <= 1 for alerts in cycles)
    ((_, cause),) = causes(cycles[-1]).items()
    assert cause.kind is CauseKind.EXPOSURE
    (incident,) = world.incidents()
    told = {(incident.owner.role, incident.owner.team)}
    told |= {(r.role, r.team) for r in incident.others}
    assert (Role.OWNER, "growth") in told


def test_a_table_that_stops_takes_no_older_trouble_to_one_value(made: Callable[..., World]) -> None:
    """Two event types that only the backend sends stopped hours before: each is its owner's still."""
    stopped = names(10)[:2]

    def stop(rows: pd.DataFrame) -> pd.DataFrame:
        backend = rows.event_type.isin(names(10)[:4])
        rows = rows.assign(platform=rows.platform.where(~backend, "backend"))
        gone = rows.event_type.isin(stopped) & (rows.occurred_at >= BREAKS)
        return without(rows, gone | (rows.loaded_at >= BREAKS + 3 * HOUR))

    world = made(stop, types=10, hours=3)
    cycles = world.until(BREAKS + 6 * HOUR)
    found = [cause for alerts in cycles for cause in causes(alerts).values()]
    assert {c.kind for c in found} == {CauseKind.EVENT_TYPE, CauseKind.EXPOSURE}
    last = causes(cycles[-1]).values()
    assert sorted(c.subject for c in last) == sorted([*stopped, "events"])


def test_what_stays_down_after_the_table_came_back_comes_back_by_itself(
    made: Callable[..., World],
) -> None:
    one = names(6)[3]

    def stop(rows: pd.DataFrame) -> pd.DataFrame:
        gone = (rows.occurred_at >= BREAKS) & (rows.occurred_at < BREAKS + 2 * HOUR)
        return without(rows, gone | ((rows.event_type == one) & (rows.occurred_at >= BREAKS)))

    world = made(stop, types=6, hours=6)
    cycles = world.until(BREAKS + 5 * HOUR)
    back = BREAKS + 2 * HOUR
    times = pd.date_range(BREAKS + MINUTES, periods=len(cycles), freq=MINUTES)
    for alerts, at in zip(cycles, times, strict=True):
        if at < back + 2 * HOUR:
            assert {c.kind for c in causes(alerts).values()} <= {CauseKind.EXPOSURE}, at
    ((_, cause),) = causes(cycles[-1]).items()
    assert (cause.kind, cause.event_type) == (CauseKind.EVENT_TYPE, one)
    assert len(world.incidents()) == 2


def test_a_rename_is_one_incident_once_both_sides_are_known(made: Callable[..., World]) -> None:
    old, new = names(8)[4], "user_did_thing_four"

    def rename(rows: pd.DataFrame) -> pd.DataFrame:
        moved = (rows.event_type == old) & (rows.occurred_at >= BREAKS)
        return rows.assign(event_type=rows.event_type.where(~moved, new))

    world = made(rename)
    cycles = world.until(BREAKS + 3 * HOUR)
    known = [a for a in cycles if {old, new} <= {x.result.event_type for x in a}]
    assert len(known) > 2
    for alerts in known:
        ((_, cause),) = causes(alerts).items()
        assert (cause.kind, cause.event_type, cause.other) == (CauseKind.RENAME, old, new)


class TestASourceThatIsDownForAnHour:
    """Two exposures share it, 40 event types are watched, and one of them is silent already."""

    @pytest.fixture(params=["rows went on", "rows came after"])
    def world(self, project: Project, request: pytest.FixtureRequest) -> World:
        rows = stream(20, 12, 3)
        rows = without(
            rows, (rows.event_type == names(20)[7]) & (rows.occurred_at >= BREAKS - 3 * HOUR)
        )
        if request.param == "rows came after":
            # The database itself was down: nothing was loaded, and it all comes a while after.
            down = (rows.loaded_at >= BREAKS) & (rows.loaded_at < BREAKS + HOUR + MINUTES)
            late = pd.Timestamp(BREAKS + HOUR + MINUTES)
            rows = rows.assign(loaded_at=rows.loaded_at.where(~down, late))
        extra = (
            f"  again:\n    connection: duckdb://{project.database}\n    table: events\n"
            "    columns: {event_type: event_type, occurred_at: occurred_at, loaded_at: loaded_at}\n"
            "    dimensions: [platform]\n"
        )
        return World(project, rows, 20, extra)

    def test_is_one_incident_of_the_operators_and_moves_no_alert(self, world: World) -> None:
        (before,) = world.until(BREAKS, start=BREAKS)
        data = {a.id: (a.state, a.cause) for a in before}
        assert {a.result.event_type for a in before} == {names(20)[7]}
        known = {i.id for i in world.incidents()}
        away = world.project.database.with_suffix(".away")
        world.project.database.rename(away)
        down = world.until(BREAKS + HOUR)
        away.rename(world.project.database)
        for alerts in down:
            held = {a.id: (a.state, a.cause) for a in alerts if _is_data(a)}
            assert held == data
        trouble = {c.key for c in causes(down[-1]).values() if c.kind is CauseKind.SOURCE}
        assert len(trouble) == 1
        assert sum(not _is_data(a) for a in down[-1]) == 2
        after = world.until(BREAKS + HOUR + 2 * MINUTES)
        for alerts in after:
            speaking = [a for a in alerts if not a.explained]
            assert {a.id: (a.state, a.cause) for a in speaking} == data
        (new,) = (i for i in world.incidents() if i.id not in known)
        assert new.cause.kind is CauseKind.SOURCE
        assert (new.owner.team, new.others) == ("data-platform", ())
        assert new.reopened == 0


def _is_data(alert: Alert) -> bool:
    return alert.result.status is Status.FAIL


def test_the_folder_is_not_part_of_any_text(made: Callable[..., World], tmp_path: Path) -> None:
    world = made(lambda rows: without(rows, rows.loaded_at >= BREAKS))
    world.project.database.unlink()
    world.until(BREAKS + HOUR)
    for incident in world.incidents():
        assert str(tmp_path) not in incident.cause.subject + incident.cause.detail
