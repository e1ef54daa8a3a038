"""Alerts of one cause have one key, whatever is told of what and in which order it is found."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventwatch.alerting.causes import Scene, Source, attribute
from eventwatch.model.alert import Alert, AlertState
from eventwatch.model.cause import CauseKind
from eventwatch.model.result import Cut
from eventwatch.model.status import KindName
from tests.alerting.causes_scene import (
    BEGAN,
    HOUR,
    NOW,
    alert,
    error,
    keys,
    of_value,
    result,
    rows,
    scene,
    seen,
    silent,
    stale,
    unseen,
    volume,
)
from tests.fakes.hostile_names import HOSTILE

DUPLICATES = {"kind": KindName.DUPLICATES, "aspect": "repeated"}


def test_all_alerts_of_one_event_type_are_one_cause() -> None:
    made = seen(silent("a"), volume("a"), alert(result("a", **DUPLICATES)), volume("b"))
    assert [a.cause.kind for a in made if a.cause] == [CauseKind.EVENT_TYPE] * 4
    assert len(keys(made[:3])) == 1
    assert keys(made[3:]) != keys(made[:3])


def test_what_is_about_the_whole_table_alone_is_a_cause_of_its_own() -> None:
    times = alert(result(None, kind=KindName.FRESHNESS, aspect="load_times"))
    twice = alert(result(None, **DUPLICATES))
    made = seen(times, twice)
    assert {a.cause.kind for a in made if a.cause} == {CauseKind.ALONE}
    assert len(keys(made)) == 2


class TestASource:
    def test_that_several_exposures_share_is_one_cause_of_all(self) -> None:
        one, other = alert(error()), alert(error(exposure="other"))
        first = attribute(scene([one]))
        second = attribute(replace(scene([other]), exposure=replace(scene([]).exposure, name="x")))
        assert keys(first) == keys(second)
        assert first[0].cause is not None
        assert first[0].cause.kind is CauseKind.SOURCE
        assert first[0].cause.exposure == ""
        assert first[0].cause.subject == "postgres db1/analytics"

    def test_is_not_another_source(self) -> None:
        one = attribute(scene([alert(error())]))
        other = attribute(scene([alert(error())], source=Source("ffff", "postgres db2")))
        assert keys(one) != keys(other)

    def test_is_not_the_contracts_nor_a_defect_of_a_check(self) -> None:
        made = seen(
            alert(error()),
            alert(error(kind=KindName.DRIFT)),
            alert(error(kind=KindName.VOLUME, aspect="judging")),
            alert(error(kind=KindName.VOLUME, aspect="not_judged")),
        )
        assert {a.cause.kind for a in made if a.cause} == {CauseKind.SOURCE}
        assert len(keys(made)) == 4

    def test_that_cannot_be_read_leaves_every_alert_as_it_is(self) -> None:
        before = seen(stale(), volume("a"), silent("b"))
        assert before[1].explained
        later = NOW + 100 * HOUR
        made = seen(*before[1:], alert(error()), results=[error()], now=later)
        assert made[:2] == before[1:]

    def test_that_can_be_read_again_explains_what_it_did_not_load_for_half_an_hour(self) -> None:
        (down,) = seen(alert(error(), started_at=BEGAN), results=[error()])
        over = replace(down, state=AlertState.RESOLVED, ended_at=NOW)
        (first,) = seen(replace(stale(), started_at=NOW), closed=[over])
        assert first.explained
        assert first.cause is not None
        assert first.cause.key == next(iter(keys([down])))
        (still,) = seen(first, now=NOW + HOUR / 3)
        assert still.explained
        (own,) = seen(first, now=NOW + HOUR)
        assert not own.explained
        assert own.cause is not None
        assert own.cause.kind is CauseKind.EXPOSURE


class TestAnExposure:
    def test_that_stopped_explains_what_fails_to_come_since(self) -> None:
        made = seen(
            stale(),
            silent("a"),
            volume("b"),
            volume("c", aspect="cut", cut=Cut("platform", "ios")),
            alert(result("d", kind=KindName.DRIFT, aspect="missing", since=BEGAN)),
            alert(result("e", kind=KindName.FRESHNESS, aspect="lag", since=BEGAN)),
        )
        assert len(keys(made)) == 1
        assert [a.explained for a in made] == [False] + [True] * 5
        assert made[0].cause is not None
        assert made[0].cause.kind is CauseKind.EXPOSURE
        assert made[0].cause.detail == "nothing arrives any more; it explains 5 event types"

    @pytest.mark.parametrize(
        "other",
        [
            volume("a", came=300.0),
            alert(result("a", **DUPLICATES)),
            unseen("a"),
            alert(result("a", kind=KindName.DRIFT, aspect="value_unexpected", since=BEGAN)),
            alert(result(None, kind=KindName.FRESHNESS, aspect="load_times")),
        ],
        ids=["a rise", "duplicates", "a new name", "a new value", "impossible times"],
    )
    def test_that_stopped_explains_nothing_else(self, other: Alert) -> None:
        made = seen(stale(), other)
        assert not made[1].explained
        assert len(keys(made)) == 2

    def test_does_not_explain_what_began_long_before(self) -> None:
        old = silent("a", since=BEGAN - 30 * HOUR)
        assert not seen(stale(), old)[1].explained

    def test_that_is_slow_explains_slow_event_types_and_no_drop(self) -> None:
        slow = alert(result(None, kind=KindName.FRESHNESS, aspect="lag", since=BEGAN))
        own = alert(result("a", kind=KindName.FRESHNESS, aspect="lag", since=BEGAN))
        made = seen(slow, own, volume("b"))
        assert [a.explained for a in made] == [False, True, False]
        assert len(keys(made)) == 2

    def test_that_has_fewer_rows_as_a_whole_explains_every_drop(self) -> None:
        made = seen(volume(None, aspect="common"), volume("a"), silent("b"))
        assert [a.explained for a in made] == [False, True, True]

    def test_that_has_fewer_rows_because_of_one_platform_is_that_platform(self) -> None:
        names = [f"t{i}" for i in range(10)]
        evidence = rows({n: {"android": 0.0} for n in names})
        made = seen(volume(None, aspect="common"), volume("t1"), evidence=evidence)
        assert {a.cause.kind for a in made if a.cause} == {CauseKind.CUT}
        assert len(keys(made)) == 1

    def test_keeps_what_it_explains_while_it_goes_on(self) -> None:
        before = seen(stale(), volume("a"))
        again = volume("a", since=BEGAN - 20 * HOUR)
        made = seen(before[0], replace(again, cause=before[1].cause, explained=True))
        assert made[1].explained


hostile = st.sampled_from(HOSTILE) | st.text(max_size=40)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Anything at once, with hostile names, and what an earlier cycle made of some of it."""
    names = draw(st.lists(hostile, min_size=1, max_size=6, unique=True))
    name = st.sampled_from(names)
    made = st.one_of(
        st.builds(silent, name),
        st.builds(volume, name, came=st.sampled_from((0.0, 50.0, 900.0))),
        st.builds(unseen, name),
        st.builds(of_value, st.sampled_from(("android", "ios"))),
        st.builds(lambda cut: volume("t", aspect="cut", cut=Cut("platform", cut)), name),
        st.just(stale()),
        st.just(volume(None, aspect="common")),
        st.just(alert(error())),
    )
    found = {a.id: a for a in draw(st.lists(made, max_size=12))}
    down = st.dictionaries(st.sampled_from(("android", "ios", "web")), st.floats(0, 3))
    evidence = rows({n: draw(down) for n in names}) if draw(st.booleans()) else None
    before = scene(found.values(), evidence)
    if draw(st.booleans()):
        before = replace(before, alerts=attribute(before))
    return replace(before, now=NOW + draw(st.integers(-50, 300)) * HOUR)


