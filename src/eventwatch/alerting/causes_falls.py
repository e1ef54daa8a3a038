"""What an alert says of the rows: that they fail to come, or something else."""

from __future__ import annotations

from datetime import datetime, timedelta

from eventwatch.model.alert import Alert
from eventwatch.model.status import KindName

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
AROUND = timedelta(hours=3)
"""How much earlier than its cause something may seem to begin: buckets are coarse."""


def falls(alert: Alert) -> bool:
    """Rows are late, fewer or gone."""
    result = alert.result
    if (result.kind, result.aspect) in _FALLS:
        return True
    amount = result.amount
    if result.kind is not KindName.VOLUME or amount is None:
        return False
    usual = amount.expected if amount.expected is not None else amount.lower
    return usual is not None and amount.observed < usual


def rises(alert: Alert) -> bool:
    """More rows than usual, or of a type that nobody knows."""
    result = alert.result
    if (result.kind, result.aspect) == (KindName.DRIFT, "unseen"):
        return True
    amount = result.amount
    if result.kind is not KindName.VOLUME or amount is None:
        return False
    usual = amount.expected if amount.expected is not None else amount.upper
    return usual is not None and amount.observed > usual


def began(alert: Alert) -> datetime:
    """In the data, as far as known."""
    since = alert.result.since
    return alert.started_at if since is None else min(since, alert.started_at)


def lost_share(alert: Alert) -> float:
    """Part of the usual rows that did not come; 1 for a silence."""
    amount = alert.result.amount
    if amount is None or amount.unit != "events" or not amount.expected:
        return 1.0
    return max(0.0, 1.0 - amount.observed / amount.expected)
