"""What every Store does with deliveries and leases, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from eventwatch.model.alert import Delivery, DeliveryState, Outcome, Verdict
from eventwatch.model.errors import LeaseHeld
from eventwatch.model.settings import Secret
from eventwatch.store.sql import SqlStore, open_store
from tests.store.samples import MINUTE, NASTY, NOW, delivery, record

TTL = timedelta(minutes=5)


class TestOutbox:
    def test_of_each_channel_the_oldest_due_row_is_claimed(self, store: SqlStore) -> None:
        rows = (
            delivery("a young", created_at=NOW + 2 * MINUTE),
            delivery("a old", created_at=NOW),
            delivery("a later", created_at=NOW - MINUTE, not_before=NOW + timedelta(hours=1)),
            delivery("a muted", created_at=NOW - MINUTE, state=DeliveryState.WITHHELD),
            delivery("b", channel="#b", created_at=NOW + MINUTE, not_before=NOW + MINUTE),
            delivery("c", channel=NASTY, created_at=NOW - timedelta(seconds=1)),
            delivery("busy", channel="#busy", created_at=NOW - MINUTE),
        )
        store.commit_cycle(record(deliveries=rows))
        at = NOW + 5 * MINUTE
        first = store.claim_deliveries(at, 2, busy={"#busy", "#unheard of"})
        assert [d.key for d in first] == ["c", "a old"]
        assert {(d.state, d.claimed_at, d.attempts) for d in first} == {
            (DeliveryState.SENDING, at, 1)
        }
        assert [d.key for d in store.claim_deliveries(at, 9, busy=["#busy"])] == ["b"]
        assert [d.key for d in store.claim_deliveries(at, 9)] == ["busy"]
        assert store.claim_deliveries(at, 9) == ()
        assert store.claim_deliveries(at, 0) == ()

    def test_a_channel_with_a_row_under_way_waits_for_its_end(self, store: SqlStore) -> None:
        store.commit_cycle(record(deliveries=(delivery("1"), delivery("2"))))
        at = NOW
        for key in ("1", "2"):
            (one,) = store.claim_deliveries(at, 9)
            assert one.key == key
            assert store.claim_deliveries(at, 9) == ()
            store.settle_delivery(one, Outcome(Verdict.UNKNOWN, "timed out"), at)
            assert store.claim_deliveries(at + timedelta(days=1), 9) == ()
            store.settle_delivery(one, Outcome(Verdict.SENT, reference="C1:1"), at)

    def test_rows_of_one_step_keep_its_order(self, store: SqlStore) -> None:
        keys = [f"{n * 7919 % 100}" for n in range(20)]
        store.commit_cycle(record(deliveries=tuple(delivery(key) for key in keys)))
        taken = []
        while got := store.claim_deliveries(NOW, 9):
            (one,) = got
            taken.append(one.key)
            store.settle_delivery(one, Outcome(Verdict.SENT, reference="C1:1"), NOW)
        assert taken == keys

    def test_eight_that_claim_at_once_never_get_a_row_twice_nor_two_of_a_channel(
        self, url: Secret, store: SqlStore
    ) -> None:
        rows = tuple(
            delivery(f"{n:03}", channel=f"#{n % 5}", created_at=NOW + timedelta(seconds=n))
            for n in range(100)
        )
        store.commit_cycle(record(deliveries=rows))
        gate, lock = threading.Barrier(8), threading.Lock()
        taken: dict[str, list[str]] = {f"#{n}": [] for n in range(5)}
        under_way: set[str] = set()

        def work(_: int) -> None:
            mine = open_store(url)
            gate.wait()
            while sum(map(len, taken.values())) < len(rows):
                got = mine.claim_deliveries(NOW + timedelta(hours=1), 3)
                for one in got:
                    with lock:
                        assert one.channel not in under_way
                        under_way.add(one.channel)
                        taken[one.channel].append(one.key)
                for one in got:
                    with lock:
                        under_way.remove(one.channel)
                    mine.settle_delivery(one, Outcome(Verdict.SENT, reference="C1:1"), NOW)
            mine.close()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
        assert {c: sorted(keys) for c, keys in taken.items()} == taken
        assert sorted(k for keys in taken.values() for k in keys) == [d.key for d in rows]

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
