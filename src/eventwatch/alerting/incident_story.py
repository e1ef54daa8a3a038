"""One incident in one telling step: what became of it, what holds it back, what falls due.

The clock alone does little: it reminds and escalates while nobody has acknowledged, and nothing of
that while the incident is muted or good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from eventwatch.alerting import incident_people as people
from eventwatch.alerting.causes_own import own_cause
from eventwatch.alerting.incident_group import Followed, moment, rank
from eventwatch.alerting.incident_mute import because, muted
from eventwatch.alerting.live import Shown
from eventwatch.alerting.office import Office
from eventwatch.model.alert import Alert, Silence
from eventwatch.model.incident import (
    Board,
    Incident,
    IncidentState,
    Moment,
    MomentKind,
    Recipient,
)


@dataclass(frozen=True)
class Story:
    """One incident after this step, with what the messages need."""

    incident: Incident
    before: Incident | None
    """As the board had it; None: it is new."""
    alerts: tuple[Alert, ...]
    """All its members that are known."""
    firing: tuple[Alert, ...]
    new: tuple[Moment, ...]
    """What this step found."""
    said: tuple[Moment, ...]
    """What people did since the step before."""
    held: Silence | None
    """What mutes it now."""
    best_effort: bool
    """All that moved is of that tier, and nobody was told yet."""

    @property
    def moments(self) -> tuple[Moment, ...]:
        """Everything since the step before, people first."""
        return (*self.said, *self.new)

    @property
    def free(self) -> bool:
        """Whether it may be told."""
        return self.held is None and not self.best_effort

    def seen_by(self, who: Recipient) -> Shown:
        """As one channel sees it."""
        return Shown(self.incident, self.alerts, who)


def stories(
    board: Board,
    office: Office,
    followed: Sequence[Followed],
    active: Sequence[Silence],
    now: datetime,
) -> tuple[Story, ...]:
    """Every incident, in the order in which they are given."""
    before = {incident.id: incident for incident in board.incidents}
    said: dict[str, list[Moment]] = {}
    for each in board.moments:
        said.setdefault(each.incident_id, []).append(each)
    found = []
    for one in followed:
        incident, moments = one.incident, list(one.moments)
        alerts = tuple(
            board.alerts[m.alert_id] for m in incident.members if m.alert_id in board.alerts
        )
        held = None
        if incident.open or moments or incident.muted_by:
            held = muted(incident, one.alerts or _own(incident, alerts), active, office, now)
            if not incident.open and not moments:
                held = _still(incident, held, active)
            incident = _marked(incident, held, moments, now)
        quiet = incident.told_at is None and people.best_effort(one.alerts or alerts, office)
        if held is None and not quiet and one.alerts and incident.told_at is not None:
            incident = _louder(incident, moments, now)
            incident = _unanswered(incident, moments, office, now)
        found.append(
            Story(
                incident=incident,
                before=before.get(incident.id),
                alerts=alerts,
                firing=one.alerts,
                new=tuple(moments),
                said=tuple(said.get(incident.id, ())),
                held=held,
                best_effort=quiet,
            )
        )
    return tuple(found)


def _own(incident: Incident, alerts: Sequence[Alert]) -> tuple[Alert, ...]:
    """Without those that belong to another cause by now."""
    key = incident.cause.key
    return tuple(a for a in alerts if not a.open or (a.cause or own_cause(a)).key == key)


def _still(incident: Incident, held: Silence | None, active: Sequence[Silence]) -> Silence | None:
    """Of what is over, the silence that it ended under, as long as that lasts: a later one does not
    mute it anew."""
    if held is None or held.id == incident.muted_by:
        return held
    return next((s for s in active if s.id == incident.muted_by), None)


def _marked(
    incident: Incident, held: Silence | None, moments: list[Moment], now: datetime
) -> Incident:
    """With what mutes it, noted where that changed."""
    if held is None:
        if not incident.muted_by:
            return incident
        if incident.open:
            moments.append(moment(incident, MomentKind.UNMUTED, now, mark=incident.muted_by))
        # What is told now needs no reminder at once.
        told = incident.told_at is not None
        reminded_at = now if told else incident.reminded_at
        return replace(incident, muted_by="", muted_because="", reminded_at=reminded_at)
    if incident.muted_by == held.id:
        return incident
    why = because(held)
    moments.append(moment(incident, MomentKind.MUTED, now, text=why, mark=held.id))
    return replace(incident, muted_by=held.id, muted_because=why)


def _louder(incident: Incident, moments: list[Moment], now: datetime) -> Incident:
    """A rise above what was told is told; a fall is only shown."""
    told, is_now = incident.told_severity, incident.severity
    if rank(is_now) <= rank(told):
        return incident
    text = f"now {is_now.value}" if told is None else f"now {is_now.value}, was {told.value}"
    moments.append(moment(incident, MomentKind.WORSE, now, text=text, mark=is_now.value))
    return replace(incident, told_severity=is_now)


def _unanswered(
    incident: Incident, moments: list[Moment], office: Office, now: datetime
) -> Incident:
    """Reminders and the escalation of what nobody acknowledged."""
    told_at, notify = incident.told_at, office.notify
    if incident.state is not IncidentState.OPEN or told_at is None:
        return incident
    after = notify.incidents.escalate_after.get(incident.severity)
    if after is not None and incident.escalated_at is None and now - told_at >= after:
        who = people.escalation(incident, office)
        if who is not None:
            text = f"to {who.team or who.channel}"
            moments.append(moment(incident, MomentKind.ESCALATED, now, text=text))
            others = people.joined(incident.others, (who,), incident.owner)
            incident = replace(incident, escalated_at=now, others=others)
    interval = notify.reminder.get(incident.severity)
    last = max(incident.reminded_at or told_at, told_at)
    if interval is not None and now - last >= interval:
        moments.append(moment(incident, MomentKind.REMINDED, now, mark=last.isoformat()))
        incident = replace(incident, reminded_at=now)
    return incident
