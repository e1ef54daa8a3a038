"""Who muted what: silences made by people, maintenance windows of the config, suppressions of contracts.

A silence is for hours and about anything, and a maintenance window is a silence that was planned; a
suppression is part of the promise, about one event type, and ends with a day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from eventwatch.model.alert import Silence
from eventwatch.model.contract import Contract, Suppression
from eventwatch.model.result import Result
from eventwatch.model.settings import Maintenance
from eventwatch.model.status import KindName, Status

MAINTENANCE = "maintenance:"
"""How the ids of maintenance windows begin."""
_START = "%Y-%m-%dT%H:%M:%S"
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
        span = next((s for s in _spans(window, now) if s[0] <= now < s[1]), None)
        if span is not None:
            found.append(_as_silence(window, span))
    return tuple(found)


def maintenance_next(windows: Sequence[Maintenance], now: datetime) -> tuple[Silence, ...]:
    """The next opening of each window that is not open now, as a silence, the soonest first; none of
    one that never opens again."""
    found = []
    for window in windows:
        spans = [s for days in range(9) for s in _spans(window, now + timedelta(days=days))]
        if not any(begin <= now < end for begin, end in spans):
            coming = min((s for s in spans if s[0] > now), default=None)
            found += [] if coming is None else [_as_silence(window, coming)]
    return tuple(sorted(found, key=lambda s: (s.starts_at, s.id)))


def maintenance_over(
    silence_id: str, windows: Sequence[Maintenance], now: datetime
) -> Silence | None:
    """The window that gave a silence of this id, once it is over; None while it is not. One that the
    config no longer knows is over."""
    name, _, start = silence_id.removeprefix(MAINTENANCE).rpartition("@")
    try:
        began_at = datetime.strptime(start, _START).replace(tzinfo=UTC)
    except ValueError:
        return None
    for window in windows:
        for span in _spans(window, began_at):
            made = _as_silence(window, span)
            if made.id == silence_id:
                return made if span[1] <= now else None
    if began_at > now:
        return None
    nothing = Maintenance(name, "no longer in the config")
    return replace(_as_silence(nothing, (began_at, now)), id=silence_id)


def _as_silence(window: Maintenance, span: tuple[datetime, datetime]) -> Silence:
    return Silence(
        id=f"{MAINTENANCE}{window.name}@{span[0].astimezone(UTC):{_START}}",
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


def _spans(window: Maintenance, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The one window, or of a weekly one those that may hold an instant. In UTC: two clock times of
    one zone are compared as they read, not as instants."""
    if window.starts_at is not None and window.ends_at is not None:
        yield window.starts_at, window.ends_at
        return
    if window.from_time is None or window.to_time is None:
        return
    over_midnight = int(window.to_time <= window.from_time)
    today = at.astimezone(window.time_zone).date()
    for day in (today, today - timedelta(days=1)):
        if window.weekdays and day.weekday() not in window.weekdays:
            continue
        last = day + timedelta(days=over_midnight)
        start = datetime.combine(day, window.from_time, tzinfo=window.time_zone)
        # A time that comes twice, or never, ends the window at the later of its two readings.
        end = datetime.combine(last, window.to_time, tzinfo=window.time_zone)
        yield start.astimezone(UTC), max(end.replace(fold=f).astimezone(UTC) for f in (0, 1))


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
