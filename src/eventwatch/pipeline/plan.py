"""Which loads one cycle has to read. Pure.

The first look reads the whole look-back; every later one starts a little before the end of what the
history holds. What escapes such an incremental read (deletes, rows committed late with an old load
time) is found by a recount once a day; the days that differ widen the next read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from eventwatch.model.durations import floor_to
from eventwatch.model.measurement import FINE, FINE_SPAN, HOUR, Changed, Recount, ScanRequest
from eventwatch.model.settings import Exposure

DAY = 86400
BY_THE_WEEK = timedelta(days=28)
"""From this length on, a look-back begins with a week: a few days more are little of it then."""
CUTS_SPAN = timedelta(days=35)
"""Watched dimensions are judged by the week; five of them are enough and keep the cache small. Where
the grain is a day, rows are few and months count: then it is the look-back."""
DELAYS_SPAN = timedelta(days=14)
FIRST_DUPLICATES_SPAN = timedelta(days=4)
"""How far back a first look counts repeated ids, so that it can say since when; sorting the whole
look-back by id would be the dearest statement of all."""
OLD_SPAN = timedelta(days=365)
"""Occurred longer ago than the look-back and this: no late row any more, but a wrong time."""


@dataclass(frozen=True)
class Coverage:
    """What the history holds of one exposure."""

    from_at: datetime
    until_at: datetime


def look_back_start(exposure: Exposure, now: datetime) -> datetime:
    """First load of the look-back, a whole UTC day.

    A long one begins with a whole week (of the epoch: on Thursdays), up to six days earlier: all that
    is judged rests on where the past begins, so while that stays, a cycle goes on from what the one
    before it knew. Whoever looks back, live or replayed, asks here.
    """
    step = 7 * DAY if exposure.look_back >= BY_THE_WEEK else DAY
    return floor_to(now - exposure.look_back, step)


def cuts_start(exposure: Exposure, now: datetime) -> datetime:
    """First loaded hour of the watched dimensions that is kept and judged."""
    start = look_back_start(exposure, now)
    if exposure.bucket >= timedelta(days=1):
        return start
    return max(start, floor_to(now - CUTS_SPAN, DAY))


def plan_scan(
    exposure: Exposure,
    now: datetime,
    coverage: Coverage | None,
    *,
    known_values: Mapping[str, tuple[str, ...]],
    duplicates_over: timedelta | None,
    reread_from: datetime | None = None,
    as_of: bool = False,
) -> ScanRequest:
    """The window of one scan.

    ``coverage`` None or too short asks for the whole look-back; ``reread_from`` widens an incremental
    window; ``duplicates_over`` None: repeated ids are not counted.
    """
    start = look_back_start(exposure, now)
    full = coverage is None or coverage.from_at > start or coverage.until_at <= start
    if full or coverage is None:
        rows_from = start
        cuts_from = cuts_start(exposure, now)
        delays_from = max(start, floor_to(now - _delays_span(exposure), HOUR))
        span = max(duplicates_over or timedelta(0), FIRST_DUPLICATES_SPAN)
        repeated_from = max(start, floor_to(now - span, HOUR))
    else:
        back = exposure.overlap if exposure.has_load_time else exposure.late_window
        # A clock that stepped back must not leave a hole: the earlier of both counts.
        begin = min(coverage.until_at, now) - back
        if reread_from is not None:
            begin = min(begin, reread_from)
        rows_from = max(start, floor_to(begin, FINE))
        cuts_from = delays_from = repeated_from = max(start, floor_to(begin, HOUR))
    fine_from = floor_to(now - FINE_SPAN, HOUR)
    if rows_from < fine_from:
        rows_from = floor_to(rows_from, HOUR)
    return ScanRequest(
        now=now,
        rows_from=rows_from,
        cuts_from=cuts_from,
        delays_from=delays_from,
        fine_from=fine_from,
        oldest_occurred=floor_to(now - exposure.look_back - OLD_SPAN, HOUR),
        duplicates_from=None if duplicates_over is None else repeated_from,
        as_of=as_of,
        known_values=known_values,
    )


def _delays_span(exposure: Exposure) -> timedelta:
    return max(DELAYS_SPAN, 28 * exposure.bucket)


def recount_due(recounted_on: date | None, now: datetime, coverage: Coverage | None) -> bool:
    """Once per UTC day, and never before there is something to hold it against."""
    return coverage is not None and recounted_on != now.date()


def recount_span(
    exposure: Exposure, now: datetime, coverage: Coverage
) -> tuple[datetime, datetime] | None:
    """Whole UTC days that a recount covers, [first, end); None: there is none yet.

    Today is still being loaded, so it is left to the next day; so is a day that the history holds in
    part only.
    """
    first = look_back_start(exposure, now)
    if coverage.from_at > first:
        first = floor_to(coverage.from_at + timedelta(days=1) - timedelta(microseconds=1), DAY)
    end = min(floor_to(now, DAY), floor_to(coverage.until_at, DAY))
    return (first, end) if first < end else None


def changed_days(
    before: Mapping[tuple[int, str | None], int], recount: Recount
) -> tuple[Changed, ...]:
    """Days and event types whose rows are not those that were measured, oldest first."""
    days = set(recount.days)
    keys: Iterable[tuple[int, str | None]] = {k for k in before if k[0] in days} | set(recount.rows)
    found = (
        Changed(day, event_type, before.get((day, event_type), 0), count)
        for day, event_type in keys
        if (count := recount.rows.get((day, event_type), 0)) != before.get((day, event_type), 0)
    )
    return tuple(sorted(found, key=lambda c: (c.day, c.event_type is None, c.event_type or "")))
