"""What is in the outbox is said once, and what cannot be said is not lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eventwatch.model.alert import Delivery, DeliveryState, Message, Outcome, Verdict
from eventwatch.model.settings import Secret
from eventwatch.model.state import CycleRecord
from eventwatch.pipeline.deliver import (
    GIVE_UP_AFTER,
    MAX_ATTEMPTS,
    REFUSED_BEAT,
    SENT_BEAT,
    Delivering,
    deliver,
)
from eventwatch.ports.store import Store
from eventwatch.store.sql import open_store
from tests.fakes.clock import FakeClock
from tests.fakes.notifier import Answer, FakeNotifier

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def message(key: str, channel: str = "#growth") -> Delivery:
    return Delivery(key, channel, "growth", Message("t", "[]", "t"), (), NOW)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(Secret(f"sqlite:///{tmp_path}/state.db"))
    yield opened
    opened.close()


def put(store: Store, *deliveries: Delivery) -> None:
    store.commit_cycle(
        CycleRecord("e", "run", NOW, None, NOW, None, ledger={}, alerts=(), deliveries=deliveries)
    )


def work(store: Store, notifier: FakeNotifier, clock: FakeClock) -> Delivering:
    def fallback(delivery: Delivery, reason: str, now: datetime) -> Delivery:
        return message(f"fallback of {delivery.key}: {reason}", "#data-platform")

    return Delivering(store, notifier, clock, fallback, timedelta(seconds=15))


def states(store: Store) -> dict[str, DeliveryState]:
    return {d.key: d.state for d in store.deliveries()}


def test_each_message_is_sent_once(store: Store) -> None:
    put(store, message("a"), message("b"))
    notifier, clock = FakeNotifier(), FakeClock(NOW)
    deliver(work(store, notifier, clock))
    put(store, message("a"))
    deliver(work(store, notifier, clock))
    assert sorted(notifier.sent) == ["a", "b"]


def test_a_limited_channel_rests_and_delays_no_other(store: Store) -> None:
    later = Outcome(Verdict.RETRY, "429", retry_at=NOW + timedelta(seconds=30))
    notifier = FakeNotifier(growth=[later, Outcome(Verdict.SENT)])
    put(store, message("a"), message("b"), message("c", "#money"))
    clock = FakeClock(NOW)
    deliver(work(store, notifier, clock))
    assert notifier.sent == ["c"]
    assert len([k for k in notifier.asked if k != "c"]) == 1
    clock.step(timedelta(seconds=31))
    deliver(work(store, notifier, clock))
    assert sorted(notifier.sent) == ["a", "b", "c"]


def test_a_refused_message_is_told_on_the_fallback_route(store: Store) -> None:
    notifier = FakeNotifier(growth=[Outcome(Verdict.REFUSED, "is_archived")])
    put(store, message("a"))
    deliver(work(store, notifier, FakeClock(NOW)))
    assert notifier.sent == ["fallback of a: is_archived"]
    assert states(store)["a"] is DeliveryState.DEAD


def test_a_halt_keeps_every_row_and_asks_no_more(store: Store) -> None:
    notifier = FakeNotifier(growth=[Outcome(Verdict.HALT, "token_revoked")])
    put(store, message("a"), message("b"), message("c", "#money"))
    deliver(work(store, notifier, FakeClock(NOW)))
    assert len(notifier.asked) <= 2
    assert set(states(store).values()) <= {DeliveryState.PENDING, DeliveryState.SENT}


def tried_in_vain(store: Store, notifier: FakeNotifier, apart: timedelta) -> int:
    """Tries one message until its row has ended, at most so often as it is tried; how often it was."""
    put(store, message("a"))
    clock = FakeClock(NOW)
    for _ in range(MAX_ATTEMPTS + 1):
        deliver(work(store, notifier, clock))
        if states(store)["a"] is not DeliveryState.PENDING:
            break
        clock.step(apart)
    return notifier.asked.count("a")


def busy(delivery: Delivery, now: datetime) -> Outcome:
    return Outcome(Verdict.RETRY, "it is down", retry_at=now + timedelta(seconds=1))


def test_after_fifty_tries_in_two_days_a_message_is_given_up_and_told_elsewhere(
    store: Store,
) -> None:
    notifier = FakeNotifier(growth=[busy])
    assert tried_in_vain(store, notifier, GIVE_UP_AFTER / (MAX_ATTEMPTS - 2)) == MAX_ATTEMPTS
    assert states(store)["a"] is DeliveryState.DEAD
    assert notifier.sent == [f"fallback of a: gave up after {MAX_ATTEMPTS} tries: it is down"]


def test_fifty_tries_in_a_day_are_not_enough_to_give_up(store: Store) -> None:
    notifier = FakeNotifier(growth=[busy])
    assert tried_in_vain(store, notifier, timedelta(minutes=20)) == MAX_ATTEMPTS + 1
    assert states(store)["a"] is DeliveryState.PENDING


def test_a_message_that_arrives_at_the_last_try_has_arrived(store: Store) -> None:
    answers: list[Answer] = [busy] * (MAX_ATTEMPTS - 1)
    notifier = FakeNotifier(growth=[*answers, Outcome(Verdict.SENT, reference="C1:1")])
    assert tried_in_vain(store, notifier, GIVE_UP_AFTER / (MAX_ATTEMPTS - 2)) == MAX_ATTEMPTS
    assert (notifier.sent, states(store)["a"]) == (["a"], DeliveryState.SENT)


def test_only_a_message_that_was_sent_proves_that_messages_are_sent(store: Store) -> None:
    clock = FakeClock(NOW)
    deliver(work(store, FakeNotifier(), clock))
    put(store, message("a"))
    deliver(work(store, FakeNotifier(growth=[busy]), clock))
    assert store.last_heartbeat(SENT_BEAT) is None
    clock.step(MINUTE)
    deliver(work(store, FakeNotifier(), clock))
    assert store.last_heartbeat(SENT_BEAT) == NOW + MINUTE
    assert store.last_heartbeat(REFUSED_BEAT) is None


@pytest.mark.parametrize("end", [Outcome(Verdict.UNKNOWN, "timeout"), OSError("broken")])
def test_an_unknown_end_is_asked_about_before_anything_is_sent_again(
    store: Store, end: Outcome | Exception
) -> None:
    notifier, clock = FakeNotifier(growth=[end, Outcome(Verdict.SENT)]), FakeClock(NOW)
    put(store, message("a"))
    deliver(work(store, notifier, clock))
    deliver(work(store, notifier, clock))
    assert notifier.asked == ["a"]
    notifier.reconciled = Outcome(Verdict.SENT, reference="C1:2")
    clock.step(timedelta(seconds=60))
    deliver(work(store, notifier, clock))
    assert notifier.asked == ["a"]
    assert states(store) == {"a": DeliveryState.SENT}


def test_what_never_arrived_is_sent_again(store: Store) -> None:
    unknown = Outcome(Verdict.UNKNOWN, "timeout")
    notifier, clock = FakeNotifier(growth=[unknown, Outcome(Verdict.SENT)]), FakeClock(NOW)
    put(store, message("a"))
    deliver(work(store, notifier, clock))
    clock.step(timedelta(seconds=60))
    deliver(work(store, notifier, clock))
    assert notifier.asked == ["a", "a"]
    assert states(store) == {"a": DeliveryState.SENT}


def test_with_patience_a_command_waits_for_a_limited_channel(store: Store) -> None:
    later = Outcome(Verdict.RETRY, "429", retry_at=NOW + timedelta(seconds=5))
    notifier, clock = FakeNotifier(growth=[later, Outcome(Verdict.SENT)]), FakeClock(NOW)
    put(store, message("a"))
    deliver(
        work(store, notifier, clock),
        patience=timedelta(seconds=30),
        sleep=lambda seconds: void(clock.step(timedelta(seconds=seconds + 0.1))),
    )
    assert notifier.sent == ["a"]


def void(_value: object) -> None:
    """Nothing."""
