"""Blind spots as JSON, schema ``eventwatch.blind-spots/1``: it only ever gains keys.

ASCII only, with the same care for surrogates and numbers as the report of an audit.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from eventwatch import __version__
from eventwatch.app.blind_spots import (
    HORIZONS,
    BlindSpots,
    EventTypeSight,
    ExposureSight,
    Standing,
)
from eventwatch.cli.json_report import safe

SCHEMA = "eventwatch.blind-spots/1"


def json_text(found: BlindSpots, fail_on_blind: int | None) -> str:
    """The document with a final line end."""
    document = safe(blind_spots_json(found, fail_on_blind))
    return json.dumps(document, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def blind_spots_json(found: BlindSpots, fail_on_blind: int | None) -> dict[str, Any]:
    """The document."""
    return {
        "schema": SCHEMA,
        "eventwatch": __version__,
        "at": _instant(found.at),
        "within_seconds": HORIZONS[found.within].total_seconds(),
        "told_in": 0.9,
        "exit_code": found.exit_code(fail_on_blind),
        "fail_on_blind": fail_on_blind,
        "complete": not any(e.error for e in found.exposures),
        "event_types": found.total,
        "counts": {standing.value: found.count(standing) for standing in Standing},
        "exposures": [_exposure(found, each) for each in found.exposures],
        "cost": {"elapsed_seconds": found.elapsed_seconds},
    }


def _exposure(found: BlindSpots, exposure: ExposureSight) -> dict[str, Any]:
    return {
        "name": exposure.name,
        "at": _instant(exposure.at),
        "error": exposure.error or None,
        "notes": list(exposure.notes),
        "event_types": [_event_type(found, each) for each in exposure.event_types],
    }


def _event_type(found: BlindSpots, sight: EventTypeSight) -> dict[str, Any]:
    contract, habit, stop = sight.contract, sight.habit, sight.stop
    return {
        "event_type": sight.event_type,
        "standing": sight.standing(found.within).value,
        "team": sight.team,
        "tier": None if contract is None else contract.tier.value,
        "contract": None if contract is None else str(contract.location),
        "rows_per_day": None if habit is None else round(habit.per_day, 3),
        "judged_by": "day" if sight.by_day else "hour",
        "within": {
            f"{horizon.total_seconds() / 3600:.0f}h": {
                "drop": sight.drop(place),
                "drop_by_volume": sight.drops[place],
                "rise": sight.rises[place],
            }
            for place, horizon in enumerate(HORIZONS)
        },
        "stop": {
            "told_after_seconds": None if stop is None else stop[0].total_seconds(),
            "by": None if stop is None else stop[1].value,
            "by_volume_seconds": _seconds(sight.stop_by_volume),
            "by_freshness_seconds": _seconds(sight.stop_by_freshness),
        },
        "learning_until": _instant(sight.learning_until),
        "off": sight.off or None,
        "advice": [
            {
                "text": each.text,
                "line": each.line or None,
                "place": each.place or None,
                "told_after_seconds": _seconds(each.told_after),
            }
            for each in sight.advice
        ],
    }


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
