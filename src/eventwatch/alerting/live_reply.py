"""What happened to an incident, a line each, for the thread of its message."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from eventwatch.alerting import words
from eventwatch.alerting.escape import truncate
from eventwatch.alerting.live_card import back, names, zone_of
from eventwatch.alerting.live_view import MAIN, Shown, outcome
from eventwatch.alerting.office import Office
from eventwatch.alerting.spans import Command, Line, Mention, Name, Text
from eventwatch.model.incident import Moment, MomentKind
from eventwatch.model.status import Severity

_LOUD = frozenset(
    (MomentKind.WORSE, MomentKind.REOPENED, MomentKind.REMINDED, MomentKind.ESCALATED)
)
_NAMED = 5
_SIGNS = {
    MomentKind.OPENED: "🔴",
    MomentKind.WORSE: "🔺",
    MomentKind.JOINED: "➕",
    MomentKind.LEFT: "➖",
    MomentKind.ACKNOWLEDGED: "👀",
    MomentKind.REMINDED: "⏰",
    MomentKind.ESCALATED: "📣",
    MomentKind.RESOLVED: "✅",
    MomentKind.REOPENED: "🔁",
    MomentKind.NOTE: "📝",
    MomentKind.MUTED: "🔕",
    MomentKind.UNMUTED: "🔔",
}
_DID = {
    MomentKind.OPENED: "began",
    MomentKind.WORSE: "is worse",
    MomentKind.ACKNOWLEDGED: "was acknowledged",
    MomentKind.ESCALATED: "was not acknowledged in time, so it also went",
    MomentKind.NOTE: "note",
    MomentKind.MUTED: "is muted",
    MomentKind.UNMUTED: "is no longer muted",
}


def mention(one: Shown, moments: Iterable[Moment]) -> Line:
    """A mention where somebody has to look: worse, back, or nobody acknowledged it."""
    group = one.recipient.group_id
    wanted = (
        group
        and one.recipient.role in MAIN
        and one.incident.open
        and one.incident.severity is not Severity.INFO
        and any(m.kind in _LOUD for m in moments)
    )
    return (Mention(group),) if wanted else ()


def lines(one: Shown, moment: Moment, office: Office, now: datetime) -> list[Line]:
    """One thing that happened; a second line where there is more to know."""
    incident = one.incident
    by = f" by {moment.author}" if moment.author else ""
    head: Line = (Text(f"{_SIGNS[moment.kind]} "), Name(truncate(one.subject, 80)), Text(" "))
    match moment.kind:
        case MomentKind.RESOLVED:
            return [(*head, Text(f"is over: {outcome(one)}.")), *back(one)]
        case MomentKind.REOPENED:
            return [(*head, Text("is back. "), *_now(one, office, now))]
        case MomentKind.WORSE:
            text = f"is worse: {moment.text}. " if moment.text else "is worse. "
            return [(*head, Text(text), *_now(one, office, now))]
        case MomentKind.JOINED:
            more = f"{len(moment.alert_ids):,} more belong to it: "
            return [(*head, Text(more), *_members(one, moment))]
        case MomentKind.LEFT:
            why = moment.text or "good again, or told apart"
            less = f"{len(moment.alert_ids):,} no longer belong to it: "
            return [(*head, Text(less), *_members(one, moment), Text(f" ({why})"))]
        case MomentKind.REMINDED:
            spell = words.spell(incident.began_at, moment.at)
            text = f"is still bad after {spell}, and nobody acknowledged it. "
            command = Command(f"eventwatch incidents ack {incident.id}")
            return [
                (*head, Text(text), *_now(one, office, now)),
                (Text("I look at it: "), command),
            ]
        case MomentKind.NOTE:
            return [(*head, Text(f"note{by}: {moment.text}"))]
        case MomentKind.ESCALATED:
            return [(*head, Text(f"{_DID[moment.kind]} {moment.text or 'to others'}."))]
    text = f": {moment.text}" if moment.text else ""
    return [(*head, Text(f"{_DID[moment.kind]}{by}{text}"))]


def _now(one: Shown, office: Office, now: datetime) -> Line:
    """Expected against seen, of the worst."""
    if not one.speaking:
        return ()
    result = one.speaking[0].result
    return (Text(words.sentence(result, now, zone_of(result, office))),) if result.summary else ()


def _members(one: Shown, moment: Moment) -> Line:
    wanted = set(moment.alert_ids)
    found = sorted({words.subject(a.result) for a in one.alerts if a.id in wanted})
    if not found:
        return (Text(words.count(len(moment.alert_ids), "alert", "alerts")),)
    return names(found, _NAMED)
