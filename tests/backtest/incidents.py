"""Results and incidents made by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from eventwatch.backtest.incident import Ending, Incident
from eventwatch.model.result import Amount, Result
from eventwatch.model.status import KindName, Severity, Status

START = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday."""
HOUR = timedelta(hours=1)


def result(event_type: str | None = "a", status: Status = Status.FAIL, **more: Any) -> Result:
    """A failing volume result unless it says otherwise."""
    given: dict[str, Any] = {
        "exposure": "events",
        "kind": KindName.VOLUME,
        "aspect": "bucket",
        "status": status,
        "event_type": event_type,
        "severity": Severity.WARNING,
        "summary": "3 events, usually 20 to 40",
        "amount": Amount("events", 3.0, 30.0, 20.0, 40.0, z=-5.0),
    }
    return Result(**(given | more))


def incident(
    name: str = "a", begin: int = 0, end: int | None = 5, team: str = "growth", **more: Any
) -> Incident:
    """One that began and ended so many hours after START."""
    found = result(name)
    given: dict[str, Any] = {
        "id": f"{name}-{begin}",
        "fingerprint": found.fingerprint,
        "exposure": "events",
        "team": team,
        "channel": f"#{team}",
        "opened": found,
        "worst": found,
        "began_at": START + begin * HOUR,
        "told_at": START + begin * HOUR,
        "ended_at": None if end is None else START + end * HOUR,
        "ending": Ending.OPEN if end is None else Ending.RESOLVED,
        "reason": "" if end is None else "back to normal",
        "at_start": False,
        "message": f"m-{name}-{begin}",
    }
    return Incident(**(given | more))
