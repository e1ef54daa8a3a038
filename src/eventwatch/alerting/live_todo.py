"""What can be done about an incident, as commands to copy, and why it is this channel that is told."""

from __future__ import annotations

from eventwatch.alerting import commands
from eventwatch.alerting.escape import truncate
from eventwatch.alerting.live_view import Shown
from eventwatch.alerting.silence_scope import hides, of_value, scopes
from eventwatch.alerting.spans import Bold, Command, Line, Name, Text
from eventwatch.model.cause import CauseKind
from eventwatch.model.incident import IncidentState, Role
from eventwatch.model.status import KindName, Status


def actions(one: Shown, *, full: bool) -> list[Line]:
    """The commands. An incident that is over can only be looked at. ``full``: those too that a button
    does as well and that are seldom typed."""
    incident = one.incident
    explain: Line = (Text("Why: "), Command(f"eventwatch incidents explain {incident.id}"))
    if not incident.open:
        return [explain]
    made = [explain]
    if incident.state is IncidentState.OPEN:
        line: Line = (Text("I look at it: "), Command(f"eventwatch incidents ack {incident.id}"))
        made.append(line)
    several = incident.cause.kind is CauseKind.SOURCE and len(one.speaking) > 1
    if one.speaking and not several:
        made.append(_mute(one))
    if full:
        made.append(_on_purpose(one))
    return made


def why_here(one: Shown) -> Line:
    """Why this channel hears of it, where that is not plain."""
    who, owner = one.recipient, one.incident.owner
    if who.role is Role.ESCALATION:
        team = f"{owner.team} in {owner.channel}" if owner.team else owner.channel
        return (
            Bold("Sent here"),
            Text(f" because {who.reason}; {truncate(team, 80)} was told first."),
        )
    if (who.channel, who.team) != (owner.channel, owner.team):
        return (
            Bold("Sent here"),
            Text(" because "),
            Name(truncate(owner.channel, 80)),
            Text(f" of {truncate(owner.team, 60) or 'its owner'} takes no messages."),
        )
    if who.is_fallback and one.incident.cause.kind is not CauseKind.SOURCE:
        return (Bold("Sent here"), Text(f" because {who.reason}."))
    return ()


def _mute(one: Shown) -> Line:
    """What the button does, or where one command cannot say it all the part that is told first; and
    what that hides."""
    cause = one.incident.cause
    for found in (scopes(one.speaking, cause), of_value(cause), scopes(one.speaking[:1], cause)):
        command = commands.silence(found)
        if command:
            return (Text(f"Mute for 4 h ({hides(found)}): "), Command(command))
    return ()


def _on_purpose(one: Shown) -> Line:
    """How to say that it is none: by the alert's id, which only the state knows."""
    first = one.speaking[0] if one.speaking else None
    about_counts = first is not None and first.result.kind is KindName.VOLUME
    if first is None or not about_counts or first.result.status is Status.ERROR:
        return ()
    if first.result.event_type is None or not first.id[:12].isalnum():
        return ()
    command = f"eventwatch feedback add {first.id[:12]} --verdict not-a-problem --reason '…'"
    return (Text("Not a problem: "), Command(command))
