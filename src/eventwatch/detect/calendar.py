"""Local hours and days of buckets: the rhythm follows the clock on the wall, not UTC.

On the day the clocks go back one local hour comes twice and both share a slot; on the other one a
slot has no bucket. Both are ordinary to whoever sums by slot.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

HOUR = 3600
DAY = 86400

IntArray = NDArray[np.int64]


@lru_cache(maxsize=65536)
def _offset(hour: int, tz: ZoneInfo) -> int:
    delta = datetime.fromtimestamp(hour, tz).utcoffset()
    return 0 if delta is None else int(delta.total_seconds())


def local_seconds(epochs: IntArray, tz: ZoneInfo) -> IntArray:
    """Epoch seconds shifted so that UTC arithmetic on them gives local time.

    The offset is looked up once a quarter of an hour, the finest step any zone has changed at.
    """
    if tz.key in ("UTC", "Etc/UTC") or not epochs.size:
        return epochs.astype(np.int64)
    quarters, where = np.unique(epochs // 900 * 900, return_inverse=True)
    # Most quarters share an offset with the day's first and last: only days in which it changes are
    # looked at closely.
    days = np.unique(quarters // DAY * DAY)
    at_start = np.array([_offset(int(d), tz) for d in days], dtype=np.int64)
    at_end = np.array([_offset(int(d) + DAY - 900, tz) for d in days], dtype=np.int64)
    day = np.searchsorted(days, quarters // DAY * DAY)
    offsets = at_start[day].copy()
    for i in np.flatnonzero(at_start[day] != at_end[day]):
        offsets[i] = _offset(int(quarters[i]), tz)
    return np.asarray(epochs + offsets[where.reshape(epochs.shape)], dtype=np.int64)


@dataclass(frozen=True)
class Slots:
    """Where buckets lie in the local week; int64 arrays of the shape that was asked for."""

    hour: IntArray
    """0 to 23."""
    weekday: IntArray
    """0 is Monday."""
    second: IntArray
    """Of the local day, 0 to 86399."""
    day: IntArray
    """Local days since 1970, to tell one day from the next."""

    @property
    def hour_of_week(self) -> IntArray:
        """0 to 167; 0 is Monday from midnight to one."""
        return self.weekday * 24 + self.hour


def slots(epochs: IntArray, tz: ZoneInfo) -> Slots:
    """The slots of bucket starts given as epoch seconds."""
    local = local_seconds(epochs, tz)
    day = local // DAY
    second = local % DAY
    return Slots(hour=second // HOUR, weekday=(day + 3) % 7, second=second, day=day)
