"""How loud an incident is: its severity, reminders, and who is told when nobody acknowledges."""

from __future__ import annotations

from dataclasses import replace

from eventwatch.model.alert import Action
from eventwatch.model.contract import Owner
from eventwatch.model.incident import MomentKind
from eventwatch.model.settings import IncidentSettings
from eventwatch.model.status import Severity
from tests.alerting.builders import HOUR, MINUTE, NOTIFY, NOW, alert, contract, result
from tests.alerting.conduct_world import (
    ANDROID,
    TABLE,
    World,
    actions,
    anew,
    loud,
    of,
    over,
    sent,
    teams,
    under,
)

ABOVE = {**teams("growth", escalate_to="leads"), **teams("leads")}
ABOVE["growth"] = replace(ABOVE["growth"], slack_channel="#growth-alerts")
ESCALATE = IncidentSettings(escalate_after={Severity.WARNING: 30 * MINUTE})


class TestSeverity:
    def test_a_rise_is_told_and_a_fall_is_only_shown(self) -> None:
        world = World(contract())
        one = alert()
        world.step(one)
        worse = loud(one, severity=Severity.CRITICAL)
        rows = world.step(worse, after=MINUTE)
        assert set(actions(rows)) == {Action.UPDATE, Action.REPLY}
        assert world.kinds() == [MomentKind.WORSE]
        assert actions(world.step(one, after=MINUTE)) == [Action.UPDATE]
        assert actions(world.step(worse, after=MINUTE)) == [Action.UPDATE], "told before"

    def test_what_rose_before_anybody_was_told_is_told_as_it_is(self) -> None:
        world = World(contract("a"), contract("b"))
        world.step(alert(result("a")))
        b = alert(result("b"))
        world.step(b, after=MINUTE)
        world.step(loud(b, severity=Severity.CRITICAL), after=MINUTE)
        (post,) = sent(world.step(after=4 * MINUTE))
        assert post.incident_ids == (world.about("b").id,)
        assert world.about("b").told_severity is Severity.CRITICAL
        assert MomentKind.WORSE not in [m.kind for m in world.history]

    def test_many_event_types_of_one_cut_are_everybodys_trouble(self) -> None:
        names = [f"e{i}" for i in range(12)]
        world = World(*(contract(n) for n in names))
        seen = []
        for many in (4, 12):
            world.step(*under(ANDROID, *names[:many]), after=MINUTE)
            seen.append(world.incident.severity)
        assert seen == [Severity.WARNING, Severity.CRITICAL]

    def test_what_is_only_for_information_stays_so(self) -> None:
        world = World(contract())
        world.step(alert(result(severity=Severity.INFO)))
        assert world.incident.severity is Severity.INFO


class TestUnanswered:
    notify = replace(NOTIFY, reminder={Severity.WARNING: 6 * HOUR})

    def test_reminders_come_at_their_interval_until_somebody_acknowledges(self) -> None:
        world = World(contract(), notify=self.notify)
        world.step(alert())
        told = world.steps(13, HOUR)
        assert [n + 1 for n, rows in enumerate(told) if sent(rows, Action.REPLY)] == [6, 12]
        world.acknowledge()
        assert len(sent(world.step(after=HOUR), Action.REPLY)) == 1, "the acknowledgement"
        assert not any(sent(rows, Action.REPLY) for rows in world.steps(20, HOUR))

    def test_nobody_is_reminded_of_what_is_good_again(self) -> None:
        late = replace(self.notify, incidents=IncidentSettings(resolve_after=72 * HOUR))
        world = World(contract(), notify=late)
        one = alert()
        world.step(one)
        world.step(over(one, NOW + HOUR), after=HOUR)
        assert not any(sent(rows, Action.REPLY) for rows in world.steps(20, HOUR))

    def test_what_came_back_is_not_reminded_of_at_once(self) -> None:
        world = World(contract(), notify=self.notify)
        one = alert()
        world.step(one)
        world.step(over(one, NOW + HOUR), after=HOUR)
        world.step(after=12 * HOUR)
        world.step(anew(one, world.now), after=MINUTE)
        assert world.kinds() == [MomentKind.REOPENED]

    def test_a_severity_without_an_interval_has_no_reminder(self) -> None:
        world = World(contract(), notify=replace(NOTIFY, reminder={Severity.CRITICAL: HOUR}))
        world.step(alert())
        assert not any(sent(rows, Action.REPLY) for rows in world.steps(50, HOUR))

    def test_nobody_acknowledges_so_the_team_above_is_told_once(self) -> None:
        world = World(contract(), teams=ABOVE, notify=replace(NOTIFY, incidents=ESCALATE))
        world.step(alert())
        assert sent(world.step(after=29 * MINUTE)) == []
        rows = world.step(after=MINUTE)
        (post,) = sent(rows)
        assert (post.channel, post.team) == ("#leads", "leads")
        (reply,) = sent(rows, Action.REPLY)
        assert reply.channel == "#growth-alerts"
        assert not any(sent(rows) for rows in world.steps(20, HOUR))

    def test_what_somebody_acknowledged_is_not_escalated(self) -> None:
        world = World(contract(), teams=ABOVE, notify=replace(NOTIFY, incidents=ESCALATE))
        world.step(alert())
        world.acknowledge()
        assert not any(sent(rows) for rows in world.steps(20, HOUR))

    def test_the_team_above_hears_more_than_the_line_it_had_as_one_affected(self) -> None:
        known = {**ABOVE, **teams("data-platform", escalate_to="leads")}
        settings = replace(ESCALATE, escalate_after={Severity.CRITICAL: HOUR})
        world = World(
            contract("a", owner=Owner("leads")),
            teams=known,
            notify=replace(NOTIFY, incidents=settings),
        )
        posts = sent(world.step(of(TABLE, severity=Severity.CRITICAL), *under(TABLE, "a")))
        assert {p.channel for p in posts} == {"#data-platform", "#leads"}
        (post,) = sent(world.step(after=HOUR))
        assert post.channel == "#leads"
