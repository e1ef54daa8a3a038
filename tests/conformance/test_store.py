"""What every Store does, on SQLite and on PostgreSQL."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from eventwatch.model.alert import AlertState, Delivery, DeliveryState, Outcome, Verdict
from eventwatch.model.errors import LeaseHeld, StoreError
from eventwatch.model.measurement import SeriesKey
from eventwatch.model.settings import Secret
from eventwatch.model.status import Severity
from eventwatch.model.view import Seen
from eventwatch.store.engine import open_database, parse_url
from eventwatch.store.schema import metadata
from eventwatch.store.sql import SqlStore, open_reader, open_store
from tests.store.samples import MINUTE, NASTY, NOW, alert, delivery, record, result, silence

TTL = timedelta(minutes=5)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Secret]:
    """A place where no state is yet."""
    if request.param == "sqlite":
        yield Secret(f"sqlite:///{tmp_path}/fo%lder/state.db")
        return
    server = sa.make_url(request.getfixturevalue("postgres_url")).set(
        drivername="postgresql+psycopg"
    )
    name = f"state_{secrets.token_hex(6)}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield Secret(
        server.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    )
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    engine.dispose()


@pytest.fixture
def store(url: Secret) -> Iterator[SqlStore]:
    """An empty state."""
    opened = open_store(url)
    yield opened
    opened.close()


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


class TestOutbox:
    def test_due_rows_are_claimed_oldest_first(self, store: SqlStore) -> None:
        rows = (
            delivery("young", created_at=NOW + 2 * MINUTE),
            delivery("old", created_at=NOW),
            delivery("later", not_before=NOW + timedelta(hours=1)),
            delivery("middle", created_at=NOW + MINUTE, not_before=NOW + MINUTE),
            delivery("muted", state=DeliveryState.WITHHELD),
        )
        store.commit_cycle(record(deliveries=rows))
        at = NOW + 5 * MINUTE
        first = store.claim_deliveries(at, 2)
        assert [d.key for d in first] == ["old", "middle"]
        assert {(d.state, d.claimed_at, d.attempts) for d in first} == {
            (DeliveryState.SENDING, at, 1)
        }
        assert [d.key for d in store.claim_deliveries(at, 9)] == ["young"]
        assert store.claim_deliveries(at, 9) == ()

    def test_each_row_is_claimed_once_however_many_claim(
        self, url: Secret, store: SqlStore
    ) -> None:
        rows = tuple(delivery(f"d{i}", created_at=NOW + timedelta(seconds=i)) for i in range(120))
        store.commit_cycle(record(deliveries=rows))
        gate = threading.Barrier(4)

        def claim(_: int) -> list[str]:
            mine = open_store(url)
            gate.wait()
            taken: list[str] = []
            while got := mine.claim_deliveries(NOW + timedelta(hours=1), 7):
                taken += [d.key for d in got]
            mine.close()
            return taken

        with ThreadPoolExecutor(4) as pool:
            taken = [key for keys in pool.map(claim, range(4)) for key in keys]
        assert sorted(taken) == sorted(d.key for d in rows)

    def claimed(self, store: SqlStore) -> Delivery:
        store.commit_cycle(record())
        (one,) = store.claim_deliveries(NOW, 1)
        return one

    def test_sent_is_the_end(self, store: SqlStore) -> None:
        one = self.claimed(store)
        store.settle_delivery(one, Outcome(Verdict.SENT, reference="C1:17.1"), NOW + MINUTE)
        (row,) = store.deliveries()
        assert (row.state, row.sent_at, row.reference) == (
            DeliveryState.SENT,
            NOW + MINUTE,
            "C1:17.1",
        )
        assert store.claim_deliveries(NOW + timedelta(days=9), 9) == ()

    def test_a_retry_waits_until_its_time(self, store: SqlStore) -> None:
        one = self.claimed(store)
        store.settle_delivery(
            one, Outcome(Verdict.RETRY, "ratelimited", retry_at=NOW + 5 * MINUTE), NOW
        )
        assert store.claim_deliveries(NOW + 4 * MINUTE, 9) == ()
        (again,) = store.claim_deliveries(NOW + 5 * MINUTE, 9)
        assert (again.attempts, again.last_error) == (2, "ratelimited")

    def test_an_unknown_end_leaves_it_in_sending_for_somebody_to_ask(self, store: SqlStore) -> None:
        one = self.claimed(store)
        store.settle_delivery(one, Outcome(Verdict.UNKNOWN, "timed out"), NOW)
        assert store.claim_deliveries(NOW + timedelta(days=1), 9) == ()
        assert store.stuck_deliveries(NOW) == ()
        (stuck,) = store.stuck_deliveries(NOW + MINUTE)
        assert (stuck.key, stuck.last_error) == ("d1", "timed out")

    def test_a_refused_one_is_dead_and_its_fallback_goes_out(self, store: SqlStore) -> None:
        one = self.claimed(store)
        fallback = delivery("d1:fallback", channel="#data", is_fallback=True)
        for _ in range(2):
            store.settle_delivery(one, Outcome(Verdict.REFUSED, "channel_not_found"), NOW, fallback)
        assert {d.key: d.state for d in store.deliveries()} == {
            "d1": DeliveryState.DEAD,
            "d1:fallback": DeliveryState.PENDING,
        }

    def test_a_halt_keeps_the_row_for_later(self, store: SqlStore) -> None:
        one = self.claimed(store)
        store.settle_delivery(one, Outcome(Verdict.HALT, "token_revoked"), NOW)
        (row,) = store.deliveries()
        assert (row.state, row.last_error) == (DeliveryState.PENDING, "token_revoked")

    @pytest.mark.parametrize(
        "verdict", [Verdict.RETRY, Verdict.REFUSED, Verdict.HALT, Verdict.UNKNOWN]
    )
    def test_an_answer_to_a_claim_that_was_lost_changes_nothing(
        self, store: SqlStore, verdict: Verdict
    ) -> None:
        one = self.claimed(store)
        store.settle_delivery(one, Outcome(Verdict.RETRY), NOW)
        store.claim_deliveries(NOW + MINUTE, 1)
        before = store.deliveries()
        store.settle_delivery(one, Outcome(verdict, "late"), NOW, delivery("fallback"))
        assert store.deliveries() == before

    def test_that_it_was_sent_is_believed_even_when_the_claim_was_lost(
        self, store: SqlStore
    ) -> None:
        one = self.claimed(store)
        store.settle_delivery(one, Outcome(Verdict.RETRY), NOW)
        store.settle_delivery(one, Outcome(Verdict.SENT, reference="C1:1"), NOW)
        assert store.claim_deliveries(NOW + timedelta(days=1), 9) == ()

    def test_a_reason_of_any_length_is_cut(self, store: SqlStore) -> None:
        one = self.claimed(store)
        store.settle_delivery(one, Outcome(Verdict.UNKNOWN, NASTY * 50), NOW)
        assert len(store.deliveries()[0].last_error) == 500

    def test_the_newest_come_first(self, store: SqlStore) -> None:
        rows = tuple(delivery(f"d{i}", created_at=NOW + i * MINUTE) for i in range(5))
        store.commit_cycle(record(deliveries=rows))
        assert [d.key for d in store.deliveries(2)] == ["d4", "d3"]


class TestLease:
    def test_only_one_holds_it(self, store: SqlStore) -> None:
        store.take_lease("events", "one", NOW, TTL)
        with pytest.raises(LeaseHeld) as caught:
            store.take_lease("events", "two", NOW + TTL - MINUTE, TTL)
        assert caught.value.holder == "one"
        store.take_lease("other", "two", NOW, TTL)

    def test_a_renewal_keeps_the_token_and_never_shortens(self, store: SqlStore) -> None:
        first = store.take_lease("events", "one", NOW, TTL)
        renewed = store.take_lease("events", "one", NOW + MINUTE, TTL)
        assert renewed == replace(first, expires_at=NOW + MINUTE + TTL)
        again = store.take_lease("events", "one", NOW, MINUTE)
        assert again.expires_at == renewed.expires_at
        store.commit_cycle(record(first))

    def test_one_that_ran_out_may_be_taken_over_with_a_higher_token(self, store: SqlStore) -> None:
        first = store.take_lease("events", "one", NOW, TTL)
        second = store.take_lease("events", "two", NOW + TTL, TTL)
        assert second.token > first.token
        store.give_lease(first)
        with pytest.raises(LeaseHeld):
            store.take_lease("events", "three", NOW + TTL, TTL)

    def test_one_that_was_given_back_is_free_and_its_token_void(self, store: SqlStore) -> None:
        first = store.take_lease("events", "one", NOW, TTL)
        store.give_lease(first)
        with pytest.raises(LeaseHeld):
            store.commit_cycle(record(first))
        assert store.take_lease("events", "two", NOW, TTL).token > first.token

    def test_a_holder_that_is_late_may_commit_while_nobody_took_over(self, store: SqlStore) -> None:
        first = store.take_lease("events", "one", NOW, TTL)
        store.commit_cycle(record(first, now=NOW + 2 * TTL))

    def test_many_try_at_once_and_one_gets_it(self, url: Secret, store: SqlStore) -> None:
        gate = threading.Barrier(6)

        def take(number: int) -> bool:
            gate.wait()
            try:
                store.take_lease("events", f"holder {number}", NOW, TTL)
            except LeaseHeld:
                return False
            return True

        with ThreadPoolExecutor(6) as pool:
            assert sum(pool.map(take, range(6))) == 1


class TestSilences:
    def test_one_is_seen_until_it_ends(self, store: SqlStore) -> None:
        store.add_silence(silence())
        store.add_silence(silence())
        assert store.silences(NOW) == (silence(),)
        assert store.exposure_state("any", NOW).silences == (silence(),)
        assert store.silences(NOW + timedelta(hours=1)) == ()

    def test_ending_it_early(self, store: SqlStore) -> None:
        store.add_silence(silence())
        assert store.end_silence("s1", NOW + MINUTE)
        assert store.silences(NOW + MINUTE) == ()
        assert not store.end_silence("s2", NOW)

    def test_ending_it_again_does_not_prolong_it(self, store: SqlStore) -> None:
        store.add_silence(silence())
        store.end_silence("s1", NOW + MINUTE)
        assert store.end_silence("s1", NOW + 9 * MINUTE)
        assert store.silences(NOW + 5 * MINUTE) == ()


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
