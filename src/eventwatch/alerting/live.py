"""The texts of live messages, replies and digests. Pure.

A live message shows one incident in full, or several as a list whose worst are told in full. It is
written anew from the incident whenever something changed, so it never depends on what it said before.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from eventwatch.alerting import live_parts as parts
from eventwatch.alerting import spans, words
from eventwatch.alerting.office import Office
from eventwatch.alerting.page import Page
from eventwatch.alerting.spans import Line, Text
from eventwatch.model.alert import Alert, Message, Silence
from eventwatch.model.durations import format_duration
from eventwatch.model.incident import Incident, IncidentState, Moment, Recipient, Role
from eventwatch.model.status import Severity

_SUMMARY = 700
_DETAILED = 3
_LISTED = 25


@dataclass(frozen=True)
class Shown:
    """One incident as one channel sees it."""

    incident: Incident
    alerts: tuple[Alert, ...]
    """Its members that are known, in no order."""
    recipient: Recipient


def live(shown: Sequence[Shown], office: Office, now: datetime) -> Message:
    """The live message of one or many incidents, at least one, all of one channel and team."""
    ordered = sorted(shown, key=_worst_first)
    owned = [s for s in ordered if s.recipient.role in (Role.OWNER, Role.ESCALATION)]
    told = [s for s in ordered if s not in owned]
    head = _headline(ordered)
    summary = _summary(head, ordered, now)
    page = Page(summary, head)
    plain: list[Line] = [(Text(head),)]

    def say(line: Line) -> bool:
        if not line:
            return True
        if not page.context_line(line):
            return False
        plain.append(line)
        return True

    say(parts.mention_line(ordered, now))
    left = 0
    for place, one in enumerate(owned):
        if len(owned) == 1 or place < _DETAILED:
            body, actions = parts.card(one, office, now)
            if page.card(body, actions):
                plain += [(), *body, *actions]
                if office.abilities.buttons and one.incident.open and len(owned) == 1:
                    page.buttons(one.incident.id)
                continue
        if place >= _LISTED or not page.line(parts.one_line(one, now)):
            left += 1
            continue
        plain.append(parts.one_line(one, now))
    for one in told:
        line = parts.told_line(one, office, now)
        if page.line(line):
            plain.append(line)
        else:
            left += 1
    if left:
        line = parts.more(left, ordered[0].recipient.team)
        page.force_line(line)
        plain.append(line)
    return Message(summary, page.json(), "\n".join(spans.on_terminal(line) for line in plain))


def essence(shown: Sequence[Shown], office: Office) -> str:
    """Digest of what makes an edit worth while at once (state, severity, who acknowledged, which
    alerts); numbers and durations are not part of it."""
    del office
    told = []
    for one in sorted(shown, key=lambda s: s.incident.id):
        i = one.incident
        members = sorted((m.alert_id, m.explained, m.over_at is None) for m in i.members)
        told.append(
            (
                i.id,
                i.state.value,
                i.severity.value,
                i.acknowledged_by,
                i.reopened,
                members,
                i.end_reason,
                i.good_since is None,
                i.muted_by,
                i.cause.detail if i.cause.kind.value in ("source", "rename") else "",
                one.recipient.role.value,
            )
        )
    return hashlib.sha256(repr(told).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def reply(shown: Shown, moments: Sequence[Moment], office: Office, now: datetime) -> Message:
    """What happened to one incident, for its thread: at least one moment, oldest first."""
    lines = [parts.moment_line(shown, moment, now) for moment in moments]
    return _lines(lines, parts.reply_mention(shown, moments), office)


def silence_over(
    silence: Silence, hidden: Sequence[Shown], office: Office, now: datetime
) -> Message:
    """One line: whose silence ended, and what it hid."""
    del now
    still = sum(s.incident.open for s in hidden)
    names = ", ".join(parts.subject(s.incident) for s in hidden[:3])
    more = f" and {len(hidden) - 3:,} more" if len(hidden) > 3 else ""
    line: Line = (
        Text(f"The silence by {silence.author} ({silence.reason}) ended. It hid "),
        Text(words.count(len(hidden), "incident", "incidents")),
        Text(f", {still:,} still open: {names}{more}."),
    )
    return _lines([line], (), office)


def daily(title: str, shown: Sequence[Shown], office: Office, now: datetime) -> Message:
    """The daily message of one team: what is broken for how long, the longest first."""
    ordered = sorted(shown, key=lambda s: (s.incident.began_at, s.incident.id))
    head: Line = (Text(f"{title}: {words.count(len(ordered), 'incident', 'incidents')}"),)
    lines = [head]
    for one in ordered[:_LISTED]:
        spell = format_duration(max(now - one.incident.began_at, now - now))
        lines.append((Text("• "), *parts.named(one.incident), Text(f" for {spell}")))
    if len(ordered) > _LISTED:
        lines.append(parts.more(len(ordered) - _LISTED, ordered[0].recipient.team))
    return _lines(lines, (), office)


def _lines(lines: Sequence[Line], mention: Line, office: Office) -> Message:
    del office
    all_lines = [line for line in (mention, *lines) if line]
    first = spans.slack(all_lines[0], 300)
    page = Page(first, "")
    for line in all_lines:
        if not page.line(line):
            break
    plain = "\n".join(spans.on_terminal(line) for line in all_lines)
    return Message("\n".join(spans.slack(line, 300) for line in all_lines[:2]), page.json(), plain)


def _worst_first(one: Shown) -> tuple[object, ...]:
    i = one.incident
    return (
        not i.open,
        list(Role).index(one.recipient.role),
        -i.severity.rank,
        i.state is IncidentState.ACKNOWLEDGED,
        i.began_at,
        i.id,
    )


def _headline(ordered: Sequence[Shown]) -> str:
    if len(ordered) == 1:
        return parts.headline(ordered[0])
    n = Counter(
        "over"
        if not s.incident.open
        else "acknowledged"
        if s.incident.state is IncidentState.ACKNOWLEDGED
        else "open"
        for s in ordered
    )
    counts = ", ".join(f"{n[k]:,} {k}" for k in ("open", "acknowledged", "over") if n[k])
    worst = max(
        (s.incident.severity for s in ordered if s.incident.open),
        default=Severity.INFO,
        key=lambda s: s.rank,
    )
    icon = parts.icon(worst) if n["over"] < len(ordered) else "✅"
    return f"{icon} {len(ordered):,} incidents: {counts}"


def _summary(head: str, ordered: Sequence[Shown], now: datetime) -> str:
    lines = [spans.slack((Text(head),), 300)]
    for one in ordered[:3] if len(ordered) > 1 else ():
        lines.append("• " + spans.slack(parts.one_line(one, now), 180))
    if len(ordered) > 3:
        lines.append(f"+{len(ordered) - 3:,} more")
    while len("\n".join(lines)) > _SUMMARY:
        lines.pop()
    return "\n".join(lines)
