"""One incident as one channel sees it, and what can be read off it: which alerts speak, what moved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from eventwatch.alerting import words
from eventwatch.alerting.escape import truncate
from eventwatch.alerting.trouble import UNREADABLE, is_trouble
from eventwatch.model.alert import Alert
from eventwatch.model.cause import CauseKind
from eventwatch.model.incident import Incident, IncidentState, Recipient, Role
from eventwatch.model.measurement import NULL_VALUE, OTHER
from eventwatch.model.status import KindName, Severity

ICONS = {Severity.CRITICAL: "🔴", Severity.WARNING: "🟠", Severity.INFO: "🔵"}
ACKNOWLEDGED = "👀"
OVER = "✅"
_STRANGE = {"value_unexpected": "an undeclared", "value_unknown": "a new"}
"""Aspects of a value that is there and should not be."""
MAIN = (Role.OWNER, Role.ESCALATION)
"""Roles that hear the whole story."""
_NAME = 70
_VALUES = {NULL_VALUE: "null", OTHER: "other values", "": "(empty)"}


@dataclass(frozen=True)
class Shown:
    """One incident as one channel sees it."""

    incident: Incident
    alerts: tuple[Alert, ...]
    """Its members that are known, in no order."""
    recipient: Recipient

    @cached_property
    def current(self) -> tuple[Alert, ...]:
        """Members that are bad now, the worst first; where none is, all of them."""
        here = {m.alert_id for m in self.incident.members if m.over_at is None}
        found = [a for a in self.alerts if a.id in here] or list(self.alerts)
        return tuple(sorted(found, key=_worst_first))

    @cached_property
    def speaking(self) -> tuple[Alert, ...]:
        """Of these, those that speak for themselves; where none does, all of them."""
        silent = {m.alert_id for m in self.incident.members if m.explained}
        return tuple(a for a in self.current if a.id not in silent) or self.current

    @cached_property
    def explained(self) -> tuple[Alert, ...]:
        """Of these, those that the cause explains and that do not speak."""
        speaking = {a.id for a in self.speaking}
        return tuple(a for a in self.current if a.id not in speaking)

    @cached_property
    def event_types(self) -> tuple[str, ...]:
        """All that moved, told or not; sorted."""
        names = {a.result.event_type for a in self.current if a.result.event_type is not None}
        return tuple(sorted(names.union(self.incident.cause.affected)))

    @property
    def running(self) -> bool:
        """It is bad now."""
        return self.incident.open and self.incident.good_since is None

    @property
    def ended_at(self) -> datetime | None:
        """When it was good again, as far as that was seen; None: it is bad."""
        return self.incident.good_since or self.incident.resolved_at

    @property
    def loud(self) -> bool:
        """Somebody has to look: it is bad now, more than information, not muted, nobody looks at it yet,
        and this channel answers for it."""
        return (
            self.running
            and not self.incident.muted_by
            and self.incident.state is IncidentState.OPEN
            and self.incident.severity is not Severity.INFO
            and self.recipient.role in MAIN
        )

    @property
    def sign(self) -> str:
        """State and loudness as one sign."""
        if not self.incident.open:
            return OVER
        if self.incident.state is IncidentState.ACKNOWLEDGED:
            return ACKNOWLEDGED
        return ICONS[self.incident.severity]

    @property
    def subject(self) -> str:
        """What it is about, unescaped."""
        return subject(self.incident)


def subject(incident: Incident) -> str:
    """What an incident is about, unescaped."""
    cause = incident.cause
    if cause.kind is CauseKind.CUT and cause.cut is not None:
        dimension = cause.cut.dimension.replace("_", " ")
        return f"{dimension} {_VALUES.get(cause.subject, cause.subject)}"
    if cause.kind is CauseKind.RENAME and cause.other is not None:
        return f"{cause.subject} → {cause.other}"
    return cause.subject


def what(one: Shown) -> str:
    """What is wrong now, to be read after the subject: "came less than usual (−88 %)"."""
    incident = one.incident
    kind, spoken = incident.cause.kind, one.speaking
    if incident.good_since is not None:
        return "looks good again"
    if kind is CauseKind.CUT:
        types = len(one.event_types)
        moved = _direction(one)
        return f"{moved} in {words.count(types, 'event type', 'event types')}" if types else moved
    if kind is CauseKind.RENAME:
        return "looks renamed"
    if not spoken or (kind is CauseKind.SOURCE and spoken[0].result.aspect == UNREADABLE):
        return _NOTHING_KNOWN[kind]
    first = spoken[0].result
    if kind is CauseKind.EXPOSURE and first.event_type is not None:
        return _NOTHING_KNOWN[kind]
    size = words.change(first) if first.kind is KindName.VOLUME else ""
    where = ""
    if first.cut is not None:
        dimension = truncate(first.cut.dimension.replace("_", " "), 30)
        value = truncate(_VALUES.get(first.cut.value, first.cut.value), 30)
        if first.aspect in _STRANGE:
            return f"has {_STRANGE[first.aspect]} {dimension}: {value}"
        where = f" on {dimension} {value}"
    return words.phrase(first) + (f" ({size})" if size else "") + where


def headline(one: Shown) -> str:
    """The header of a message about one incident, unescaped."""
    incident, name = one.incident, truncate(one.subject, _NAME)
    if not incident.open:
        return f"{one.sign} {name}: {outcome(one)}"
    by = ""
    if incident.state is IncidentState.ACKNOWLEDGED and incident.acknowledged_by:
        by = f", {truncate(incident.acknowledged_by, 30)} looks at it"
    return f"{one.sign} {name} {what(one)}{by}"


def outcome(one: Shown) -> str:
    """How it ended: "back to normal after 1 h 35 min"."""
    incident = one.incident
    if incident.late is not None:
        # How late they came and how long it lasted are the same.
        return truncate(incident.end_reason, 60)
    spell = words.spell(incident.began_at, one.ended_at or incident.began_at)
    return f"{truncate(incident.end_reason, 60) or 'over'} after {spell}"


_NOTHING_KNOWN = {
    CauseKind.SOURCE: "cannot be read",
    CauseKind.EXPOSURE: "is late or has stopped",
    CauseKind.CUT: "is not as usual",
    CauseKind.RENAME: "looks renamed",
    CauseKind.EVENT_TYPE: "is not as it should be",
    CauseKind.ALONE: "is not as it should be",
}


def _direction(one: Shown) -> str:
    """What most of its alerts did."""
    down = up = 0
    for alert in one.current:
        result, amount = alert.result, alert.result.amount
        if result.kind is not KindName.VOLUME or amount is None or amount.expected is None:
            down += result.aspect in ("silence", "value_stopped", "value_missing", "missing")
        elif amount.observed < amount.expected:
            down += 1
        elif amount.observed > amount.expected:
            up += 1
    if not down and not up:
        return "is not as usual"
    return "came less than usual" if down >= up else "came more than usual"


def _worst_first(alert: Alert) -> tuple[object, ...]:
    """Severe before mild, data before our own trouble, silent before low, the whole before a part."""
    result = alert.result
    return (
        -result.severity.rank,
        is_trouble(result),
        not result.total,
        result.event_type is not None,
        alert.started_at,
        alert.fingerprint,
        alert.id,
    )
