"""One incident in full, for who answers for it: what, since when, why, what hangs on it, what to do.

Commands stand in small letters below, so that a name that needs much room never pushes them out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from eventwatch.alerting import commands, links, words
from eventwatch.alerting.escape import truncate
from eventwatch.alerting.live_view import Shown, what
from eventwatch.alerting.office import Office
from eventwatch.alerting.spans import Bold, Command, Line, Name, Text, joined
from eventwatch.alerting.trouble import is_trouble
from eventwatch.model.cause import CauseKind
from eventwatch.model.contract import Contract
from eventwatch.model.durations import format_duration
from eventwatch.model.incident import IncidentState, Role
from eventwatch.model.result import Result
from eventwatch.model.status import Status

_SPOKEN = 3
"""Alerts that are told in a sentence each."""
_NAMED = 10
_FACTS = 4
_DESCRIPTION = 160
_REASONS = 4
_NOT_FOR_PEOPLE = frozenset(("spoke", "by its own past", "change"))
"""Facts that explain the arithmetic (``eventwatch explain`` shows them) or are said already."""


@dataclass(frozen=True)
class Card:
    """The lines of one incident. What comes first matters most."""

    body: tuple[Line, ...]
    about: tuple[Line, ...] = ()
    """What it is about, in small letters."""
    actions: tuple[Line, ...] = ()
    """What can be done, one command each, in small letters."""


def card(one: Shown, office: Office, now: datetime) -> Card:
    """All that is told of one incident."""
    body = _over(one, office, now) if not one.incident.open else _open(one, office, now)
    return Card(
        _kept(body),
        _kept(_about(one, office)),
        _kept(actions(one, full=True)),
    )


def brief(one: Shown, office: Office, now: datetime) -> Card:
    """What is told of one incident in a message about several."""
    incident = one.incident
    # The header of the message names all of them, so each has a title of its own.
    title: Line = (Text(f"{one.sign} "), Name(truncate(one.subject, 100)), Text(_state(one, now)))
    body: list[Line] = [title]
    if one.speaking:
        first = one.speaking[0].result
        body.append((Text(words.sentence(first, now, _zone(first, office))),))
    body += [_since(one, now), _cause(one), _explains(one)]
    if incident.state is IncidentState.ACKNOWLEDGED:
        body.append(_acknowledged(one, now))
    elif not incident.open:
        body = [title]
    return Card(_kept(body), (), _kept(actions(one, full=False)))


def actions(one: Shown, *, full: bool) -> list[Line]:
    """The commands. An incident that is over can only be looked at."""
    incident = one.incident
    explain: Line = (Text("Why: "), Command(f"eventwatch incidents explain {incident.id}"))
    if not incident.open:
        return [explain]
    made = [explain]
    if incident.state is IncidentState.OPEN:
        line: Line = (Text("I look at it: "), Command(f"eventwatch incidents ack {incident.id}"))
        made.append(line)
    if one.speaking:
        mute = commands.silence(one.speaking[0].result, incident.cause)
        made.append((Text("Mute it for 4 h: "), Command(mute)))
    if full:
        made.append(_on_purpose(one))
    return made


def why_here(one: Shown) -> Line:
    """Why this channel hears of it, where that is not plain."""
    who, owner = one.recipient, one.incident.owner
    if who.role is Role.ESCALATION:
        team = f"{owner.team} in {owner.channel}" if owner.team else owner.channel
        return (Text(f"Sent here because {who.reason}. It is {truncate(team, 80)} who was told."),)
    if (who.channel, who.team) != (owner.channel, owner.team):
        return (
            Text("Sent here because "),
            Name(truncate(owner.channel, 80)),
            Text(f" of {truncate(owner.team, 60) or 'its owner'} takes no messages."),
        )
    if who.is_fallback and one.incident.cause.kind is not CauseKind.SOURCE:
        return (Text(f"Sent here because {who.reason}."),)
    return ()


def names(found: Iterable[str], most: int = _NAMED) -> Line:
    """Names one after the other, the rest counted."""
    known = list(found)
    listed: list[Line] = [(Name(truncate(name, 60)),) for name in known[:most]]
    more: Line = (Text(f"and {len(known) - most:,} more"),) if len(known) > most else ()
    return joined([*listed, more], ", ")


def named(result: Result) -> Line:
    """What an alert is about, with the dimension's value where it is about one."""
    cut = result.cut
    name: Line = (Name(words.subject(result)),)
    return name if cut is None else (*name, Text(f" on {cut.dimension} "), Name(cut.value))


