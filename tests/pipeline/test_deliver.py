"""What is in the outbox is said once, and what cannot be said is not lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eventwatch.model.alert import Delivery, DeliveryState, Message, Outcome, Verdict
from eventwatch.model.settings import Secret
from eventwatch.model.state import CycleRecord
from eventwatch.pipeline.deliver import Delivering, deliver
from eventwatch.ports.store import Store
from eventwatch.store.sql import open_store
from tests.fakes.clock import FakeClock
from tests.fakes.notifier import FakeNotifier

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)


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
