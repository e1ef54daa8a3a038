"""What was decided is judged again from the stored measurements, and a difference says why."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from eventwatch import app
from eventwatch.app.incidents import story
from eventwatch.app.rejudged import Again, Agreement, rejudged
from eventwatch.cli.incidents_why import explanation
from eventwatch.model.alert import Alert
from eventwatch.model.status import KindName
from eventwatch.pipeline.measure import history_name
from tests.fakes.clock import FakeClock
from tests.fakes.notifier import FakeNotifier
from tests.fakes.project import Project, steady

TYPES = ("order_placed", "order_paid", "cart_opened")
STOPS = datetime(2026, 3, 10, 12, tzinfo=UTC)
DECIDED = STOPS + timedelta(hours=2, minutes=2, seconds=30)
HOUR = timedelta(hours=1)


class World:
    """A steady table of which one event type stops, and cycles at chosen instants."""

    def __init__(self, folder: Path, extra: str = "") -> None:
        self.project = Project(folder)
        self.project.declare(*TYPES)
        self.project.config(extra)
        self.split()
        self.project.rows(self.frame.iloc[:0])
        self.clock = FakeClock(STOPS - HOUR)
        self.loaded = pd.Timestamp("2000-01-01", tz="UTC")
        self.open()

    def split(self) -> None:
        """The rows, and those that are missing from them."""
        frame = steady(TYPES, until=STOPS + timedelta(days=1), days=13, per_hour=60)
        stopped = (frame.event_type == "order_paid") & (frame.occurred_at >= STOPS)
        self.missing, self.frame = frame[stopped], frame[~stopped]

    def open(self) -> None:
        """Config and contracts as they are now."""
        house = app.load(self.project.folder / "config.yaml")
        self.house = replace(house, clock=self.clock)
        self.store = app.store(self.house)
        self.history = app.adapter("history")(self.house.settings.history)
        self.exposure = self.house.settings.exposures[0]

    def insert(self, rows: pd.DataFrame) -> None:
        with duckdb.connect(str(self.project.database)) as connection:
            connection.register("rows", rows)
            connection.execute("INSERT INTO events SELECT * FROM rows")

    def cycle(self, at: datetime) -> None:
        """What was loaded by then is there, and a cycle runs."""
        now = pd.Timestamp(at)
        self.insert(
            self.frame[(self.frame.loaded_at > self.loaded) & (self.frame.loaded_at <= now)]
        )
        self.loaded = now
        self.clock.step(at - self.clock.now())
        place = app.Workplace(self.house, self.store, self.history, self.house.catalog)
        report = app.run_cycle(place, self.exposure, app.RunOptions(), at.isoformat())
        assert not report.error
        app.tell(self.house, self.store, FakeNotifier())

    def alert(self, kind: KindName, aspect: str, event_type: str | None = "order_paid") -> Alert:
        """The one that is about this; open ones first."""
        ids = [m.alert_id for i in self.store.incidents(open_only=False) for m in i.members]
        found = [
            alert
            for alert in self.store.alerts_of(ids)
            if (alert.result.kind, alert.result.aspect, alert.result.event_type)
            == (kind, aspect, event_type)
            and alert.result.cut is None
        ]
        return max(found, key=lambda alert: (alert.open, alert.started_at))

    def again(self, alert: Alert) -> Again:
        return rejudged(self.house, self.store, [alert])[alert.id]

    def text(self, alert: Alert) -> str:
        """As a person reads it."""
        (incident, *_) = self.store.incidents_like(alert.id)
        told = story(self.store, incident)
        again = rejudged(self.house, self.store, told.alerts)
        return explanation(told, again, self.clock.now())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state an hour before and two hours after the stop, put aside."""
    folder = tmp_path_factory.mktemp("rejudged")
    world = World(folder / "shop")
    world.cycle(STOPS - HOUR)
    world.cycle(DECIDED)
    world.store.close()
    shutil.copytree(folder / "shop", folder / "aside")
    return folder


@pytest.fixture
def world(built: Path) -> Iterator[World]:
    """As it was put aside, at its own place: measurements are kept by where they were read."""
    shutil.rmtree(built / "shop")
    shutil.copytree(built / "aside", built / "shop")
    made = World.__new__(World)
    made.project = Project.__new__(Project)
    made.project.folder = built / "shop"
    made.project.database = built / "shop" / "warehouse.duckdb"
    made.split()
    made.clock, made.loaded = FakeClock(DECIDED), pd.Timestamp(DECIDED)
    made.open()
    yield made
    made.store.close()


def volume(world: World) -> Again:
    return world.again(world.alert(KindName.VOLUME, "bucket"))


@pytest.mark.parametrize(
    ("kind", "aspect"), [(KindName.VOLUME, "bucket"), (KindName.FRESHNESS, "silence")]
)
def test_the_same_numbers_come_out_a_cycle_later(world: World, kind: KindName, aspect: str) -> None:
    decided = world.alert(kind, aspect)
    assert decided.seen_at == DECIDED
    world.frame = pd.concat([world.frame, world.missing[world.missing.occurred_at >= DECIDED]])
    world.cycle(DECIDED + timedelta(minutes=20))
    told = world.again(decided)
    assert told.result is not None
    assert told.result.amount == decided.result.amount
    assert (told.agreement, told.reasons) == (Agreement.SAME, ())


