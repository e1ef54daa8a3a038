"""What holds an incident back: a silence, a maintenance window, a suppression of the contract.

All three are silences here. An incident is muted once everything that speaks in it is; what is
explained by something bigger does not speak.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from eventwatch.alerting.office import Office
from eventwatch.alerting.silence import (
    MAINTENANCE,
    maintenance_over,
    maintenance_silences,
    silenced_by,
    suppressed_by,
)
from eventwatch.model.alert import Alert, Silence
from eventwatch.model.cause import CauseKind
from eventwatch.model.incident import Board, Incident
from eventwatch.model.result import Result

SUPPRESSION = "suppression:"
"""How the ids of contracts' suppressions begin."""


def holding(board: Board, office: Office, now: datetime) -> tuple[Silence, ...]:
    """What mutes now: silences of people, and maintenance windows as such."""
    people = tuple(s for s in board.silences if s.starts_at <= now < s.ends_at)
    return (*people, *maintenance_silences(office.maintenance, now))


def muted(
    incident: Incident,
    alerts: Sequence[Alert],
    active: Sequence[Silence],
    office: Office,
    now: datetime,
) -> Silence | None:
    """The silence that lasts longest of those that hold back all that speaks. ``alerts`` are those
    that are firing, else all its members."""
    found: list[Silence] = []
    for alert in [a for a in alerts if not a.explained] or alerts:
        result = _within(alert.result, incident)
        hits = [
            silenced_by(result, incident.owner.team, active, now),
            _suppression(alert.result, office, now),
        ]
        hit = max((h for h in hits if h is not None), key=_lasts, default=None)
        if hit is None:
            return None
        found.append(hit)
    return max(found, key=_lasts, default=None)


def because(silence: Silence) -> str:
    """Why something was not told, for people, unescaped."""
    until = f"{silence.ends_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if silence.id.startswith((SUPPRESSION, MAINTENANCE)):
        return f"{silence.author} until {until}: {silence.reason}"
    return f"silenced by {silence.author} until {until}: {silence.reason}"


def ended(board: Board, office: Office, now: datetime) -> tuple[Silence, ...]:
    """Silences whose end is to be told, and windows that are over and hid something."""
    over = [s for s in board.silences if s.ends_at <= now]
    for name in sorted(board.hidden):
        if name.startswith(MAINTENANCE):
            window = maintenance_over(name, office.maintenance, now)
            if window is not None:
                over.append(window)
    return tuple(sorted(over, key=lambda s: (s.ends_at, s.id)))


def _within(result: Result, incident: Incident) -> Result:
    """What a value of a dimension explains is about that value."""
    cause = incident.cause
    if cause.kind is CauseKind.CUT and cause.cut is not None and result.cut is None:
        return replace(result, cut=cause.cut)
    return result


def _suppression(result: Result, office: Office, now: datetime) -> Silence | None:
    contract = office.catalog.of(result.event_type)
    off = suppressed_by(result, contract, now)
    if off is None or contract is None:
        return None
    return Silence(
        id=f"{SUPPRESSION}{contract.event_type}:{off.check}:{off.until}",
        event_type=contract.event_type,
        exposure="",
        kind="",
        team="",
        reason=off.reason,
        author="switched off in the contract",
        starts_at=now,
        # Its last day is whole, in UTC.
        ends_at=datetime.combine(off.until, time(0), tzinfo=UTC) + timedelta(days=1),
    )


def _lasts(silence: Silence) -> tuple[datetime, str]:
    return silence.ends_at, silence.id
