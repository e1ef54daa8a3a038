"""How old the newest arrival is, of the exposure and of each event type."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from pydantic import ValidationError

from eventwatch.kinds.freshness import FreshnessCheck
from eventwatch.model.contract import LifecycleState, Pattern, Tier
from eventwatch.model.measurement import SeriesKey
from eventwatch.model.status import Severity, Status
from eventwatch.model.view import Seen
from tests.fakes.views import NOW, Row, catalog, contract, exposure, steady, view_of
from tests.kinds.conftest import Asked

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def human(event_type: str, mean: timedelta, days: int, seed: int = 7) -> list[Row]:
    """Bursts that come at random: each load brings 1 to 40 rows."""
    draw = np.random.default_rng(seed)
    at = NOW - days * DAY
    rows: list[Row] = []
    while True:
        at += mean * float(draw.exponential())
        if at >= NOW:
            return rows
        rows.append(Row(event_type, at, count=int(draw.integers(1, 40))))


def test_the_newest_arrival_is_held_against_the_limit(freshness: Asked) -> None:
    view = view_of(steady("a", NOW - 9 * DAY, NOW - 20 * MINUTE))
    result = freshness(view, max_staleness="15m").of("staleness")

    assert result.status is Status.FAIL
    assert result.total
    assert result.since == view.ledger[SeriesKey("a")].last_at
    assert result.summary == "nothing arrived for 25 min; the limit is 15 min"
    assert result.amount is not None
    assert (result.amount.unit, result.amount.upper) == ("seconds", 900.0)
    assert freshness(view, max_staleness="26m").of("staleness").status is Status.PASS


def test_rows_with_impossible_times_have_arrived(freshness: Asked) -> None:
    rows = [*steady("a", NOW - 9 * DAY, NOW - 2 * HOUR), Row("a", NOW - MINUTE, bad="old")]
    assert freshness(view_of(rows), max_staleness="15m").of("staleness").status is Status.PASS


def test_without_a_limit_a_stream_that_never_paused_is_late_after_a_quarter_of_an_hour(
    freshness: Asked,
) -> None:
    rows = steady("a", NOW - 20 * DAY, NOW - 10 * MINUTE, 2 * MINUTE)
    assert freshness(view_of(rows)).of("staleness").status is Status.PASS
    rows = steady("a", NOW - 20 * DAY, NOW - 40 * MINUTE, 2 * MINUTE)
    assert freshness(view_of(rows)).of("staleness").status is Status.FAIL


@pytest.mark.parametrize(("waited", "status"), [(23, Status.PASS), (45, Status.FAIL)])
def test_a_daily_batch_is_late_when_the_next_one_does_not_come(
    freshness: Asked, waited: int, status: Status
) -> None:
    batches = [Row("a", NOW - timedelta(hours=waited) - i * DAY, count=5000) for i in range(50)]
    result = freshness(view_of(batches, catalog("a"))).of("staleness")
    assert result.status is status, result.summary


def test_a_human_stream_whose_loads_are_days_apart_does_not_cry_wolf(freshness: Asked) -> None:
    rows = human("a", 1.5 * DAY, 365)
    table = exposure(look_back=365 * DAY)
    late = 0
    for hours in range(0, 24 * 90, 12):
        view = view_of(rows, now=NOW - hours * HOUR, table=table, measured_from=NOW - 365 * DAY)
        late += freshness(view).of("staleness").status is Status.FAIL
    assert late <= 2
    gone = view_of(
        [r for r in rows if r.loaded < NOW - 30 * DAY],  # type: ignore[operator]
        table=table,
        measured_from=NOW - 365 * DAY,
    )
    assert freshness(gone).of("staleness").status is Status.FAIL


def test_a_table_that_never_had_a_row_is_late_once_it_was_watched_for_longer_than_its_limit(
    freshness: Asked,
) -> None:
    young = view_of([], measured_from=NOW - 10 * MINUTE)
    result = freshness(young).of("staleness")
    assert result.status is Status.LEARNING
    assert result.learning_until == NOW + 5 * MINUTE
    old = freshness(view_of([], measured_from=NOW - DAY)).of("staleness")
    assert (old.status, old.total) == (Status.FAIL, True)


def test_a_table_watched_for_exactly_its_limit_is_not_late_yet(freshness: Asked) -> None:
    view = view_of([], measured_from=NOW - 15 * MINUTE)
    assert freshness(view, max_staleness="15m").of("staleness").status is Status.LEARNING
    assert freshness(view, max_staleness="14m").of("staleness").status is Status.FAIL


@pytest.mark.parametrize(("waited", "status"), [(115, Status.PASS), (125, Status.FAIL)])
def test_no_silence_is_learned_that_is_shorter_than_two_looks(
    freshness: Asked, waited: int, status: Status
) -> None:
    rows = steady("a", NOW - 20 * DAY, NOW - waited * MINUTE, 2 * MINUTE)
    table = exposure(every=HOUR)
    assert freshness(view_of(rows, table=table)).of("staleness").status is status


def test_a_learned_silence_says_what_was_expected(freshness: Asked) -> None:
    rows = steady("a", NOW - 20 * DAY, NOW - 40 * MINUTE, 2 * MINUTE)
    amount = freshness(view_of(rows)).of("staleness").amount
    assert amount is not None
    assert amount.expected is not None
    assert 0 < amount.expected < 900
    assert amount.upper is None


def test_a_table_seen_for_hours_only_is_still_being_learned(freshness: Asked) -> None:
    rows = [Row("a", NOW - 3 * HOUR), Row("a", NOW - 2 * HOUR)]
    result = freshness(view_of(rows)).of("staleness")
    assert result.status is Status.LEARNING


def test_the_contract_limits_the_silence_of_its_event_type(freshness: Asked) -> None:
    rows = [
        *steady("a", NOW - 9 * DAY, NOW - 3 * HOUR),
        *steady("b", NOW - 9 * DAY, NOW),
    ]
    known = catalog(
        contract("a", max_gap=2 * HOUR, tier=Tier.CRITICAL), contract("b", max_gap=HOUR)
    )
    found = freshness(view_of(rows, known))
    result = found.of("silence", "a")

    assert result.status is Status.FAIL
    assert result.severity is Severity.CRITICAL
    assert result.total
    assert result.summary == "silent for 3 h 5 min; the contract allows 2 h"
    assert result.since == NOW - 3 * HOUR - 5 * MINUTE
    assert result.spark is not None
    assert found.of("silence", "b").status is Status.PASS


def test_silence_is_counted_from_the_load_and_not_from_the_occurrence(freshness: Asked) -> None:
    rows = [Row("a", NOW - MINUTE, NOW - 5 * DAY), *steady("b", NOW - 9 * DAY, NOW)]
    view = view_of(rows, catalog(contract("a", max_gap=HOUR)))
    assert freshness(view).of("silence", "a").status is Status.PASS


def test_a_limit_holds_where_only_the_ledger_remembers_the_event_type(freshness: Asked) -> None:
    seen = {SeriesKey("a"): Seen(NOW - 99 * DAY, NOW - 80 * DAY)}
    rows = steady("b", NOW - 9 * DAY, NOW)
    known = catalog(contract("a", max_gap=30 * DAY), "c")
    seen[SeriesKey("c")] = seen[SeriesKey("a")]
    found = freshness(view_of(rows, known, ledger=seen))
    assert found.of("silence", "a").status is Status.FAIL
    assert found.of("silence", "c").status is Status.SKIPPED


@pytest.mark.parametrize(
    "changes",
    [
        {"state": LifecycleState.DRAFT},
        {"state": LifecycleState.DEPRECATED},
        {"state": LifecycleState.RETIRED},
        {"sunset": date(2026, 11, 19)},
        {"since": date(2026, 12, 1)},
        {"exposures": ("elsewhere",)},
    ],
)
def test_nobody_waits_for_what_need_not_come(freshness: Asked, changes: dict[str, object]) -> None:
    rows = [*steady("a", NOW - 20 * DAY, NOW - 9 * DAY), *steady("b", NOW - 20 * DAY, NOW)]
    view = view_of(rows, catalog(contract("a", max_gap=HOUR, **changes), "b"))
    assert not [r for r in freshness(view) if r.event_type == "a" and r.aspect == "silence"]


def test_undeclared_and_never_seen_event_types_are_left_to_drift(freshness: Asked) -> None:
    rows = [*steady("undeclared", NOW - 20 * DAY, NOW - 9 * DAY), *steady("b", NOW - 20 * DAY, NOW)]
    found = freshness(view_of(rows, catalog("b", "never")))
    assert [r.event_type for r in found if r.aspect == "silence"] == ["b"]


def test_a_busy_event_type_is_missed_within_the_hour(freshness: Asked) -> None:
    rows = [
        *steady("a", NOW - 20 * DAY, NOW - 35 * MINUTE, MINUTE, 2),
        *steady("b", NOW - 20 * DAY, NOW),
    ]
    result = freshness(view_of(rows, catalog("a", "b"))).of("silence", "a")
    assert result.status is Status.FAIL
    assert result.amount is not None
    assert result.amount.p_value is not None
    assert result.amount.p_value < 1e-6
    assert "rows usually arrive" in result.summary


def test_the_hours_in_which_an_event_type_always_sleeps_are_no_silence(freshness: Asked) -> None:
    # Comes from 13 to 23 o'clock only; it is noon.
    awake = [
        row
        for row in steady("a", NOW - 30 * DAY, NOW, 4 * MINUTE, 3)
        if row.loaded.hour >= 13  # type: ignore[union-attr]
    ]
    view = view_of([*awake, *steady("b", NOW - 30 * DAY, NOW)], catalog("a", "b"))
    assert freshness(view).of("silence", "a").status is Status.PASS
    later = NOW + 4 * HOUR
    view = view_of([*awake, *steady("b", NOW - 30 * DAY, later)], catalog("a", "b"), now=later)
    assert freshness(view).of("silence", "a").status is Status.FAIL


def test_a_bursty_event_type_is_given_the_time_its_own_pauses_took(freshness: Asked) -> None:
    other = steady("b", NOW - 180 * DAY, NOW, 30 * MINUTE)
    bursts = human("a", DAY, 180)
    wrong = 0
    for hours in range(0, 24 * 60, 24):
        now = NOW - hours * HOUR
        view = view_of([*bursts, *other], catalog("a", "b"), now=now)
        wrong += freshness(view).of("silence", "a").status is Status.FAIL
    assert wrong == 0
    cut = [r for r in bursts if r.loaded < NOW - 25 * DAY]  # type: ignore[operator]
    result = freshness(view_of([*cut, *other], catalog("a", "b"))).of("silence", "a")
    assert result.status is Status.FAIL
    assert "hardly ever pauses" in result.summary


def test_the_pattern_in_the_contract_decides_by_what_it_is_judged(freshness: Asked) -> None:
    rows = [
        *steady("a", NOW - 20 * DAY, NOW - 50 * MINUTE, MINUTE, 2),
        *steady("b", NOW - 20 * DAY, NOW),
    ]
    sparse = catalog(contract("a", pattern=Pattern.SPARSE), "b")
    continuous = catalog(contract("a", pattern=Pattern.CONTINUOUS), "b")
    by_rate = freshness(view_of(rows, continuous)).of("silence", "a")
    by_pauses = freshness(view_of(rows, sparse)).of("silence", "a")
    assert "rows usually arrive" in by_rate.summary
    assert "rows usually arrive" not in by_pauses.summary


def test_a_young_event_type_is_learned_first_and_a_rare_one_is_not_judged(freshness: Asked) -> None:
    rows = [
        *steady("young", NOW - 3 * DAY, NOW - 2 * DAY),
        *steady("rare", NOW - 30 * DAY, NOW - 10 * DAY, 6 * DAY),
        *steady("b", NOW - 30 * DAY, NOW),
    ]
    found = freshness(view_of(rows, catalog("young", "rare", "b")))
    young, rare = found.of("silence", "young"), found.of("silence", "rare")
    assert (young.status, young.learning_until) == (Status.LEARNING, NOW + 4 * DAY)
    assert rare.status is Status.SKIPPED
    assert "too rare" in rare.summary


def test_a_late_exposure_explains_the_silence_of_its_event_types(freshness: Asked) -> None:
    end = NOW - 3 * HOUR
    rows = [r for name in "abc" for r in steady(name, NOW - 20 * DAY, end, MINUTE)]
    rows += steady("dead", NOW - 20 * DAY, NOW - 2 * DAY, MINUTE)
    known = catalog("a", contract("b", max_gap=HOUR), "c", "dead", contract("d", max_gap=HOUR))
    found = freshness(view_of(rows, known), max_staleness="15m")

    assert found.of("staleness").status is Status.FAIL
    for name in "abc":
        result = found.of("silence", name)
        assert (result.status, result.summary) == (Status.SKIPPED, "the exposure itself is late")
    # What was silent before the exposure was, is so on its own account.
    assert found.of("silence", "dead").status is Status.FAIL


def test_hours_in_which_the_whole_table_was_down_are_nobodys_silence(freshness: Asked) -> None:
    down = (NOW - 6 * DAY, NOW - 2 * DAY)
    rows = [
        row
        for name in "ab"
        for row in steady(name, NOW - 30 * DAY, NOW, 20 * MINUTE)
        if not down[0] <= row.loaded < down[1]  # type: ignore[operator]
    ]
    rows = [r for r in rows if r.event_type == "b" or r.loaded < NOW - 12 * HOUR]  # type: ignore[operator]
    result = freshness(view_of(rows, catalog("a", "b"))).of("silence", "a")
    assert result.status is Status.FAIL


def test_a_span_that_nobody_could_measure_is_no_silence(freshness: Asked) -> None:
    rows = [
        *steady("a", NOW - 20 * DAY, NOW - 5 * HOUR, 2 * MINUTE),
        *steady("b", NOW - 20 * DAY, NOW),
    ]
    view = view_of(rows, catalog("a", "b"))
    assert freshness(view).of("silence", "a").status is Status.FAIL
    blind = replace(view, not_measured=((NOW - 6 * HOUR, NOW),))
    assert freshness(blind).of("silence", "a").status is Status.PASS


def test_three_hundred_event_types_give_hardly_a_false_silence_in_a_week(freshness: Asked) -> None:
    draw = np.random.default_rng(3)
    hours = 24 * 35
    rates = 30.0 / np.arange(1, 301)
    start = NOW - hours * HOUR
    rows = [
        Row(f"e{i:03d}", start + timedelta(hours=int(h), minutes=float(draw.uniform(0, 59))))
        for i, rate in enumerate(rates)
        for h in np.flatnonzero(draw.poisson(rate, hours))
    ]
    known = catalog(*(f"e{i:03d}" for i in range(300)))
    false = set()
    for step in range(0, 24 * 7, 24):
        view = view_of(rows, known, now=NOW - step * HOUR)
        false |= {name for aspect, name in freshness(view).failing() if aspect == "silence"}
    assert len(false) <= 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_staleness": "0"},
        {"max_staleness": 15},
        {"max_lag": "-5m"},
        {"false_silences_per_week": 0},
        {"max_bad_times": 1.5},
        {"max_changed": -1},
        {"max_stalness": "5m"},
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FreshnessCheck.model_validate({"kind": "freshness", **wrong})
