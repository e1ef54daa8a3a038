"""From open alerts to incidents: which alerts have one cause, and what that does to an incident.

Firing alerts alone open an incident. It goes on while any of them is open, and is over once none has
been for a while: an alert that comes back in between is the same incident, quietly. An incident that a
person resolved stays so until something new of its cause fires, or it got worse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from eventwatch.alerting import incident_people as people
from eventwatch.alerting import incident_words as words
from eventwatch.alerting.causes_own import key_of, own_cause
from eventwatch.alerting.office import Office
from eventwatch.model.alert import Alert, AlertState
from eventwatch.model.cause import Cause
from eventwatch.model.incident import (
    Board,
    Incident,
    IncidentState,
    Member,
    Moment,
    MomentKind,
)
from eventwatch.model.status import Severity


@dataclass(frozen=True)
class Followed:
    """One incident after the step looked at its alerts."""

    incident: Incident
    alerts: tuple[Alert, ...] = ()
    """Its firing alerts, those that speak first; none once it is good or over."""
    moments: tuple[Moment, ...] = ()


def follow(board: Board, office: Office, now: datetime) -> tuple[Followed, ...]:
    """Every incident of the board and every new one, in the order of their beginnings."""
    firing = _firing(board)
    incidents = _in_time(board.incidents, now)
    known = _known(incidents, office, now)
    current = {incident.id for incident in known.values()}
    found = [Followed(incident) for incident in incidents if incident.id not in current]
    for key in sorted(firing.keys() | known.keys()):
        alerts, incident = firing.get(key, ()), known.get(key)
        if incident is None:
            found.append(_opened(key, alerts, office, now))
        else:
            found.append(_went_on(incident, alerts, board, office, now))
    return tuple(sorted(found, key=lambda f: (f.incident.began_at, f.incident.id)))


def moment(
    incident: Incident,
    kind: MomentKind,
    now: datetime,
    *,
    text: str = "",
    alert_ids: Iterable[str] = (),
    mark: str = "",
) -> Moment:
    """Something that happens now. Its id is made of what happened, so that a step that is done twice
    notes it once; ``mark`` tells apart what may happen several times between two openings."""
    ids = tuple(sorted(alert_ids))
    return Moment(
        id=key_of(incident.id, kind.value, str(incident.reopened), mark, *ids)[:24],
        incident_id=incident.id,
        at=now,
        kind=kind,
        text=text,
        alert_ids=ids,
    )


def rank(severity: Severity | None) -> int:
    """-1 for none."""
    return -1 if severity is None else severity.rank


def _in_time(incidents: Sequence[Incident], now: datetime) -> list[Incident]:
    """Without instants that are still to come. A clock that was ahead and stepped back must not keep
    an incident open, or silent, for years. Of several that ended ahead the order stays."""
    ahead = sorted(i.resolved_at for i in incidents if i.resolved_at and i.resolved_at > now)
    order = {at: k for k, at in enumerate(reversed(ahead))}

    def by_now(at: datetime | None) -> datetime | None:
        return None if at is None else min(at, now)

    def ended(at: datetime | None) -> datetime | None:
        return at if at is None or at not in order else now - order[at] * timedelta.resolution

    return [
        replace(
            one,
            told_at=by_now(one.told_at),
            reminded_at=by_now(one.reminded_at),
            good_since=by_now(one.good_since),
            resolved_at=ended(one.resolved_at),
        )
        for one in incidents
    ]


def _firing(board: Board) -> dict[str, tuple[Alert, ...]]:
    groups: dict[str, list[Alert]] = {}
    for alert in board.alerts.values():
        if alert.state is AlertState.FIRING:
            groups.setdefault((alert.cause or own_cause(alert)).key, []).append(alert)
    # Fingerprints before ids, which are made of the instant too: what speaks first in a preview does
    # so in the message that is sent.
    return {
        key: tuple(sorted(alerts, key=lambda a: (a.explained, a.started_at, a.fingerprint, a.id)))
        for key, alerts in groups.items()
    }


def _known(incidents: Iterable[Incident], office: Office, now: datetime) -> dict[str, Incident]:
    """By cause: the open incident, else that of those that may open again which ended last."""
    found: dict[str, Incident] = {}
    within = office.notify.incidents.reopen_within

    def newest_last(one: Incident) -> tuple[object, ...]:
        ended = one.resolved_at or now
        # A clock that was ahead stepped back since: of what it dated later than now, the less is the
        # newer.
        ahead = one.opened_at > now
        age = abs(now - one.opened_at)
        return one.open, ended, not ahead, -age, one.id

    for incident in sorted(incidents, key=newest_last):
        ended = incident.resolved_at
        if incident.open or (ended is not None and now - ended < within):
            found[incident.cause.key] = incident
    return found


def _opened(key: str, alerts: Sequence[Alert], office: Office, now: datetime) -> Followed:
    cause = _cause(alerts)
    audience = people.audience(cause, alerts, office)
    incident = Incident(
        # The instant is part of it, since an alert may come back to a cause that was over long ago.
        id=key_of("incident", key, alerts[0].id, now.isoformat())[:12],
        cause=cause,
        state=IncidentState.OPEN,
        severity=people.severity(cause, alerts, office),
        owner=audience.owner,
        others=audience.others,
        opened_at=now,
        began_at=_began(alerts),
        members=tuple(Member(a.id, a.explained, now) for a in alerts),
    )
    return Followed(incident, tuple(alerts), (moment(incident, MomentKind.OPENED, now),))


def _went_on(
    incident: Incident, alerts: Sequence[Alert], board: Board, office: Office, now: datetime
) -> Followed:
    fresh = _fresh(incident, alerts)
    members, gone = _members(incident, alerts, now)
    changed = replace(incident, members=members)
    if not incident.open and not fresh and not _worse(incident, alerts, office):
        return Followed(changed)
    if not alerts:
        return _rested(changed, gone, board, office, now)
    changed = _told_of(changed, alerts, office)
    known = _fingerprints(incident, board, over=False)
    joined = [a.id for a in fresh if a.fingerprint not in known]
    # What comes and goes within an incident is said once.
    left_before = _fingerprints(incident, board, over=True)
    left = [
        alert_id
        for alert_id in gone
        if alert_id in board.alerts and board.alerts[alert_id].fingerprint not in left_before
    ]
    moments = []
    if not incident.open:
        changed = _again(changed, incident, now)
        moments.append(
            moment(changed, MomentKind.REOPENED, now, alert_ids=[a.id for a in alerts][:50])
        )
    elif joined:
        moments.append(moment(changed, MomentKind.JOINED, now, alert_ids=joined))
    if left:
        moments.append(moment(changed, MomentKind.LEFT, now, alert_ids=left))
    return Followed(changed, tuple(alerts), tuple(moments))


def _told_of(incident: Incident, alerts: Sequence[Alert], office: Office) -> Incident:
    """The incident as its firing alerts word it now. Its owner stays once told: there the message is."""
    cause = _cause(alerts)
    audience = people.audience(cause, alerts, office)
    owner = audience.owner if incident.told_at is None else incident.owner
    return replace(
        incident,
        cause=cause,
        severity=people.severity(cause, alerts, office),
        began_at=min(incident.began_at, _began(alerts)) if incident.open else _began(alerts),
        good_since=None,
        owner=owner,
        others=people.joined(incident.others, audience.others, owner),
    )


def _again(changed: Incident, before: Incident, now: datetime) -> Incident:
    """A resolved incident, open once more: what was said before its end counts no longer."""
    told = before.told_at is not None
    return replace(
        changed,
        state=IncidentState.OPEN,
        reopened=before.reopened + 1,
        told_at=now if told else None,
        told_severity=changed.severity if told else None,
        resolved_at=None,
        end_reason="",
        late=None,
        acknowledged_at=None,
        acknowledged_by="",
        reminded_at=None,
        escalated_at=None,
    )


def _cause(alerts: Sequence[Alert]) -> Cause:
    """As the alert words it that speaks for all of them, if one does."""
    known = [alert.cause for alert in alerts if alert.cause is not None]
    return next((c for c in known if c.affected), alerts[0].cause or own_cause(alerts[0]))


def _fresh(incident: Incident, alerts: Sequence[Alert]) -> list[Alert]:
    """Those that do not belong to it yet, or left it."""
    here = {member.alert_id for member in incident.members if member.over_at is None}
    return [alert for alert in alerts if alert.id not in here]


def _worse(incident: Incident, alerts: Sequence[Alert], office: Office) -> bool:
    if not alerts:
        return False
    cause = _cause(alerts)
    return people.severity(cause, alerts, office).rank > incident.severity.rank


def _fingerprints(incident: Incident, board: Board, *, over: bool) -> set[str]:
    """Of its members; with ``over``, of those that left."""
    return {
        board.alerts[member.alert_id].fingerprint
        for member in incident.members
        if member.alert_id in board.alerts and (member.over_at is not None or not over)
    }


def _members(
    incident: Incident, alerts: Sequence[Alert], now: datetime
) -> tuple[tuple[Member, ...], tuple[str, ...]]:
    """Members now, and the ids of those that left in this step."""
    here: Mapping[str, Alert] = {alert.id: alert for alert in alerts}
    members, left = [], []
    for member in incident.members:
        alert = here.get(member.alert_id)
        if alert is not None:
            members.append(replace(member, explained=alert.explained, over_at=None))
        elif member.over_at is None:
            members.append(replace(member, over_at=now))
            left.append(member.alert_id)
        else:
            members.append(member)
    old = {member.alert_id for member in incident.members}
    members += [Member(a.id, a.explained, now) for a in alerts if a.id not in old]
    return tuple(members), tuple(left)


def _rested(
    incident: Incident, gone: Sequence[str], board: Board, office: Office, now: datetime
) -> Followed:
    """An open incident none of whose alerts is open, or is its own any more."""
    since = incident.good_since or now
    rested = replace(incident, good_since=since)
    moments = []
    moved = [board.alerts[i] for i in gone if i in board.alerts and board.alerts[i].open]
    if moved:
        text = words.explained_by(moved)
        moments.append(
            moment(rested, MomentKind.LEFT, now, text=text, alert_ids=[a.id for a in moved])
        )
    if now - since < office.notify.incidents.resolve_after:
        return Followed(rested, (), tuple(moments))
    alerts = [board.alerts[m.alert_id] for m in incident.members if m.alert_id in board.alerts]
    reason, late = words.ending(alerts)
    over = replace(
        rested,
        state=IncidentState.RESOLVED,
        resolved_at=now,
        end_reason=reason,
        late=late,
    )
    moments.append(moment(over, MomentKind.RESOLVED, now, text=reason))
    return Followed(over, (), tuple(moments))


def _began(alerts: Sequence[Alert]) -> datetime:
    return min(min(a.started_at, a.result.since or a.started_at) for a in alerts)
