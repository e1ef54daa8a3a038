"""Five cron fields as standard cron reads them, and the instants they mean on a clock with DST.

Weekdays are counted from Sunday, 0 or 7. Where both the day of the month and the day of the week are
restricted, either is enough; a field that begins with ``*`` restricts nothing in that sense.

Clocks that are turned: a local time that is left out in spring means the instant at which it would
have been, so a daily job runs on every local date. A local time that comes twice in autumn counts
once, the first time; only where the hour field begins with ``*`` it counts both times, because such
a schedule means real hours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
HORIZON = timedelta(days=3660)
"""A schedule that has no time in the next ten years is taken for one that never comes."""
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_PART = re.compile(r"(\*|[0-9a-z]+(?:-[0-9a-z]+)?)(?:/([0-9]{1,9}))?")


@dataclass(frozen=True)
class Cron:
    """What the five fields name."""

    text: str
    """The five fields with single blanks, macros written out."""
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """Sunday is 0."""
    either_day: bool
    """Both kinds of day are restricted, and one that fits is enough."""
    real_hours: bool
    """The hour field begins with ``*``: a local hour that comes twice counts twice."""

    def on(self, day: date) -> bool:
        """Whether it has times on this date."""
        if day.month not in self.months:
            return False
        by_month, by_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (by_month or by_week) if self.either_day else (by_month and by_week)


@lru_cache(maxsize=1000)
def parse_cron(text: str) -> Cron:
    """Five fields or a macro like ``@daily``. Raises ValueError with the field that is wrong, and for
    a schedule that never comes."""
    lower = text.strip().lower()
    if lower.startswith("@"):
        if lower not in MACROS:
            raise ValueError(f"has no such word; there are {', '.join(MACROS)}")
        lower = MACROS[lower]
    words = lower.split()
    if len(words) != len(_FIELDS):
        raise ValueError(
            'must have five fields (minute hour day month weekday), like "*/5 * * * *", or be a '
            "word like @daily"
        )
    minutes, hours, days, months, weekdays = (
        _values(word, *field) for word, field in zip(words, _FIELDS, strict=True)
    )
    cron = Cron(
        text=" ".join(words),
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=frozenset(days),
        months=frozenset(months),
        weekdays=frozenset(day % 7 for day in weekdays),
        either_day=not words[2].startswith("*") and not words[4].startswith("*"),
        real_hours=words[1].startswith("*"),
    )
    # Any start would do; this one has a leap year near and one far.
    if next(_dates(cron, date(2025, 1, 1)), None) is None:
        raise ValueError("names a day that does not come within ten years, so it would never run")
    return cron


def times_after(cron: Cron, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Every instant of the schedule later than ``after``, ascending, in UTC. Ends where the calendar
    does or nothing comes for ten years."""
    last = after
    day = after.astimezone(zone).date()
    # The offset of the day before may still reach into it.
    for each in _dates(cron, day - timedelta(days=1 if day > date.min else 0)):
        for instant in _instants(cron, zone, each):
            if instant > last:
                last = instant
                yield instant


def _dates(cron: Cron, first: date) -> Iterator[date]:
    day, empty_until = first, _later(first)
    while True:
        if cron.on(day):
            yield day
            empty_until = _later(day)
        if day >= empty_until:
            return
        day += timedelta(days=1)


def _later(day: date) -> date:
    return date.max if date.max - day < HORIZON else day + HORIZON


@lru_cache(maxsize=64)
def _instants(cron: Cron, zone: ZoneInfo, day: date) -> tuple[datetime, ...]:
    """All of one local date, ascending."""
    found = set()
    for hour in cron.hours:
        for minute in cron.minutes:
            first = datetime.combine(day, time(hour, minute), zone)
            try:
                found.add(first.astimezone(UTC))
                second = first.replace(fold=1)
                if cron.real_hours and second.utcoffset() < first.utcoffset():  # type: ignore[operator]
                    found.add(second.astimezone(UTC))
            except OverflowError:  # the calendar's last day, west of Greenwich
                continue
    return tuple(sorted(found))


def _values(word: str, name: str, low: int, high: int, names: tuple[str, ...]) -> set[int]:
    found: set[int] = set()
    for part in word.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"has a {name} that is not a number, range, list or step")
        span, step = match[1], match[2]
        if step is not None and int(step) == 0:
            raise ValueError(f"has a {name} with a step of 0")
        if span == "*":
            # 7 is Sunday a second time, which a step would reach as a day of its own.
            first, last = low, 6 if name == "day of the week" else high
        else:
            begin, _, end = span.partition("-")
            first = _number(begin, name, low, high, names)
            last = _number(end, name, low, high, names) if end else (high if step else first)
            if step and not end and name == "day of the week":
                last = max(first, 6)
        if last < first and name == "day of the week":
            last += 7
        if last < first:
            raise ValueError(f"has a {name} range that ends before it begins")
        found.update(range(first, last + 1, int(step or 1)))
    return found


def _number(text: str, name: str, low: int, high: int, names: tuple[str, ...]) -> int:
    if text in names:
        return names.index(text) + low
    if not (text.isascii() and text.isdigit()) or not low <= int(text[:9]) <= high:
        raise ValueError(f"has a {name} that is not between {low} and {high}")
    return int(text)
