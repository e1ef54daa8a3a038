"""One incident in one line: in a list of several, for those who are only told, in a daily digest."""

from __future__ import annotations

from datetime import datetime

from eventwatch.alerting import commands, words
from eventwatch.alerting.escape import truncate
from eventwatch.alerting.live_card import names
from eventwatch.alerting.live_view import Shown, outcome, what
from eventwatch.alerting.office import Office
from eventwatch.alerting.spans import Command, Line, Name, Text
from eventwatch.model.contract import Contract
from eventwatch.model.incident import IncidentState, Role

_NAMED = 4


def title(one: Shown) -> Line:
    """State and subject."""
    return (Text(f"{one.sign} "), Name(truncate(one.subject, 100)))


def listed(one: Shown, now: datetime) -> Line:
    """In a list of several: what, since when, who looks at it, and the id."""
    incident = one.incident
    text = f" {outcome(one)}"
    if incident.open:
        text = f" {what(one)} since {words.instant(incident.began_at, now)}"
        said = _said(one)
        text += f": {said}" if said else ""
    return (*title(one), Text(text), Text(_tail(one)))


def told(one: Shown, office: Office, now: datetime) -> Line:
    """For those whose event types are a part of it: how many, which, and who is on it."""
    del now
    incident = one.incident
    mine = [name for name in one.event_types if _concerns(office.catalog.of(name), one)]
    found = mine or list(one.event_types)
    wrong = what(one) if incident.open else f"is over ({incident.end_reason or 'back to normal'})"
    reads = one.recipient.role is Role.CONSUMER
    whose = (" that you read" if reads else " of yours") if mine else ""
    if found == [one.subject]:
        whose = " which you read" if reads and mine else ""
        text: Line = (Text(f",{whose}, {wrong}" if whose else f" {wrong}"),)
    elif found:
        verb = "affects" if incident.open else "affected"
        how_many = words.count(len(found), "event type", "event types")
        listing = names(found, _NAMED)
        text = (Text(f" {wrong}; it {verb} {how_many}{whose}: "), *listing)
    else:
        text = (Text(f" {wrong}"),)
    return (*title(one), *text, Text(f"{_on_it(one)} (incident {incident.id})"))


def _on_it(one: Shown) -> str:
    """Who is on it, so that nobody asks."""
    incident = one.incident
    owner = truncate(incident.owner.team or incident.owner.channel, 60) or "its owner"
    if not incident.open:
        return ""
    if incident.state is IncidentState.ACKNOWLEDGED:
        by = truncate(incident.acknowledged_by, 40)
        return f"; {by} of {owner} looks at it" if by else f"; {owner} looks at it"
    return f"; {owner} was told"


def broken(one: Shown, now: datetime) -> Line:
    """In a daily digest: for how long, and what."""
    incident = one.incident
    if not incident.open:
        return (*title(one), Text(f" {outcome(one)}"), Text(_tail(one)))
    said = _said(one)
    text = f" for {words.spell(incident.began_at, now)}" + (f": {said}" if said else "")
    return (*title(one), Text(text), Text(_tail(one)))


def more(left: int, team: str) -> Line:
    """What found no room, and how to see it."""
    return (Text(f"+{left:,} more. Show them: "), Command(commands.list_team(team)))


def _said(one: Shown) -> str:
    """What is known of it, in few words."""
    detail = one.incident.cause.detail
    if detail or not one.speaking:
        return detail
    return words.briefly(one.speaking[0].result)


def _tail(one: Shown) -> str:
    """The id to type, and who looks at it."""
    by = truncate(one.incident.acknowledged_by, 30)
    looks = one.incident.state is IncidentState.ACKNOWLEDGED and by
    return f" ({one.incident.id}, {by} looks at it)" if looks else f" ({one.incident.id})"


def _concerns(contract: Contract | None, one: Shown) -> bool:
    """Whether this channel owns an event type, or reads it."""
    if contract is None:
        return False
    who = one.recipient
    if who.role is Role.CONSUMER:
        return any(c.name == who.team or c.slack_channel == who.channel for c in contract.consumers)
    return contract.owner.team == who.team or contract.owner.slack_channel == who.channel
