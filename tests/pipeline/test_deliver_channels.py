"""Each channel's trouble is its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eventwatch.model.alert import Action, Delivery, DeliveryState, Message, Outcome, Verdict
from eventwatch.model.incident import Changes, Post
from eventwatch.model.settings import Secret
from eventwatch.pipeline import deliver as module
from eventwatch.pipeline.deliver import (
    REFUSED_BEAT,
    SENT_BEAT,
    TROUBLED,
    WORKERS,
    Delivering,
    deliver,
)
from eventwatch.ports.notifier import MAY_REPEAT, NOT_SENT
from eventwatch.ports.store import Store
from eventwatch.store.sql import open_store
from tests.fakes.clock import FakeClock
from tests.fakes.notifier import Answer, FakeNotifier

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PATIENCE = 30.0
"""Longest that a thread of these tests waits for another; only a failure waits so long."""


def row(key: str, channel: str = "#growth", **changes: object) -> Delivery:
    made = Delivery(key, channel, "growth", Message("t", "[]", "t"), (), NOW)
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(Secret(f"sqlite:///{tmp_path}/state.db"))
    yield opened
    opened.close()


def put(store: Store, *rows: Delivery, posts: tuple[Post, ...] = ()) -> None:
    store.tell(NOW, lambda _: Changes(posts=posts, deliveries=rows))


def work(store: Store, notifier: FakeNotifier, clock: FakeClock | None = None) -> Delivering:
    def fallback(delivery: Delivery, reason: str, now: datetime) -> Delivery:
        return row(f"fallback of {delivery.key}", "#data-platform", is_fallback=True)

    return Delivering(store, notifier, clock or FakeClock(NOW), fallback, 15 * SECOND)


def states(store: Store) -> dict[str, DeliveryState]:
    return {d.key: d.state for d in store.deliveries()}


def until(there: threading.Event) -> Callable[[Delivery, datetime], Outcome]:
    """An answer that hangs until something happened elsewhere."""

    def answer(_: Delivery, __: datetime) -> Outcome:
        assert there.wait(PATIENCE), "the others were delayed"
        return Outcome(Verdict.SENT, reference="C1:1")

    return answer


def telling(there: threading.Event, count: int) -> Callable[[Delivery, datetime], Outcome]:
    """Answers SENT, and says so when it did so often."""
    left = [count]

    def answer(_: Delivery, __: datetime) -> Outcome:
        left[0] -= 1
        if left[0] <= 0:
            there.set()
        return Outcome(Verdict.SENT, reference="C1:1")

    return answer


def test_a_channel_that_hangs_delays_no_other(store: Store) -> None:
    there = threading.Event()
    notifier = FakeNotifier(growth=[until(there)], money=[telling(there, 20)])
    put(store, row("a"), *(row(f"m{n}", "#money") for n in range(20)))
    deliver(work(store, notifier))
    assert set(states(store).values()) == {DeliveryState.SENT}


def test_channels_in_trouble_never_take_all_threads(store: Store) -> None:
    """Each of many channels fails once and then hangs, until the healthy one has said all it had."""
    there, names = threading.Event(), [f"bad{n}" for n in range(2 * WORKERS)]
    failed = Outcome(Verdict.RETRY, "broken", retry_at=NOW)
    notifier = FakeNotifier(good=[telling(there, 30)])
    notifier.answers.update({name: [failed, until(there)] for name in names})
    put(store, *(row(name, f"#{name}") for name in names))
    put(store, *(row(f"g{n}", "#good", created_at=NOW + SECOND) for n in range(30)))
    deliver(work(store, notifier))
    assert set(states(store).values()) == {DeliveryState.SENT}
    assert TROUBLED < WORKERS


def test_one_look_into_the_outbox_gives_no_thread_too_many_to_channels_in_trouble(
    store: Store,
) -> None:
    """All of them fail at the same moment, so that all threads are free at the next look."""
    there, names = threading.Event(), [f"bad{n}" for n in range(WORKERS)]
    together = threading.Barrier(WORKERS)

    def fails(_: Delivery, __: datetime) -> Outcome:
        together.wait(PATIENCE)
        return Outcome(Verdict.RETRY, "broken", retry_at=NOW)

    notifier = FakeNotifier(good=[telling(there, 5)])
    notifier.answers.update({name: [fails, until(there)] for name in names})
    put(store, *(row(name, f"#{name}") for name in names))
    put(store, *(row(f"g{n}", "#good", created_at=NOW + SECOND) for n in range(5)))
    shift = module._Shift(work(store, notifier))
    shift.fill()
    while shift.crew.free < WORKERS:
        shift.wait(0.1)
    shift.fill()
    while shift.busy:
        shift.wait(0.1)
        shift.fill()
    shift.crew.dismiss()
    assert set(states(store).values()) == {DeliveryState.SENT}


def test_rows_of_one_channel_go_one_by_one_and_in_order(store: Store) -> None:
    at_once, most, lock = [0], [0], threading.Lock()

    def answer(_: Delivery, __: datetime) -> Outcome:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        with lock:
            at_once[0] -= 1
        return Outcome(Verdict.SENT, reference="C1:1")

    notifier = FakeNotifier(growth=[answer])
    put(store, *(row(f"{n:02}", created_at=NOW + n * SECOND) for n in range(25)))
    deliver(work(store, notifier))
    assert notifier.sent == [f"{n:02}" for n in range(25)]
    assert most == [1]


def test_asking_what_became_of_one_channel_s_row_delays_no_other(store: Store) -> None:
    there, clock = threading.Event(), FakeClock(NOW)
    lost: Answer = Outcome(Verdict.UNKNOWN, "timeout")
    notifier = FakeNotifier(**{f"bad{n}": [lost] for n in range(10)})
    put(store, *(row(f"bad{n}", f"#bad{n}") for n in range(10)))
    deliver(work(store, notifier, clock))
    clock.step(timedelta(minutes=1))
    put(store, *(row(f"g{n}", "#good") for n in range(10)))
    notifier.answers["good"] = [telling(there, 10)]
    notifier.reconcile = until(there)  # type: ignore[method-assign, assignment]
    deliver(work(store, notifier, clock))
    assert set(states(store).values()) == {DeliveryState.SENT}


def test_a_channel_that_may_not_hear_the_next_message_yet_is_waited_for(store: Store) -> None:
    clock = FakeClock(NOW)

    def once_a_second(_: Delivery, now: datetime) -> Outcome:
        return Outcome(Verdict.SENT, reference="C1:1", retry_at=now + SECOND)

    notifier = FakeNotifier(growth=[once_a_second])
    put(store, row("a"), row("b"), row("c"))
    deliver(work(store, notifier, clock))
    assert notifier.sent == ["a"], "without patience the rest is the next round's"
    deliver(
        work(store, notifier, clock),
        patience=10 * SECOND,
        sleep=lambda seconds: void(clock.step(timedelta(seconds=seconds + 0.01))),
    )
    assert notifier.sent == ["a", "b", "c"]


def test_the_limit_of_edits_keeps_no_message_back(store: Store) -> None:
    post = Post("p", "#growth", "growth", (), NOW, reference="C1:1")
    later = Outcome(Verdict.RETRY, "fifty edits", retry_at=NOW + timedelta(minutes=1))

    def answer(delivery: Delivery, _: datetime) -> Outcome:
        is_edit = delivery.action is Action.UPDATE
        return later if is_edit else Outcome(Verdict.SENT, reference="C1:2")

    notifier = FakeNotifier(growth=[answer])
    put(
        store,
        row("edit", action=Action.UPDATE, post_id="p"),
        row("news", created_at=NOW + SECOND),
        posts=(post,),
    )
    deliver(work(store, notifier))
    assert states(store) == {"edit": DeliveryState.PENDING, "news": DeliveryState.SENT}


def test_a_live_message_that_was_deleted_and_posted_anew_lives_on_there(store: Store) -> None:
    post = Post("p", "#growth", "growth", (), NOW, reference="C1:1")
    notifier = FakeNotifier(growth=[Outcome(Verdict.SENT, reference="C1:2")])
    put(store, row("first", action=Action.UPDATE, post_id="p"), posts=(post,))
    deliver(work(store, notifier))
    put(store, row("next", action=Action.UPDATE, post_id="p"))
    put(store, row("reply", action=Action.REPLY, post_id="p", created_at=NOW + SECOND))
    deliver(work(store, notifier))
    assert [r.parent for r in notifier.rows] == ["C1:1", "C1:2", "C1:2"]


def test_a_chart_waits_for_everything_that_its_channel_has_to_hear(store: Store) -> None:
    post = Post("p", "#growth", "growth", (), NOW, reference="C1:1")
    notifier = FakeNotifier()
    put(
        store,
        row("chart", action=Action.CHART, post_id="p"),
        *(row(f"{n}", created_at=NOW + n * SECOND) for n in range(1, 4)),
        posts=(post,),
    )
    deliver(work(store, notifier))
    assert notifier.sent == ["1", "2", "3", "chart"]


def test_when_it_has_to_stop_nothing_further_is_claimed(store: Store) -> None:
    stopped = threading.Event()

    def answer(_: Delivery, __: datetime) -> Outcome:
        stopped.set()
        return Outcome(Verdict.SENT, reference="C1:1")

    notifier = FakeNotifier(growth=[answer])
    put(store, *(row(f"{n}") for n in range(9)))
    deliver(work(store, notifier), stop=stopped.is_set)
    assert len(notifier.sent) == 1
    assert sorted(states(store).values()) == ["pending"] * 8 + ["sent"]


def test_what_hangs_is_left_behind_and_asked_about_later(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PARTING", timedelta(seconds=0.1))
    stopped, for_ever = threading.Event(), threading.Event()

    def answer(_: Delivery, __: datetime) -> Outcome:
        stopped.set()
        for_ever.wait(PATIENCE)
        return Outcome(Verdict.UNKNOWN, "never")

    put(store, row("a"))
    assert deliver(work(store, FakeNotifier(growth=[answer])), stop=stopped.is_set) == ()
    assert states(store) == {"a": DeliveryState.SENDING}
    for_ever.set()


def test_what_may_repeat_says_so_whatever_happens_to_it_meanwhile(store: Store) -> None:
    clock = FakeClock(NOW)
    ends: tuple[Answer, ...] = (
        Outcome(Verdict.RETRY, f"{MAY_REPEAT}: no history", retry_at=NOW),
        Outcome(Verdict.RETRY, "channel is limited", retry_at=NOW + SECOND),
        Outcome(Verdict.HALT, "token_revoked", retry_at=NOW + 2 * SECOND),
        Outcome(Verdict.SENT, reference="C1:1"),
    )
    notifier = FakeNotifier(growth=list(ends))
    put(store, row("a"))
    for _ in ends:
        deliver(work(store, notifier, clock))
        clock.step(5 * SECOND)
    assert [MAY_REPEAT in r.last_error for r in notifier.rows] == [False, True, True, True]


@pytest.mark.parametrize(("days", "gives_up"), [(1, False), (3, True)])
def test_it_gives_up_after_many_tries_and_days_and_not_after_a_busy_minute(
    store: Store, monkeypatch: pytest.MonkeyPatch, days: int, gives_up: bool
) -> None:
    monkeypatch.setattr(module, "MAX_ATTEMPTS", 3)
    clock = FakeClock(NOW + timedelta(days=days))
    later = Outcome(Verdict.RETRY, "429", retry_at=NOW)
    notifier = FakeNotifier(growth=[later, later, later, Outcome(Verdict.SENT, reference="C1:1")])
    put(store, row("a"))
    for _ in range(4):
        deliver(work(store, notifier, clock))
    ended = {"a": DeliveryState.DEAD, "fallback of a": DeliveryState.SENT}
    assert states(store) == (ended if gives_up else {"a": DeliveryState.SENT})


@pytest.mark.parametrize(
    ("action", "reason"),
    [(Action.CHART, "no fonts"), (Action.REPLY, f"{NOT_SENT}: the message is gone")],
)
def test_what_is_nobody_s_trouble_ends_quietly(store: Store, action: Action, reason: str) -> None:
    post = Post("p", "#growth", "growth", (), NOW, reference="C1:1")
    notifier = FakeNotifier(growth=[Outcome(Verdict.REFUSED, reason)])
    put(store, row("a", action=action, post_id="p"), posts=(post,))
    deliver(work(store, notifier))
    assert states(store) == {"a": DeliveryState.DEAD}


def test_a_sender_that_was_frozen_after_its_claim_does_not_send(store: Store) -> None:
    class Frozen(FakeClock):
        asked = 0

        def now(self) -> datetime:
            self.asked += 1
            return super().step(10 * SECOND) if self.asked == 3 else super().now()

    notifier = FakeNotifier()
    put(store, row("a"))
    done = deliver(work(store, notifier, Frozen(NOW)))
    assert [o.verdict for _, o in done] == [Verdict.RETRY, Verdict.SENT]
    assert notifier.asked == ["a"]


def test_an_error_of_the_state_is_raised_and_nothing_is_sent_twice(store: Store) -> None:
    notifier = FakeNotifier()
    put(store, row("a"))
    broken = work(store, notifier)
    settle = store.settle_delivery
    store.settle_delivery = raising  # type: ignore[method-assign, assignment]
    with pytest.raises(OSError, match="disk"):
        deliver(broken)
    store.settle_delivery = settle  # type: ignore[method-assign]
    deliver(broken)
    assert notifier.asked == ["a"]


def test_health_knows_whether_messages_are_refused_as_a_whole(store: Store) -> None:
    clock = FakeClock(NOW)
    halt = Outcome(Verdict.HALT, "token_revoked", retry_at=NOW + SECOND)
    notifier = FakeNotifier(growth=[halt, Outcome(Verdict.SENT, reference="C1:1")])
    put(store, row("a"))
    deliver(work(store, notifier, clock))
    assert store.last_heartbeat(REFUSED_BEAT) == NOW
    assert store.last_heartbeat(SENT_BEAT) is None
    deliver(work(store, notifier, FakeClock(clock.step(5 * SECOND))))
    assert store.last_heartbeat(SENT_BEAT) == NOW + 5 * SECOND
    assert store.last_heartbeat(REFUSED_BEAT) == NOW


def raising(*_: object) -> None:
    raise OSError("disk full")


def void(_: object) -> None:
    """Nothing."""
