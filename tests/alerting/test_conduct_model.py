"""Alerts and incidents, led at random through crashes, faults and clock steps, against the model."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from eventwatch.alerting.conduct import conduct
from eventwatch.model.alert import Action, Alert, AlertState, DeliveryState
from eventwatch.model.contract import Owner, Team
from eventwatch.model.incident import Incident, IncidentState, MomentKind, Role
from eventwatch.model.settings import IncidentSettings
from eventwatch.model.status import Severity
from eventwatch.ports.notifier import Abilities
from tests.alerting import incident_model as reference
from tests.alerting.builders import EXPOSURE, NOTIFY, alert, contract, result, silence
from tests.alerting.conduct_world import TABLE, World, anew, over
from tests.fakes.board import dead, refused

TEAMS = {
    "growth": Team("growth", "#growth", escalate_to="leads"),
    "search": Team("search", "#search"),
    "leads": Team("leads", "#leads"),
    "data-platform": Team("data-platform", "#data"),
}
NAMES = ("a", "b", "c", None)
MINUTE = timedelta(minutes=1)
NOTED = {k.value for k in MomentKind} - {"joined", "left"}
ENDS = st.sampled_from((1, 4, 6, 31, 61, 121, 400))


class IncidentsLive(RuleBasedStateMachine):
    """Each rule changes one thing; then the telling step runs, and must do what the model does."""

    @initialize()
    def begin(self) -> None:
        incidents = IncidentSettings(
            resolve_after=reference.RESOLVE,
            reopen_within=reference.REOPEN,
            flush=reference.FLUSH,
            escalate_after={Severity.CRITICAL: reference.ESCALATE["critical"]},
        )
        reminder = {Severity(k): v for k, v in reference.REMIND.items()}
        self.world = World(
            contract("a", owner=Owner("growth")),
            contract("b", owner=Owner("growth")),
            contract("c", owner=Owner("search")),
            teams=TEAMS,
            notify=replace(NOTIFY, incidents=incidents, reminder=reminder),
            exposure=replace(EXPOSURE, owner="data-platform"),
            abilities=Abilities(edits=True, threads=True),
        )
        self.model = reference.Model()
        self.count = 0
        self.right = False

    @rule(
        name=st.sampled_from(NAMES),
        severity=st.sampled_from(Severity),
        of_table=st.booleans(),
        minutes=st.sampled_from((0, 1, 5, 30)),
    )
    def fails(self, name: str | None, severity: Severity, of_table: bool, minutes: int) -> None:
        """A cycle in which a check fails, alone or under the table's trouble."""
        self.world.now += minutes * MINUTE
        one = self._open(name)
        if one is None:
            one = alert(result(name), state=AlertState.PENDING)
            self.count += 1
            one = replace(anew(one, self.world.now), id=f"{name}{self.count}")
        cause = TABLE if of_table or name is None else None
        explained = cause is not None and name is not None
        verdict = replace(one.result, severity=severity)
        self._tell(replace(one, result=verdict, cause=cause, explained=explained))

    @rule(name=st.sampled_from(NAMES), minutes=st.sampled_from((0, 1, 5)))
    def is_good(self, name: str | None, minutes: int) -> None:
        """A cycle in which it is good again."""
        self.world.now += minutes * MINUTE
        one = self._open(name)
        self._tell(*(() if one is None else (over(one, self.world.now),)))

    @rule(minutes=st.sampled_from((1, 4, 6, 29, 31, 60, 121, 361)))
    def time_passes(self, minutes: int) -> None:
        """A tick, some time later."""
        self.world.now += minutes * MINUTE
        self._tell()

    @rule(minutes=st.sampled_from((-3, -40, -500)))
    def the_clock_steps(self, minutes: int) -> None:
        """And a tick by the new clock."""
        self._a_moment_later()
        self.world.now += minutes * MINUTE
        self._tell()
        self._only_quiet()

    @precondition(lambda self: not self.right)
    @rule(minutes=st.sampled_from((-5_000_000, 5_000_000)))
    def a_clock_that_was_years_off_is_put_right(self, minutes: int) -> None:
        """Which happens once: the machine began with a wrong one."""
        self.right = True
        self._a_moment_later()
        self.world.now += minutes * MINUTE
        self._tell()
        if minutes < 0:
            self._only_quiet()

    @rule(minutes=st.sampled_from((0, 6)))
    def a_step_dies(self, minutes: int) -> None:
        """Before its transaction was committed: as if it had never been."""
        conduct(self.world.board, self.world.office, self.world.now)
        self.world.now += minutes * MINUTE
        self._tell()

    @rule(event_type=st.sampled_from(("", "a", "c")), minutes=ENDS)
    def somebody_silences(self, event_type: str, minutes: int) -> None:
        now = self.world.now
        self.count += 1
        made = silence(
            id=f"s{self.count}",
            event_type=event_type,
            starts_at=now,
            ends_at=now + minutes * MINUTE,
        )
        board = self.world.board
        self.world.board = replace(board, silences=(*board.silences, made))
        self._tell()

    @precondition(lambda self: any(i.open for i in self.world.board.incidents))
    @rule(data=st.data(), resolves=st.booleans())
    def somebody_acts(self, data: st.DataObject, resolves: bool) -> None:
        self._a_moment_later()
        incident = data.draw(st.sampled_from([i for i in self.world.board.incidents if i.open]))
        case = self.model.cases[self._cause(incident)]
        if resolves:
            self.world.resolve(incident)
            case.state, case.ended = "resolved", self.world.now
        elif incident.state is IncidentState.OPEN:
            self.world.acknowledge(incident)
            case.state = "acknowledged"
        self._tell()

    @precondition(lambda self: bool(self.world.board.posts))
    @rule(data=st.data(), everywhere=st.booleans())
    def a_message_is_refused(self, data: st.DataObject, everywhere: bool) -> None:
        """It moves to the fallback route, or nobody takes it."""
        post = data.draw(st.sampled_from(self.world.board.posts))
        if everywhere:
            self.world.board = dead(self.world.board, post.id)
            self.model.dead.add(post.id)
        else:
            self.world.board = refused(self.world.board, post.id, "#data", "data-platform")
        self._tell()

    def _only_quiet(self) -> None:
        """A clock that goes back opens and ends nothing, and nobody is urged, but where it came to
        before the beginning of a silence."""
        assert not {"opened", "resolved"} & set(self._kinds())
        if not self.world.board.silences:
            assert not {"reminded", "escalated"} & set(self._kinds())

    def _a_moment_later(self) -> None:
        """Clocks that are turned, and people, never come to the very same instant twice."""
        self.world.now += timedelta(seconds=1)

    def _open(self, name: str | None) -> Alert | None:
        alerts = self.world.board.alerts.values()
        return next((a for a in alerts if a.open and a.result.event_type == name), None)

    def _tell(self, *alerts: Alert) -> None:
        world, before = self.world, self.world.board
        world.step(*alerts)
        # Two silences of one step stand in the order in which they end.
        posts, lines = self.model.step(world.now, world.board.alerts, before.silences)
        made = [
            row
            for row in world.changes.deliveries
            if row.action is Action.POST and row.state is not DeliveryState.WITHHELD
        ]
        entries = {p.id: p.entries for p in world.changes.posts}
        shown = {}
        for row in made:
            if entries[row.post_id]:
                causes = {self._cause(self._incident(i)) for i in row.incident_ids}
                shown[row.channel] = causes
                for cause in causes:
                    seen = self.model.cases[cause].posts.setdefault(row.channel, set())
                    seen.add(row.post_id)
        assert shown == {channel: {c.cause for c in of} for channel, of in posts.items()}
        assert Counter(r.channel for r in made if not entries[r.post_id]) == Counter(lines)
        open_posts = {post.id for post in world.board.posts}
        for case in self.model.cases.values():
            case.posts = {channel: ids & open_posts for channel, ids in case.posts.items()}
        self._compare()
        self._threads(before.posts)

    def _compare(self) -> None:
        """Each newest incident of a cause is as the model's."""
        assert sorted(self._kinds()) == sorted(
            word for case in self.model.cases.values() for word in case.said if word in NOTED
        )
        newest: dict[str, Incident] = {}
        for incident in self.world.board.incidents:
            newest[self._cause(incident)] = incident
        assert newest.keys() == self.model.cases.keys()
        for cause, incident in newest.items():
            case = self.model.cases[cause]
            told = incident.told_severity
            assert (
                incident.state.value,
                incident.reopened,
                incident.severity.value,
                incident.told_at,
                told.value if told else "",
                incident.good_since,
                incident.muted_by,
            ) == (
                case.state,
                case.times,
                case.severity,
                case.told,
                case.told_as if case.told else "",
                case.good,
                case.mute,
            )
            assert {m.alert_id for m in incident.members if m.over_at is None} == case.here

    def _threads(self, posts: tuple[object, ...]) -> None:
        """What happened stands in each thread that is the owner's, and the message is edited."""
        noted = {m.incident_id for m in self.world.changes.moments if m.kind.value != "opened"}
        rows = self.world.changes.deliveries
        replied = {(r.post_id, i) for r in rows if r.action is Action.REPLY for i in r.incident_ids}
        edited = {r.post_id for r in rows if r.action is Action.UPDATE}
        ended = {m.incident_id for m in self.world.changes.moments if m.kind.value == "resolved"}
        for post in self.world.board.posts:
            if post.dead or (post not in posts and post.id not in edited):
                continue
            for entry in post.entries:
                if entry.role in (Role.OWNER, Role.ESCALATION) and entry.incident_id in noted:
                    assert (post.id, entry.incident_id) in replied
                if entry.incident_id in ended:
                    assert post.id in edited

    def _kinds(self) -> list[str]:
        return [m.kind.value for m in self.world.changes.moments if m.kind.value in NOTED]

    def _incident(self, incident_id: str) -> Incident:
        return next(i for i in self.world.board.incidents if i.id == incident_id)

    @staticmethod
    def _cause(incident: Incident) -> str:
        return incident.cause.event_type or "table"


TestIncidents = IncidentsLive.TestCase
TestIncidents.settings = settings(
    max_examples=500,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
