"""The clock that does not jump."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from eventwatch.daemon.steady import BELIEVED, SteadyClock

START = 1_790_000_000.0


class Machine:
    """A wall clock that somebody sets, and seconds that go on."""

    def __init__(self) -> None:
        self.seconds, self.set_by = 0.0, 0.0
        self.clock = SteadyClock(lambda: START + self.seconds + self.set_by, lambda: self.seconds)

    def live(self, seconds: float) -> list[str]:
        """Looks twice a second, and tells the jumps."""
        told = []
        for _ in range(int(seconds * 2)):
            self.seconds += 0.5
            jump, _ = self.clock.look()
            if jump is not None:
                told.append(f"{jump.by.total_seconds():+.0f}{' taken' if jump.taken else ''}")
        return told

    @property
    def shown(self) -> float:
        """Seconds since the start by the steady clock."""
        return round(self.clock.now().timestamp() - START, 3)


@pytest.mark.parametrize("step", [-3600, -60, 7200, 315_360_000, -315_360_000, 30, -30])
def test_a_jump_changes_nothing_and_is_told_once(step: float) -> None:
    machine = Machine()
    assert machine.live(10) == []
    machine.set_by = step
    assert machine.live(30) == [f"{step:+.0f}"]
    assert machine.shown == 40
    assert machine.clock.ahead == timedelta(seconds=step)
    machine.set_by = 0
    assert machine.live(30) == ["+0"]
    assert machine.shown == 70


def test_a_difference_that_stays_is_believed() -> None:
    machine = Machine()
    machine.set_by = 7200
    assert machine.live(BELIEVED.total_seconds() + 2) == ["+7200", "+7200 taken"]
    assert machine.shown == machine.seconds + 7200
    machine.set_by = 0
    machine.live(1)
    assert machine.shown == machine.seconds + 7200
    machine.live(BELIEVED.total_seconds() + 2)
    assert machine.shown == machine.seconds


def test_a_clock_that_is_set_again_and_again_is_never_believed() -> None:
    machine = Machine()
    for minute in range(60):
        machine.set_by = 30 if minute % 2 else -30
        machine.live(60)
    assert machine.shown == 3600


def test_small_corrections_are_followed_and_time_never_goes_back() -> None:
    machine, before = Machine(), datetime.fromtimestamp(START, UTC)
    for correction in (0.5, 2.0, -3.0, 0.0, 4.0):
        machine.set_by += correction
        assert machine.live(20) == []
        assert machine.clock.now() >= before
        before = machine.clock.now()
    assert machine.shown == machine.seconds + machine.set_by


def test_sleep_is_no_jump_but_is_told() -> None:
    machine = Machine()
    machine.live(5)
    machine.seconds += 8 * 3600
    jump, pause = machine.clock.look()
    assert jump is None
    assert pause == timedelta(hours=8)
    assert machine.shown == machine.seconds


def test_an_instant_of_ours_is_found_on_the_wall_while_both_differ() -> None:
    machine = Machine()
    machine.set_by = -3600
    machine.live(1)
    shown = machine.clock.on_the_wall(machine.clock.now() + timedelta(seconds=10))
    assert shown.timestamp() == pytest.approx(START + machine.seconds - 3600 + 10)