def back(one: Shown) -> list[Line]:
    """What came back, or why it is over."""
    incident = one.incident
    if incident.late is not None:
        how = format_duration(incident.late)
        text = f" all rows came after all, up to {how} late. Nothing is lost."
        return [(Bold("Late, not lost"), Text(text))]
    reasons: dict[str, list[str]] = {}
    for alert in one.current:
        if not alert.open:
            reason = alert.end_reason or "over"
            reasons.setdefault(reason, []).append(words.subject(alert.result))
    lines: list[Line] = [(Bold("Over"), Text(f" {incident.end_reason}"))] if not reasons else []
    for reason, found in sorted(reasons.items(), key=lambda r: (-len(r[1]), r[0]))[:_REASONS]:
        label = reason[:1].upper() + reason[1:]
        shown = f"{truncate(label, 80)}: "
        lines.append((Text(shown), *names(sorted(set(found)))))
    if incident.end_reason and not any(r == incident.end_reason for r in reasons) and reasons:
        lines.insert(0, (Bold("Over"), Text(f" {incident.end_reason}")))
    return lines


def _open(one: Shown, office: Office, now: datetime) -> list[Line]:
    incident = one.incident
    body: list[Line] = []
    if incident.good_since is not None:
        text = (
            f"Good again since {words.instant(incident.good_since, now)}; "
            "watched a little longer before it is over."
        )
        body.append((Text(text),))
    body += _seen(one, office, now)
    body.append(_since(one, now))
    if incident.state is IncidentState.ACKNOWLEDGED:
        body.append(_acknowledged(one, now))
    if incident.muted_by:
        body.append((Bold("Muted"), Text(f" {incident.muted_because}")))
    body.append(_cause(one))
    body += _facts(one)
    body += [_explains(one), _also_told(one), _picture(one)]
    if all(is_trouble(alert.result) for alert in one.speaking) and one.speaking:
        body.append((Text("This is about the monitoring and says nothing of the data."),))
    return body


def _over(one: Shown, office: Office, now: datetime) -> list[Line]:
    incident = one.incident
    ended = one.ended_at or now
    spell = words.spell(incident.began_at, ended)
    span = f"{words.instant(incident.began_at, now)} to {words.instant(ended, now)}"
    body: list[Line] = [(Bold("Lasted"), Text(f" {spell}, from {span}")), *back(one)]
    if one.speaking:
        first = one.speaking[0].result
        said = words.sentence(first, now, _zone(first, office))
        body.append((Bold("What it was"), Text(" "), *named(first), Text(f": {said}")))
    if incident.acknowledged_by:
        body.append(_acknowledged(one, now))
    return [*body, _cause(one), _explains(one)]


def _seen(one: Shown, office: Office, now: datetime) -> list[Line]:
    """Expected against seen, of what speaks; the rest counted."""
    spoken = one.speaking
    lines: list[Line] = []
    for alert in spoken[:_SPOKEN]:
        result = alert.result
        # How often each of many was wrong is no help where all of them are one thing.
        said = words.sentence(result, now, _zone(result, office))
        if len(spoken) == 1:
            lines.append((*named(result), Text(f": {said}")))
        else:
            lines.append((Text("• "), *named(result), Text(f" {words.phrase(result)}: {said}")))
    if len(spoken) > _SPOKEN:
        found = sorted({words.subject(alert.result) for alert in spoken[_SPOKEN:]})
        rest = len(spoken) - _SPOKEN
        lines.append((Text(f"• {rest:,} more: "), *names(found)))
    return lines


def _since(one: Shown, now: datetime) -> Line:
    incident = one.incident
    passed = f" ({words.spell(incident.began_at, now)} so far)" if one.running else ""
    again = (
        f"; it came back {words.count(incident.reopened, 'time', 'times')}"
        if incident.reopened
        else ""
    )
    return (
        Bold("Since"),
        Text(f" {words.instant(incident.began_at, now)}{passed}{again}"),
    )


def _acknowledged(one: Shown, now: datetime) -> Line:
    incident = one.incident
    at = incident.acknowledged_at
    when = "" if at is None else f", {words.instant(at, now)}"
    return (Bold("Acknowledged"), Text(f" by {incident.acknowledged_by or 'somebody'}{when}"))


