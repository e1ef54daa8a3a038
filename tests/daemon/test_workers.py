"""Threads that run cycles."""

from __future__ import annotations

import threading
import time

from eventwatch.daemon.workers import Workers


class Work:
    """Names that were begun; each waits until it is let go."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.gates = {name: threading.Event() for name in "abcdef"}
        self._begun = threading.Semaphore(0)

    def __call__(self, name: str) -> None:
        self.begun.append(name)
        self._begun.release()
        self.gates[name].wait(20)

    def wait(self, count: int) -> None:
        for _ in range(count):
            assert self._begun.acquire(timeout=20)

    def let_go(self) -> None:
        for gate in self.gates.values():
            gate.set()


def test_a_name_is_never_run_twice_at_a_time() -> None:
    work = Work()
    workers = Workers(3, work)
    workers.start()
    assert workers.offer("a")
    work.wait(1)
    assert not workers.offer("a")
    assert workers.offer("b")
    work.wait(1)
    assert not workers.offer("b")
    assert {r.name for r in workers.running()} == {"a", "b"}
    work.let_go()
    workers.stop()
    assert workers.join(time.monotonic() + 20)
    assert work.begun == ["a", "b"]


def test_what_waits_for_a_thread_is_seen_and_dropped_at_the_end() -> None:
    work = Work()
    workers = Workers(1, work)
    workers.start()
    workers.offer("a")
    work.wait(1)
    workers.offer("b")
    assert set(workers.waiting()) == {"b"}
    workers.stop()
    work.let_go()
    assert workers.join(time.monotonic() + 20)
    assert work.begun == ["a"]


def test_a_thread_that_hangs_is_replaced_and_its_name_stays_taken() -> None:
    work = Work()
    workers = Workers(1, work)
    workers.start()
    workers.offer("a")
    work.wait(1)
    assert workers.give_up(lambda _: 60.0) == ()
    workers.forgive(3600.0)
    assert workers.give_up(lambda _: -1.0) == (), "a pause is no fault of its"
    workers.forgive(-3600.0)
    assert workers.give_up(lambda _: -1.0) == ("a",)
    assert workers.give_up(lambda _: -1.0) == (), "it is told once"
    assert workers.given_up == 1
    workers.offer("b")
    work.wait(1)
    assert not workers.offer("a")
    work.let_go()
    for _ in range(500):
        if workers.given_up == 0 and len(workers.threads) == 1:
            break
        threading.Event().wait(0.02)
    assert workers.given_up == 0, "it came back, and left"
    workers.stop()
    assert workers.join(time.monotonic() + 20)


def test_growing_makes_no_more_than_is_wanted() -> None:
    workers = Workers(2, lambda _: None)
    workers.start()
    workers.grow(1)
    assert len(workers.threads) == 2
    workers.grow(4)
    assert len(workers.threads) == 4
    workers.stop()
    assert workers.join(time.monotonic() + 20)
