"""The texts of live messages, replies and digests. Pure.

A live message shows one incident in full, or several as a list whose worst are told in full. It is
written anew from the incident whenever something changed, so it never depends on what it said before.
Those who only hear of an incident get a line of it, and are never mentioned.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from eventwatch.alerting import commands, spans, words
from eventwatch.alerting import live_card as cards
from eventwatch.alerting import live_lines as lines
from eventwatch.alerting import live_reply as replies
from eventwatch.alerting.escape import size, truncate
from eventwatch.alerting.live_view import ICONS, MAIN, OVER, Shown, headline
from eventwatch.alerting.live_writer import Writer
from eventwatch.alerting.office import Office
from eventwatch.alerting.page import Page
from eventwatch.alerting.silence_scope import hides, is_wide, scopes
from eventwatch.alerting.spans import Command, Line, Mention, Name, Text, joined
from eventwatch.model.alert import Message, Silence
from eventwatch.model.cause import CauseKind
from eventwatch.model.counting import counted
from eventwatch.model.incident import IncidentState, Moment, Role

__all__ = ["Shown", "daily", "essence", "live", "reply", "silence_over"]

_SUMMARY = 700
_DETAILED = 3
"""Incidents of a message about several that are told in more than a line."""
_LISTED = 25
_LISTED_LINE = 260
_REPLY_LINES = 20
_WITH_DETAIL = (CauseKind.SOURCE, CauseKind.RENAME)
"""Causes whose sentence is what they are; of the others only its numbers change."""


def live(shown: Sequence[Shown], office: Office, now: datetime) -> Message:
    """The live message of one or many incidents, at least one, all of one channel and team."""
    ordered = sorted(shown, key=_worst_first)
    owned = [s for s in ordered if s.recipient.role in MAIN]
    told = [s for s in ordered if s.recipient.role not in MAIN]
    if not owned:
        return _only_told(told, office, now)
    head = headline(owned[0]) if len(ordered) == 1 else _headline(ordered)
    summary = _summary(head, ordered, office, now)
    writer = Writer(Page(summary, head), [(Text(head),)])
    writer.line(_mention(owned))
    detailed = 0
    for one in owned[:_DETAILED] if len(owned) > 1 else owned:
        if not one.incident.open and len(owned) > 1:
            break
        if not _told_in_full(writer, one, office, now, alone=len(owned) == 1):
            break
        detailed += 1
    left = 0
    if detailed and len(ordered) > detailed:
        writer.divider()
    for place, one in enumerate(owned[detailed:]):
        line = lines.listed(one, now)
        if place >= _LISTED or not writer.line(line, _LISTED_LINE):
            left += 1
    for one in told:
        if left or not writer.line(lines.told(one, office, now)):
            left += 1
    if left:
        writer.last(lines.more(left, ordered[0].recipient.team))
    writer.small(_footer(ordered, office, now, with_list=not left))
    return writer.message(summary)


def essence(shown: Sequence[Shown], office: Office) -> str:
    """Digest of what makes an edit worth while at once (state, severity, who acknowledged, which
    alerts); numbers and durations are not part of it."""
    del office
    told = []
    for one in sorted(shown, key=lambda s: (s.incident.id, s.recipient.role.value)):
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
                i.cause.detail if i.cause.kind in _WITH_DETAIL else "",
                one.recipient.role.value,
            )
        )
    return hashlib.sha256(repr(told).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def reply(shown: Shown, moments: Sequence[Moment], office: Office, now: datetime) -> Message:
    """What happened to one incident, for its thread: at least one moment, oldest first."""
    made = [line for m in moments for line in replies.lines(shown, m, office, now)]
    if len(made) > _REPLY_LINES:
        rest = len(made) - _REPLY_LINES + 1
        made = [
            *made[: _REPLY_LINES - 1],
            (Text(f"and {counted(rest, 'line')} more: "), _show(shown)),
        ]
    mention = replies.mention(shown, moments)
    if mention:
        made[0] = (*mention, Text(" "), *made[0])
    return _lines(made)


def silence_over(
    silence: Silence, hidden: Sequence[Shown], office: Office, now: datetime
) -> Message:
    """One line: whose silence ended, and what it hid."""
    del office
    ordered = sorted(hidden, key=_worst_first)
    still = sum(s.incident.open for s in ordered)
    who = f"by {silence.author}" if silence.author else "by somebody"
    if silence.id.startswith("maintenance:"):
        who = f"of the {silence.author}"
    why = f" ({truncate(silence.reason, 120)})" if silence.reason else ""
    text = f"🔔 The silence {who}{why} ended {words.instant(silence.ends_at, now)}. It hid "
    if not ordered:
        return _lines([(Text(f"{text}nothing."),)])
    count = words.count(len(ordered), "incident", "incidents")
    state = f"{still:,} of them still open" if still else "all of them over"
    if len(ordered) == 1:
        state = "still open" if still else "over by now"
    listed: list[Line] = [lines.title(one) for one in ordered[:5]]
    rest: Line = (Text(f"and {len(ordered) - 5:,} more"),) if len(ordered) > 5 else ()
    line = (Text(f"{text}{count}, {state}: "), *joined([*listed, rest], ", "), Text("."))
    return _lines([line])


def daily(title: str, shown: Sequence[Shown], office: Office, now: datetime) -> Message:
    """The daily message of one team: what is broken for how long, the longest first."""
    del office
    ordered = sorted(shown, key=lambda s: (not s.incident.open, s.incident.began_at, s.incident.id))
    head = f"{title}: {words.count(len(ordered), 'incident', 'incidents')}"
    first = [spans.slack(lines.broken(s, now), 200) for s in ordered[:3]]
    summary = _fitting([spans.slack((Text(head),), 300), *(f"• {line}" for line in first)])
    writer = Writer(Page(summary, head), [(Text(head),)])
    left = 0
    for place, one in enumerate(ordered):
        line = lines.broken(one, now)
        if left or place >= _LISTED or not writer.line(line, _LISTED_LINE):
            left += 1
    team = ordered[0].recipient.team if ordered else ""
    if left:
        writer.last(lines.more(left, team))
    parts: list[Line] = [
        (Text(f"for {truncate(team, 60)}"),) if team else (),
        (Text(f"as of {words.instant(now, now)}"),),
    ]
    writer.small(joined(parts))
    return writer.message(summary)


def _told_in_full(
    writer: Writer, one: Shown, office: Office, now: datetime, *, alone: bool
) -> bool:
    made = cards.card(one, office, now) if alone else cards.brief(one, office, now)
    # Names that need no end of escapes may leave no room for all that is known.
    done = writer.card(made) or (alone and writer.card(cards.brief(one, office, now)))
    if done and office.abilities.buttons and one.incident.open:
        acknowledged = one.incident.state is IncidentState.ACKNOWLEDGED
        muted = scopes(one.speaking, one.incident.cause)
        asked = hides(muted) if is_wide(muted) else ""
        writer.page.buttons(one.incident.id, acknowledged=acknowledged, hides=asked)
    return done


def _only_told(told: Sequence[Shown], office: Office, now: datetime) -> Message:
    """For those whose event types are a part of something that others answer for: lines only."""
    first = lines.told(told[0], office, now)
    kept = [spans.slack(first, 500)]
    if len(told) > 1:
        kept.append(f"+{len(told) - 1:,} more")
    summary = _fitting(kept)
    writer = Writer(Page(summary, ""), [])
    left = 0
    for place, one in enumerate(told):
        line = lines.told(one, office, now)
        if left or place >= _LISTED or not writer.line(line):
            left += 1
    if left:
        writer.last(lines.more(left, told[0].recipient.team))
    return writer.message(summary)


def _lines(made: Sequence[Line]) -> Message:
    """Lines without a header."""
    summary = _fitting([spans.slack(line, 500) for line in made[:2]])
    writer = Writer(Page(summary, ""), [])
    for line in made:
        if not writer.line(line):
            break
    return writer.message(summary)


def _mention(owned: Sequence[Shown]) -> Line:
    """Whom it calls: the owner's group, and who is on call where the critical tier moved; nobody for
    what is good, over or only information."""
    loud = [s for s in owned if s.loud]
    group = next((s.recipient.group_id for s in loud if s.recipient.group_id), "")
    oncall = next((s.recipient.oncall for s in loud if s.recipient.oncall), "")
    on_call: Line = (Text(f"on call: {truncate(oncall, 60)}"),) if oncall else ()
    return joined(((Mention(group),) if group else (), on_call))


def _footer(ordered: Sequence[Shown], office: Office, now: datetime, *, with_list: bool) -> Line:
    first = ordered[0]
    team = first.recipient.team
    exposures = sorted({s.incident.cause.exposure for s in ordered if s.incident.cause.exposure})
    parts: list[Line] = []
    if len(ordered) == 1:
        severity = first.incident.severity.value
        parts.append((Text(f"incident {first.incident.id}, {severity}"),))
    parts += [(Name(name),) for name in exposures[:3]]
    if team:
        parts.append((Text(f"for {truncate(team, 60)}"),))
    parts.append((Text(f"as of {words.instant(now, now)}"),))
    if not office.abilities.edits and len(ordered) == 1 and first.incident.open:
        parts.append((Text("not updated here: "), _show(first)))
    if len(ordered) > 1 and with_list:
        parts.append((Command(commands.list_team(team)),))
    return joined(parts)


def _show(one: Shown) -> Command:
    return Command(f"eventwatch incidents show {one.incident.id}")


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
    n = Counter(_standing(s) for s in ordered)
    counts = ", ".join(f"{n[k]:,} {k}" for k in ("open", "acknowledged", "over") if n[k])
    severities = [s.incident.severity for s in ordered if s.incident.open]
    worst = max(severities, default=None, key=lambda s: s.rank)
    icon = OVER if worst is None else ICONS[worst]
    team = truncate(ordered[0].recipient.team, 40)
    for_team = f" for {team}" if team else ""
    return f"{icon} {words.count(len(ordered), 'incident', 'incidents')}{for_team}: {counts}"


def _standing(one: Shown) -> str:
    if not one.incident.open:
        return "over"
    return "acknowledged" if one.incident.state is IncidentState.ACKNOWLEDGED else "open"


def _summary(head: str, ordered: Sequence[Shown], office: Office, now: datetime) -> str:
    """What a notification shows, and all there is where blocks are refused."""
    made = [spans.slack((Text(head),), 300)]
    if len(ordered) > 1:
        made += ["• " + spans.slack(lines.listed(s, now), 180) for s in ordered[:3]]
        if len(ordered) > 3:
            made.append(f"+{len(ordered) - 3:,} more")
    else:
        body = cards.card(ordered[0], office, now).body
        made += [spans.slack(line, 300) for line in body[:1]]
    return _fitting(made)


def _fitting(made: Sequence[str]) -> str:
    """As many whole lines as a notification holds."""
    kept = [line for line in made if line]
    while size("\n".join(kept)) > _SUMMARY:
        kept.pop()
    return "\n".join(kept)
