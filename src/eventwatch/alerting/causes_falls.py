"""What an alert says of the rows: that they fail to come, that too many come, or neither.

Duplicates, undeclared names and values, and impossible times are neither: no outage explains them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from eventwatch.model.alert import Alert
from eventwatch.model.status import KindName, Status

_FALLS = frozenset(
    (
        (KindName.FRESHNESS, "silence"),
        (KindName.FRESHNESS, "staleness"),
        (KindName.FRESHNESS, "lag"),
        (KindName.DRIFT, "missing"),
        (KindName.DRIFT, "value_missing"),
        (KindName.DRIFT, "value_stopped"),
        (KindName.VOLUME, "floor"),
    )
)
LEAST_SLACK = timedelta(hours=2)
MOST_SLACK = timedelta(hours=12)


def falls(alert: Alert) -> bool:
    """Rows are late, fewer or gone."""
    result = alert.result
    if result.status is Status.ERROR:
        return False
    if (result.kind, result.aspect) in _FALLS:
        return True
    amount = result.amount
    if result.kind is not KindName.VOLUME or amount is None:
        return False
    return amount.expected is not None and amount.observed < amount.expected


def rises(alert: Alert) -> bool:
    """More rows than usual."""
    result = alert.result
    if result.kind is not KindName.VOLUME or result.status is Status.ERROR:
        return False
    if result.aspect == "ceiling":
        return True
    amount = result.amount
    return amount is not None and amount.expected is not None and amount.observed > amount.expected


def is_unseen(alert: Alert) -> bool:
    """An event type that nobody declared."""
    result = alert.result
    return (result.kind, result.aspect) == (KindName.DRIFT, "unseen")


def is_lag(alert: Alert) -> bool:
    """Rows come, but late."""
    return (alert.result.kind, alert.result.aspect) == (KindName.FRESHNESS, "lag")


def is_whole(alert: Alert) -> bool:
    """About the exposure, not about an event type or a value."""
    return alert.result.event_type is None and alert.result.cut is None


def is_value(alert: Alert) -> bool:
    """About one value of a dimension over all event types."""
    cut = alert.result.cut
    return alert.result.event_type is None and cut is not None and bool(cut.value)


def began(alert: Alert) -> datetime:
    """In the data, as far as known."""
    since = alert.result.since
    return alert.started_at if since is None else min(since, alert.started_at)


def slack(alert: Alert) -> timedelta:
    """By how much ``began`` may be wrong: volume looks back over a window and guesses where in it the
    change lies, and a silence begins with the last row, a usual pause before it was one."""
    amount = alert.result.amount
    found = LEAST_SLACK
    if amount is not None and amount.start_at is not None and amount.end_at is not None:
        found = max(found, amount.end_at - amount.start_at)
    if amount is not None and amount.unit == "seconds" and amount.expected is not None:
        usual = min(max(amount.expected, 0.0), MOST_SLACK.total_seconds())
        found = max(found, timedelta(seconds=usual))
    return min(found, MOST_SLACK)
