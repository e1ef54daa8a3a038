"""The alarm clock."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from eventwatch.daemon.timer import Alarm, Timer

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FAR = timedelta(days=30)


class Rung:
    """Counts alarms."""

    def __init__(self) -> None:
        self.count = threading.Semaphore(0)

    def __call__(self, _name: str) -> None:
        self.count.release()

    def wait(self, times: int = 1) -> bool:
        return all(self.count.acquire(timeout=10) for _ in range(times))


def far() -> datetime:
    return datetime.now(UTC) + FAR


def test_an_alarm_goes_off_at_once_and_whenever_everything_is_asked_again() -> None:
    timer, rung = Timer(), Rung()
    timer.start()
    timer.set("events", far, rung)
    assert rung.wait()
    timer.ring_all()
    assert rung.wait()
    assert not rung.count.acquire(timeout=0.2), "it is far until then"
    timer.stop()


def test_one_that_was_removed_goes_off_no_more() -> None:
    timer, rung = Timer(), Rung()
    timer.start()
    timer.set("events", far, rung)
    assert rung.wait()
    timer.remove("events")
    timer.remove("events")
    timer.ring_all()
    assert not rung.count.acquire(timeout=0.3)
    timer.stop()


def test_stopping_returns_at_once_even_while_an_alarm_hangs() -> None:
    timer, gate, begun = Timer(), threading.Event(), threading.Event()

    def hang(_name: str) -> None:
        begun.set()
        gate.wait(20)

    timer.start()
    timer.set("events", far, hang)
    assert begun.wait(10)
    timer.stop()
    gate.set()


@pytest.mark.parametrize("at", [NOW - FAR, NOW, NOW + timedelta(milliseconds=1)])
def test_a_time_that_is_past_does_not_make_it_spin(at: datetime) -> None:
    assert Alarm(lambda: at).get_next_fire_time(None, NOW) == NOW + timedelta(seconds=0.5)


def test_one_without_a_time_is_kept() -> None:
    following = Alarm(lambda: None).get_next_fire_time(None, NOW)
    assert following is not None
    assert following > NOW
