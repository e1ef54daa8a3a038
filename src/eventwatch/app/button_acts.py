"""What each button does to an incident, through the functions of the command line, and the answer in
words.

Each may be done twice: the second time finds it done and says so. What is changed are rows only; the
next telling step edits the message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from eventwatch.alerting.silence_scope import hides, scopes
from eventwatch.app import incidents
from eventwatch.app import silence as silences
from eventwatch.app.feedback import Unclear, about_alert, give
from eventwatch.app.house import House
from eventwatch.model.alert import Alert
from eventwatch.model.durations import format_duration
from eventwatch.model.incident import Incident
from eventwatch.model.label import Opinion
from eventwatch.model.status import Status
from eventwatch.ports.store import Store

Act = Callable[[House, Store, Incident, str, datetime], str]
"""Incident, author and instant to what is answered. Raises EventwatchError."""
SILENCE_FOR = timedelta(hours=4)
_MOST = 50
"""Alerts that one button silences or labels."""


def acknowledge(_: House, store: Store, incident: Incident, author: str, now: datetime) -> str:
    """No more reminders, no escalation."""
    try:
        incidents.acknowledge(store, incident.id, author, now)
    except Unclear as error:
        return f"{error}, so nothing was changed."
    return "Acknowledged: nobody is reminded of it, and it goes to nobody else."


def silence(_: House, store: Store, incident: Incident, author: str, now: datetime) -> str:
    """What it is about is muted for a while."""
    alerts = _speaking(store, incident)
    if not alerts:
        return "Nothing of it is remembered that could be silenced, so nothing was changed."
    reason, ends_at = f"button under incident {incident.id}", now + SILENCE_FOR
    wanted = [
        replace(scope, reason=reason, author=author, starts_at=now, ends_at=ends_at)
        for scope in scopes(alerts, incident.cause)
    ]
    made = [one.id for one in silences.add(store, wanted, now)]
    if not made:
        return "It is silenced already: eventwatch silence list"
    ends = "; ".join(f"eventwatch silence end {id_}" for id_ in made[:3])
    return f"Silenced for {format_duration(SILENCE_FOR)}: {hides(wanted)}. To end it: {ends}"


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


ACTS: Mapping[str, Act] = MappingProxyType(
    {
        "eventwatch_ack": acknowledge,
        "eventwatch_silence": silence,
        "eventwatch_not_a_problem": not_a_problem,
    }
)
"""``action_id`` → what it does."""
