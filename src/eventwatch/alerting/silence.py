"""Who muted what: silences made by people, suppressions written in contracts.

A silence is for hours and about anything; a suppression is part of the promise, about one event
type, and ends with a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from eventwatch.model.alert import Silence
from eventwatch.model.contract import Contract, Suppression
from eventwatch.model.result import Result
from eventwatch.model.settings import Maintenance
from eventwatch.model.status import KindName, Status

_VALUE = "value_"
"""How the aspects of drift begin that are about values of a dimension: what a contract calls
``platforms``."""


def silenced_by(
    result: Result, team: str, silences: Sequence[Silence], now: datetime
) -> Silence | None:
    """The silence that mutes a result of this team now, the one that lasts longest; or None."""
    hits = [s for s in silences if s.starts_at <= now < s.ends_at and _covers(s, result, team)]
    return max(hits, key=lambda s: (s.ends_at, s.id), default=None)


def _covers(silence: Silence, result: Result, team: str) -> bool:
    """Every pattern that is not empty must match. A pattern on the event type does not mute what is
    about the exposure as a whole, nor one on a dimension what is about all values."""
    cut = result.cut
    return (
        _matches(silence.exposure, result.exposure)
        and _matches(silence.kind, result.kind.value)
        and _matches(silence.team, team)
        and _matches(silence.event_type, result.event_type)
        and _matches(silence.dimension, None if cut is None else cut.dimension)
        and _matches(silence.value, None if cut is None else cut.value)
    )


def _matches(pattern: str, name: str | None) -> bool:
    return not pattern or (name is not None and fnmatchcase(name, pattern))


def maintenance_silences(windows: Sequence[Maintenance], now: datetime) -> tuple[Silence, ...]:
    """The windows that are open now, as silences that end with them."""
    found = []
    for window in windows:
        span = _window(window, now)
        if span is not None and span[0] <= now < span[1]:
            found.append(
                Silence(
                    id=f"maintenance:{window.name}:{span[0].astimezone(UTC):%Y-%m-%dT%H:%M}",
                    event_type=window.event_type,
                    exposure=window.exposure,
                    kind=window.kind,
                    team=window.team,
                    reason=window.reason,
                    author=f"maintenance {window.name}",
                    starts_at=span[0],
                    ends_at=span[1],
                    dimension=window.dimension,
                    value=window.value,
                )
            )
    return tuple(found)


def _window(window: Maintenance, now: datetime) -> tuple[datetime, datetime] | None:
    """The one window, or of a weekly one the occurrence that began last."""
    if window.starts_at is not None and window.ends_at is not None:
        return window.starts_at, window.ends_at
    if window.from_time is None or window.to_time is None:
        return None
    today = now.astimezone(window.time_zone).date()
    for days in (0, 1):
        day = today - timedelta(days=days)
        if window.weekdays and day.weekday() not in window.weekdays:
            continue
        over = window.to_time <= window.from_time
        start = datetime.combine(day, window.from_time, tzinfo=window.time_zone)
        end = datetime.combine(
            day + timedelta(days=int(over)), window.to_time, tzinfo=window.time_zone
        )
        # Compared as instants: between two clock times of one zone Python compares the clocks.
        begin, stop = start.astimezone(UTC), end.astimezone(UTC)
        if begin <= now < stop:
            return begin, stop
    return None


def suppressed_by(result: Result, contract: Contract | None, now: datetime) -> Suppression | None:
    """The suppression of the contract that switches this check off today (UTC), or None. Our own
    trouble is never suppressed."""
    if contract is None or result.status is Status.ERROR:
        return None
    today = now.astimezone(UTC).date()
    hits = [s for s in contract.suppressions if today <= s.until and _switches_off(s.check, result)]
    return max(hits, key=lambda s: s.until, default=None)


def _switches_off(check: str, result: Result) -> bool:
    if check == "platforms":
        return result.kind is KindName.DRIFT and result.aspect.startswith(_VALUE)
    return check in ("all", result.kind.value)
