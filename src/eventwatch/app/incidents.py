"""What people ask of incidents and do to them: the command line and the buttons call the same.

What is done changes rows only; the next telling step edits the messages and writes into their threads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from eventwatch.alerting.live_view import Shown, outcome, what
from eventwatch.app.feedback import Unclear
from eventwatch.model.alert import Alert, Delivery
from eventwatch.model.incident import Incident, IncidentState, Moment, MomentKind, Post
from eventwatch.ports.store import StateReader, Store

SHORTEST = 4
"""Characters of an id that are enough where they fit one."""
LONGEST_TEXT = 2000
SAYING = 200
"""Alerts of an incident that are read to say in a line what it is about."""


@dataclass(frozen=True)
class Story:
    """One incident with all that is remembered of it."""

    incident: Incident
    alerts: tuple[Alert, ...]
    """Its members that are known, the open ones first."""
    moments: tuple[Moment, ...]
    posts: tuple[Post, ...]
    deliveries: tuple[Delivery, ...]
    """Every row of the outbox about it, withheld ones too, oldest first."""


def find(reader: StateReader, beginning: str) -> Incident:
    """The incident whose id begins so, or that an alert with such an id belongs to. Raises Unclear."""
    wanted = beginning.strip().lower()
    if len(wanted) < SHORTEST:
        raise Unclear(f"{beginning!r} is too short for an id: give at least {SHORTEST} characters")
    found = reader.incidents_like(wanted)
    exact = [i for i in found if i.id == wanted]
    if exact:
        return exact[0]
    if not found:
        raise Unclear(
            f"no incident has an id that begins with {beginning!r}; "
            "`eventwatch incidents list --all` shows them"
        )
    if len(found) > 1:
        ids = ", ".join(i.id for i in found[:5])
        raise Unclear(f"{beginning!r} may be any of {ids}; give more of the id")
    return found[0]


def story(reader: StateReader, incident: Incident) -> Story:
    """All of one incident."""
    alerts = reader.alerts_of([m.alert_id for m in incident.members])
    return Story(
        incident=incident,
        alerts=tuple(
            sorted(
                alerts, key=lambda a: (not a.open, a.explained, a.started_at, a.fingerprint, a.id)
            )
        ),
        moments=reader.moments(incident.id),
        posts=reader.posts_of(incident.id),
        deliveries=reader.deliveries_of(incident.id),
    )


def acknowledge(store: Store, incident_id: str, author: str, now: datetime) -> Incident:
    """No more reminders, no escalation. Raises Unclear where there is nothing to acknowledge."""

    def change(found: Incident) -> Incident | None:
        if found.state is not IncidentState.OPEN:
            return None
        return replace(
            found,
            state=IncidentState.ACKNOWLEDGED,
            acknowledged_at=now,
            acknowledged_by=author,
        )

    changed = store.update_incident(
        incident_id, change, lambda i: (_noted(i, MomentKind.ACKNOWLEDGED, author, now),)
    )
    if changed is None:
        known = find(store, incident_id)
        by = f" by {known.acknowledged_by}" if known.acknowledged_by else ""
        raise Unclear(
            f"{known.id} is resolved already"
            if not known.open
            else f"{known.id} was acknowledged already{by}"
        )
    return changed


def resolve(store: Store, incident_id: str, author: str, reason: str, now: datetime) -> Incident:
    """It is over, says a person. Where its alerts go on firing, the next cycle opens it again, unless
    it is silenced. Raises Unclear."""
    said = _text(reason, "--reason")

    def change(found: Incident) -> Incident | None:
        if not found.open:
            return None
        return replace(
            found,
            state=IncidentState.RESOLVED,
            resolved_at=now,
            good_since=found.good_since or now,
            end_reason=f"resolved by {author}: {said}",
        )

    changed = store.update_incident(
        incident_id, change, lambda i: (_noted(i, MomentKind.RESOLVED, author, now, said),)
    )
    if changed is None:
        raise Unclear(f"{find(store, incident_id).id} is resolved already")
    return changed


def note(store: Store, incident_id: str, author: str, text: str, now: datetime) -> Incident:
    """A word for the thread. Raises Unclear."""
    said = _text(text, "the note")
    changed = store.update_incident(
        incident_id, lambda i: i, lambda i: (_noted(i, MomentKind.NOTE, author, now, said),)
    )
    if changed is None:
        raise Unclear(f"there is no incident {incident_id}")
    return changed


def listed(
    reader: StateReader,
    *,
    teams: Sequence[str] = (),
    exposures: Sequence[str] = (),
    closed: bool = False,
    limit: int = 50,
) -> tuple[Incident, ...]:
    """Open incidents, or those that are over too; of these teams (as owner or affected) and
    exposures, where some are given."""
    found = reader.incidents(open_only=not closed, limit=10_000)
    kept = [
        i
        for i in found
        if (not teams or any(r.team in teams for r in (i.owner, *i.others)))
        and (not exposures or i.cause.exposure in exposures)
    ]
    # Those of one cycle have one instant: the worst of them first, and then who waits longest.
    kept.sort(key=lambda i: (i.began_at, i.id))
    kept.sort(key=lambda i: (i.open, i.opened_at, i.severity.rank), reverse=True)
    return tuple(kept[:limit])


def headline(incident: Incident, alerts: Sequence[Alert]) -> str:
    """What it is about and what is wrong with it, unescaped, as the header of its message says it:
    ``order_paid is silent``."""
    one = Shown(incident, tuple(alerts), incident.owner)
    return f"{one.subject} {what(one)}" if incident.open else f"{one.subject}: {outcome(one)}"


def alerts_of(reader: StateReader, found: Sequence[Incident]) -> Mapping[str, tuple[Alert, ...]]:
    """Of each incident by its id, what is needed to say what it is about."""
    wanted = {
        one.id: [m.alert_id for m in sorted(one.members, key=lambda m: m.explained)[:SAYING]]
        for one in found
    }
    known = {a.id: a for a in reader.alerts_of([i for ids in wanted.values() for i in ids])}
    return {key: tuple(known[i] for i in ids if i in known) for key, ids in wanted.items()}


def _noted(
    incident: Incident, kind: MomentKind, author: str, now: datetime, text: str = ""
) -> Moment:
    name = f"{incident.id}:{kind.value}:{incident.reopened}:{now.isoformat()}:{text}"
    id_ = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return Moment(id_, incident.id, now, kind, text=text, author=author)


def _text(text: str, what: str) -> str:
    said = text.strip()
    if not said:
        raise Unclear(f"{what} must not be empty")
    if len(said) > LONGEST_TEXT:
        raise Unclear(f"{what} must be at most {LONGEST_TEXT:,} characters long")
    return said
