"""Where the axes of every chart have their ticks, and what stands there: the same on every form.

Names of days are written here and not by a library's locale, so that a picture is the same anywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from eventwatch.charts.others import expected_with_others
from eventwatch.model.trace import Trace

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HOURS = (1, 2, 3, 6, 12)
_EVERY_DAYS = (1, 2, 7, 14, 28, 56, 112, 364)
_ROOM = 1.6
"""Times the usual range's reach is shown beyond what was seen and expected: what is known of a young
series is so little that its range would flatten everything else."""


@dataclass(frozen=True)
class Tick:
    """A place on the axis of time."""

    at: datetime
    label: str


def time_ticks(trace: Trace, most: int) -> tuple[Tick, ...]:
    """At most ``most``: local hours where the picture spans two days or less, else local midnights."""
    zone = ZoneInfo(trace.zone)
    start, end = trace.edges()[0], trace.last_at
    span = end - start
    if span <= timedelta(0):
        return ()
    hours = next((h for h in _HOURS if span / timedelta(hours=h) <= most), None)
    if span <= timedelta(days=2) and hours is not None:
        return tuple(_by_hour(start, end, zone, hours))
    days = next((d for d in _EVERY_DAYS if span / timedelta(days=d) <= most), _EVERY_DAYS[-1])
    return tuple(_by_day(start, end, zone, days))


def _by_hour(start: datetime, end: datetime, zone: ZoneInfo, hours: int) -> list[Tick]:
    ticks, before = [], None
    at = start.replace(minute=0, second=0, microsecond=0)
    while at <= end:
        local = at.astimezone(zone)
        # Zones of half an hour have their whole hours between those of UTC.
        whole = at - timedelta(minutes=local.minute)
        local = whole.astimezone(zone)
        if whole >= start and local.hour % hours == 0:
            day = f"{_DAYS[local.weekday()]} " if local.date() != before else ""
            ticks.append(Tick(whole, f"{day}{local:%H:%M}"))
            before = local.date()
        at += timedelta(hours=1)
    return ticks


def _by_day(start: datetime, end: datetime, zone: ZoneInfo, days: int) -> list[Tick]:
    ticks: list[Tick] = []
    day = start.astimezone(zone).date()
    while (at := datetime.combine(day, time(), zone).astimezone(UTC)) <= end:
        # Counted from a Monday, so that every seventh day is a Monday too.
        if at >= start and (day.toordinal() - 1) % days == 0:
            month = _MONTHS[day.month - 1]
            name = f"{day.day} {month}" if days >= 7 else f"{_DAYS[day.weekday()]} {day.day}"
            ticks.append(Tick(at, name))
        day += timedelta(days=1)
    return ticks


def top_of(trace: Trace) -> float:
    """Where the axis of counts ends; it begins at 0, so that a stop looks like one."""
    seen = _largest(trace.observed, trace.expected)
    usual = _largest(trace.upper, expected_with_others(trace))
    return max(1.0, max(seen, min(usual, _ROOM * seen)) * 1.04)


def _largest(*values: tuple[float | None, ...]) -> float:
    known = [v for each in values for v in each if v is not None and math.isfinite(v)]
    return max(known, default=0.0)


def count_ticks(top: float, most: int = 4) -> tuple[float, ...]:
    """Round counts from 0 up to ``top``; whole ones, because half a row is none."""
    rough = max(top / max(most, 1), 1e-9)
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= rough * 0.999)
    step = max(1.0, step if step >= 10 else math.ceil(step))
    return tuple(step * i for i in range(math.floor(top / step + 1e-9) + 1))


def short(count: float) -> str:
    """``0``, ``850``, ``1.5k``, ``10M``, ``2G``."""
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g}{letter}"
    return f"{count:.3g}"


def bucket_word(step: timedelta) -> str:
    """``hour``, ``day``, ``5 min``: what one value counts."""
    seconds = int(step.total_seconds())
    if seconds == 3600:
        return "hour"
    if seconds == 86400:
        return "day"
    if seconds % 86400 == 0:
        return f"{seconds // 86400} days"
    return f"{seconds // 3600} h" if seconds % 3600 == 0 else f"{seconds // 60} min"
