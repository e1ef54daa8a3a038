"""What a chart shows of one series, frozen: whoever draws it needs nothing else.

Values are by bucket, oldest first. ``None`` is a bucket of which nothing is known (not measured, not
born yet, nothing learned); 0 is a bucket in which nothing came. Texts are foreign and unescaped.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

Values = tuple[float | None, ...]

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Stretch:
    """A span that is marked: [start_at, end_at)."""

    start_at: datetime
    end_at: datetime


@dataclass(frozen=True)
class Mark:
    """An instant worth a line and a few words, e.g. ``new level``."""

    at: datetime
    text: str


@dataclass(frozen=True)
class Trace:
    """One series over some days. All value tuples are as long as ``observed`` or empty."""

    title: str
    """What it is a series of, e.g. the event type."""
    sentence: str
    """What is to be seen, in one sentence; empty: nothing."""
    start_at: datetime
    """Start of the first bucket, aware UTC."""
    step: timedelta
    """Width of a bucket."""
    zone: str
    """IANA name of the time zone whose hours and days are shown."""
    observed: Values
    expected: Values = ()
    lower: Values = ()
    """The usual range with ``upper``: 99 of 100 quiet buckets lie inside."""
    upper: Values = ()
    bad: tuple[Stretch, ...] = ()
    common: Values = ()
    """How far all series together were off, as a relative deviation (-0.2 is 20 % less)."""
    marks: tuple[Mark, ...] = ()
    open_until: datetime | None = None
    """The last bucket is still open: its values are what is there, and can be there, by this instant.
    None: it is over."""
    shown_until: datetime | None = None
    """Where the picture ends, if that is later: after the last bucket nothing was loaded."""

    def __post_init__(self) -> None:
        for name in ("expected", "lower", "upper", "common"):
            if len(getattr(self, name)) not in (0, len(self.observed)):
                raise ValueError(f"{name} must be as long as observed, or empty")
        if self.step <= timedelta(0):
            raise ValueError("a bucket has a width")

    def edges(self) -> tuple[datetime, ...]:
        """Starts of the buckets and the end of the last one, aware UTC; one more than values.

        Buckets of whole days follow the local calendar: two of a year have 23 and 25 hours.
        """
        count = len(self.observed) + 1
        if self.step < DAY or self.step % DAY:
            return tuple(self.start_at + i * self.step for i in range(count))
        zone = ZoneInfo(self.zone)
        local = self.start_at.astimezone(zone).replace(tzinfo=None)
        return tuple(
            (local + i * self.step).replace(tzinfo=zone).astimezone(UTC) for i in range(count)
        )

    @property
    def end_at(self) -> datetime:
        """Where the values end: the end of the last bucket, or as far as it has come."""
        return self.edges()[-1] if self.open_until is None else self.open_until

    @property
    def last_at(self) -> datetime:
        """Where the picture ends."""
        end = self.end_at
        return end if self.shown_until is None else max(end, self.shown_until)
