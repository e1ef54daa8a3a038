"""Instants as people type them after ``--at`` and ``--until``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from eventwatch.model.durations import parse_duration

_ZONE = re.compile(r"[A-Za-z]+(?:/[A-Za-z0-9_+-]+)+|UTC")
_AGO = re.compile(r"(?P<span>[\d.\swdhms]+?)\s+ago")


class _UnknownZoneError(ValueError):
    """A zone's name that nobody knows: what else was written may be right."""


def parse_instant(text: str, now: datetime) -> datetime:
    """Aware UTC: an ISO instant or date, with a zone's name behind it or none; ``now``, ``today``,
    ``yesterday`` (their first instants) or ``2h ago``. Without a zone it is UTC; a date alone is its
    first instant.

    Raises ValueError with a sentence for people; also for what is after ``now``.
    """
    words = " ".join(text.strip().lower().split())
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if words == "now":
        at = now
    elif words == "today":
        at = midnight
    elif words == "yesterday":
        at = midnight - timedelta(days=1)
    elif (ago := _AGO.fullmatch(words)) is not None:
        at = now - parse_duration(ago["span"].strip())
    else:
        at = _iso(text.strip())
    if at > now:
        raise ValueError(f"{at:%Y-%m-%d %H:%M} UTC has not come yet")
    return at.astimezone(UTC)


def parse_coming(text: str, now: datetime) -> datetime:
    """Aware UTC: an ISO instant or date that has not come yet. Without a zone it is UTC.

    Raises ValueError with a sentence for people.
    """
    try:
        at = _iso(text.strip())
    except _UnknownZoneError:
        raise
    except ValueError:
        raise ValueError(
            "write an instant like 2026-12-01T08:00 or 2026-12-01T08:00+01:00; without a zone it is UTC"
        ) from None
    if at <= now:
        raise ValueError(f"{at:%Y-%m-%d %H:%M} UTC is over already")
    return at


def _iso(text: str) -> datetime:
    instant, _, zone = text.rpartition(" ")
    named = _ZONE.fullmatch(zone) is not None
    if named and not _is_zone(zone):
        raise _UnknownZoneError(
            f"there is no time zone {zone}; write a name like Europe/Paris, or +01:00"
        )
    try:
        at = datetime.fromisoformat(instant.strip() if named else text)
        if at.tzinfo is None:
            at = at.replace(tzinfo=ZoneInfo(zone) if named else UTC)
        elif named:
            raise ValueError(f"{text} has two zones")
        return at.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            'write an instant like 2026-03-01T12:00, a date like 2026-03-01, "yesterday" or '
            '"2h ago"; without a zone (2026-03-01T12:00+01:00, "2026-03-01T12:00 Europe/Paris") it is '
            "UTC"
        ) from None


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, ZoneInfoNotFoundError, OSError):
        return False
    return True