class TestWhateverIsFound:
    @given(scenes(), st.randoms(use_true_random=False))
    @settings(max_examples=150, deadline=None)
    def test_the_order_of_the_alerts_changes_nothing(self, of: Scene, random: object) -> None:
        shuffled = list(of.alerts)
        random.shuffle(shuffled)  # type: ignore[attr-defined]
        one = {a.id: a for a in attribute(of)}
        other = {a.id: a for a in attribute(replace(of, alerts=tuple(shuffled)))}
        assert one == other

    @given(scenes())
    @settings(max_examples=150, deadline=None)
    def test_the_next_cycle_at_the_same_instant_sees_the_same_causes(self, of: Scene) -> None:
        once = attribute(of)
        again = attribute(replace(of, alerts=once))
        assert [_of(a) for a in again] == [_of(a) for a in once]

    @given(scenes())
    @settings(max_examples=150, deadline=None)
    def test_only_cause_and_explained_change_and_every_alert_has_a_cause(self, of: Scene) -> None:
        made = attribute(of)
        assert [replace(a, cause=None, explained=False) for a in made] == [
            replace(a, cause=None, explained=False) for a in of.alerts
        ]
        assert all(a.cause is not None for a in made)

    @given(scenes())
    @settings(max_examples=150, deadline=None)
    def test_a_rise_is_explained_by_no_outage_that_goes_on(self, of: Scene) -> None:
        fresh = replace(
            of, alerts=tuple(replace(a, cause=None, explained=False) for a in of.alerts)
        )
        for one in attribute(fresh):
            amount = one.result.amount
            if one.explained and amount is not None and amount.expected is not None:
                assert one.cause is not None
                outage = one.cause.kind is CauseKind.EXPOSURE
                assert not (outage and amount.observed > amount.expected)


def _of(of: Alert) -> tuple[object, ...]:
    assert of.cause is not None
    return of.cause.key, of.cause.kind, of.explained, of.cause.ended_at
