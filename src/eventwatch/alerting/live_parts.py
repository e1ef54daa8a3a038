"""The lines of live messages: headlines, cards of one incident, single lines, moments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from eventwatch.alerting import card as cards
from eventwatch.alerting import commands, words
from eventwatch.alerting.card import News
from eventwatch.alerting.escape import truncate
from eventwatch.alerting.office import Office
from eventwatch.alerting.route import Route
from eventwatch.alerting.spans import Bold, Command, Line, Mention, Name, Text, joined
from eventwatch.alerting.trouble import is_trouble
from eventwatch.model.alert import Alert, Change
from eventwatch.model.cause import CauseKind
from eventwatch.model.contract import Tier
from eventwatch.model.durations import format_duration
from eventwatch.model.incident import Incident, IncidentState, Moment, MomentKind, Role
from eventwatch.model.status import Severity

if TYPE_CHECKING:
    from eventwatch.alerting.live import Shown

_SPOKEN = 2
"""Alerts of one incident that are told in full."""
_NAMED = 12
_ICONS = {Severity.CRITICAL: "🔴", Severity.WARNING: "🟠", Severity.INFO: "🔵"}


def icon(severity: Severity) -> str:
    """One modest sign: how loud."""
    return _ICONS[severity]


def subject(incident: Incident) -> str:
    """What it is about, unescaped."""
    cause = incident.cause
    if cause.kind is CauseKind.CUT and cause.cut is not None:
        return f"{cause.cut.dimension} {cause.subject}"
    if cause.kind is CauseKind.RENAME and cause.other is not None:
        return f"{cause.subject} → {cause.other}"
    return cause.subject


def named(incident: Incident) -> Line:
    """Its name in a line: state, subject."""
    return (Text(f"{sign(incident)} "), Name(truncate(subject(incident), 100)))


def sign(incident: Incident) -> str:
    """State and loudness as one sign."""
    if not incident.open:
        return "✅"
    if incident.state is IncidentState.ACKNOWLEDGED:
        return "👀"
    return _ICONS[incident.severity]


def headline(one: Shown) -> str:
    """The header of a message about one incident, unescaped."""
    incident = one.incident
    name = truncate(subject(incident), 70)
    if not incident.open:
        return f"{sign(incident)} {name}: {truncate(incident.end_reason, 50) or 'over'}"
    spoken = speaking(one)
    if incident.good_since is not None:
        what = "looks good again"
    elif incident.cause.kind in (CauseKind.CUT, CauseKind.RENAME) or not spoken:
        what = _WHAT[incident.cause.kind]
    else:
        what = words.phrase(spoken[0].result)
    by = (
        f" (acknowledged by {truncate(incident.acknowledged_by, 30)})"
        if incident.state is IncidentState.ACKNOWLEDGED
        else ""
    )
    return f"{sign(incident)} {name} {what}{by}"


_WHAT = {
    CauseKind.SOURCE: "cannot be read",
    CauseKind.EXPOSURE: "is late or stopped",
    CauseKind.CUT: "broke across event types",
    CauseKind.RENAME: "looks renamed",
    CauseKind.EVENT_TYPE: "is not as it should be",
    CauseKind.ALONE: "is not as it should be",
}


def speaking(one: Shown) -> list[Alert]:
    """The alerts that speak for it, the worst first; where all are explained, all of them."""
    here = {m.alert_id: m for m in one.incident.members}
    current = [a for a in one.alerts if a.id in here and (here[a.id].over_at is None)]
    pool = current or [a for a in one.alerts if a.id in here]
    spoken = [a for a in pool if not here[a.id].explained] or pool
    return sorted(
        spoken,
        key=lambda a: (
            -a.result.severity.rank,
            is_trouble(a.result),
            not a.result.total,
            a.result.event_type is not None,
            a.started_at,
            a.id,
        ),
    )


def mention_line(ordered: Sequence[Shown], now: datetime) -> Line:
    """Whom it calls, what for, when it was written."""
    first = ordered[0].recipient
    loud = any(
        s.incident.open
        and s.incident.good_since is None
        and s.incident.severity is not Severity.INFO
        and s.recipient.role in (Role.OWNER, Role.ESCALATION)
        for s in ordered
    )
    group = next((s.recipient.group_id for s in ordered if s.recipient.group_id), "")
    parts: list[Line] = [(Mention(group),) if group and loud else ()]
    exposures = sorted({s.incident.cause.exposure for s in ordered if s.incident.cause.exposure})
    parts += [(Name(name),) for name in exposures[:3]]
    if first.team:
        parts.append((Text(f"for {truncate(first.team, 60)}"),))
    oncall = next((s.recipient.oncall for s in ordered if s.recipient.oncall), "")
    if oncall and loud and any(s.incident.severity is Severity.CRITICAL for s in ordered):
        parts.append((Text(f"on call: {truncate(oncall, 60)}"),))
    parts.append((Text(f"as of {words.instant(now, now)}"),))
    return joined(parts)


def card(one: Shown, office: Office, now: datetime) -> tuple[list[Line], list[Line]]:
    """All that is told of one incident: its lines, and the commands."""
    incident = one.incident
    body: list[Line] = []
    spoken = speaking(one)
    if not incident.open:
        body += _ended(one, now)
    elif incident.good_since is not None:
        since = words.instant(incident.good_since, now)
        body.append(
            (Text(f"Good again since {since}; watched a little longer before it is over."),)
        )
    if incident.cause.detail:
        body.append((Bold("Likely cause"), Text(f" {incident.cause.detail}")))
    if incident.open:
        for alert in spoken[:_SPOKEN]:
            made = cards.card(_news(alert, one, office), now, office.notify.contract_link)
            body += list(made.body)
        if len(spoken) > _SPOKEN:
            body.append(_names("Also", spoken[_SPOKEN:]))
    body.append(_explains(one))
    body.append(
        (
            Bold("Incident"),
            Text(f" {incident.id}, open since "),
            Text(words.instant(incident.opened_at, now)),
            Text(_times(incident)),
        )
    )
    if one.recipient.is_fallback or one.recipient.role is Role.ESCALATION:
        body.append((Text(f"Sent here because {one.recipient.reason}."),))
    actions: list[Line] = []
    if incident.open:
        actions = [
            (Text("Why: "), Command(f"eventwatch incidents explain {incident.id}")),
            (Text("I look at it: "), Command(f"eventwatch incidents ack {incident.id}")),
        ]
        if spoken:
            actions.append((Text("Mute it for 4 h: "), Command(commands.silence(spoken[0].result))))
    return [line for line in body if line], actions


def one_line(one: Shown, now: datetime) -> Line:
    """One incident in a list of several."""
    incident = one.incident
    spoken = speaking(one)
    what: str
    if not incident.open:
        spell = format_duration(
            max((incident.resolved_at or now) - incident.began_at, timedelta(0))
        )
        what = f" {incident.end_reason or 'over'} after {spell}"
    elif incident.cause.detail:
        what = f": {incident.cause.detail}"
    elif spoken:
        what = f" {words.phrase(spoken[0].result)}: {spoken[0].result.summary}"
    else:
        what = ""
    return (*named(incident), Text(what), Text(f" ({incident.id})"))


def told_line(one: Shown, office: Office, now: datetime) -> Line:
    """For those whose event types are a part of it: one line, and who is on it."""
    del now
    incident, who = one.incident, one.recipient
    mine = [
        a for a in one.alerts if a.result.event_type is not None and _concerns(a, who, office)
    ] or [a for a in one.alerts if a.result.event_type is not None]
    names = sorted({a.result.event_type or "" for a in mine})
    owner = incident.owner.team or incident.owner.channel
    state = (
        f"over: {incident.end_reason}"
        if not incident.open
        else f"{owner} is told"
        if incident.state is IncidentState.OPEN
        else f"{incident.acknowledged_by} looks at it"
    )
    verb = "concerns what you read" if who.role is Role.CONSUMER else "affects"
    listed: list[Line] = [(Name(truncate(n, 60)),) for n in names[:4]]
    more: Line = (Text(f"and {len(names) - 4:,} more"),) if len(names) > 4 else ()
    return (
        *named(incident),
        Text(f" {verb} {words.count(len(names), 'event type', 'event types')}: "),
        *joined([*listed, more], ", "),
        Text(f". {state[:1].upper()}{state[1:]} ({incident.id})."),
    )


def more(left: int, team: str) -> Line:
    """What found no room, and how to see it."""
    command = "eventwatch incidents list"
    if team and commands.glob_for(team) == team and team[:1] != "-":
        command += f" --team {team}"
    return (Text(f"+{left:,} more. Show them: "), Command(command))


def moment_line(one: Shown, moment: Moment, now: datetime) -> Line:
    """One thing that happened."""
    incident = one.incident
    by = f" by {moment.author}" if moment.author else ""
    text = f": {moment.text}" if moment.text else ""
    names = _member_names(one, moment.alert_ids)
    head: Line = (Text(f"{incident.id} "), Name(truncate(subject(incident), 80)), Text(" "))
    match moment.kind:
        case MomentKind.RESOLVED:
            spell = format_duration(max(now - incident.began_at, timedelta(0)))
            return (*head, Text(f"is over after {spell}{by}{text}"))
        case MomentKind.REOPENED:
            return (*head, Text("is back"))
        case MomentKind.JOINED:
            return (*head, Text("has more: "), *names)
        case MomentKind.LEFT:
            return (*head, Text("good again or apart: "), *names)
        case MomentKind.REMINDED:
            spell = format_duration(max(now - incident.began_at, timedelta(0)))
            return (*head, Text(f"is still open after {spell}; nobody acknowledged it"))
    return (*head, Text(f"{_DID[moment.kind]}{by}{text}"))


_DID = {
    MomentKind.OPENED: "began",
    MomentKind.WORSE: "is worse",
    MomentKind.ACKNOWLEDGED: "acknowledged",
    MomentKind.ESCALATED: "escalated",
    MomentKind.NOTE: "note",
    MomentKind.MUTED: "is muted",
    MomentKind.UNMUTED: "is no longer muted",
}


def reply_mention(one: Shown, moments: Iterable[Moment]) -> Line:
    """A mention where somebody has to look: worse, back, not acknowledged."""
    loud = {MomentKind.WORSE, MomentKind.REOPENED, MomentKind.REMINDED}
    group = one.recipient.group_id
    return (Mention(group),) if group and any(m.kind in loud for m in moments) else ()


def _news(alert: Alert, one: Shown, office: Office) -> News:
    who = one.recipient
    where = Route(who.team, who.channel, who.group_id, who.reason, False)
    return News(alert, Change.FIRED, where, office.catalog.of(alert.result.event_type))


def _explains(one: Shown) -> Line:
    here = {m.alert_id for m in one.incident.members if m.explained}
    explained = [a for a in one.alerts if a.id in here]
    return _names("Explains", explained) if explained else ()


def _names(label: str, alerts: Sequence[Alert]) -> Line:
    names = sorted({words.subject(a.result) for a in alerts})
    listed: list[Line] = [(Name(truncate(n, 60)),) for n in names[:_NAMED]]
    rest: Line = (Text(f"and {len(names) - _NAMED:,} more"),) if len(names) > _NAMED else ()
    return (Bold(label), Text(f" {len(names):,}: "), *joined([*listed, rest], ", "))


def _member_names(one: Shown, alert_ids: Sequence[str]) -> Line:
    known = [a for a in one.alerts if a.id in set(alert_ids)]
    if not known:
        return (Text(words.count(len(alert_ids), "alert", "alerts")),)
    names = sorted({words.subject(a.result) for a in known})
    listed: list[Line] = [(Name(truncate(n, 60)),) for n in names[:5]]
    rest: Line = (Text(f"and {len(names) - 5:,} more"),) if len(names) > 5 else ()
    return joined([*listed, rest], ", ")


def _ended(one: Shown, now: datetime) -> list[Line]:
    incident = one.incident
    ended = incident.resolved_at or now
    spell = format_duration(max(ended - incident.began_at, timedelta(0)))
    lines: list[Line] = [
        (
            Bold("Over"),
            Text(f" after {spell}, since {words.instant(ended, now)}: {incident.end_reason}"),
        )
    ]
    lines += [cards.one_line(_over(a, one), now) for a in speaking(one)[:_SPOKEN]]
    return lines


def _over(alert: Alert, one: Shown) -> News:
    who = one.recipient
    where = Route(who.team, who.channel, who.group_id, who.reason, False)
    return News(alert, Change.RESOLVED, where)


def _times(incident: Incident) -> str:
    if not incident.reopened:
        return ""
    return f", back {words.count(incident.reopened, 'time', 'times')}"


def _concerns(alert: Alert, who: object, office: Office) -> bool:
    contract = office.catalog.of(alert.result.event_type)
    if contract is None:
        return False
    team, channel = getattr(who, "team", ""), getattr(who, "channel", "")
    return contract.owner.team == team or any(
        c.name == team or c.slack_channel == channel for c in contract.consumers
    )


def tier_critical(alerts: Iterable[Alert], office: Office) -> bool:
    """Whether a critical event type moved."""
    contracts = (office.catalog.of(a.result.event_type) for a in alerts)
    return any(c is not None and c.tier is Tier.CRITICAL for c in contracts)


def counts(alerts: Iterable[Alert]) -> Counter[str]:
    """Alerts by severity."""
    return Counter(a.result.severity.value for a in alerts)
