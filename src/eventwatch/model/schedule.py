"""When an exposure is looked at: the slots of its schedule. Pure; every ``now`` is an argument.

Slots are the same whoever asks and whenever the process started: an interval counts from 1970 in UTC,
cron reads the exposure's own time zone. So what a process missed can be told by the next one.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from eventwatch.model.cron import parse_cron, times_after
from eventwatch.model.settings import Exposure

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_SPREAD = timedelta(seconds=30)


@dataclass(frozen=True)
class Schedule:
    """An interval, or five cron fields on somebody's clock."""

    every: timedelta
    cron: str | None
    zone: ZoneInfo
    spread: timedelta
    """How long after its slot a cycle starts, always the same for one exposure: many that share a
    schedule do not all start at one instant."""

    def after(self, instant: datetime) -> Iterator[datetime]:
        """Slots later than ``instant``, ascending."""
        if self.cron is not None:
            yield from times_after(parse_cron(self.cron), self.zone, instant)
            return
        number = (instant - EPOCH) // self.every + 1
        while True:
            try:
                slot = EPOCH + number * self.every
            except OverflowError:
                return
            yield slot
            number += 1

    def next(self, instant: datetime) -> datetime | None:
        """The first slot later than ``instant``; None: the calendar ends before."""
        return next(self.after(instant), None)

    def latest(self, now: datetime) -> datetime | None:
        """The last slot whose start has come; None: none in the last ten years."""
        come = now - self.spread
        if self.cron is None:
            return EPOCH + ((come - EPOCH) // self.every) * self.every
        for days in (1, 8, 32, 400, 3700):
            found = self.missed(come - timedelta(days=days), now, 1).listed
            if found:
                return found[-1]
        return None

    def missed(self, last: datetime, now: datetime, most: int) -> Missed:
        """The slots later than ``last`` whose start has come by ``now``: the newest ``most`` of them
        one by one, how many there are, and the first."""
        come = now - self.spread
        if self.cron is None:
            count = max((come - EPOCH) // self.every - (last - EPOCH) // self.every, 0)
            if count == 0:
                return Missed(0, None, ())
            first = EPOCH + ((last - EPOCH) // self.every + 1) * self.every
            begin = first + (count - min(count, most)) * self.every
            return Missed(
                count, first, tuple(begin + k * self.every for k in range(min(count, most)))
            )
        newest: deque[datetime] = deque(maxlen=most)
        count, oldest = 0, None
        for slot in self.after(last):
            if slot > come:
                break
            oldest = slot if oldest is None else oldest
            newest.append(slot)
            count += 1
        return Missed(count, oldest, tuple(newest))


@dataclass(frozen=True)
class Missed:
    """Slots that came and were not run."""

    count: int
    first: datetime | None
    listed: tuple[datetime, ...]
    """The newest, ascending."""


def schedule_of(exposure: Exposure) -> Schedule:
    """The exposure's schedule. Raises ValueError for cron fields that mean nothing."""
    return _schedule(exposure.name, exposure.every, exposure.cron, exposure.time_zone)


@lru_cache(maxsize=1000)
def _schedule(name: str, every: timedelta, cron: str | None, zone: ZoneInfo) -> Schedule:
    shortest = every
    if cron is not None:
        bare = Schedule(every, cron, zone, timedelta(0))
        few = list(islice(bare.after(datetime(2025, 1, 1, tzinfo=UTC)), 50))
        shortest = min((b - a for a, b in pairwise(few)), default=timedelta(days=1))
    share = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
    return Schedule(every, cron, zone, min(shortest / 20, LONGEST_SPREAD) * share)


def longest_wait(exposure: Exposure, now: datetime) -> timedelta:
    """The longest time between two cycles that the schedule leaves, over the next ten."""
    if exposure.cron is None:
        return exposure.every
    coming = list(islice(schedule_of(exposure).after(now), 11))
    return max((b - a for a, b in pairwise(coming)), default=timedelta(days=1))
