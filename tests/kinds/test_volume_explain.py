"""An explanation says what the volume check says, with the same numbers, and where they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from eventwatch.kinds.definition import rules_for
from eventwatch.kinds.volume import VolumeCheck, judge
from eventwatch.kinds.volume_explain import explain
from eventwatch.kinds.volume_explanation import Explanation
from eventwatch.model.contract import Contract, Owner
from eventwatch.model.result import Result
from eventwatch.model.status import Status
from eventwatch.model.view import ExposureView
from tests.fakes.planted import Plant, World
from tests.fakes.views import contract

NOW = datetime(2026, 4, 20, 9, 20, tzinfo=UTC)
RATES = (30.0, 300.0, 3000.0, 0.35, 50.0, 80.0, 0.05, 900.0)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(scope="module")
def world() -> World:
    return World(RATES, NOW)


def view_of(
    world: World, hours: float, plants: Sequence[Plant] = (), contracts: Sequence[Contract] = ()
) -> ExposureView:
    span = timedelta(hours=hours)
    rows = world.future(3, span, plants) if span else world.past
    view = world.view(rows, NOW + span)
    catalog = replace(view.catalog, contracts={c.event_type: c for c in contracts})
    return replace(view, catalog=catalog, exposure=replace(view.exposure, time_zone=BERLIN))


def plant(column: int, factor: float, hours: float) -> Plant:
    return Plant(column, factor, (NOW + timedelta(hours=hours)).timestamp())


def told(
    view: ExposureView, name: str, *checks: VolumeCheck, days: float | None = None
) -> Explanation:
    made = explain(view, rules_for(VolumeCheck(), checks, "events", view.catalog), name, days=days)
    assert made is not None
    return made


def judged(view: ExposureView, name: str, *checks: VolumeCheck) -> dict[str, Result]:
    rules = rules_for(VolumeCheck(), checks, "events", view.catalog)
    return {r.aspect: r for r in judge(view, rules) if r.event_type == name and r.cut is None}


@pytest.fixture(scope="module")
def fallen(world: World) -> ExposureView:
    return view_of(world, 6, [plant(1, 0.4, 1)])


@pytest.fixture(scope="module")
def fall(fallen: ExposureView) -> Explanation:
    return told(fallen, "type_01")


def test_the_result_is_the_one_the_check_gives(fallen: ExposureView, fall: Explanation) -> None:
    assert fall.status is Status.FAIL
    assert fall.result == judged(fallen, "type_01")["bucket"]


@pytest.mark.parametrize("name", [f"type_{i:02d}" for i in range(len(RATES))])
def test_every_event_type_is_told_as_it_is_judged(fallen: ExposureView, name: str) -> None:
    assert told(fallen, name).result == judged(fallen, name)["bucket"]


def test_observed_expected_and_z_are_those_of_the_result(fall: Explanation) -> None:
    amount = fall.result.amount
    assert amount is not None
    assert (fall.observed, fall.expected) == (amount.observed, amount.expected)
    assert (fall.z, fall.p_value) == (amount.z, amount.p_value)
    assert (fall.lower, fall.upper) == (amount.lower, amount.upper)


def test_the_window_that_spoke_is_told_with_all_others(fall: Explanation) -> None:
    assert [w.length for w in fall.windows] == [timedelta(hours=h) for h in (1, 2, 4, 8, 24, 48)]
    spoke = fall.spoke
    assert spoke is not None
    assert spoke.calibrated == pytest.approx(fall.z)
    assert spoke.observed == pytest.approx(fall.observed)
    assert sum(w.spoke for w in fall.windows) == 1
    assert spoke.end_at == fall.at


def test_the_sentence_holds_the_three_numbers(fall: Explanation) -> None:
    assert f"{fall.observed:,.0f} events" in fall.sentence
    assert f"{fall.expected:,.0f} were expected" in fall.sentence
    assert fall.z is not None
    assert f"{-fall.z:.1f} times its own spread below" in fall.sentence
    assert "reaches the threshold" in fall.why


def test_the_picture_marks_the_fall_and_shows_the_newest_bucket(
    fallen: ExposureView, fall: Explanation
) -> None:
    trace = fall.trace
    assert trace is not None
    assert trace.zone == "Europe/Berlin"
    assert [s.start_at for s in trace.bad] == [fall.result.since]
    assert trace.bad[0].end_at == trace.open_until == fall.at
    seen = trace.observed[-1]
    shortest = fall.windows[0]
    assert seen == shortest.observed
    assert trace.expected[-1] == pytest.approx(shortest.expected)
    assert len(trace.observed) == 3 * 24


def test_nearly_all_quiet_buckets_lie_in_the_range(world: World) -> None:
    inside = total = 0
    view = view_of(world, 0)
    for name in ("type_00", "type_01", "type_02", "type_07"):
        trace = told(view, name, days=20).trace
        assert trace is not None
        for seen, low, high in zip(trace.observed, trace.lower, trace.upper, strict=True):
            assert seen is not None
            assert low is not None
            assert high is not None
            total += 1
            inside += low <= seen <= high
    assert 0.97 <= inside / total <= 1.0
    assert total == 4 * 20 * 24


def test_days_are_as_many_as_asked_for_and_end_now(world: World) -> None:
    trace = told(view_of(world, 0), "type_01", days=5).trace
    assert trace is not None
    assert len(trace.observed) == 5 * 24
    assert trace.end_at == NOW


def test_a_stop_within_the_hour_is_told_by_the_silence(world: World) -> None:
    view = view_of(world, 1.2, [plant(2, 0.0, 0.9)])
    made = told(view, "type_02")
    assert made.status is Status.FAIL
    assert made.result == judged(view, "type_02")["bucket"]
    if made.result.facts[0].text.startswith("the silence"):
        assert made.silence is not None
        assert made.silence.p_value < made.silence.limit
        assert "chance of such a silence" in made.why
    assert made.observed == 0
    assert made.sentence.startswith("no events")


def test_a_rare_event_type_is_judged_by_day_and_says_so(world: World) -> None:
    made = told(view_of(world, 0), "type_03")
    assert made.by_day
    assert made.judged_by.startswith("by day")
    assert made.level_by == "day"
    assert made.trace is not None
    assert made.trace.step == timedelta(days=1)
    assert made.season is not None
    assert "average day" in made.season.words


def test_the_season_is_that_of_the_local_hour(world: World) -> None:
    # 09:20 in UTC is 11:20 in Berlin.
    made = told(view_of(world, 0), "type_02")
    assert made.season is not None
    assert made.season.words.startswith("11:00 to 12:00 on Mondays")
    assert 0.8 < made.season.factor < 1.6


def test_an_event_type_of_a_day_is_learning_with_the_instant_at_which_it_ends(world: World) -> None:
    view = view_of(world, 0)
    born = NOW - timedelta(hours=30)
    column = next(i for i, key in enumerate(view.rows.keys) if key.event_type == "type_01")
    kept = (view.rows.series != column) | (view.rows.occurred >= born.timestamp())
    key = view.rows.keys[column]
    ledger = {**view.ledger, key: replace(view.ledger[key], first_at=born)}
    made = told(replace(view, rows=view.rows.where(kept), ledger=ledger), "type_01")
    assert made.status is Status.LEARNING
    assert 1.0 <= made.learned_days <= 1.3
    until = made.result.learning_until
    assert until is not None
    assert until == pytest.approx(born + timedelta(days=3), abs=timedelta(hours=2))
    assert made.trace is not None
    assert len(made.trace.observed) < 40


def test_before_the_first_whole_bucket_there_is_an_answer_without_a_picture(world: World) -> None:
    view = view_of(world, 0)
    recent = view.rows.where(view.rows.occurred >= (NOW - timedelta(minutes=15)).timestamp())
    made = told(replace(view, rows=recent, measured_from=NOW - timedelta(minutes=15)), "type_01")
    assert made.status is Status.LEARNING
    assert made.trace is None
    assert made.windows == ()


def test_a_late_table_is_judged_as_of_its_last_load_and_the_picture_goes_on(world: World) -> None:
    view = view_of(world, 0)
    made = told(replace(view, now=NOW + timedelta(hours=9)), "type_01")
    assert made.late
    assert made.at < NOW + timedelta(minutes=1)
    assert made.trace is not None
    assert made.trace.last_at == NOW + timedelta(hours=9)
    assert [mark.text for mark in made.trace.marks] == ["last load"]
    assert any(r.aspect == "late" for r in made.exposure)


def test_a_level_that_was_accepted_is_told_and_marked(world: World) -> None:
    view = view_of(world, 24 * 5, [plant(2, 0.5, 1)])
    made = told(view, "type_02")
    assert "new level since" in made.new_level
    assert made.trace is not None
    mark = made.trace.marks[0]
    assert mark.text == "new level"
    assert abs(mark.at - (NOW + timedelta(hours=1))) <= timedelta(hours=3)


def test_the_budget_is_shared_by_the_team_and_its_source_is_told(world: World) -> None:
    declared = [contract(f"type_{i:02d}", owner=Owner("growth")) for i in range(4)]
    view = view_of(world, 0, contracts=declared)
    check = VolumeCheck(false_alerts_per_team_and_week=0.005, source="checks/calm.yaml:3")
    other = VolumeCheck(events=("type_*",), keep=timedelta(hours=2), source="checks/other.yaml:1")
    limit = told(view, "type_01", check, other).threshold
    assert limit is not None
    assert (limit.team, limit.team_size) == ("growth", 4)
    assert limit.false_per_day == pytest.approx(0.005 / 7 / 4)
    assert not limit.capped
    assert limit.source == "checks/calm.yaml:3"
    built_in = told(view, "type_01").threshold
    assert built_in is not None
    assert built_in.source == ""
    assert built_in.score < limit.score


def test_a_plain_threshold_of_the_contract_names_the_contract(world: World) -> None:
    declared = contract("type_01", z_threshold=2.5)
    made = told(view_of(world, 0, contracts=[declared]), "type_01")
    assert made.threshold is not None
    assert made.threshold.z == 2.5
    assert made.threshold.source == str(declared.location)
    assert "|z|" in made.why


def test_what_the_contract_promises_is_told_beside(world: World) -> None:
    declared = contract("type_01", min_per_day=10_000_000)
    view = view_of(world, 0, contracts=[declared])
    made = told(view, "type_01")
    assert [(r.aspect, r.status) for r in made.promises] == [("floor", Status.FAIL)]
    assert made.promises[0] == judged(view, "type_01")["floor"]


def test_a_check_that_is_switched_off_says_where(world: World) -> None:
    off = VolumeCheck(enabled=False, source="checks/off.yaml:2")
    made = told(view_of(world, 0), "type_01", off)
    assert made.status is Status.SKIPPED
    assert "checks/off.yaml:2" in made.why
    assert made.trace is not None


def test_an_event_type_without_a_row_has_no_explanation(world: World) -> None:
    view = view_of(world, 0)
    assert explain(view, rules_for(VolumeCheck(), (), "events", view.catalog), "gone") is None


def test_the_same_view_gives_the_same_explanation(fallen: ExposureView, fall: Explanation) -> None:
    assert told(fallen, "type_01") == fall
