"""When to come back, from whatever a service says of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

UNSAID = timedelta(seconds=30)
LEAST = timedelta(seconds=1)
MOST = timedelta(hours=1)


def retry_at(header: str | None, now: datetime) -> datetime:
    """Seconds, whole or decimal, or an HTTP date; missing or unreadable means half a minute. Never
    before a second from now nor later than in an hour: the value comes from outside."""
    wait = UNSAID if header is None else _wait(header.strip(), now)
    return now + min(max(wait, LEAST), MOST)


def _wait(text: str, now: datetime) -> timedelta:
    try:
        return timedelta(seconds=min(float(text), MOST.total_seconds()))
    except (ValueError, OverflowError):
        pass
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return UNSAID
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - now


def backoff(attempts: int, now: datetime, most: timedelta = MOST) -> datetime:
    """After an end without advice: 15 s, doubled by each attempt, at most ``most``."""
    doublings = min(max(attempts - 1, 0), 10)
    return now + min(timedelta(seconds=15 * (1 << doublings)), most)
