"""Incidents as tables and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from eventwatch.alerting.escape import terminal, truncate
from eventwatch.alerting.words import times
from eventwatch.model.counting import counted
from eventwatch.model.durations import format_duration
from eventwatch.model.incident import Incident, IncidentState, Recipient

if TYPE_CHECKING:
    from eventwatch.app.incidents import Story
    from eventwatch.model.alert import Alert, Delivery

_SHORT = 100
_LONG = 400


def safe(text: str, length: int = _LONG) -> str:
    """One harmless line."""
    return terminal(truncate(text, length))


def at(instant: datetime | None) -> str:
    """``2026-11-02 09:00 UTC``; empty for none."""
    return "" if instant is None else f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def list_table(
    incidents: Sequence[Incident], alerts: Mapping[str, Sequence[Alert]], now: datetime
) -> str:
    """One row an incident; ``alerts`` by its id."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from eventwatch.app.incidents import headline
    from eventwatch.cli.console import PIPE_WIDTH, as_text

    if not incidents:
        return "no incidents\n"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in ("id", "state", "severity", "what", "owner", "began (UTC)", "lasts", "alerts"):
        table.add_column(name, overflow="fold")
    for one in incidents:
        until = one.good_since or one.resolved_at or now
        spell = format_duration(max(until - one.began_at, timedelta(0)))
        open_members = sum(m.over_at is None for m in one.members)
        table.add_row(
            one.id,
            state(one),
            one.severity.value,
            Text(safe(headline(one, alerts.get(one.id, ())), _SHORT)),
            Text(safe(one.owner.team or one.owner.channel, 40)),
            at(one.began_at).removesuffix(" UTC"),
            spell,
            f"{open_members:,} of {len(one.members):,}",
        )
    return as_text(table, PIPE_WIDTH)


def state(one: Incident) -> str:
    """In a word or two."""
    if one.muted_by and one.open:
        return "muted"
    if one.open and one.good_since is not None:
        return "good again"
    return one.state.value


def story_text(story: Story, now: datetime) -> str:
    """One incident in full."""
    from eventwatch.app.incidents import headline

    one = story.incident
    detail = f": {safe(one.cause.detail)}" if one.cause.detail else ""
    lines = [
        f"{one.id}  {state(one)}, {one.severity.value}",
        f"  {safe(headline(one, story.alerts))}",
        "",
        *_pairs(
            (
                ("cause", f"{one.cause.kind.value.replace('_', ' ')}{detail}"),
                ("owner", _who(one.owner)),
                ("because", safe(one.owner.reason)),
                ("began", at(one.began_at)),
                ("opened", at(one.opened_at)),
                ("told", at(one.told_at) or "nobody yet"),
                ("muted", safe(one.muted_because)),
                ("acknowledged", _acknowledged(one)),
                ("good since", at(one.good_since)),
                ("resolved", f"{at(one.resolved_at)} {safe(one.end_reason)}".strip()),
                ("came back", times(one.reopened) if one.reopened else ""),
            )
        ),
        "",
        f"alerts ({len(story.alerts):,})",
        *(f"  {_alert(a, now)}" for a in story.alerts[:50]),
    ]
    if len(story.alerts) > 50:
        lines.append(f"  and {len(story.alerts) - 50:,} more")
    lines += ["", "what happened"]
    lines += [
        f"  {at(m.at)}  {m.kind.value}"
        + (f" by {safe(m.author, 60)}" if m.author else "")
        + (f": {safe(m.text)}" if m.text else "")
        + (f" ({counted(len(m.alert_ids), 'alert')})" if m.alert_ids else "")
        for m in story.moments
    ]
    lines += ["", "who was told", *(f"  {each}" for each in told(story))]
    return "\n".join(lines) + "\n"


def told(story: Story) -> Iterable[str]:
    """One line per row of the outbox: what, where to, how it ended."""
    if not story.deliveries:
        yield "nobody"
    for row in story.deliveries:
        yield delivery_line(row)


def delivery_line(row: Delivery) -> str:
    """What, where to, how it ended, why."""
    where = safe(row.channel or "standard output", 80)
    ended = at(row.sent_at) if row.sent_at else at(row.not_before)
    because = f": {safe(row.last_error)}" if row.last_error else ""
    return (
        f"{at(row.created_at)}  {row.action.value} to {where}  {row.state.value} {ended}{because}"
    )


