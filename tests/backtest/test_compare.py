from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from eventwatch.backtest.compare import Comparison, Side, Sides, compare
from eventwatch.backtest.incident import Incident, by_week
from eventwatch.kinds.definition import Check
from eventwatch.kinds.volume import VolumeCheck
from eventwatch.model.contract import Catalog
from eventwatch.model.durations import parse_duration
from tests.backtest.incidents import HOUR, START, incident

LAST = START + 200 * HOUR
STRICT = VolumeCheck(events="a*", z_threshold=6.0, keep=parse_duration("3h")).model_copy(
    update={"source": "other/volume.yaml:3"}
)


def compared(
    now: list[Incident], other: list[Incident], checks: tuple[Check, ...] = (STRICT,)
) -> Comparison:
    return compare(now, other, Sides((), checks, Catalog({}, {}, "")), LAST)


def test_what_only_one_side_tells_is_added_or_removed() -> None:
    found = compared([incident("a", 3)], [incident("b", 4)])
    assert [(p.side, p.either.opened.event_type) for p in found.pairs] == [
        (Side.REMOVED, "a"),
        (Side.ADDED, "b"),
    ]


def test_the_same_trouble_told_later_is_moved() -> None:
    [pair] = compared([incident("a", 3, 9)], [incident("a", 5, 9)]).pairs
    assert pair.side is Side.MOVED
    assert pair.later_by == timedelta(hours=2)


def test_the_same_incident_on_both_sides_is_the_same() -> None:
    [pair] = compared([incident("a", 3, None)], [incident("a", 3, None)]).pairs
    assert pair.side is Side.SAME


def test_troubles_of_one_thing_at_different_times_are_not_the_same() -> None:
    found = compared([incident("a", 3, 5)], [incident("a", 50, 60)])
    assert found.count(Side.ADDED) == found.count(Side.REMOVED) == 1


def test_a_difference_is_put_down_to_the_settings_that_rule_it() -> None:
    found = compared([incident("a", 3), incident("b", 4)], [])
    effects = {e.change: e.removed for e in found.effects}
    assert effects == {
        "keep: 1h → 3h, z_threshold: unset → 6.0 (other/volume.yaml:3)": 1,
        "": 1,
    }


def test_incidents_are_counted_by_team_and_week_and_message() -> None:
    those = [
        incident("a", 1, message="m"),
        incident("b", 2, message="m"),
        incident("c", 24 * 7 + 1),
        incident("d", 3, team="other"),
        incident("e", 4, at_start=True),
        incident("f", 5, muted="muted by ana"),
    ]
    found = {(w.team, w.monday.day): (w.incident_count, w.message_count) for w in by_week(those)}
    assert found == {("growth", 2): (2, 1), ("growth", 9): (1, 1), ("other", 2): (1, 1)}


HISTORY = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 90), st.integers(1, 20)), max_size=12
)


@given(now=HISTORY, other=HISTORY)
def test_every_incident_is_in_exactly_one_pair(
    now: list[tuple[str, int, int]], other: list[tuple[str, int, int]]
) -> None:
    one, two = (
        [incident(n, b, b + size, id=f"{i}") for i, (n, b, size) in enumerate(those)]
        for those in (now, other)
    )
    found = compared(one, two)
    assert sorted(p.now.id for p in found.pairs if p.now) == sorted(i.id for i in one)
    assert sorted(p.other.id for p in found.pairs if p.other) == sorted(i.id for i in two)
    for pair in found.pairs:
        if pair.now and pair.other:
            assert pair.now.fingerprint == pair.other.fingerprint


@given(now=HISTORY)
def test_against_itself_nothing_changes(now: list[tuple[str, int, int]]) -> None:
    those = [incident(n, b, b + size, id=f"{i}") for i, (n, b, size) in enumerate(now)]
    found = compare(those, those, Sides((), (), Catalog({}, {}, "")), LAST)
    assert found.count(Side.ADDED) == found.count(Side.REMOVED) == 0
