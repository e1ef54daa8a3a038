"""Free memory goes back to the system after a cycle, now and then."""

from __future__ import annotations

from eventwatch.daemon.memory import EVERY, Trimmer


def test_after_the_first_cycle_and_then_once_in_ten_minutes() -> None:
    at, done = [100.0], []
    trimmer = Trimmer(lambda: at[0], lambda: done.append(at[0]))
    for seconds in (100.0, 101.0, 100.0 + EVERY - 1, 100.0 + EVERY, 101.0 + EVERY):
        at[0] = seconds
        trimmer.now_and_then()
    assert done == [100.0, 100.0 + EVERY]


def test_the_real_call_works_or_is_left_out() -> None:
    Trimmer().now_and_then()
