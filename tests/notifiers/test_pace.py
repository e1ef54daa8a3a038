"""No more than is allowed, nobody forgotten, and in order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from eventwatch.notifiers.pace import Pace, Rate

NOW = datetime(2026, 5, 17, 15, 5, tzinfo=UTC)
STEPS = st.lists(st.floats(0, 5), min_size=1, max_size=60)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@given(STEPS, st.integers(1, 5))
def test_in_no_time_more_go_than_the_burst_and_one_per_interval(
    steps: list[float], burst: int
) -> None:
    pace, now, went = Pace(Rate(timedelta(seconds=1), burst)), 0.0, list[float]()
    for n, step in enumerate(steps):
        now += step
        if pace.take("c", at(now), f"k{n}") is None:
            went.append(now)
    for i, first in enumerate(went):
        for j, last in enumerate(went[i:], i):
            assert j - i + 1 <= burst + (last - first) + 1e-3


@given(STEPS, st.integers(1, 5))
def test_whoever_waits_waits_once_and_in_order(steps: list[float], burst: int) -> None:
    pace, now = Pace(Rate(timedelta(seconds=1), burst)), 0.0
    turns = []
    for n, step in enumerate(steps):
        now += step / 10
        turn = pace.take("c", at(now), f"k{n}")
        if turn is not None:
            assert turn > at(now)
            turns.append((turn, f"k{n}"))
    assert turns == sorted(turns, key=lambda of: of[0])
    assert len({turn for turn, _ in turns}) == len(turns)
    for turn, key in turns:
        assert pace.take("c", turn, key) is None


@given(STEPS)
def test_nobody_goes_while_a_lane_rests_and_then_there_is_no_burst(steps: list[float]) -> None:
    pace, now = Pace(Rate(timedelta(seconds=1), 3)), 0.0
    waiting = pace.take("c", at(0), "first") or pace.take("c", at(0), "second")
    assert waiting is None
    pace.rest("c", at(10))
    went = []
    for n, step in enumerate(steps):
        now += step
        if pace.take("c", at(now), f"k{n}") is None:
            went.append(now)
    assert all(moment >= 10 for moment in went)
    assert len([moment for moment in went if moment < 11]) <= 1


def test_a_turn_given_out_before_a_rest_is_given_out_anew() -> None:
    pace = Pace(Rate(timedelta(seconds=1)))
    assert pace.take("c", NOW, "a") is None
    assert pace.take("c", NOW, "b") == at(1)
    pace.rest("c", at(30))
    assert pace.take("c", at(1), "b") == at(30)
    assert pace.take("c", at(30), "b") is None


def test_lanes_are_apart() -> None:
    pace = Pace(Rate(timedelta(seconds=1)))
    assert pace.take("c", NOW, "a") is None
    assert pace.take("d", NOW, "b") is None
    pace.rest("c", at(30))
    assert pace.next("c", NOW) == at(30)
    assert pace.next("d", at(1)) is None


def test_a_clock_that_stepped_back_silences_nobody() -> None:
    pace = Pace(Rate(timedelta(seconds=1), 3))
    pace.rest("c", NOW + timedelta(days=3650))
    assert pace.take("c", NOW, "a") is None
