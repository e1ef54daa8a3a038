"""Why an incident is one, as JSON, schema ``eventwatch.incident/1``; ``incidents_schema`` describes
every key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from eventwatch import __version__
from eventwatch.app.rejudged import Again
from eventwatch.cli.incidents_view import deliveries_to, incident_record, why_none
from eventwatch.cli.json_report import result_json, safe
from eventwatch.model.alert import Alert, Delivery
from eventwatch.model.incident import Recipient
from eventwatch.model.result import Basis

if TYPE_CHECKING:
    from eventwatch.app.incidents import Story

SCHEMA = "eventwatch.incident/1"


def explanation_json(story: Story, again: Mapping[str, Again]) -> str:
    """The document with a final line end."""
    one = story.incident
    made = {
        "schema": SCHEMA,
        "eventwatch": __version__,
        "incident": incident_record(one),
        "decisions": [_decision(alert, again.get(alert.id)) for alert in story.alerts],
        "moments": [
            {"at": _iso(m.at), "kind": m.kind.value, "author": m.author, "text": m.text}
            for m in story.moments
        ],
        "told": [_told(who, story) for who in (one.owner, *one.others)],
    }
    return json.dumps(safe(made), indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _decision(alert: Alert, again: Again | None) -> dict[str, Any]:
    return {
        "alert_id": alert.id,
        "exposure": alert.result.exposure,
        "state": alert.state.value,
        "explained": alert.explained,
        "decided_at": _iso(alert.seen_at),
        "started_at": _iso(alert.started_at),
        "fired_at": _iso(alert.fired_at),
        "ended_at": _iso(alert.ended_at),
        "end_reason": alert.end_reason or None,
        "decided": result_json(alert.result),
        "decided_with": _basis(alert.result.basis),
        "again": None if again is None else _again(again),
    }


def _again(again: Again) -> dict[str, Any]:
    told = again.volume
    limit = None if told is None else told.threshold
    return {
        "agreement": again.agreement.value,
        "reasons": list(again.reasons),
        "result": None if again.result is None else result_json(again.result),
        "score": None if told is None else told.score,
        "threshold": None
        if told is None or limit is None
        else {
            "score": limit.silent_score if told.observed == 0 else limit.score,
            "z": limit.z,
            "source": limit.source or None,
        },
        "season": None if told is None or told.season is None else told.season.factor,
        "came_later": again.came,
        "in_time": None if again.in_time is None else result_json(again.in_time),
    }


def _basis(basis: Basis | None) -> dict[str, Any] | None:
    if basis is None:
        return None
    return {
        "version": basis.version,
        "contracts": basis.contracts,
        "checks": basis.checks,
        "exposure": basis.exposure,
    }


def _told(who: Recipient, story: Story) -> dict[str, Any]:
    rows = deliveries_to(who, story)
    return {
        "role": who.role.value,
        "team": who.team or None,
        "channel": who.channel or None,
        "reason": who.reason or "as configured",
        "messages": [_message(row) for row in rows],
        "why_no_message": None if rows else why_none(story),
    }


def _message(row: Delivery) -> dict[str, Any]:
    return {
        "action": row.action.value,
        "state": row.state.value,
        "created_at": _iso(row.created_at),
        "sent_at": _iso(row.sent_at),
        "reason": row.last_error or None,
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