def test_the_score_and_its_threshold_are_told_of_counts(world: World) -> None:
    alert = world.alert(KindName.VOLUME, "bucket")
    told = world.again(alert)
    assert told.volume is not None
    assert told.volume.score is not None
    assert told.volume.threshold is not None
    assert told.volume.score > told.volume.threshold.silent_score
    text = world.text(alert)
    assert "the same comes out" in text
    assert "told from" in text


def test_rows_that_came_late_are_counted_and_judged_as_if_in_time(world: World) -> None:
    decided = world.alert(KindName.VOLUME, "bucket")
    filled = world.missing.assign(loaded_at=pd.Timestamp(DECIDED + timedelta(minutes=15)))
    world.frame = pd.concat([world.frame, filled[filled.occurred_at < DECIDED]])
    world.cycle(DECIDED + timedelta(minutes=20))
    told = world.again(decided)
    assert told.agreement is Agreement.SAME
    assert told.came > 50
    assert told.in_time is not None
    assert told.in_time.status.value == "pass"
    text = world.text(decided)
    assert f"{told.came:,} rows of it came since" in text
    assert "with them in time it would have said pass" in text


def test_rows_committed_late_with_an_old_load_time_change_the_number_and_are_named(
    world: World,
) -> None:
    decided = world.alert(KindName.VOLUME, "bucket")
    old = pd.Timestamp(DECIDED - timedelta(minutes=4))
    missed = world.missing[world.missing.occurred_at >= DECIDED - timedelta(minutes=20)]
    world.insert(missed.head(7).assign(loaded_at=old))
    world.cycle(DECIDED + timedelta(minutes=5))
    told = world.again(decided)
    assert told.agreement in (Agreement.OTHER, Agreement.PASSES)
    assert told.result is not None
    assert any(
        "by their load times 7 rows came before the cycle" in reason for reason in told.reasons
    )


def test_rows_that_were_deleted_since_are_named(world: World) -> None:
    decided = world.alert(KindName.VOLUME, "bucket")
    assert decided.result.amount is not None
    # As if it had seen some that are gone.
    amount = replace(decided.result.amount, observed=9.0)
    told = world.again(replace(decided, result=replace(decided.result, amount=amount)))
    assert told.agreement is Agreement.OTHER
    assert any("of the rows that it saw 9 are gone" in reason for reason in told.reasons)


def test_settings_that_changed_since_are_named(world: World) -> None:
    world.project.declare(*TYPES, more="tier: TIER_CRITICAL")
    (world.project.folder / "checks" / "a.yaml").write_text(
        "- kind: volume\n  events: order_paid\n  enabled: false\n"
    )
    world.store.close()
    world.open()
    told = volume(world)
    assert told.agreement is Agreement.PASSES
    text = " ".join(told.reasons)
    assert "the contracts changed since" in text
    assert "the checks changed since" in text
    assert "eventwatch changed" not in text
    assert "settings changed" not in text
    assert "switched off" in text


def test_measurements_that_are_gone_are_said_to_be(world: World) -> None:
    name = history_name(world.exposure)
    world.history.forget_before(name, DECIDED - timedelta(days=4))
    told = volume(world)
    assert told.agreement is not Agreement.UNKNOWN
    if told.agreement is not Agreement.SAME:
        assert any("are not kept any more" in reason for reason in told.reasons)
    shutil.rmtree(world.project.folder / "var" / "history")
    world.open()
    told = volume(world)
    assert told.agreement is Agreement.UNKNOWN
    assert told.reasons == ("no measurements of it are kept here",)


def test_without_a_load_time_rows_that_came_since_change_the_number(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    world = World(folder)
    config = folder / "config.yaml"
    config.write_text(config.read_text().replace(" loaded_at: loaded_at,", " loaded_at: null,"))
    world.store.close()
    world.open()
    world.cycle(STOPS - HOUR)
    world.cycle(DECIDED)
    decided = world.alert(KindName.VOLUME, "bucket")
    world.insert(world.missing[world.missing.occurred_at < STOPS + HOUR])
    world.cycle(DECIDED + timedelta(minutes=5))
    told = world.again(decided)
    world.store.close()
    assert told.agreement is not Agreement.SAME
    assert any("no load time is mapped" in reason for reason in told.reasons)


def test_drift_and_duplicates_are_judged_again_as_well(world: World) -> None:
    at = pd.Timestamp(DECIDED + timedelta(minutes=10))
    rows = world.frame[world.frame.loaded_at <= at].tail(40)
    world.insert(rows.assign(event_type="order_refunded", loaded_at=at, occurred_at=at))
    again = world.frame[(world.frame.event_type == "cart_opened") & (world.frame.loaded_at <= at)]
    world.insert(again.tail(50).assign(loaded_at=at))
    world.cycle(DECIDED + timedelta(minutes=12))
    world.cycle(DECIDED + timedelta(minutes=40))
    for kind, aspect, name in (
        (KindName.DRIFT, "unseen", "order_refunded"),
        (KindName.DUPLICATES, "repeated", "cart_opened"),
    ):
        told = world.again(world.alert(kind, aspect, name))
        assert told.result is not None
        assert told.agreement in (Agreement.SAME, Agreement.CLOSE), (kind, told)


def test_an_exposure_that_left_the_config_is_said_to_have(world: World) -> None:
    alert = world.alert(KindName.VOLUME, "bucket")
    elsewhere = replace(alert, result=replace(alert.result, exposure="other"))
    told = world.again(elsewhere)
    assert told.agreement is Agreement.UNKNOWN
    assert told.reasons == ("the exposure is not in the config any more",)
