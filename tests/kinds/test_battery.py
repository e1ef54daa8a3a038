"""What holds for every check kind, whatever it looks at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventwatch.kinds.definition import rules_for
from eventwatch.kinds.registry import KINDS
from eventwatch.model.contract import Contract, LifecycleState, Pattern, Tier
from eventwatch.model.measurement import Cells, Changed
from eventwatch.model.result import Result
from eventwatch.model.settings import Columns
from eventwatch.model.status import KindName, Severity, Status
from eventwatch.model.view import ExposureView
from tests.fakes.hostile_names import HOSTILE
from tests.fakes.views import NOW, Row, catalog, contract, exposure, steady, view_of

DAY = timedelta(days=1)
PLATFORMS = ("ios", "android", None)


def judged(kind: KindName, view: ExposureView) -> list[Result]:
    entry = KINDS[kind]
    return list(entry.judge(view, rules_for(entry.defaults, [], view.exposure.name, view.catalog)))


def ordinary() -> ExposureView:
    rows = [
        *steady("a", NOW - 20 * DAY, NOW, timedelta(minutes=30), 4, values={"platform": "ios"}),
        *steady("b", NOW - 20 * DAY, NOW - DAY, timedelta(hours=3), values={"platform": "web"}),
        Row("c", NOW - timedelta(hours=2), count=3, repeated=2, values={"platform": "ios"}),
        Row("a", NOW - timedelta(hours=1), count=20, bad="future"),
    ]
    return view_of(rows, catalog("a", "b", "never"))


def hostile() -> ExposureView:
    rows = [
        Row(name, NOW - timedelta(minutes=7 * i), count=i % 5 + 1, repeated=i % 2, values=values)
        for i, name in enumerate(HOSTILE)
        for values in ({"platform": HOSTILE[-1 - i]}, {"platform": "ios"})
    ]
    rows += steady("calm", NOW - 15 * DAY, NOW, timedelta(hours=1), values={"platform": "ios"})
    declared = [
        contract(name, expected_values={"platform": (HOSTILE[i - 1], "ios")}, replaced_by=name)
        for i, name in enumerate(HOSTILE)
        if i % 3 == 0
    ]
    return view_of(rows, catalog("calm", *declared))


def without_load_time() -> ExposureView:
    view = ordinary()
    bare = Columns(loaded_at=None, event_id=None)
    return replace(view, exposure=replace(view.exposure, columns=bare), approximate=True)


def contracts_of_every_sort() -> ExposureView:
    declared = [
        contract(
            f"{state}_{pattern}_{tier}",
            state=state,
            pattern=pattern,
            tier=tier,
            since=since,
            sunset=sunset,
            max_gap=gap,
            max_lag=timedelta(minutes=1),
            exposures=lands,
            expected_values={"platform": ("ios",), "country": ("de",)},
        )
        for state in LifecycleState
        for pattern in Pattern
        for tier in (Tier.CRITICAL, Tier.BEST_EFFORT)
        for since, sunset, gap, lands in (
            (None, None, None, ()),
            (date(2026, 11, 20), date(2026, 11, 21), timedelta(hours=1), ()),
            (date(2026, 11, 1), date(2026, 11, 10), None, ("elsewhere",)),
        )
    ]
    rows = [
        row
        for c in declared[::2]
        for row in steady(
            c.event_type, NOW - 10 * DAY, NOW, timedelta(hours=9), values={"platform": "web"}
        )
    ]
    return view_of(rows, catalog(*declared))


VIEWS: dict[str, Callable[[], ExposureView]] = {
    "nothing at all": lambda: view_of([]),
    "contracts and no rows": lambda: view_of([], catalog("a", contract("b", max_gap=DAY))),
    "no rows, dimensions watched": lambda: view_of([], catalog("a"), table=exposure("platform")),
    "one row": lambda: view_of([Row("a", NOW)], catalog("a")),
    "one series": lambda: view_of(steady("a", NOW - 30 * DAY, NOW, timedelta(hours=1))),
    "null and empty types": lambda: view_of(
        [
            Row(t, NOW - i * DAY, count=9, repeated=5, values={"platform": None})
            for i in range(9)
            for t in (None, "", " ", "a")
        ]
    ),
    "no history": lambda: view_of([Row("a", NOW), Row("b", NOW)], catalog("a"), measured_from=NOW),
    "only bad times": lambda: view_of([Row("a", NOW, count=50, bad="old")], catalog("a")),
    "only the ledger": lambda: replace(
        view_of([], catalog("a", "b"), table=exposure("platform")), ledger=ordinary().ledger
    ),
    "ordinary": ordinary,
    "hostile": hostile,
    "no load time": without_load_time,
    "every sort of contract": contracts_of_every_sort,
    "unmeasured spans": lambda: replace(
        ordinary(), not_measured=((NOW - 5 * DAY, NOW - 4 * DAY), (NOW - 99 * DAY, NOW + DAY))
    ),
    "changed days": lambda: replace(
        ordinary(), changed=(Changed(0, None, 5000, 0), Changed(86400 * 20770, "a", 1, 9000))
    ),
    "zone with half hours": lambda: replace(
        ordinary(), exposure=replace(ordinary().exposure, time_zone=ZoneInfo("Australia/Lord_Howe"))
    ),
    "a clock that is behind": lambda: replace(ordinary(), now=NOW - 40 * DAY),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", VIEWS)
def test_a_kind_judges_any_view_by_the_rules_of_the_house(kind: KindName, name: str) -> None:
    view = VIEWS[name]()
    results = judged(kind, view)

    assert all(r.kind is kind for r in results)
    assert all(r.exposure == view.exposure.name for r in results)
    twice = [r for r, n in Counter((r.fingerprint) for r in results).items() if n > 1]
    assert not twice, [r for r in results if r.fingerprint in twice][:4]
    for r in results:
        assert r.status is not Status.ERROR
        if r.status is Status.LEARNING:
            assert r.learning_until is not None
            assert r.learning_until > view.now
        if r.status is Status.FAIL:
            assert r.summary
        for at in (r.since, r.learning_until):
            assert at is None or at.utcoffset() == timedelta(0)
        if r.amount is not None:
            assert np.isfinite(r.amount.observed)
        if r.spark is not None and r.spark.expected:
            assert len(r.spark.expected) == len(r.spark.values)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", VIEWS)
def test_the_same_view_gives_the_same_results_and_is_left_as_it_was(
    kind: KindName, name: str
) -> None:
    view, again = VIEWS[name](), VIEWS[name]()
    first = judged(kind, view)

    assert judged(kind, view) == first
    assert judged(kind, again) == first
    for cells, untouched in ((view.rows, again.rows), (view.cuts, again.cuts)):
        assert np.array_equal(cells.rows, untouched.rows)
        assert np.array_equal(cells.last_loaded, untouched.last_loaded)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_cells_means_nothing(kind: KindName) -> None:
    view = ordinary()

    def turned(cells: Cells) -> Cells:
        return Cells(
            cells.keys,
            cells.series[::-1],
            cells.occurred[::-1],
            cells.loaded[::-1],
            cells.rows[::-1],
            cells.first_loaded[::-1],
            cells.last_loaded[::-1],
        )

    other = replace(
        view,
        rows=turned(view.rows),
        cuts=turned(view.cuts),
        delays=turned(view.delays),
        duplicates=turned(view.duplicates),
        bad_times=turned(view.bad_times),
    )
    found = {r.fingerprint: (r.status, r.summary, r.since) for r in judged(kind, view)}
    assert {r.fingerprint: (r.status, r.summary, r.since) for r in judged(kind, other)} == found


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_that_is_switched_off_says_nothing(kind: KindName) -> None:
    entry, view = KINDS[kind], ordinary()
    off = type(entry.defaults)(kind=kind, enabled=False)
    assert not list(entry.judge(view, rules_for(entry.defaults, [off], "events", view.catalog)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_definition_gives_its_severity_hold_and_place_to_every_failure(kind: KindName) -> None:
    entry = KINDS[kind]
    rows = steady("a", NOW - 25 * DAY, NOW - DAY, timedelta(minutes=10), 50)
    rows += steady("b", NOW - 25 * DAY, NOW, timedelta(minutes=10), 5)
    rows += [Row("b", NOW - timedelta(hours=1), count=40, repeated=40), Row("new", NOW)]
    view = view_of(rows, catalog("a", "b"))
    definition = type(entry.defaults)(
        kind=kind, severity=Severity.CRITICAL, hold="7m", keep="3m", source="checks/x.yaml:3"
    )
    rules = rules_for(entry.defaults, [definition], "events", view.catalog)
    failing = [r for r in entry.judge(view, rules) if r.status is Status.FAIL]

    assert failing
    for r in failing:
        assert r.severity is Severity.CRITICAL
        assert (r.hold, r.keep) == (timedelta(minutes=7), timedelta(minutes=3))
        assert r.check == "checks/x.yaml:3"


@st.composite
def tables(draw: st.DrawFn) -> ExposureView:
    names = st.sampled_from([None, "", "a", "b", "user_followed_user", "usr_followed_user"])
    rows = draw(
        st.lists(
            st.builds(
                Row,
                event_type=names,
                loaded=st.floats(0, 40 * 86400).map(lambda age: NOW.timestamp() - age),
                occurred=st.floats(0, 90 * 86400).map(lambda age: NOW.timestamp() - age),
                count=st.integers(1, 500),
                values=st.sampled_from(PLATFORMS).map(lambda v: {"platform": v}),
                repeated=st.integers(0, 1),
                bad=st.sampled_from(["", "", "", "old", "future", "null_occurred"]),
            ),
            max_size=60,
        )
    )
    declared: list[Contract] = [
        contract(
            name,
            state=draw(st.sampled_from(list(LifecycleState))),
            max_gap=draw(st.sampled_from([None, timedelta(hours=2)])),
            expected_values=draw(st.sampled_from([{}, {"platform": ("ios", "web")}])),
        )
        for name in draw(st.sets(st.sampled_from(["a", "b", "user_followed_user", "c"])))
    ]
    watched_from = draw(st.sampled_from([None, NOW - 45 * DAY]))
    return view_of(rows, catalog(*declared), table=exposure("platform"), measured_from=watched_from)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@given(view=tables())
def test_any_small_table_is_judged_without_a_stumble(kind: KindName, view: ExposureView) -> None:
    results = judged(kind, view)
    assert len({r.fingerprint for r in results}) == len(results)
    for r in results:
        assert r.since is None or r.since <= view.now
        assert r.status is not Status.LEARNING or r.learning_until is not None
