"""The life of an incident: it opens, goes on, is over, and may come back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from eventwatch.alerting.incident_group import follow
from eventwatch.model.alert import Action, AlertState
from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.incident import IncidentState, MomentKind
from eventwatch.model.settings import IncidentSettings
from eventwatch.model.status import KindName, Severity
from tests.alerting.builders import HOUR, MINUTE, NOTIFY, NOW, alert, contract, result
from tests.alerting.conduct_world import (
    ANDROID,
    TABLE,
    World,
    actions,
    anew,
    held_back,
    loud,
    of,
    over,
    sent,
    under,
)

REMINDED = replace(NOTIFY, reminder={Severity.WARNING: 6 * HOUR})


def test_an_empty_board_needs_nothing() -> None:
    world = World()
    assert world.step() == []
    assert not world.changes.incidents
    assert not world.changes.posts


def test_a_firing_alert_opens_an_incident_and_its_owner_is_told_at_once() -> None:
    world = World(contract())
    post, chart = world.step(alert())
    assert (post.action, post.channel, post.team) == (Action.POST, "#growth-alerts", "growth")
    assert post.incident_ids == (world.incident.id,)
    assert chart.action is Action.CHART
    assert world.incident.told_at == NOW
    assert world.incident.began_at == NOW - HOUR
    assert len(world.incident.id) == 12
    assert world.kinds() == [MomentKind.OPENED]
    assert world.step(replace(alert(), seen_at=NOW + MINUTE), after=MINUTE) == []


def test_what_may_still_be_nothing_opens_none() -> None:
    world = World(contract())
    pending = alert(state=AlertState.PENDING, fired_at=None)
    assert world.step(pending) == []
    assert world.step(replace(pending, state=AlertState.EXPIRED), after=HOUR) == []
    assert world.board.incidents == ()


def test_alerts_of_one_cause_are_one_incident() -> None:
    world = World(contract("a"), contract("b"))
    a, b = under(ANDROID, "a", "b")
    for post in sent(world.step(a, b)):
        assert post.incident_ids == (world.incident.id,)
    assert {m.alert_id for m in world.incident.members} == {a.id, b.id}


@pytest.mark.parametrize("ids", [("0", "1"), ("1", "0")])
def test_what_speaks_first_does_not_hang_on_the_ids(ids: tuple[str, str]) -> None:
    # A preview makes ids of its own, and is to read as the message that is sent.
    world = World(contract())
    cause = Cause(CauseKind.EVENT_TYPE, "k", "analytics_events", "user_followed_user")
    world.step(
        *(
            alert(result(kind=kind, summary=kind.value), id=id_, cause=cause)
            for kind, id_ in zip((KindName.FRESHNESS, KindName.VOLUME), ids, strict=True)
        )
    )
    told = [a.result.kind for a in follow(world.board, world.office, NOW)[0].alerts]
    assert told == [KindName.FRESHNESS, KindName.VOLUME]


def test_a_table_and_all_that_it_explains_are_one_incident() -> None:
    world = World(contract("a"), contract("b"))
    world.step(of(TABLE), *under(TABLE, "a", "b"))
    assert [m.explained for m in world.incident.members] == [False, True, True]


def test_what_is_explained_by_a_cause_that_waits_itself_is_told_as_that_cause() -> None:
    world = World(contract("a"))
    waiting = replace(of(TABLE), state=AlertState.PENDING, fired_at=None)
    posts = sent(world.step(waiting, *under(TABLE, "a")))
    assert "#data-platform" in {p.channel for p in posts}
    assert world.incident.cause == TABLE


def test_more_of_the_same_cause_joins_quietly_for_others_and_loudly_in_the_thread() -> None:
    world = World(contract("a"), contract("b"))
    world.step(*under(ANDROID, "a"))
    rows = world.step(*under(ANDROID, "b"), after=MINUTE)
    assert sent(rows) == []
    assert world.kinds() == [MomentKind.JOINED]
    assert set(actions(rows)) == {Action.UPDATE, Action.REPLY}


def test_an_alert_whose_cause_ends_comes_back_by_itself() -> None:
    world = World(contract("a"), contract("b"))
    table, (a, b) = of(TABLE), under(TABLE, "a", "b")
    world.step(table, a, b)
    alone = replace(a, cause=None, explained=False)
    rows = world.step(over(table, NOW + HOUR), over(b, NOW + HOUR), alone, after=HOUR)
    one = world.about("a")
    assert [m.alert_id for m in one.members] == [a.id]
    assert one.id in {i for r in sent(rows) for i in r.incident_ids}
    (old,) = [i for i in world.board.incidents if i.id != one.id]
    assert all(m.over_at for m in old.members)
    assert old.good_since == world.now


def test_an_alert_that_a_bigger_cause_takes_ends_its_own_incident_as_part_of_that() -> None:
    world = World(contract("a"))
    a = alert(result("a"))
    world.step(a)
    taken = replace(a, cause=TABLE, explained=True)
    rows = world.step(of(TABLE), taken, after=10 * MINUTE)
    assert MomentKind.LEFT in world.kinds()
    assert len(sent(rows, Action.REPLY)) == 1
    assert "part of analytics_events by now" in {m.text for m in world.changes.moments}
    world.step(after=HOUR)
    own = world.about("a")
    assert own.state is IncidentState.RESOLVED
    assert own.end_reason == "part of analytics_events by now"


class TestEnd:
    def test_it_is_over_after_a_while_of_good_and_its_thread_says_so(self) -> None:
        world = World(contract())
        one = alert()
        world.step(one)
        assert actions(world.step(over(one, NOW + HOUR), after=HOUR)) == [Action.UPDATE]
        assert world.incident.open
        assert world.step(after=29 * MINUTE) == []
        rows = world.step(after=MINUTE)
        assert set(actions(rows)) == {Action.UPDATE, Action.REPLY}
        assert world.incident.state is IncidentState.RESOLVED
        assert world.incident.resolved_at == world.now
        assert world.incident.end_reason == "back to normal"

    def test_back_within_the_while_it_goes_on_without_a_word(self) -> None:
        world = World(contract())
        one = alert()
        world.step(one)
        world.step(over(one, NOW + HOUR), after=HOUR)
        rows = world.step(anew(one, NOW + 70 * MINUTE), after=10 * MINUTE)
        assert actions(rows) == [Action.UPDATE]
        assert world.kinds() == []
        assert world.incident.good_since is None
        assert world.incident.reopened == 0

    def test_back_after_the_end_it_is_the_same_incident_and_the_same_message(self) -> None:
        world = World(contract())
        one = alert()
        world.step(one)
        world.step(over(one, NOW + HOUR), after=HOUR)
        world.step(after=HOUR)
        first = world.incident
        rows = world.step(anew(one, NOW + 5 * HOUR), after=3 * HOUR)
        assert set(actions(rows)) == {Action.UPDATE, Action.REPLY}
        assert world.kinds() == [MomentKind.REOPENED]
        assert (world.incident.id, world.incident.state) == (first.id, IncidentState.OPEN)
        assert world.incident.reopened == 1
        assert world.incident.resolved_at is None

    def test_back_after_a_day_it_is_a_new_incident_and_a_new_message(self) -> None:
        world = World(contract())
        one = alert()
        world.step(one)
        world.step(over(one, NOW + HOUR), after=HOUR)
        world.step(after=HOUR)
        assert len(sent(world.step(anew(one, NOW + 27 * HOUR), after=25 * HOUR))) == 1
        assert len({i.id for i in world.board.incidents}) == 2

    def test_the_same_alert_back_with_its_old_cause_much_later_is_a_new_incident(self) -> None:
        world = World(contract("a"))
        a = alert(result("a"))
        world.step(a)
        world.step(of(TABLE), replace(a, cause=TABLE, explained=True), after=HOUR)
        world.steps(50, HOUR)
        world.step(replace(a, cause=None), after=HOUR)
        assert len([i for i in world.board.incidents if i.cause.event_type == "a"]) == 2

    def test_rows_that_came_late_end_it_as_late_not_lost(self) -> None:
        world = World(contract())
        one = alert(result(since=NOW - 3 * HOUR))
        world.step(one)
        world.step(over(one, NOW + HOUR, "late, not lost: 4 h"), after=HOUR)
        rows = world.step(after=HOUR)
        assert world.incident.late == 4 * HOUR
        assert world.incident.end_reason == "late, not lost: 4 h"
        assert "late, not lost" in sent(rows, Action.REPLY)[0].message.plain.lower()

    def test_one_hole_that_stays_is_no_late(self) -> None:
        world = World(contract("a"), contract("b"))
        a, b = under(ANDROID, "a", "b")
        world.step(a, b)
        world.step(over(a, NOW + HOUR, "late, not lost"), over(b, NOW + HOUR), after=HOUR)
        world.step(after=HOUR)
        assert world.incident.late is None

    def test_a_post_is_closed_when_nothing_in_it_can_come_back(self) -> None:
        world = World(contract())
        one = alert()
        world.step(one)
        world.step(over(one, NOW + HOUR), after=HOUR)
        world.step(after=HOUR)
        world.step(after=23 * HOUR)
        assert len(world.board.posts) == 1
        world.step(after=HOUR)
        assert not world.board.posts


class TestPeople:
    def test_what_people_do_is_shown_and_stands_in_the_thread(self) -> None:
        world = World(contract())
        world.step(alert())
        world.acknowledge(author="grace")
        rows = world.step(after=MINUTE)
        assert set(actions(rows)) == {Action.UPDATE, Action.REPLY}
        assert "grace" in sent(rows, Action.REPLY)[0].message.plain
        world.note("the vendor works on it", author="linus")
        (reply,) = world.step(after=MINUTE)
        assert "the vendor works on it" in reply.message.plain

    def test_what_a_person_resolved_stays_so_while_nothing_new_happens(self) -> None:
        world = World(contract())
        one = alert()
        world.step(one)
        world.resolve()
        rows = world.step(after=MINUTE)
        assert set(actions(rows)) == {Action.UPDATE, Action.REPLY}
        assert world.steps(20, HOUR) == [[]] * 20
        assert world.incident.state is IncidentState.RESOLVED
        assert len(sent(world.step(after=5 * HOUR))) == 1, "a day later it is told anew"

    def test_what_a_person_resolved_opens_again_when_it_got_worse(self) -> None:
        world = World(contract())
        one = alert()
        world.step(one)
        world.resolve()
        world.step(loud(one, severity=Severity.CRITICAL), after=HOUR)
        assert world.incident.state is IncidentState.OPEN

    def test_what_a_person_resolved_opens_again_by_a_new_alert(self) -> None:
        world = World(contract())
        one = alert()
        world.step(one)
        world.resolve()
        world.step(over(one, NOW + HOUR), after=HOUR)
        world.step(anew(one, NOW + 2 * HOUR), after=HOUR)
        assert world.kinds() == [MomentKind.REOPENED]

    def test_who_acknowledged_is_forgotten_when_it_comes_back(self) -> None:
        world = World(contract())
        one = alert()
        world.step(one)
        world.acknowledge()
        world.step(over(one, NOW + HOUR), after=HOUR)
        world.step(after=HOUR)
        world.step(anew(one, NOW + 3 * HOUR), after=HOUR)
        assert world.incident.state is IncidentState.OPEN
        assert world.incident.acknowledged_by == ""


class TestClock:
    @pytest.mark.parametrize("jump", [timedelta(minutes=-90), timedelta(days=-3650)])
    def test_a_clock_that_steps_back_opens_ends_and_reminds_nothing(self, jump: timedelta) -> None:
        world = World(contract("a"), contract("b"), notify=REMINDED)
        a, b = alert(result("a")), alert(result("b"))
        world.step(a, b)
        world.step(over(b, NOW + HOUR), after=HOUR)
        assert [r for r in world.step(after=jump) if r.action is not Action.UPDATE] == []
        assert world.kinds() == []
        assert all(i.open for i in world.board.incidents)

    def test_an_incident_survives_a_clock_that_was_years_ahead(self) -> None:
        world = World(contract(), notify=REMINDED, now=NOW + timedelta(days=3650))
        one = alert()
        world.step(one)
        world.step(after=timedelta(days=-3650))
        world.steps(6, HOUR)
        assert MomentKind.REMINDED in world.kinds()
        world.step(over(one, world.now))
        world.step(after=HOUR)
        assert world.incident.state is IncidentState.RESOLVED


def test_one_alert_that_comes_and_goes_within_an_incident_is_said_once() -> None:
    world = World(contract("a"), contract("b"))
    a, b = under(ANDROID, "a", "b")
    world.step(a, b)
    for _ in range(5):
        world.step(over(b, world.now), after=MINUTE)
        b = anew(b, world.now)
        world.step(b, after=MINUTE)
    kinds = [m.kind for m in world.history]
    assert kinds.count(MomentKind.LEFT) == 1
    assert kinds.count(MomentKind.JOINED) == 0


def test_what_was_over_before_its_turn_came_is_a_row_with_that_reason() -> None:
    settings = IncidentSettings(flush=HOUR, resolve_after=MINUTE)
    world = World(contract("a"), contract("b"), notify=replace(NOTIFY, incidents=settings))
    world.step(alert(result("a")))
    b = alert(result("b"))
    world.step(b, after=MINUTE)
    world.step(over(b, NOW + 2 * MINUTE), after=MINUTE)
    (row,) = held_back(world.step(after=MINUTE))
    assert row.last_error == "over before its turn to be told came"
    assert world.about("b").told_at is None