def _cause(one: Shown) -> Line:
    detail = one.incident.cause.detail
    # Where it is the check's own sentence, it was just said.
    if not detail or any(detail == alert.result.summary for alert in one.speaking[:_SPOKEN]):
        return ()
    return (Bold("Likely cause"), Text(f" {detail}"))


def _facts(one: Shown) -> list[Line]:
    """What the check found besides, of the worst."""
    if not one.speaking:
        return []
    found: dict[str, list[str]] = {}
    for fact in one.speaking[0].result.facts:
        if fact.label not in _NOT_FOR_PEOPLE:
            found.setdefault(fact.label, []).append(fact.text)
    return [
        (Bold(_label(label)), Text(f" {', '.join(texts)}"))
        for label, texts in list(found.items())[:_FACTS]
    ]


def _explains(one: Shown) -> Line:
    """What is a part of it and not told by itself."""
    kind = one.incident.cause.kind
    if kind is CauseKind.SOURCE:
        exposures = sorted({a.result.exposure for a in one.current})
        if len(exposures) < 2:
            return ()
        return (Bold("Exposures"), Text(f" {len(exposures):,}: "), *names(exposures))
    if kind is CauseKind.CUT:
        found = list(one.event_types)
    else:
        spoken = {words.subject(a.result) for a in one.speaking}
        told = {words.subject(a.result) for a in one.explained}
        found = sorted(told.union(one.incident.cause.affected) - spoken)
    if not found:
        return ()
    return (
        Bold("Explains"),
        Text(f" {words.count(len(found), 'event type', 'event types')}: "),
        *names(found),
    )


def _also_told(one: Shown) -> Line:
    others = [who for who in one.incident.others if who.team]
    teams = sorted({who.team for who in others if who.team != one.recipient.team})
    return (Bold("Told as well"), Text(" "), *names(teams, 5)) if teams else ()


def _picture(one: Shown) -> Line:
    """The last hours in one line, for who sees no chart."""
    spark = one.speaking[0].result.spark if one.speaking else None
    bars = "" if spark is None else words.sparkline(spark)
    if spark is None or not bars:
        return ()
    return (Name(bars), Text(f" per {format_duration(spark.step)}, up to now"))


def _about(one: Shown, office: Office) -> list[Line]:
    """Whose promise it is, and where it stands."""
    first = _result(one)
    contract = None if first is None else office.catalog.of(first.event_type)
    parts: list[Line] = []
    lines: list[Line] = []
    if contract is not None:
        parts.append((Text("Contract "), *_place(office, contract)))
        parts.append(links.runbook(contract))
        about = " ".join(contract.description.split())
        if about:
            lines.append((Text(truncate(about, _DESCRIPTION)),))
    if first is not None and first.check:
        parts.append((Text(f"Check {first.check}"),))
    return [joined(parts), *lines, why_here(one)]


def _on_purpose(one: Shown) -> Line:
    """How to say that it is none: by the alert's id, which only the state knows."""
    first = one.speaking[0] if one.speaking else None
    if first is None or first.result.status is Status.ERROR or not first.id[:12].isalnum():
        return ()
    if one.incident.cause.kind is not CauseKind.EVENT_TYPE:
        return ()
    command = f"eventwatch feedback add {first.id[:12]} --verdict not-a-problem --reason '…'"
    return (Text("Not a problem: "), Command(command))


def _result(one: Shown) -> Result | None:
    """Whose contract is shown: of the one event type that it is about."""
    kind = one.incident.cause.kind
    if kind in (CauseKind.SOURCE, CauseKind.EXPOSURE, CauseKind.CUT) or not one.speaking:
        return one.speaking[0].result if one.speaking else None
    wanted = one.incident.cause.event_type
    found = [a.result for a in one.speaking if a.result.event_type == wanted]
    return (found or [one.speaking[0].result])[0]


def _place(office: Office, contract: Contract) -> Line:
    return links.contract_place(office.notify.contract_link, contract)


def _zone(result: Result, office: Office) -> tzinfo:
    exposure = office.exposures.get(result.exposure)
    return UTC if exposure is None else exposure.time_zone


def _state(one: Shown, now: datetime) -> str:
    incident = one.incident
    if incident.open:
        return f" {what(one)}"
    ended = one.ended_at or now
    return f" {incident.end_reason or 'over'} after {words.spell(incident.began_at, ended)}"


def _label(text: str) -> str:
    return truncate(text[:1].upper() + text[1:], 40) or "Also"


def _kept(lines: Iterable[Line]) -> tuple[Line, ...]:
    return tuple(line for line in lines if line)