def deliveries_to(who: Recipient, story: Story) -> tuple[Delivery, ...]:
    """The rows of the outbox about one incident for one recipient, oldest first."""
    mine = (who.channel, who.team)
    return tuple(row for row in story.deliveries if (row.channel, row.team) == mine)


def why_none(story: Story) -> str:
    """Why a recipient has no message yet, unescaped."""
    one = story.incident
    if one.muted_because:
        return one.muted_because
    if not one.open:
        return "it was over before its turn"
    if one.told_at is None:
        return "it waits for the next flush window"
    return "it waits for the next telling step"


def list_json(incidents: Sequence[Incident]) -> str:
    """A JSON array."""
    return _json([incident_record(i) for i in incidents])


def story_json(story: Story) -> str:
    """A JSON object."""
    record = incident_record(story.incident)
    record["alerts"] = [
        {
            "id": a.id,
            "state": a.state.value,
            "explained": a.explained,
            "exposure": a.result.exposure,
            "kind": a.result.kind.value,
            "aspect": a.result.aspect,
            "event_type": a.result.event_type,
            "cut": None if a.result.cut is None else [a.result.cut.dimension, a.result.cut.value],
            "severity": a.result.severity.value,
            "summary": a.result.summary,
            "started_at": _iso(a.started_at),
            "ended_at": _iso(a.ended_at),
        }
        for a in story.alerts
    ]
    record["moments"] = [
        {
            "at": _iso(m.at),
            "kind": m.kind.value,
            "author": m.author,
            "text": m.text,
            "alert_ids": list(m.alert_ids),
        }
        for m in story.moments
    ]
    record["deliveries"] = [
        {
            "action": d.action.value,
            "channel": d.channel,
            "team": d.team,
            "state": d.state.value,
            "created_at": _iso(d.created_at),
            "sent_at": _iso(d.sent_at),
            "reason": d.last_error,
        }
        for d in story.deliveries
    ]
    return _json(record)


def incident_record(one: Incident) -> dict[str, Any]:
    """Plain values of one incident."""
    return {
        "id": one.id,
        "state": one.state.value,
        "severity": one.severity.value,
        "cause": {
            "kind": one.cause.kind.value,
            "exposure": one.cause.exposure,
            "subject": one.cause.subject,
            "event_type": one.cause.event_type,
            "detail": one.cause.detail,
        },
        "owner": {"team": one.owner.team, "channel": one.owner.channel, "reason": one.owner.reason},
        "others": [
            {"role": r.role.value, "team": r.team, "channel": r.channel} for r in one.others
        ],
        "began_at": _iso(one.began_at),
        "opened_at": _iso(one.opened_at),
        "told_at": _iso(one.told_at),
        "good_since": _iso(one.good_since),
        "resolved_at": _iso(one.resolved_at),
        "end_reason": one.end_reason,
        "late_seconds": None if one.late is None else one.late.total_seconds(),
        "acknowledged_by": one.acknowledged_by,
        "muted_because": one.muted_because,
        "reopened": one.reopened,
        "alert_ids": [m.alert_id for m in one.members],
    }


def _alert(alert: Alert, now: datetime) -> str:
    r = alert.result
    name = r.exposure if r.event_type is None else r.event_type
    cut = "" if r.cut is None else f" on {r.cut.dimension} {r.cut.value}"
    word = "explained" if alert.explained and alert.open else alert.state.value
    until = alert.ended_at or now
    spell = format_duration(max(until - alert.started_at, timedelta(0)))
    return (
        f"{word:<9} {r.kind.value}/{r.aspect} {safe(name + cut, 80)} for {spell}: {safe(r.summary)}"
    )


def _who(who: Recipient) -> str:
    parts = [safe(who.team, 60), safe(who.channel, 80)]
    return " ".join(p for p in parts if p) or "nobody: standard output"


def _acknowledged(one: Incident) -> str:
    if one.state is not IncidentState.ACKNOWLEDGED:
        return ""
    return f"{at(one.acknowledged_at)} by {safe(one.acknowledged_by, 60)}"


def _pairs(pairs: Iterable[tuple[str, str]]) -> Iterable[str]:
    return [f"  {name:<13}{value}" for name, value in pairs if value]


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(UTC).isoformat()


def _json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n"
