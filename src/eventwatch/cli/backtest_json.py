"""A backtest as JSON, schema ``eventwatch.backtest/1``: it only ever gains keys.

ASCII only, with the same care for surrogates and numbers as the report of an audit.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from eventwatch import __version__
from eventwatch.backtest.compare import Comparison, Pair, Side
from eventwatch.backtest.incident import Incident, Replay
from eventwatch.backtest.report import Backtest, ExposureBacktest, Limits, TeamWeeks
from eventwatch.cli.json_report import result_json, safe

SCHEMA = "eventwatch.backtest/1"


def json_text(made: Backtest, limits: Limits) -> str:
    """The document with a final line end."""
    document = safe(backtest_json(made, limits))
    return json.dumps(document, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def backtest_json(made: Backtest, limits: Limits) -> dict[str, Any]:
    """The document. ``other`` and ``comparison`` are null without other checks."""
    compared = bool(made.against)
    return {
        "schema": SCHEMA,
        "eventwatch": __version__,
        "from": _instant(made.span.first_at),
        "to": _instant(made.span.last_at),
        "step_seconds": made.span.step.total_seconds(),
        "cycles": made.span.cycle_count,
        "against": made.against or None,
        "exit_code": made.exit_code(limits),
        "limits": {
            "incidents_per_team_and_week": limits.per_week,
            "added": limits.added,
            "removed": limits.removed,
            "passed": list(made.over(limits)),
        },
        "complete": not made.errors() and not any(e.error for e in made.exposures),
        "added": made.count(Side.ADDED) if compared else None,
        "removed": made.count(Side.REMOVED) if compared else None,
        "teams": [_team(row) for row in made.teams()],
        "other_teams": [_team(row) for row in made.teams(other=True)] if compared else None,
        "exposures": [_exposure(made, each) for each in made.exposures],
        "cost": {"elapsed_seconds": made.elapsed_seconds},
    }


def _team(row: TeamWeeks) -> dict[str, Any]:
    return {
        "team": row.team,
        "incidents": row.incident_count,
        "messages": row.message_count,
        "budget_per_week": row.budget,
        "weeks": [
            {
                "monday": week.monday.isoformat(),
                "incidents": week.incident_count,
                "messages": week.message_count,
            }
            for week in row.weeks
            if week is not None
        ],
    }


def _exposure(made: Backtest, found: ExposureBacktest) -> dict[str, Any]:
    loaded = found.loaded
    return {
        "name": found.name,
        "error": found.error or None,
        "rows_read": found.rows_read,
        "first_load_at": None if loaded is None else _instant(loaded[0]),
        "last_load_at": None if loaded is None else _instant(loaded[1]),
        "notes": list(found.notes),
        "untold": None if found.now is None else found.now.untold,
        "incidents": _incidents(made, found.now),
        "other_incidents": _incidents(made, found.other),
        "comparison": None if found.comparison is None else _comparison(found.comparison),
        "errors": [
            result_json(r)
            for replay in (found.now, found.other)
            if replay is not None
            for r in replay.errors
        ],
    }


def _incidents(made: Backtest, replay: Replay | None) -> list[Any] | None:
    return None if replay is None else [_incident(made, each) for each in replay.incidents]


def _incident(made: Backtest, incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "fingerprint": incident.fingerprint,
        "team": incident.team,
        "channel": incident.channel or None,
        "kind": incident.opened.kind.value,
        "aspect": incident.opened.aspect,
        "event_type": incident.opened.event_type,
        "severity": incident.worst.severity.value,
        "began_at": _instant(incident.began_at),
        "opened_at": _instant(incident.told_at),
        "resolved_at": _instant(incident.ended_at),
        "lasted_seconds": incident.lasted(made.span.last_at).total_seconds(),
        "ending": incident.ending.value,
        "reason": incident.reason or None,
        "at_start": incident.at_start,
        "muted": incident.muted or None,
        "counted": incident.counts,
        "message": incident.message or None,
        "part_of": incident.part_of or None,
        "opened": result_json(incident.opened),
        "worst": result_json(incident.worst),
    }


def _comparison(found: Comparison) -> dict[str, Any]:
    return {
        "effects": [
            {
                "kind": e.kind.value,
                "change": e.change or None,
                "added": e.added,
                "removed": e.removed,
                "earlier": e.earlier,
                "later": e.later,
            }
            for e in found.effects
        ],
        "pairs": [_pair(pair) for pair in found.pairs],
    }


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "side": pair.side.value,
        "incident": None if pair.now is None else pair.now.id,
        "other_incident": None if pair.other is None else pair.other.id,
        "fingerprint": pair.either.fingerprint,
        "later_by_seconds": pair.later_by.total_seconds(),
        "change": pair.change or None,
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
