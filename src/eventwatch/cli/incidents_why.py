"""Why an incident is one: the numbers that decided, worked out anew, and the fate of each message."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from math import erfc, isfinite, sqrt
from typing import TYPE_CHECKING

from eventwatch.alerting import words
from eventwatch.cli.incidents_view import at, delivery_line, safe, state, what
from eventwatch.model.alert import Alert, DeliveryState
from eventwatch.model.incident import Recipient, Role

if TYPE_CHECKING:
    from eventwatch.app.incidents import Story

_MOST = 10


def explanation(story: Story, now: datetime) -> str:
    """For people."""
    one = story.incident
    lines = [f"{one.id}  {safe(what(one))}", f"  {state(one)}, {one.severity.value}", ""]
    spoken = [a for a in story.alerts if not a.explained] or list(story.alerts)
    lines.append("decided on")
    for alert in spoken[:_MOST]:
        lines += [f"  {line}" for line in decision(alert, now)] + [""]
    if len(spoken) > _MOST:
        lines += [f"  and {len(spoken) - _MOST:,} more alerts", ""]
    explained = len(story.alerts) - len(spoken)
    if explained:
        lines += [
            f"{explained:,} more alerts are explained by it: {safe(one.cause.subject, 80)}",
            "  they are told with it, and by themselves if they outlast it",
            "",
        ]
    lines.append("told to")
    lines += [f"  {line}" for who in (one.owner, *one.others) for line in _fate(who, story)]
    return "\n".join(lines).rstrip() + "\n"


def decision(alert: Alert, now: datetime) -> Iterable[str]:
    """One alert: what was compared with what, and whether the numbers agree with the verdict."""
    result = alert.result
    name = result.exposure if result.event_type is None else result.event_type
    cut = "" if result.cut is None else f", {result.cut.dimension} {result.cut.value}"
    yield f"{result.kind.value}/{result.aspect} of {safe(name + cut, 100)}"
    if result.summary:
        yield f"  said      {safe(result.summary)}"
    amount = result.amount
    if amount is not None:
        seen = words.number(amount.observed, amount.unit)
        yield f"  seen      {seen} {amount.unit}"
        wanted = words.expected(amount)
        if wanted:
            yield f"  expected  {wanted}"
        span = words.judged_span(amount, now)
        if span:
            yield f"  judged    {span}"
        yield from _numbers(alert)
    for fact in result.facts:
        yield f"  {safe(fact.label, 24)}: {safe(fact.text)}"
    if result.hold:
        yield f"  held      it had to last {words.number(result.hold.total_seconds(), 'seconds')}"
    yield f"  since     {at(alert.started_at)} by our clock, {at(result.since) or 'unknown'} in the data"
    if result.check:
        yield f"  rule      {safe(result.check)}"


def _numbers(alert: Alert) -> Iterable[str]:
    amount = alert.result.amount
    if amount is None:
        return
    low, high, seen = amount.lower, amount.upper, amount.observed
    if low is not None and seen < low:
        yield f"  outside   {words.number(low - seen, amount.unit)} under the least that is usual"
    elif high is not None and seen > high:
        yield f"  outside   {words.number(seen - high, amount.unit)} over the most that is usual"
    elif low is not None or high is not None:
        yield "  outside   no: what failed is a window or a promise that the range does not show"
    if amount.expected:
        yield f"  change    {(seen / amount.expected - 1.0):+.0%} of what was expected"
    z, p = amount.z, amount.p_value
    if z is not None and isfinite(z):
        # Two-sided, of a standard normal variable.
        again = erfc(abs(z) / sqrt(2.0))
        yield f"  score     z {z:+.1f}; a normal variable lies so far off with p {again:.1e}"
        if p is not None and isfinite(p) and p > 0 and not 0.1 < p / max(again, 1e-300) < 10:
            yield f"  stored p  {p:.1e}: from the counts' own distribution, which z only approximates"
    elif p is not None and isfinite(p):
        yield f"  chance    p {p:.1e}"


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
    rows = [d for d in story.deliveries if (d.channel, d.team) == (who.channel, who.team)]
    for row in rows:
        yield f"  {delivery_line(row)}"
    if not rows:
        yield "  no message: " + _why_none(story)
    if any(r.state is DeliveryState.DEAD for r in rows):
        yield "  a message was refused for good; the fallback route has it"


def _why_none(story: Story) -> str:
    one = story.incident
    if one.muted_because:
        return safe(one.muted_because)
    if not one.open:
        return "it was over before its turn"
    if one.told_at is None:
        return "it waits for the next flush window"
    return "it waits for the next telling step"
