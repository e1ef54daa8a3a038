"""What is said of blind spots, held against changes planted in fresh data and judged by the live check,
cycle by cycle."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from eventwatch.kinds.blind_futures import DROPS, RISES
from eventwatch.kinds.blind_trial import HORIZONS, TRIALS
from eventwatch.kinds.definition import rules_for
from eventwatch.kinds.volume import VolumeCheck
from eventwatch.kinds.volume_blind import Judged, volume_sights
from eventwatch.model.contract import Contract, Direction, Location, Owner, Pattern
from tests.fakes.planted import Plant, World, caught

NOW = datetime(2026, 4, 9, 14, 20, tzinfo=UTC)
"""A Thursday, 38 days after the first row."""
RATES = (0.3, 0.8, 2, 4, 8, 15, 30, 60, 120, 250, 500, 1000, 20, 40)
EVERY = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=3))
DROP, RISE = 0, 1


def contract(event_type: str, **terms: object) -> Contract:
    return Contract(event_type, "m", Location("a.proto", 1), Owner(team="growth"), **terms)  # type: ignore[arg-type]


CONTRACTS = (
    contract("type_12", min_per_day=350),
    contract("type_13", max_per_day=1300),
)
"""Rows a day on a working day: about 480 and 960."""


@pytest.fixture(scope="module")
def world() -> World:
    return World(RATES, NOW, seed=4, contracts=CONTRACTS)


FEW = 14
"""Trials where a behaviour is asked for and no size."""


def asked(
    world: World, *checks: VolumeCheck, only: tuple[str, ...] = (), trials: int = FEW
) -> Mapping[str, Judged]:
    view = world.view(world.past, world.now)
    rules = rules_for(VolumeCheck(), checks, "events", view.catalog)
    return volume_sights(view, rules, lambda name: not only or name in only, trials=trials)


@pytest.fixture(scope="module")
def stated(world: World) -> Mapping[str, Judged]:
    return asked(world, trials=TRIALS)


@pytest.fixture(scope="module")
def small() -> World:
    sparse = contract("type_00", pattern=Pattern.SPARSE)
    return World((30.0,) * 7, NOW, seed=6, contracts=(sparse,))


def size(judged: Judged, way: int, horizon: int) -> float | None:
    """As a factor on the rate; None: not told."""
    if way == DROP:
        drop = judged.sight.drops[horizon]
        return None if drop is None else 1.0 - drop
    return judged.sight.rises[horizon]


def planted(
    world: World, stated: Mapping[str, Judged], *, part: float, rounds: int, seed: int
) -> list[tuple[str, int, int, bool]]:
    """Changes of ``part`` of the stated size at random moments of the coming day, four event types at
    a time; whether the live check told each in time."""
    rng = np.random.default_rng(seed)
    found = []
    for horizon, (within, every) in enumerate(zip(HORIZONS, EVERY, strict=True)):
        for way in (DROP, RISE):
            sizes = {
                column: factor
                for column, name in enumerate(world.names)
                if (factor := size(stated[name], way, horizon)) is not None
            }
            for _ in range(rounds):
                begins = (world.now.timestamp() + rng.random() * 86400) // 300 * 300
                chosen = rng.permutation(list(sizes))[:4]
                plants = [Plant(int(c), 1.0 + part * (sizes[int(c)] - 1.0), begins) for c in chosen]
                told = caught(world, int(rng.integers(1 << 30)), plants, within, every)
                found += [(world.names[c], way, horizon, hit) for c, hit in told.items()]
    return found


def test_nine_of_ten_changes_of_the_stated_size_are_told_in_time(
    world: World, stated: Mapping[str, Judged]
) -> None:
    found = planted(world, stated, part=1.0, rounds=9, seed=17)
    assert len(found) >= 200
    assert np.mean([hit for *_, hit in found]) >= 0.9, [f for f in found if not f[-1]]


def test_half_of_the_stated_change_is_mostly_not_told(
    world: World, stated: Mapping[str, Judged]
) -> None:
    found = planted(world, stated, part=0.5, rounds=3, seed=18)
    assert len(found) >= 70
    assert np.mean([hit for *_, hit in found]) <= 0.4


def test_there_is_something_to_say_of_large_event_types_and_little_of_small_ones(
    stated: Mapping[str, Judged],
) -> None:
    large, small = stated["type_11"].sight, stated["type_00"].sight
    assert stated["type_00"].by_day
    assert not stated["type_11"].by_day
    assert large.drops[2] is not None
    assert large.drops[2] <= 0.5
    assert large.stop is not None
    assert large.stop <= timedelta(minutes=30)
    assert small.drops == (None, None, None)
    assert small.stop is None


def test_more_time_never_makes_a_larger_change_necessary(stated: Mapping[str, Judged]) -> None:
    for judged in stated.values():
        for sizes in (judged.sight.drops, judged.sight.rises):
            known = [99.0 if s is None else s for s in sizes]
            assert known == sorted(known, reverse=True)


def test_a_drop_to_zero_is_told_within_a_day_exactly_where_a_stop_is(
    stated: Mapping[str, Judged],
) -> None:
    for judged in stated.values():
        stop = judged.sight.stop
        for drop, horizon in zip(judged.sight.drops, HORIZONS, strict=True):
            assert (drop is not None) == (stop is not None and stop <= horizon)


def test_sizes_are_of_those_that_are_tried(stated: Mapping[str, Judged]) -> None:
    for judged in stated.values():
        assert set(judged.sight.drops) <= {*DROPS, None}
        assert set(judged.sight.rises) <= {*RISES, None}


def test_the_same_question_has_the_same_answer(small: World) -> None:
    assert asked(small, only=("type_03",)) == asked(small, only=("type_03",))


def test_only_the_wanted_direction_is_told(world: World) -> None:
    check = VolumeCheck(alert_on=Direction.DROP, events=("type_08",))
    other = VolumeCheck(alert_on=Direction.SPIKE, events=("type_09",))
    found = asked(world, check, other, only=("type_08", "type_09"))
    assert found["type_08"].sight.rises == (None, None, None)
    assert found["type_08"].sight.drops[2] is not None
    assert found["type_09"].sight.drops == (None, None, None)
    assert found["type_09"].sight.stop is None
    assert found["type_09"].sight.rises[2] is not None


def test_a_failure_that_must_last_is_told_later_but_not_a_total_stop(world: World) -> None:
    held = VolumeCheck(hold=timedelta(hours=8))
    found = asked(world, held, only=("type_11",))["type_11"].sight
    plain = asked(world, only=("type_11",))["type_11"].sight
    assert found.drops[1] == 1.0
    assert plain.drops[1] is not None
    assert plain.drops[1] < 1.0
    assert found.rises[1] is None
    assert found.rises[2] is not None
    assert found.stop == plain.stop


def test_a_plain_z_threshold_is_the_one_that_counts(small: World) -> None:
    only = ("type_03",)
    deaf = asked(small, VolumeCheck(z_threshold=900.0), only=only)["type_03"].sight
    keen = asked(small, VolumeCheck(z_threshold=3.0), only=only)["type_03"].sight
    usual = asked(small, only=only)["type_03"].sight
    assert deaf.rises == (None, None, None)
    for more, less in zip(keen.drops[1:], usual.drops[1:], strict=True):
        assert more is not None
        assert less is None or more <= less


def test_of_what_is_judged_by_the_hour_and_blind_is_said_what_days_would_tell() -> None:
    made = World((0.7,) * 6, NOW, seed=6)
    for judged in asked(made).values():
        assert (judged.by_day_instead is not None) == (
            not judged.by_day and judged.sight.stop is None
        )


def test_a_contract_that_says_sparse_is_judged_by_the_day(small: World) -> None:
    found = asked(small, only=("type_00", "type_01"))
    assert found["type_00"].by_day
    assert not found["type_01"].by_day


def test_an_exposure_without_history_has_no_answer() -> None:
    made = World((5.0, 6.0), datetime(2026, 3, 2, 0, 30, tzinfo=UTC))
    assert asked(made) == {}
