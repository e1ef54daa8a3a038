"""What each button does to an incident, and the answer in words.

Each may be done twice: the second time finds it done and says so. What is changed are rows only; the
next telling step edits the message.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from glob import escape
from types import MappingProxyType

from eventwatch.app.feedback import Unclear, about_alert, give
from eventwatch.app.house import House
from eventwatch.model.alert import Alert, Silence
from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.durations import format_duration
from eventwatch.model.incident import Incident, IncidentState, Moment, MomentKind
from eventwatch.model.label import Opinion
from eventwatch.model.status import Status
from eventwatch.ports.store import Store

Act = Callable[[House, Store, Incident, str, datetime], str]
"""Incident, author and instant to what is answered. Raises EventwatchError."""
SILENCE_FOR = timedelta(hours=4)
_SAME = timedelta(minutes=30)
"""A silence that ends no earlier than this before the one asked for is that one."""
_NEVER = datetime.min.replace(tzinfo=UTC)
_MOST = 50
"""Alerts that one button silences or labels."""


def acknowledge(_: House, store: Store, incident: Incident, author: str, now: datetime) -> str:
    """No more reminders, no escalation."""

    def change(found: Incident) -> Incident | None:
        if found.state is not IncidentState.OPEN:
            return None
        return replace(
            found,
            state=IncidentState.ACKNOWLEDGED,
            acknowledged_at=now,
            acknowledged_by=author,
        )

    def moments(found: Incident) -> tuple[Moment, ...]:
        name = f"{found.id}:acknowledged:{found.reopened}:{now.isoformat()}"
        id_ = hashlib.sha256(name.encode()).hexdigest()[:24]
        return (Moment(id_, found.id, now, MomentKind.ACKNOWLEDGED, author=author),)

    if store.update_incident(incident.id, change, moments) is not None:
        return "Acknowledged: nobody is reminded of it, and it goes to nobody else."
    if incident.state is IncidentState.RESOLVED:
        return "It is resolved already, so nothing was changed."
    return "It was acknowledged already" + (
        f" by {incident.acknowledged_by}." if incident.acknowledged_by else "."
    )


def silence(_: House, store: Store, incident: Incident, author: str, now: datetime) -> str:
    """What it is about is muted for a while."""
    alerts = _speaking(store, incident)
    if not alerts:
        return "Nothing of it is remembered that could be silenced, so nothing was changed."
    running = store.silences(now)
    made: list[str] = []
    for scope in dict.fromkeys(_scope(alert, incident.cause) for alert in alerts):
        wanted = replace(
            scope,
            id=secrets.token_hex(4),
            reason=f"button under incident {incident.id}",
            author=author,
            starts_at=now,
            ends_at=now + SILENCE_FOR,
        )
        if not any(_is_same(each, wanted) for each in running):
            store.add_silence(wanted)
            made.append(wanted.id)
    if not made:
        return "It is silenced already: eventwatch silence list"
    ends = "; ".join(f"eventwatch silence end {id_}" for id_ in made[:3])
    return f"Silenced for {format_duration(SILENCE_FOR)}. To end it: {ends}"


def not_a_problem(_: House, store: Store, incident: Incident, author: str, now: datetime) -> str:
    """Recorded as feedback: the next cycle learns from it and ends the alerts."""
    alerts = [a for a in _speaking(store, incident) if a.result.status is not Status.ERROR]
    if not alerts:
        return (
            "This is about eventwatch itself or the source, not about counts, so there is nothing to "
            "learn from it. Nothing was changed."
        )
    known = {
        label.fingerprint: label
        for label in store.labels(now)
        if label.opinion is Opinion.NOT_A_PROBLEM and label.fingerprint
    }
    made: list[str] = []
    for alert in alerts:
        subject, label = about_alert(alert, now), known.get(alert.fingerprint)
        if label is not None and label.starts_at <= subject.starts_at < label.ends_at:
            continue
        try:
            label = give(
                store,
                subject,
                Opinion.NOT_A_PROBLEM,
                reason=f"button under incident {incident.id}",
                author=author,
                now=now,
            )
        except Unclear:
            continue
        made.append(label.id)
    if not made:
        return "That is recorded already: eventwatch feedback list"
    ends = "; ".join(f"eventwatch feedback end {id_}" for id_ in made[:3])
    return f"Recorded: eventwatch learns that this is no problem. To take it back: {ends}"


def _speaking(store: Store, incident: Incident) -> tuple[Alert, ...]:
    """The alerts that speak for themselves; where none does, all that are open."""
    there = [member for member in incident.members if member.over_at is None]
    chosen = [m.alert_id for m in there if not m.explained] or [m.alert_id for m in there]
    return store.alerts_of(chosen[:_MOST])


def _scope(alert: Alert, cause: Cause) -> Silence:
    """What mutes this alert and little beside it: names are written so that they are no patterns. An
    exposure that is late is muted as a whole, and a value that fell for every event type."""
    result = alert.result
    cut, whole = result.cut, cause.kind is CauseKind.EXPOSURE
    event_type = result.event_type
    if whole or (cause.kind is CauseKind.CUT and cut is not None and cut == cause.cut):
        event_type = None
    if whole:
        cut = None
    ours = result.status is Status.ERROR
    return Silence(
        id="",
        event_type="" if event_type is None else escape(event_type),
        exposure=escape(result.exposure),
        # Trouble of ours hides its own kind only: the data may be wrong when it is over.
        kind=result.kind.value if ours else "",
        team="",
        reason="",
        author="",
        starts_at=_NEVER,
        ends_at=_NEVER,
        dimension="" if cut is None else escape(cut.dimension),
        value="" if cut is None else escape(cut.value),
    )


def _is_same(running: Silence, wanted: Silence) -> bool:
    return (
        running.ends_at >= wanted.ends_at - _SAME
        and replace(
            running,
            id=wanted.id,
            reason=wanted.reason,
            author=wanted.author,
            starts_at=wanted.starts_at,
            ends_at=wanted.ends_at,
        )
        == wanted
    )


ACTS: Mapping[str, Act] = MappingProxyType(
    {
        "eventwatch_ack": acknowledge,
        "eventwatch_silence": silence,
        "eventwatch_not_a_problem": not_a_problem,
    }
)
"""``action_id`` → what it does."""
