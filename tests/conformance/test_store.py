"""What every Store does, on SQLite and on PostgreSQL."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from eventwatch.model.alert import AlertState, DeliveryState
from eventwatch.model.errors import LeaseHeld, StoreError
from eventwatch.model.measurement import SeriesKey
from eventwatch.model.settings import Secret
from eventwatch.model.status import Severity
from eventwatch.model.view import Seen
from eventwatch.store.engine import open_database, parse_url
from eventwatch.store.schema import metadata
from eventwatch.store.sql import SqlStore, open_reader, open_store
from tests.store.samples import MINUTE, NASTY, NOW, alert, delivery, record, result

TTL = timedelta(minutes=5)


def row_count(url: Secret, table: str) -> int:
    """Rows of a table, past the port."""
    from eventwatch.store.engine import Limits

    database = open_database(parse_url(url), Limits())
    try:
        with database.reading() as connection:
            return int(
                connection.scalar(sa.select(sa.func.count()).select_from(metadata.tables[table]))
                or 0
            )
    finally:
        database.close()


class TestOpening:
    def test_there_is_nothing_to_read_before_anything_was_written(self, url: Secret) -> None:
        assert open_reader(url) is None

    def test_opening_again_changes_nothing(self, url: Secret, store: SqlStore) -> None:
        store.commit_cycle(record())
        again = open_store(url)
        assert again.exposure_state("events", NOW) == store.exposure_state("events", NOW)
        again.close()

    def test_any_number_may_open_an_empty_place_at_once(self, url: Secret) -> None:
        gate = threading.Barrier(6)

        def open_one(number: int) -> None:
            gate.wait()
            opened = open_store(url)
            opened.commit_cycle(record(run_id=f"r{number}"))
            opened.close()

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(open_one, range(6)))
        assert row_count(url, "eventwatch_cycle") == 6

    def test_the_migrations_make_the_tables_that_the_code_uses(
        self, url: Secret, store: SqlStore
    ) -> None:
        from alembic.autogenerate import compare_metadata
        from alembic.migration import MigrationContext

        from eventwatch.store.engine import Limits
        from eventwatch.store.schema import VERSION_TABLE

        database = open_database(parse_url(url), Limits())
        with database.reading() as connection:
            context = MigrationContext.configure(
                connection, opts={"version_table": VERSION_TABLE, "compare_type": True}
            )
            assert compare_metadata(context, metadata) == []
        database.close()

    def test_a_newer_schema_is_refused_with_what_to_do(self, url: Secret, store: SqlStore) -> None:
        set_revision(url, "9999")
        for opening in (open_store, open_reader):
            with pytest.raises(StoreError, match="Install the newer version"):
                opening(url)

    def test_a_reader_does_not_upgrade_an_older_schema(self, url: Secret, store: SqlStore) -> None:
        set_revision(url, "0000")
        with pytest.raises(StoreError, match="run-once --send"):
            open_reader(url)

    def test_a_reader_cannot_write(self, url: Secret, store: SqlStore) -> None:
        reader = open_reader(url)
        assert reader is not None
        with pytest.raises(StoreError):
            SqlStore(reader._database).heartbeat("daemon", NOW)
        assert store.last_heartbeat("daemon") is None
        reader.close()

    def test_a_reader_sees_what_the_daemon_committed(self, url: Secret, store: SqlStore) -> None:
        reader = open_reader(url)
        assert reader is not None
        store.commit_cycle(record())
        assert reader.exposure_state("events", NOW).alerts == (alert(),)
        reader.close()


def set_revision(url: Secret, revision: str) -> None:
    """Pretends that another version wrote the state."""
    from eventwatch.store.engine import Limits

    database = open_database(parse_url(url), Limits())
    with database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE eventwatch_schema SET version_num = '{revision}'")
    database.close()


class TestCycle:
    def test_an_exposure_that_never_ran_has_an_empty_state(self, store: SqlStore) -> None:
        state = store.exposure_state("events", NOW)
        assert (state.watermark, state.watching_since, state.recounted_on) == (None, None, None)
        assert (state.ledger, state.alerts, state.silences) == ({}, (), ())

    def test_everything_comes_back_as_it_went_in(self, store: SqlStore) -> None:
        full = alert(
            result=result(),
            state=AlertState.FIRING,
            fired_at=NOW,
            good_since=NOW + MINUTE,
            notified_at=NOW,
            notified_severity=Severity.WARNING,
        )
        ledger = {
            SeriesKey(None): Seen(NOW, NOW),
            SeriesKey(""): Seen(NOW, NOW),
            SeriesKey(NASTY, "platform", NASTY): Seen(datetime.min.replace(tzinfo=UTC), NOW),
            SeriesKey(NASTY, "platform", NASTY + "y"): Seen(NOW, datetime.max.replace(tzinfo=UTC)),
        }
        one = record(alerts=(full,), ledger=ledger, recounted_on=date(2026, 3, 2), exposure=NASTY)
        store.commit_cycle(one)
        state = store.exposure_state(NASTY, NOW)
        assert state.watermark == NOW
        assert state.watching_since == NOW
        assert state.recounted_on == date(2026, 3, 2)
        assert state.ledger == ledger
        # NaN is not equal to itself.
        (kept,) = state.alerts
        assert repr(kept) == repr(full)
        (said,) = store.deliveries()
        assert said == delivery()

    def test_a_cycle_that_is_committed_twice_is_one(self, url: Secret, store: SqlStore) -> None:
        store.commit_cycle(record())
        store.commit_cycle(record())
        assert row_count(url, "eventwatch_cycle") == 1
        assert len(store.deliveries()) == 1
        assert len(store.exposure_state("events", NOW).alerts) == 1

    def test_the_watermark_never_moves_back(self, store: SqlStore) -> None:
        store.commit_cycle(record(run_id="r1"))
        store.commit_cycle(record(run_id="r2", watermark=NOW - MINUTE))
        assert store.exposure_state("events", NOW).watermark == NOW
        store.commit_cycle(record(run_id="r3", watermark=None))
        assert store.exposure_state("events", NOW).watermark == NOW
        store.commit_cycle(record(run_id="r4", watermark=NOW + MINUTE))
        assert store.exposure_state("events", NOW).watermark == NOW + MINUTE

    def test_a_first_cycle_that_could_not_measure_leaves_no_watermark(
        self, store: SqlStore
    ) -> None:
        store.commit_cycle(record(watermark=None, error="locked"))
        state = store.exposure_state("events", NOW)
        assert state.watermark is None
        assert state.watching_since == NOW

    def test_the_ledger_keeps_the_first_and_the_last_arrival(self, store: SqlStore) -> None:
        key = SeriesKey("a")
        for first, last in ((5, 6), (3, 4), (7, 9)):
            seen = Seen(NOW + first * MINUTE, NOW + last * MINUTE)
            store.commit_cycle(record(ledger={key: seen}, run_id=f"{first}"))
        ledger = store.exposure_state("events", NOW).ledger
        assert ledger == {key: Seen(NOW + 3 * MINUTE, NOW + 9 * MINUTE)}

    def test_exposures_do_not_mix(self, store: SqlStore) -> None:
        store.commit_cycle(record(exposure="one"))
        assert store.exposure_state("two", NOW).ledger == {}

    def test_a_delivery_that_is_known_is_left_as_it_is(self, store: SqlStore) -> None:
        store.commit_cycle(record())
        store.claim_deliveries(NOW, 1)
        store.commit_cycle(record(run_id="r2", deliveries=(delivery(channel="#other"),)))
        (row,) = store.deliveries()
        assert (row.channel, row.state) == ("#growth-alerts", DeliveryState.SENDING)

    def test_a_lost_lease_changes_nothing(self, url: Secret, store: SqlStore) -> None:
        lost = store.take_lease("events", "one", NOW, TTL)
        store.take_lease("events", "two", NOW + 2 * TTL, TTL)
        with pytest.raises(LeaseHeld) as caught:
            store.commit_cycle(record(lost))
        assert caught.value.holder == "two"
        assert row_count(url, "eventwatch_cycle") == 0
        assert store.deliveries() == ()

    def test_a_fault_in_the_middle_changes_nothing(self, url: Secret, store: SqlStore) -> None:
        bad = alert(seen_at=NOW.replace(tzinfo=None))
        with pytest.raises(StoreError):
            store.commit_cycle(record(alerts=(alert("a0", "another"), bad)))
        assert row_count(url, "eventwatch_alert") == 0
        assert store.exposure_state("events", NOW).ledger == {}


class TestAlerts:
    def test_an_alert_that_ended_is_not_open(self, store: SqlStore) -> None:
        store.commit_cycle(record())
        over = alert(state=AlertState.RESOLVED, ended_at=NOW, end_reason="back to normal")
        store.commit_cycle(record(run_id="r2", alerts=(over,)))
        assert store.exposure_state("events", NOW).alerts == ()

    def test_trouble_may_end_and_begin_anew_in_one_cycle(self, store: SqlStore) -> None:
        store.commit_cycle(record())
        over = alert(state=AlertState.EXPIRED, ended_at=NOW)
        store.commit_cycle(record(run_id="r2", alerts=(alert("a2"), over)))
        assert [a.id for a in store.exposure_state("events", NOW).alerts] == ["a2"]

    def test_a_closed_alert_stays_closed(self, store: SqlStore) -> None:
        over = alert(state=AlertState.RESOLVED, ended_at=NOW)
        store.commit_cycle(record(alerts=(over,)))
        store.commit_cycle(record(run_id="r2", alerts=(alert(),)))
        assert store.exposure_state("events", NOW).alerts == ()

    def test_the_same_trouble_opened_by_two_is_one_alert(self, store: SqlStore) -> None:
        store.commit_cycle(record())
        other = alert(
            "a2",
            state=AlertState.FIRING,
            started_at=NOW + MINUTE,
            seen_at=NOW + MINUTE,
            fired_at=NOW + MINUTE,
            notified_at=NOW + MINUTE,
            notified_severity=Severity.WARNING,
            result=replace(alert().result, summary="later"),
        )
        second = delivery("d2", alert_ids=("a2", "a9"))
        store.commit_cycle(record(run_id="r2", alerts=(other,), deliveries=(second,)))
        (kept,) = store.exposure_state("events", NOW).alerts
        assert (kept.id, kept.state, kept.started_at) == ("a1", AlertState.FIRING, NOW)
        assert kept.result.summary == "later"
        assert kept.notified_at == NOW + MINUTE
        assert store.deliveries()[0].alert_ids in (("a1", "a9"), ("a1",))
        assert {d.alert_ids for d in store.deliveries()} == {("a1",), ("a1", "a9")}

    def test_what_another_process_told_is_not_told_again(self, store: SqlStore) -> None:
        told: dict[str, Any] = {"notified_at": NOW, "notified_severity": Severity.CRITICAL}
        store.commit_cycle(record(alerts=(alert(state=AlertState.FIRING, fired_at=NOW, **told),)))
        twin = alert("a2", state=AlertState.FIRING, fired_at=NOW, **told)
        again = delivery("d2", alert_ids=("a2",))
        store.commit_cycle(record(run_id="r2", alerts=(twin,), deliveries=(again,)))
        assert [d.key for d in store.deliveries()] == ["d1"]

    def test_many_open_the_same_trouble_at_once_and_one_alert_is_open(
        self, url: Secret, store: SqlStore
    ) -> None:
        gate = threading.Barrier(6)

        def commit(number: int) -> None:
            gate.wait()
            for turn in range(3):
                one = alert(f"a{number}-{turn}", seen_at=NOW + number * MINUTE)
                store.commit_cycle(record(run_id=f"{number}-{turn}", alerts=(one,), deliveries=()))

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(commit, range(6)))
        assert row_count(url, "eventwatch_alert") == 1
        assert store.exposure_state("events", NOW).alerts[0].seen_at == NOW + 5 * MINUTE


def test_a_heartbeat_never_moves_back(store: SqlStore) -> None:
    assert store.last_heartbeat("daemon") is None
    store.heartbeat("daemon", NOW)
    store.heartbeat("daemon", NOW - MINUTE)
    assert store.last_heartbeat("daemon") == NOW


def test_what_is_past_its_time_is_forgotten_and_nothing_else(url: Secret, store: SqlStore) -> None:
    old = NOW - timedelta(days=401)
    closed = alert("old", state=AlertState.RESOLVED, ended_at=old)
    still = alert("open", "another", started_at=old, seen_at=old)
    rows = (
        delivery("waits", created_at=old),
        delivery("said", created_at=old, state=DeliveryState.SENT),
    )
    store.commit_cycle(record(now=old, alerts=(closed, still), deliveries=rows))
    store.commit_cycle(record(run_id="r2", alerts=(), deliveries=(), ledger={}))
    assert [d.key for d in store.deliveries()] == ["waits"]
    assert [a.id for a in store.exposure_state("events", NOW).alerts] == ["open"]
    assert row_count(url, "eventwatch_alert") == 1
    assert row_count(url, "eventwatch_cycle") == 1
    assert len(store.exposure_state("events", NOW).ledger) == 1


def test_names_that_came_last_years_ago_are_forgotten(store: SqlStore) -> None:
    def came(days: int) -> Seen:
        return Seen(NOW - timedelta(days=2000), NOW - timedelta(days=days))

    kept, gone = {SeriesKey("kept"): came(999)}, {SeriesKey("gone"): came(1001)}
    store.commit_cycle(record(now=NOW - timedelta(days=1), ledger={**kept, **gone}))
    store.commit_cycle(record(run_id="r2", ledger={}))
    assert store.exposure_state("events", NOW).ledger == kept


def test_threads_share_a_store(store: SqlStore) -> None:
    work: list[Callable[[], object]] = [
        lambda: store.heartbeat("daemon", NOW),
        lambda: store.exposure_state("events", NOW),
        lambda: store.commit_cycle(record(run_id=secrets.token_hex(4))),
        store.deliveries,
    ]
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(one) for one in work * 10]:
            done.result()
    assert len(store.exposure_state("events", NOW).alerts) == 1
