"""A state, its outbox and a clock, led on by telling steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from eventwatch.alerting.conduct import conduct
from eventwatch.alerting.office import Office
from eventwatch.alerting.routing import Directory
from eventwatch.model.alert import Action, Alert, AlertState, Delivery, DeliveryState
from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.contract import Contract, Team
from eventwatch.model.incident import (
    Changes,
    Incident,
    IncidentState,
    Moment,
    MomentKind,
    Post,
)
from eventwatch.model.result import Cut, Result
from eventwatch.ports.notifier import Abilities
from tests.alerting.builders import EXPOSURE, NOTIFY, NOW, TEAMS, alert, catalog, result
from tests.fakes.board import EMPTY, Rows, apply, with_alerts, with_incident

ALL = Abilities(edits=True, threads=True, charts=True, buttons=True)
NOTHING = timedelta(0)


class World:
    """What is remembered and what was said. Every step is done twice: the second must change
    nothing."""

    def __init__(self, *contracts: Contract, **changes: Any) -> None:
        teams = {**TEAMS, **changes.pop("teams", {})}
        exposure = changes.pop("exposure", EXPOSURE)
        self.now: datetime = changes.pop("now", NOW)
        self.board = EMPTY
        self.rows = Rows()
        self.office = Office(
            replace(catalog(*contracts), teams=teams),
            Directory(teams, {}, "data-platform"),
            changes.pop("notify", NOTIFY),
            {exposure.name: exposure},
            changes.pop("maintenance", ()),
            changes.pop("abilities", ALL),
        )
        assert not changes
        self.changes = Changes()
        self.history: list[Moment] = []

    def step(self, *alerts: Alert, after: timedelta = NOTHING) -> list[Delivery]:
        """A cycle that wrote these alerts, and the step after it; the new rows."""
        self.now += after
        self.board = with_alerts(self.board, alerts)
        self.changes = conduct(self.board, self.office, self.now)
        keys = [d.key for d in self.changes.deliveries]
        assert len(keys) == len(set(keys)), "two rows of one key"
        known = {m.id for m in self.history}
        self.history += [m for m in self.changes.moments if m.id not in known]
        self.board = apply(self.board, self.changes)
        again = conduct(self.board, self.office, self.now)
        assert not again, f"a second step changed something: {again}"
        return self.rows.add(self.changes)

    def steps(self, times: int, every: timedelta) -> list[list[Delivery]]:
        """So many steps in which nothing but time passes."""
        return [self.step(after=every) for _ in range(times)]

    @property
    def incident(self) -> Incident:
        """The only one."""
        (only,) = self.board.incidents
        return only

    def about(self, event_type: str) -> Incident:
        """The newest of an event type."""
        found = [i for i in self.board.incidents if i.cause.event_type == event_type]
        return max(found, key=lambda i: i.opened_at)

    def post_in(self, channel: str) -> Post:
        """The only open one of a channel."""
        (only,) = [p for p in self.board.posts if p.channel == channel]
        return only

    def kinds(self) -> list[MomentKind]:
        """What happened in the last step."""
        return [m.kind for m in self.changes.moments]

    def acknowledge(self, incident: Incident | None = None, author: str = "ada") -> None:
        """As the command and the button do."""
        of = incident or self.incident
        changed = replace(
            of,
            state=IncidentState.ACKNOWLEDGED,
            acknowledged_by=author,
            acknowledged_at=self.now,
        )
        self._by_person(changed, MomentKind.ACKNOWLEDGED, author, "")

    def resolve(self, incident: Incident | None = None, author: str = "ada") -> None:
        """As the command does."""
        reason = f"resolved by {author}"
        changed = replace(
            incident or self.incident,
            state=IncidentState.RESOLVED,
            resolved_at=self.now,
            end_reason=reason,
        )
        self._by_person(changed, MomentKind.RESOLVED, author, reason)

    def note(self, text: str, author: str = "ada") -> None:
        """As the command does."""
        self._by_person(self.incident, MomentKind.NOTE, author, text)

    def _by_person(self, changed: Incident, kind: MomentKind, author: str, text: str) -> None:
        name = f"{changed.id} {kind} {changed.reopened} {self.now.isoformat()}"
        said = Moment(name, changed.id, self.now, kind, text, author)
        self.board = with_incident(self.board, changed, said)


def sent(rows: Iterable[Delivery], action: Action = Action.POST) -> list[Delivery]:
    """Of some rows those of an action that are to be sent."""
    return [r for r in rows if r.action is action and r.state is not DeliveryState.WITHHELD]


def held_back(rows: Iterable[Delivery]) -> list[Delivery]:
    """Those that are only recorded."""
    return [r for r in rows if r.state is DeliveryState.WITHHELD]


def actions(rows: Sequence[Delivery]) -> list[Action]:
    """Of those that are to be sent."""
    return [r.action for r in rows if r.state is not DeliveryState.WITHHELD]


def over(one: Alert, at: datetime, reason: str = "back to normal") -> Alert:
    """It has ended."""
    return replace(one, state=AlertState.RESOLVED, ended_at=at, good_since=at, end_reason=reason)


def anew(one: Alert, at: datetime) -> Alert:
    """The same trouble again: an alert of its own."""
    return replace(
        one,
        id=f"{one.fingerprint[:8]} {at.isoformat()}",
        state=AlertState.FIRING,
        started_at=at,
        fired_at=at,
        seen_at=at,
        ended_at=None,
        good_since=None,
    )


def loud(one: Alert, **changes: Any) -> Alert:
    """With another verdict."""
    return replace(one, result=replace(one.result, **changes))


TABLE = Cause(
    CauseKind.EXPOSURE, "table", EXPOSURE.name, EXPOSURE.name, team=EXPOSURE.owner, detail="stopped"
)
ANDROID = Cause(CauseKind.CUT, "android", EXPOSURE.name, "android", cut=Cut("platform", "android"))
SOURCE = Cause(CauseKind.SOURCE, "source", "", "postgres db/analytics")


def under(cause: Cause, *names: str) -> list[Alert]:
    """Alerts of event types that a cause explains."""
    return [alert(result(name), cause=cause, explained=True) for name in names]


def of(cause: Cause, event_type: str | None = None, **changes: Any) -> Alert:
    """An alert that speaks for its cause."""
    made: Result = result(event_type, **changes)
    return alert(made, cause=cause)


def teams(*keys: str, **changes: Any) -> dict[str, Team]:
    """Teams with a channel each."""
    return {key: Team(key, f"#{key}", **changes) for key in keys}
