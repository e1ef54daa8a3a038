"""The volume kind on whole exposures: what fails, since when, and what must not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from eventwatch.kinds.definition import rules_for
from eventwatch.kinds.volume import VolumeCheck, judge
from eventwatch.model.contract import (
    Catalog,
    Contract,
    Direction,
    LifecycleState,
    Location,
    Owner,
    Pattern,
    Tier,
)
from eventwatch.model.measurement import FINE, HOUR, Cells, SeriesKey
from eventwatch.model.result import Result
from eventwatch.model.settings import Exposure, Secret
from eventwatch.model.status import Severity, Status
from eventwatch.model.view import ExposureView, Seen

NOW = datetime(2026, 9, 16, 14, 20, tzinfo=UTC)
DAYS = 32
RATES = {
    f"type_{i:02d}": rate for i, rate in enumerate((1000, 400, 250, 200, 120, 90, 60, 40, 25, 15))
}

Change = Callable[[np.ndarray], np.ndarray]
"""Instants (epoch seconds of fine bins) → factor on the rate."""


def during(start: datetime, factor: float, end: datetime = NOW) -> Change:
    """A factor from one instant to another."""

    def change(at: np.ndarray) -> np.ndarray:
        inside = (at >= start.timestamp()) & (at < end.timestamp())
        return np.where(inside, factor, 1.0)

    return change


def view_of(
    rates: Mapping[str, float] = RATES,
    changes: Mapping[str, Change] | None = None,
    *,
    now: datetime = NOW,
    days: int = DAYS,
    contracts: tuple[Contract, ...] = (),
    loaded_until: datetime | None = None,
    born: Mapping[str, datetime] | None = None,
    seed: int = 3,
) -> ExposureView:
    """An exposure with a daily and weekly season whose rows come some minutes late."""
    rng = np.random.default_rng(seed)
    at = int(now.timestamp())
    start = (at - days * 86400) // 86400 * 86400
    bins = np.arange(start, at, FINE)
    hour = bins % 86400 / HOUR
    season = np.exp(0.7 * np.sin((hour - 8) / 24 * 2 * np.pi))
    season = season * np.where((bins // 86400 + 3) % 7 >= 5, 0.6, 1.0)
    columns: list[tuple[np.ndarray, ...]] = []
    for s, (name, rate) in enumerate(rates.items()):
        mean = rate / 12 * season
        mean = mean * np.repeat(rng.gamma(60, 1 / 60, len(bins) // 12 + 1), 12)[: len(bins)]
        if changes and name in changes:
            mean = mean * changes[name](bins)
        if born and name in born:
            mean = np.where(bins < born[name].timestamp(), 0.0, mean)
        counts = rng.poisson(mean)
        occurred = np.repeat(bins, counts)
        moment = occurred + rng.uniform(0, FINE, len(occurred))
        loaded = moment + np.exp(rng.normal(np.log(180), 0.7, len(occurred)))
        until = at if loaded_until is None else loaded_until.timestamp()
        seen = loaded < until
        columns.append((np.full(seen.sum(), s), occurred[seen], loaded[seen]))
    series = np.concatenate([c[0] for c in columns]).astype(np.int64)
    occurred = np.concatenate([c[1] for c in columns]).astype(np.int64)
    exact = np.concatenate([c[2] for c in columns]).astype(np.int64)
    fine_from = (at - 48 * HOUR) // HOUR * HOUR
    coarse = exact < fine_from
    loaded = np.where(coarse, exact // HOUR * HOUR, exact // FINE * FINE)
    occurred = np.where(coarse | (occurred < fine_from), occurred // HOUR * HOUR, occurred)
    order = np.lexsort((exact, loaded, occurred, series))
    key = np.stack([series, occurred, loaded])[:, order]
    first = np.flatnonzero(np.r_[True, (np.diff(key, axis=1) != 0).any(axis=0)])
    keys = tuple(SeriesKey(name) for name in rates)
    rows = Cells(
        keys,
        series[order][first].astype(np.int32),
        occurred[order][first].astype(np.int64),
        loaded[order][first].astype(np.int64),
        np.diff(np.r_[first, len(order)]).astype(np.int64),
        np.minimum.reduceat(exact[order], first),
        np.maximum.reduceat(exact[order], first),
    )
    begin = datetime.fromtimestamp(start, UTC)
    ledger = {
        key: Seen((born or {}).get(str(key.event_type), begin - timedelta(days=100)), now)
        for key in keys
    }
    return ExposureView(
        exposure=Exposure("events", Secret("duckdb://")),
        now=now,
        catalog=Catalog({c.event_type: c for c in contracts}, {}, "digest"),
        rows=rows,
        cuts=Cells.empty(),
        delays=Cells.empty(),
        duplicates=Cells.empty(),
        bad_times=Cells.empty(),
        ledger=ledger,
        measured_from=begin,
        watching_since=begin,
    )


def contract(event_type: str, **terms: object) -> Contract:
    """A contract of one team."""
    plain = Contract(event_type, "m", Location("a.proto", 1), owner=Owner(team="growth"))
    return replace(plain, **terms)  # type: ignore[arg-type]


def results(view: ExposureView, *checks: VolumeCheck) -> dict[tuple[str | None, str], Result]:
    """By event type and aspect; each once."""
    found = list(judge(view, rules_for(VolumeCheck(), checks, "events", view.catalog)))
    table = {(r.event_type, r.aspect): r for r in found}
    assert len(table) == len(found)
    return table


def failing(view: ExposureView, *checks: VolumeCheck) -> dict[str | None, Result]:
    """Those that fail, by event type."""
    return {k[0]: r for k, r in results(view, *checks).items() if r.status is Status.FAIL}


def test_a_calm_table_passes_and_every_event_type_has_one_result() -> None:
    table = results(view_of())
    assert {k[0] for k in table if k[1] == "bucket"} == set(RATES)
    assert all(r.status is Status.PASS for r in table.values())


@pytest.mark.parametrize("minutes", [20, 25, 40])
def test_a_busy_type_that_stops_fails_within_twenty_minutes(minutes: int) -> None:
    stop = NOW - timedelta(minutes=minutes)
    found = failing(view_of(changes={"type_00": during(stop, 0.0)}))
    assert set(found) == {"type_00"}
    result = found["type_00"]
    assert result.total
    assert result.since is not None
    assert abs((result.since - stop).total_seconds()) <= 600
    assert "no events" in result.summary
    assert "type_00" not in result.summary


def test_a_half_for_a_day_fails_with_its_numbers_and_its_beginning() -> None:
    start = NOW.replace(hour=2, minute=0) - timedelta(days=1)
    found = failing(view_of(changes={"type_04": during(start, 0.5)}))
    assert set(found) == {"type_04"}
    result = found["type_04"]
    amount = result.amount
    assert amount is not None
    assert amount.expected is not None
    assert amount.lower is not None
    assert amount.upper is not None
    assert amount.observed < amount.lower < amount.expected < amount.upper
    assert amount.observed / amount.expected == pytest.approx(0.5, abs=0.15)
    assert amount.z is not None
    assert amount.z < -4
    assert result.since is not None
    assert abs((result.since - start).total_seconds()) <= 3 * 3600
    assert result.spark is not None
    assert len(result.spark.values) == len(result.spark.expected) == 48
    assert not result.total
    assert result.keep == timedelta(hours=1)


def test_three_times_as_many_fail_upwards_unless_only_drops_count() -> None:
    start = NOW - timedelta(hours=5)
    changes = {"type_03": during(start, 3.0)}
    assert set(failing(view_of(changes=changes))) == {"type_03"}
    drops = contract("type_03", alert_on=Direction.DROP)
    assert not failing(view_of(changes=changes, contracts=(drops,)))
    bursty = contract("type_03", pattern=Pattern.BURSTY)
    assert not failing(view_of(changes=changes, contracts=(bursty,)))
    assert not failing(view_of(changes=changes), VolumeCheck(alert_on=Direction.DROP))


def test_what_most_types_do_together_is_told_once() -> None:
    start = NOW - timedelta(hours=6)
    found = failing(view_of(changes={name: during(start, 0.4) for name in RATES}))
    assert None in found
    assert len(found) <= 2
    assert "together" in found[None].summary


def test_a_table_that_is_late_gives_no_failures_of_its_types() -> None:
    late = view_of(loaded_until=NOW - timedelta(hours=2))
    table = results(late)
    assert not any(r.status is Status.FAIL for r in table.values())
    assert table[None, "late"].status is Status.SKIPPED


def test_a_late_table_keeps_what_was_wrong_before() -> None:
    stop = NOW - timedelta(hours=9)
    late = view_of(changes={"type_02": during(stop, 0.0)}, loaded_until=NOW - timedelta(hours=2))
    assert set(failing(late)) == {"type_02"}


def test_a_young_type_learns_and_says_until_when() -> None:
    born = NOW - timedelta(hours=30)
    table = results(view_of(born={"type_02": born}))
    result = table["type_02", "bucket"]
    assert result.status is Status.LEARNING
    assert result.learning_until is not None
    assert abs(result.learning_until - (born + timedelta(days=3))) <= timedelta(hours=2)


def test_hours_nobody_measured_are_not_a_drop() -> None:
    gap = (NOW - timedelta(hours=12), NOW - timedelta(hours=6))
    view = view_of()
    inside = (view.rows.loaded >= gap[0].timestamp()) & (view.rows.loaded < gap[1].timestamp())
    view = replace(view, rows=view.rows.where(~inside), not_measured=(gap,))
    assert not failing(view)


def test_a_rare_type_is_judged_by_day() -> None:
    rates = {**RATES, "rare": 0.3, "rarest": 0.005}
    table = results(view_of(rates))
    assert table["rare", "bucket"].status is Status.PASS
    assert "judged by day" in table["rare", "bucket"].summary
    assert table["rarest", "bucket"].status is Status.SKIPPED
    sparse = contract("type_03", pattern=Pattern.SPARSE)
    table = results(view_of(contracts=(sparse,)))
    assert "judged by day" in table["type_03", "bucket"].summary


@pytest.mark.parametrize("state", [LifecycleState.DRAFT, LifecycleState.RETIRED])
def test_drafts_and_retired_types_are_not_judged(state: LifecycleState) -> None:
    changes = {"type_02": during(NOW - timedelta(hours=6), 0.0)}
    table = results(view_of(changes=changes, contracts=(contract("type_02", state=state),)))
    assert table["type_02", "bucket"].status is Status.SKIPPED


def test_a_deprecated_type_may_fall() -> None:
    changes = {"type_02": during(NOW - timedelta(hours=6), 0.1)}
    old = contract("type_02", state=LifecycleState.DEPRECATED, sunset=date(2027, 1, 1))
    assert not failing(view_of(changes=changes, contracts=(old,)))


def test_floor_and_ceiling_of_the_contract_are_kept_by_local_days() -> None:
    terms = (
        contract("type_03", min_per_day=50_000),
        contract("type_04", min_per_day=100),
        contract("type_05", max_per_day=10),
    )
    table = results(view_of(contracts=terms))
    floor, ceiling = table["type_03", "floor"], table["type_05", "ceiling"]
    assert floor.status is Status.FAIL
    assert floor.amount is not None
    assert floor.amount.lower == 50_000
    assert table["type_04", "floor"].status is Status.PASS
    assert ceiling.status is Status.FAIL
    assert ceiling.amount is not None
    assert ceiling.amount.observed > 10


def test_severity_and_threshold_follow_the_most_specific() -> None:
    changes = {"type_02": during(NOW - timedelta(hours=6), 0.0)}
    critical = contract("type_02", tier=Tier.CRITICAL)
    found = failing(view_of(changes=changes, contracts=(critical,)))
    assert found["type_02"].severity is Severity.CRITICAL
    slight = {"type_02": during(NOW - timedelta(hours=6), 0.75)}
    deaf = VolumeCheck(z_threshold=40.0)
    assert not failing(view_of(changes=slight), deaf)
    assert "type_02" in failing(view_of(changes=slight), VolumeCheck(z_threshold=2.5))


def test_a_check_that_is_off_says_nothing() -> None:
    off = VolumeCheck(events=("type_0*",), enabled=False)
    table = results(view_of(), off)
    assert not any(k[0] is not None for k in table)


def test_an_empty_exposure_says_nothing_and_a_new_one_learns() -> None:
    view = view_of()
    assert not list(
        judge(
            replace(view, rows=Cells.empty()), rules_for(VolumeCheck(), (), "events", view.catalog)
        )
    )
    young = results(view_of(days=1, now=NOW, born=dict.fromkeys(RATES, NOW - timedelta(days=1))))
    assert all(r.status is not Status.FAIL for r in young.values())
    assert any(r.status is Status.LEARNING for r in young.values())


def test_the_same_view_gives_the_same_results() -> None:
    view = view_of(changes={"type_04": during(NOW - timedelta(hours=20), 0.5)})
    assert results(view) == results(view)


@pytest.mark.parametrize("bucket", [timedelta(minutes=15), timedelta(hours=6), timedelta(days=1)])
def test_other_buckets_find_a_stop_of_two_days_and_nothing_else(bucket: timedelta) -> None:
    view = view_of(changes={"type_03": during(NOW - timedelta(days=2), 0.0)})
    view = replace(view, exposure=replace(view.exposure, bucket=bucket))
    assert set(failing(view)) == {"type_03"}
