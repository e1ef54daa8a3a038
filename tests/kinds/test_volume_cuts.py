"""Cuts: what a platform's loss is told as, how often, and what is no loss at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventwatch.kinds.definition import rules_for
from eventwatch.kinds.volume import VolumeCheck, judge
from eventwatch.kinds.volume_cuts_score import z_of_share
from eventwatch.model.contract import Catalog, Contract, Direction, Location, Owner
from eventwatch.model.label import Label, Opinion
from eventwatch.model.measurement import FINE, HOUR, NULL_VALUE, OTHER, Cells, SeriesKey
from eventwatch.model.result import Cut, Result
from eventwatch.model.settings import Dimension, Exposure, Secret
from eventwatch.model.status import Status
from eventwatch.model.view import ExposureView, Seen

NOW = datetime(2026, 9, 16, 14, 20, tzinfo=UTC)
DAYS = 30
RATES = {f"type_{i}": rate for i, rate in enumerate((150, 100, 80, 60, 50, 40, 30))}
SHARES = {"android": 0.35, "ios": 0.45, "web": 0.2}
SINCE = datetime(2026, 9, 16, 2, tzinfo=UTC)
ANDROID, WEB = Cut("platform", "android"), Cut("platform", "web")

Rows = tuple[np.ndarray, np.ndarray]
Edit = Callable[[np.ndarray, np.ndarray, np.random.Generator], Rows]
"""Instants and values of one event type → those that are kept."""


def lost(value: str, part: float, since: datetime = SINCE) -> Edit:
    """Of one value only ``part`` still comes."""

    def edit(at: np.ndarray, values: np.ndarray, random: np.random.Generator) -> Rows:
        goes = (
            (values == value) & (at >= since.timestamp()) & (random.uniform(size=len(at)) >= part)
        )
        return at[~goes], values[~goes]

    return edit


def moved(value: str, to: str, part: float = 1.0) -> Edit:
    """Rows of one value get another one."""

    def edit(at: np.ndarray, values: np.ndarray, random: np.random.Generator) -> Rows:
        goes = (values == value) & (at >= SINCE.timestamp()) & (random.uniform(size=len(at)) < part)
        return at, np.where(goes, to, values)

    return edit


def thinned(part: float) -> Edit:
    """All values alike."""

    def edit(at: np.ndarray, values: np.ndarray, random: np.random.Generator) -> Rows:
        stays = (at < SINCE.timestamp()) | (random.uniform(size=len(at)) < part)
        return at[stays], values[stays]

    return edit


def doubled(value: str, times: int) -> Edit:
    """One value comes so many times as often."""

    def edit(at: np.ndarray, values: np.ndarray, random: np.random.Generator) -> Rows:
        more = np.where((values == value) & (at >= SINCE.timestamp()), times, 1)
        return np.repeat(at, more), np.repeat(values, more)

    return edit


def versions(at: np.ndarray, values: np.ndarray, random: np.random.Generator) -> Rows:
    """Values are versions, each replaced by the next one within two days, again and again."""
    release = (at / 86400 + random.uniform(0, 2, len(at))) // 6
    return at, np.char.add(np.char.add("4.", release.astype(int).astype(str)), ".0")


@dataclass(frozen=True)
class World:
    """What is judged, and how."""

    edits: Mapping[str, Edit]
    contracts: Mapping[str, Contract]
    shares: Mapping[str, float]


def view_of(world: World) -> ExposureView:
    """An exposure with a daily season whose rows come some minutes late."""
    random = np.random.default_rng(3)
    now = int(NOW.timestamp())
    start = (now - DAYS * 86400) // 86400 * 86400
    hours = np.arange(start, now, HOUR)
    season = np.exp(0.5 * np.sin((hours % 86400 / HOUR - 8) / 24 * 2 * np.pi))
    rows, cuts = [], []
    for name, rate in RATES.items():
        counts = random.poisson(rate * season * random.gamma(50, 1 / 50, len(hours)))
        at = np.repeat(hours, counts) + random.uniform(0, HOUR, counts.sum())
        values = random.choice(list(world.shares), len(at), p=list(world.shares.values()))
        if name in world.edits:
            at, values = world.edits[name](at, values.astype("<U40"), random)
        loaded = at + np.exp(random.normal(np.log(180), 0.7, len(at)))
        come = loaded < now
        at, values, loaded = at[come], values[come], loaded[come]
        young = at >= now // HOUR * HOUR - 48 * HOUR
        grain = np.where(young, FINE, HOUR)
        rows += _cells(SeriesKey(name), at // grain * grain, loaded, grain)
        for value in np.unique(values):
            mine = values == value
            key = SeriesKey(name, "platform", str(value))
            cuts += _cells(key, at[mine] // HOUR * HOUR, loaded[mine], np.full(mine.sum(), HOUR))
    sets = [_together(rows), _together(cuts)]
    long_ago = datetime.fromtimestamp(start, UTC)
    ledger = {
        key: Seen(
            max(long_ago, datetime.fromtimestamp(cells.first_loaded[cells.series == s].min(), UTC)),
            NOW,
        )
        for cells in sets
        for s, key in enumerate(cells.keys)
    }
    none = Cells.empty()
    return ExposureView(
        exposure=Exposure(
            "events", Secret("duckdb://"), dimensions=(Dimension("platform", "platform"),)
        ),
        now=NOW,
        catalog=Catalog(world.contracts, {}, ""),
        rows=sets[0],
        cuts=sets[1],
        delays=none,
        duplicates=none,
        bad_times=none,
        ledger=ledger,
        measured_from=long_ago,
        watching_since=long_ago,
    )


Cell = tuple[SeriesKey, np.ndarray]


def _cells(
    key: SeriesKey, occurred: np.ndarray, loaded: np.ndarray, grain: np.ndarray
) -> list[Cell]:
    pairs = np.stack([occurred, loaded // grain * grain]).astype(np.int64)
    found, counts = np.unique(pairs, axis=1, return_counts=True)
    return [(key, np.vstack([found, counts[None]]))]


def _together(parts: list[Cell]) -> Cells:
    keys = tuple(key for key, _ in parts)
    series = np.concatenate(
        [np.full(a.shape[1], i, dtype=np.int32) for i, (_, a) in enumerate(parts)]
    )
    occurred, loaded, rows = np.concatenate([a for _, a in parts], axis=1)
    return Cells(keys, series, occurred, loaded, rows, loaded, loaded)


def declared(name: str, **more: object) -> Contract:
    return Contract(name, name, Location("shop.proto", None), Owner("growth"), **more)  # type: ignore[arg-type]


CONTRACTS = {name: declared(name) for name in RATES}


def judged(
    edits: Mapping[str, Edit] | None = None,
    *,
    contracts: Mapping[str, Contract] = CONTRACTS,
    shares: Mapping[str, float] = SHARES,
    check: VolumeCheck | None = None,
    labels: tuple[Label, ...] = (),
) -> list[Result]:
    view = replace(view_of(World(edits or {}, contracts, shares)), labels=labels)
    rules = rules_for(check or VolumeCheck(), (), "events", view.catalog)
    return list(judge(view, rules))


def failing(results: list[Result]) -> list[Result]:
    return [r for r in results if r.status is Status.FAIL]


def of_cuts(
    results: list[Result], status: Status = Status.FAIL
) -> list[tuple[str | None, Cut | None]]:
    return [(r.event_type, r.cut) for r in results if r.cut is not None and r.status is status]


def facts(result: Result, label: str) -> list[str]:
    return [fact.text for fact in result.facts if fact.label == label]


def test_nothing_is_told_while_all_is_as_usual() -> None:
    results = judged()
    assert not failing(results)
    assert not of_cuts(results, Status.SKIPPED)


def test_half_of_a_platform_is_told_as_that_platform_and_since_when() -> None:
    results = judged({"type_0": lost("android", 0.5)})
    assert of_cuts(results) == [("type_0", ANDROID)]
    found = next(r for r in results if r.cut is not None)
    assert found.since is not None
    assert abs(found.since - SINCE) <= timedelta(hours=2)
    assert found.amount is not None
    assert found.amount.z is not None
    assert found.amount.z < 0
    assert found.summary.startswith("platform android: ")
    assert not found.total


def test_a_value_that_comes_three_times_as_often_is_told() -> None:
    results = judged({"type_6": doubled("web", 3)})
    told = failing(results)
    assert {r.event_type for r in told} == {"type_6"}
    assert ("type_6", Cut("platform", "web")) in of_cuts(results)


def test_silence_is_left_to_drift_where_the_event_type_is_declared() -> None:
    results = judged({"type_1": lost("web", 0.0, NOW - timedelta(hours=4))})
    assert of_cuts(results) == []
    [skipped] = [r for r in results if r.cut == WEB]
    assert skipped.status is Status.SKIPPED
    assert "drift" in skipped.summary


def test_silence_is_told_where_nobody_declared_the_event_type() -> None:
    contracts = {name: c for name, c in CONTRACTS.items() if name != "type_1"}
    edits = {"type_1": lost("web", 0.0, NOW - timedelta(hours=4))}
    results = judged(edits, contracts=contracts)
    assert of_cuts(results) == [("type_1", WEB)]
    assert next(r for r in results if r.cut == WEB).total


def test_rows_that_moved_to_another_value_are_no_news() -> None:
    assert not failing(judged({"type_0": moved("web", "ios")}))


def test_rows_that_moved_are_told_where_the_dimension_is_declared_stable() -> None:
    check = VolumeCheck(stable_dimensions=("platform",))
    results = judged({"type_0": moved("web", "ios", 0.7)}, check=check)
    assert {event_type for event_type, _ in of_cuts(results)} == {"type_0"}


def test_rows_that_lost_their_value_are_told() -> None:
    shares = {**SHARES, "ios": 0.42, NULL_VALUE: 0.03}
    results = judged({"type_0": moved("web", NULL_VALUE)}, shares=shares)
    assert of_cuts(results) == [("type_0", Cut("platform", NULL_VALUE))]
    assert "platform null" in next(r.summary for r in failing(results))


def test_an_event_type_that_falls_as_a_whole_is_told_without_its_values() -> None:
    results = judged({"type_1": thinned(0.3)})
    assert of_cuts(results) == []
    [told] = failing(results)
    assert facts(told, "explained by") == ["all values of platform alike"]


def test_a_value_that_fells_its_event_type_is_a_fact_of_it() -> None:
    shares = {"android": 0.7, "ios": 0.2, "web": 0.1}
    results = judged({"type_1": lost("android", 0.1)}, shares=shares)
    [told] = failing(results)
    assert (told.event_type, told.cut) == ("type_1", None)
    [text] = facts(told, "explained by")
    assert text.startswith("platform android −")
    assert of_cuts(results, Status.SKIPPED) == [("type_1", ANDROID)]


def test_a_value_that_falls_in_most_event_types_is_told_once() -> None:
    results = judged({name: lost("android", 0.5) for name in RATES})
    assert of_cuts(results) == [(None, ANDROID)]
    [told] = [r for r in results if r.aspect == "cut_all"]
    assert facts(told, "scope") == ["7 of 7 event types moved alike"]
    parts = [r for r in results if r.status is Status.SKIPPED and r.aspect == "cut"]
    assert parts
    assert all(r.cut == ANDROID and r.amount is not None and r.since is not None for r in parts)


def test_one_event_type_is_not_most_of_them() -> None:
    results = judged({"type_0": lost("android", 0.4)})
    assert of_cuts(results) == [("type_0", ANDROID)]


def test_versions_that_replace_each_other_are_no_news() -> None:
    results = judged(dict.fromkeys(RATES, versions))
    assert not failing(results)


def test_the_rest_beyond_the_cap_is_never_told() -> None:
    shares = {"android": 0.35, "ios": 0.45, OTHER: 0.2}
    results = judged({"type_0": lost(OTHER, 0.2)}, shares=shares)
    assert not any(r.cut == Cut("platform", OTHER) for r in results)


def test_a_check_of_rises_alone_does_not_tell_falls() -> None:
    contracts = {**CONTRACTS, "type_0": declared("type_0", alert_on=Direction.SPIKE)}
    assert not failing(judged({"type_0": lost("android", 0.5)}, contracts=contracts))


def test_a_dimension_that_is_not_to_be_judged_is_not() -> None:
    check = VolumeCheck(dimensions=("country",))
    assert not failing(judged({"type_0": lost("android", 0.5)}, check=check))


def test_what_a_person_called_no_problem_is_not_told_again() -> None:
    label = Label(
        id="1",
        opinion=Opinion.NOT_A_PROBLEM,
        exposure="events",
        fingerprint="",
        event_type="type_0",
        dimension="platform",
        value="android",
        starts_at=SINCE,
        ends_at=NOW,
        given_at=NOW - timedelta(minutes=5),
        author="ann",
        reason="a new client",
    )
    assert not failing(judged({"type_0": lost("android", 0.5)}, labels=(label,)))


@pytest.mark.parametrize(
    "name", ["<!channel> *x*", "a\x1b[31m", "\u202eabc", "'; drop table x; --", ""]
)
def test_a_value_with_a_hostile_name_is_a_value_like_any_other(name: str) -> None:
    shares = {name: 0.35, "ios": 0.45, "web": 0.2}
    results = judged({"type_0": lost(name, 0.5)}, shares=shares)
    assert of_cuts(results) == [("type_0", Cut("platform", name))]


@given(
    rows=st.integers(1, 1_000_000),
    share=st.floats(0.001, 0.999),
    spread=st.floats(0, 0.1),
    parts=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_more_rows_never_score_lower(
    rows: int, share: float, spread: float, parts: tuple[float, float]
) -> None:
    few, many = sorted(round(part * rows) for part in parts)
    n, expected = np.full(2, float(rows)), np.full(2, rows * share)
    z = z_of_share(np.array([few, many], dtype=float), expected, n, np.full(2, spread))
    assert np.isfinite(z).all()
    if abs(z[0] - z[1]) > 0.6 or (np.sign(z[0]) == np.sign(z[1]) and min(abs(z)) > 4):
        assert z[1] >= z[0] - 1e-9
