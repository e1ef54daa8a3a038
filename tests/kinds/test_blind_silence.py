"""After how long a stop is told by freshness, held against the live check on rows that did stop."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from eventwatch.kinds.blind_silence import SPANS, silences
from eventwatch.kinds.definition import rules_for
from eventwatch.kinds.freshness import judge
from eventwatch.kinds.freshness_check import FreshnessCheck
from eventwatch.model.contract import Contract, LifecycleState, Location
from eventwatch.model.status import Status
from tests.fakes.planted import Plant, World

NOW = datetime(2026, 4, 9, 14, 0, tzinfo=UTC)
RATES = (0.3, 2.0, 15.0, 120.0, 500.0, 60.0, 60.0, 60.0)
LIMIT = timedelta(hours=5)


def contract(event_type: str, **terms: object) -> Contract:
    return Contract(event_type, "m", Location("a.proto", 1), **terms)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def world() -> World:
    return World(
        RATES,
        NOW,
        seed=5,
        contracts=(
            *(contract(f"type_{i:02d}") for i in range(5)),
            contract("type_05", max_gap=LIMIT),
            contract("type_06", state=LifecycleState.DEPRECATED),
        ),
    )


def stated(world: World, *checks: FreshnessCheck) -> dict[str, timedelta]:
    view = world.view(world.past, NOW)
    return silences(view, rules_for(FreshnessCheck(), checks, "events", view.catalog), world.names)


@pytest.mark.parametrize("hour", [1, 9, 17])
def test_a_stop_is_told_after_the_stated_time_by_the_live_check(world: World, hour: int) -> None:
    found = stated(world)
    begins = NOW.timestamp() + hour * 3600
    for column in range(6):
        name = world.names[column]
        after = found[name]
        rows = world.future(hour, timedelta(hours=hour) + after, [Plant(column, 0.0, begins)])
        at = datetime.fromtimestamp(begins, UTC) + after
        view = world.view(rows, at)
        rules = rules_for(FreshnessCheck(), (), "events", view.catalog)
        failing = {r.event_type for r in judge(view, rules) if r.status is Status.FAIL}
        assert name in failing, (name, after)


def test_busier_event_types_are_missed_sooner(world: World) -> None:
    found = stated(world)
    times = [found[name] for name in world.names[:5]]
    assert times == sorted(times, reverse=True)
    assert times[-1] <= timedelta(hours=1)
    assert times[0] > timedelta(hours=12)


def test_a_limit_in_the_contract_tells_at_the_next_span_that_is_tried(world: World) -> None:
    assert stated(world)["type_05"] == min(span for span in SPANS if span > LIMIT)


def test_what_ends_and_what_nobody_declared_is_never_told(world: World) -> None:
    assert {"type_06", "type_07"}.isdisjoint(stated(world))


def test_a_failure_that_must_last_is_told_that_much_later(world: World) -> None:
    plain = stated(world)["type_02"]
    # Whatever is no total silence yet must last.
    held = stated(world, FreshnessCheck(hold=timedelta(hours=2)))["type_02"]
    assert plain <= held <= plain + timedelta(hours=6)


def test_a_smaller_budget_never_tells_sooner(world: World) -> None:
    plain, sure = stated(world), stated(world, FreshnessCheck(false_silences_per_week=0.001))
    longest = SPANS[-1] * 2
    assert all(sure.get(name, longest) >= after for name, after in plain.items())


def test_the_answer_does_not_depend_on_which_event_types_are_asked_for(world: World) -> None:
    view = world.view(world.past, NOW)
    rules = rules_for(FreshnessCheck(), (), "events", view.catalog)
    assert silences(view, rules, ["type_01"])["type_01"] == stated(world)["type_01"]


def test_an_empty_table_has_no_answer(world: World) -> None:
    view = world.view(world.past, NOW)
    none = replace(view, rows=view.rows.where(np.zeros(len(view.rows.rows), dtype=np.bool_)))
    rules = rules_for(FreshnessCheck(), (), "events", view.catalog)
    assert silences(none, rules, ["type_01"]) == {}
