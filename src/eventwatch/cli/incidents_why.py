"""Why an incident is one: the numbers that decided beside those that come out when the same rows are
judged again, and the fate of each message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from eventwatch.alerting import words
from eventwatch.app.rejudged import Again, Agreement
from eventwatch.cli.incidents_view import (
    at,
    deliveries_to,
    delivery_line,
    safe,
    state,
    why_none,
)
from eventwatch.model.alert import Alert, DeliveryState
from eventwatch.model.counting import counted
from eventwatch.model.figures import signed
from eventwatch.model.incident import Recipient, Role
from eventwatch.model.result import Result

if TYPE_CHECKING:
    from eventwatch.app.incidents import Story

_MOST = 10


def explanation(story: Story, again: Mapping[str, Again], now: datetime) -> str:
    """For people. ``again``: by id of the alert; what is missing was not asked for."""
    from eventwatch.app.incidents import headline

    one = story.incident
    lines = [
        f"{one.id}  {safe(headline(one, story.alerts))}",
        f"  {state(one)}, {one.severity.value}",
        "",
    ]
    spoken = [a for a in story.alerts if not a.explained] or list(story.alerts)
    lines.append("decided on")
    for alert in spoken[:_MOST]:
        lines += [f"  {line}" for line in decision(alert, again.get(alert.id), now)] + [""]
    if len(spoken) > _MOST:
        lines += [f"  and {counted(len(spoken) - _MOST, 'more alert')}", ""]
    explained = [a for a in story.alerts if a not in spoken]
    if explained:
        lines += [
            f"it explains {counted(len(explained), 'more alert')}: {safe(one.cause.subject, 80)}",
            "  told with it, and by itself what outlasts it",
            *_in_sum([again[a.id] for a in explained if a.id in again]),
            "",
        ]
    lines.append("told to")
    lines += [f"  {line}" for who in (one.owner, *one.others) for line in _fate(who, story)]
    return "\n".join(lines).rstrip() + "\n"


def decision(alert: Alert, again: Again | None, now: datetime) -> Iterable[str]:
    """One alert: what was compared with what, and what comes out when it is judged again."""
    result = alert.result
    name = result.exposure if result.event_type is None else result.event_type
    cut = "" if result.cut is None else f", {result.cut.dimension} {result.cut.value}"
    yield f"{result.kind.value}/{result.aspect} of {safe(name + cut, 100)}"
    if result.summary:
        yield f"  said      {safe(result.summary)}"
    amount = result.amount
    span = "" if amount is None else words.judged_span(amount, now)
    if span:
        yield f"  judged    {span}, in the cycle at {at(alert.seen_at)}"
    else:
        yield f"  judged    in the cycle at {at(alert.seen_at)}"
    for fact in result.facts:
        yield f"  {safe(fact.label, 24)}: {safe(fact.text)}"
    if result.hold:
        yield f"  held      it had to last {words.number(result.hold.total_seconds(), 'seconds')}"
    yield f"  since     {at(alert.started_at)} by our clock, {at(result.since) or 'unknown'} in the data"
    if result.check:
        yield f"  rule      {safe(result.check)}"
    yield from _beside(result, again)
    if again is not None:
        yield from _verdict(again)


_ROWS = (
    ("seen", "observed"),
    ("expected", "expected"),
    ("usual from", "lower"),
    ("to", "upper"),
    ("z", "z"),
    ("p", "p_value"),
)


def _beside(result: Result, again: Again | None) -> Iterable[str]:
    """The numbers of the decision, and beside each the one that was worked out again."""
    decided = result.amount
    other = None if again is None or again.result is None else again.result.amount
    if decided is None:
        return
    yield f"  {'':<12}{'decided':>14}" + ("" if again is None else f"{'judged again':>16}")
    for plain, name in _ROWS:
        label = plain
        one, two = getattr(decided, name), getattr(other, name, None)
        if one is None and two is None:
            continue
        if name == "lower" and decided.upper is None:
            label = "at least"
        elif name == "upper" and decided.lower is None:
            label = "at most"
        line = f"  {label:<12}{_number(one, name, decided.unit):>14}"
        if again is not None:
            line += f"{_number(two, name, decided.unit):>16}"
        yield line


def _number(value: float | None, name: str, unit: str) -> str:
    if value is None:
        return "-"
    if name == "z":
        return signed(value, 2)
    if name == "p_value":
        return f"{value:.1e}"
    return words.number(value, unit)


_SAID = {
    Agreement.SAME: "the same comes out",
    Agreement.CLOSE: "the same but for what the measurements of then leave open:",
    Agreement.OTHER: "it fails again, on other numbers:",
    Agreement.PASSES: "it would not fail:",
    Agreement.UNKNOWN: "it cannot be judged again:",
}


def _verdict(again: Again) -> Iterable[str]:
    """What came out and why, and what decides beside the numbers."""
    yield f"  again     {_SAID[again.agreement]}"
    for reason in again.reasons:
        yield f"            - {safe(reason)}"
    if again.agreement not in (Agreement.SAME, Agreement.UNKNOWN) and not again.reasons:
        yield "            - no reason is known; please report it as a defect"
    told = again.volume
    if told is not None and told.score is not None and told.threshold is not None:
        limit = told.threshold
        if limit.z is not None and told.z is not None:
            said = f"|z| {abs(told.z):.2f}, told from {limit.z:g}"
        else:
            least = limit.silent_score if told.observed == 0 else limit.score
            said = f"{told.score:.2f}, told from {least:.2f}"
        yield f"  score     {said} ({safe(limit.source) or 'built in'})"
        if told.season is not None:
            yield f"  season    {safe(told.season.words)}"
    if again.came:
        yield f"  later     {counted(again.came, 'row')} of it came since, later than rows usually do"
        if again.in_time is not None:
            text = again.in_time.status.value
            if again.in_time.summary:
                text += f": {again.in_time.summary}"
            yield f"            with them in time it would have said {safe(text)}"


def _in_sum(found: Sequence[Again]) -> Iterable[str]:
    """Of what is explained: how many come out the same."""
    if not found:
        return
    counts = Counter(each.agreement for each in found)
    parts = [f"{counts[each]:,} {text}" for each, text in _COUNTED.items() if counts[each]]
    yield f"  judged again: {', '.join(parts)}"


_COUNTED = {
    Agreement.SAME: "the same",
    Agreement.CLOSE: "the same but for what the measurements of then leave open",
    Agreement.OTHER: "fail on other numbers",
    Agreement.PASSES: "would not fail",
    Agreement.UNKNOWN: "cannot be judged again",
}


_ROLES = {
    Role.OWNER: "owner",
    Role.ESCALATION: "escalated",
    Role.AFFECTED: "affected",
    Role.CONSUMER: "reads it",
}


def _fate(who: Recipient, story: Story) -> Iterable[str]:
    """One recipient: why they, and what became of each message."""
    where = safe(who.channel or "standard output", 80)
    team = f"{safe(who.team, 60)} " if who.team else ""
    yield f"{_ROLES[who.role]}: {team}{where} ({safe(who.reason) or 'as configured'})"
    rows = deliveries_to(who, story)
    for row in rows:
        yield f"  {delivery_line(row)}"
    if not rows:
        yield "  no message: " + safe(why_none(story))
    if any(r.state is DeliveryState.DEAD for r in rows):
        yield "  a message was refused for good; the fallback route has it"
