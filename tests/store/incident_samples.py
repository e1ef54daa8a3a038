"""Incidents, posts and moments for the tests of state, each with every field set."""

from __future__ import annotations

from datetime import timedelta

from eventwatch.model.alert import Action, Delivery
from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.incident import (
    Changes,
    Entry,
    Incident,
    IncidentState,
    Member,
    Moment,
    MomentKind,
    Post,
    Recipient,
    Role,
)
from eventwatch.model.result import Cut
from eventwatch.model.status import Severity
from eventwatch.store.sql import SqlStore
from tests.store.samples import MINUTE, NASTY, NOW, delivery


def cause(key: str = "ca5e", **changes: object) -> Cause:
    """A cut."""
    fields: dict[str, object] = {
        "kind": CauseKind.CUT,
        "key": key,
        "exposure": NASTY,
        "subject": NASTY,
        "cut": Cut("platform", NASTY),
        "event_type": NASTY,
        "other": NASTY,
        "detail": NASTY,
        "team": NASTY,
    }
    return Cause(**{**fields, **changes})  # type: ignore[arg-type]


def recipient(role: Role = Role.OWNER, **changes: object) -> Recipient:
    """A channel."""
    fields: dict[str, object] = {
        "role": role,
        "team": "growth",
        "channel": NASTY,
        "group_id": "S0GROWTH01",
        "oncall": NASTY,
        "reason": NASTY,
        "is_fallback": True,
    }
    return Recipient(**{**fields, **changes})  # type: ignore[arg-type]


def member(alert_id: str = "a1", **changes: object) -> Member:
    """An alert that is open and belongs to it."""
    fields: dict[str, object] = {"alert_id": alert_id, "explained": True, "joined_at": NOW}
    return Member(**{**fields, **changes})  # type: ignore[arg-type]


def incident(incident_id: str = "1ca5e0000001", **changes: object) -> Incident:
    """An acknowledged one."""
    fields: dict[str, object] = {
        "id": incident_id,
        "cause": cause(),
        "state": IncidentState.ACKNOWLEDGED,
        "severity": Severity.CRITICAL,
        "owner": recipient(),
        "opened_at": NOW,
        "began_at": NOW - timedelta(hours=1),
        "members": (member("a1"), member("a2", explained=False, over_at=NOW + MINUTE)),
        "told_severity": Severity.WARNING,
        "told_at": NOW,
        "others": (recipient(Role.CONSUMER), recipient(Role.AFFECTED, is_fallback=False)),
        "good_since": NOW + MINUTE,
        "resolved_at": None,
        "end_reason": NASTY,
        "late": timedelta(hours=3, microseconds=7),
        "acknowledged_at": NOW,
        "acknowledged_by": NASTY,
        "reminded_at": NOW,
        "escalated_at": NOW,
        "muted_by": NASTY,
        "muted_because": NASTY,
        "reopened": 3,
    }
    return Incident(**{**fields, **changes})  # type: ignore[arg-type]


def resolved(incident_id: str, **changes: object) -> Incident:
    """One that is over, of a cause of its own."""
    fields: dict[str, object] = {
        "cause": cause(incident_id),
        "state": IncidentState.RESOLVED,
        "resolved_at": NOW,
    }
    return incident(incident_id, **{**fields, **changes})


def moment(moment_id: str = "b1", **changes: object) -> Moment:
    """A note."""
    fields: dict[str, object] = {
        "id": moment_id,
        "incident_id": "1ca5e0000001",
        "at": NOW,
        "kind": MomentKind.NOTE,
        "text": NASTY,
        "author": NASTY,
        "alert_ids": ("a1", NASTY),
    }
    return Moment(**{**fields, **changes})  # type: ignore[arg-type]


def post(post_id: str = "p1", **changes: object) -> Post:
    """A live message that was not accepted yet."""
    fields: dict[str, object] = {
        "id": post_id,
        "channel": "#growth-alerts",
        "team": "growth",
        "entries": (Entry("1ca5e0000001", Role.OWNER), Entry("1ca5e0000002", Role.AFFECTED)),
        "created_at": NOW,
    }
    return Post(**{**fields, **changes})  # type: ignore[arg-type]


def said(key: str, action: Action = Action.POST, **changes: object) -> Delivery:
    """A row of the post ``p1``."""
    fields: dict[str, object] = {"action": action, "post_id": "p1", "alert_ids": ()}
    return delivery(key, **{**fields, **changes})


def tell(store: SqlStore, changes: Changes) -> Changes:
    """A telling step that changes just this."""
    return store.tell(NOW, lambda _: changes)
