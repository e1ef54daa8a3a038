"""Why an incident is over, in few words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from eventwatch.alerting.state import BACK_TO_NORMAL
from eventwatch.model.alert import Alert
from eventwatch.model.durations import format_duration
from eventwatch.model.result import LATE

OVERTAKEN = "over before its turn to be told came"
"""Why nobody was told of an incident that waited for the flush window."""


def ending(alerts: Sequence[Alert]) -> tuple[str, timedelta | None]:
    """What most of its alerts ended with; where late rows filled every hole, how late they were at
    most. ``alerts`` are its members; those still open belong to another cause by now."""
    closed = [alert for alert in alerts if not alert.open]
    if not closed:
        return explained_by(alerts) or BACK_TO_NORMAL, None
    if all(alert.end_reason.startswith(LATE) for alert in closed):
        late = max(map(_lateness, closed))
        return f"{LATE}: {format_duration(late)}", late
    reasons = Counter(alert.end_reason or BACK_TO_NORMAL for alert in closed)
    most = max(reasons.values())
    return min(reason for reason, count in reasons.items() if count == most), None


def explained_by(alerts: Sequence[Alert]) -> str:
    """What the open alerts are part of now; empty: nothing that is known."""
    subjects = sorted({a.cause.subject for a in alerts if a.open and a.cause is not None})
    if not subjects:
        return ""
    more = f" and {len(subjects) - 2:,} more" if len(subjects) > 2 else ""
    return f"part of {' and '.join(subjects[:2])}{more} by now"


def _lateness(alert: Alert) -> timedelta:
    """From where the rows were missed to when they were there."""
    filled_at = alert.good_since or alert.ended_at or alert.seen_at
    return max(filled_at - (alert.result.since or alert.started_at), timedelta(0))
