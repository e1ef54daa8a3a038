"""Hours in which nothing ever comes: the nights of office hours, all but one hour of a daily batch.

A factor of the season is shrunk to "as usual" and never becomes zero, so the model would expect rows
for ever where none come, and the level would sink by every hour that brings none. An hour of the day,
or of the week, is empty when its last few times brought nothing although other hours of the same day,
or week, did. What comes in an empty hour is no news up to what the season expects there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.clock import Clock

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Where = tuple[IntArray, ...]

ROWS = 20.0
"""So many rows of an average hour must have stayed away."""
DAYS, WEEKS = 3, 2
"""On so many days, or in so many weeks, one after the other."""
FLOOR = 0.005
"""The least that a season is, in parts of the average hour."""
LEAST_SHARE = 0.02
MOST_TIMES = 100


class Streak:
    """For each slot [slot, S] how often in a row it brought nothing, and how many rows stayed away."""

    def __init__(self, slots: int, series: int, enough: int) -> None:
        self.times = np.zeros((slots, series), dtype=np.int8)
        self.rows = np.zeros((slots, series), dtype=np.float32)
        self.enough = enough

    def empty(self) -> BoolArray:
        """[slot, S]."""
        return np.asarray((self.times >= self.enough) & (self.rows >= ROWS), dtype=np.bool_)

    def add(self, where: Where, came: BoolArray, none: BoolArray, level: FloatArray) -> None:
        """Where something ``came`` it begins anew; where ``none`` did it is one more time."""
        times = np.minimum(self.times[where] + none, MOST_TIMES)
        self.times[where] = np.where(came, 0, times)
        self.rows[where] = np.where(came, 0.0, self.rows[where] + none * level)


class Empty:
    """Mutable while a pass runs; one per pass."""

    def __init__(self, series: int, slots_per_day: int) -> None:
        self.by_day = Streak(slots_per_day, series, DAYS)
        self.by_week = Streak(7 * slots_per_day, series, WEEKS)
        self.silent_days = np.zeros(series, dtype=np.int64)
        self.back_times = np.zeros((slots_per_day, series))
        self.back_sum = np.zeros((slots_per_day, series))

    def at(self, clock: Clock) -> BoolArray:
        """[n, S] which buckets lie in an hour that is empty."""
        series = len(self.silent_days)
        found = self.by_week.empty()[_where(clock.week, series)]
        if clock.slots_per_day > 1:
            found = found | self.by_day.empty()[_where(clock.slot, series)]
        return np.asarray(found, dtype=np.bool_)

    def bend(
        self,
        clock: Clock,
        season: FloatArray,
        counts: FloatArray,
        level: FloatArray,
        share: FloatArray | None,
    ) -> FloatArray:
        """``season`` [n, S], which in an empty hour is what came [n, S], if that is less; ``share`` is
        how much of that has come, ``level`` [S] rows in an average bucket."""
        empty = self.at(clock)
        if not empty.any():
            return season
        usual = level if share is None else level * np.maximum(share, LEAST_SHARE)
        came = np.maximum(counts / np.maximum(usual, 1e-9), FLOOR)
        return np.where(empty, np.minimum(came, season), season)

    def learn(
        self, clock: Clock, counts: FloatArray, level: FloatArray, told: BoolArray
    ) -> tuple[BoolArray, FloatArray]:
        """One day of counts [n, S]; ``level`` [S] is rows in an average bucket. Only where ``told``.

        Returns [slot, S] which hours of the day were empty and are not any more, and how many times an
        average bucket came there since.
        """
        came, none = told & (counts > 0), told & (counts == 0)
        some = came.any(axis=0)
        self.silent_days = np.where(some, 0, self.silent_days + 1)
        series = counts.shape[1]
        self.by_week.add(_where(clock.week, series), came, none & (self.silent_days < 7), level)
        if clock.slots_per_day == 1:
            return np.zeros_like(self.back_times, dtype=np.bool_), self.back_sum
        where = _where(clock.slot, series)
        again = came & (self.by_day.empty() | (self.back_times > 0))[where]
        self.by_day.add(where, came, none & some, level)
        ratio = counts / np.maximum(level, 1e-9)
        self.back_times[where] = np.where(again, self.back_times[where] + 1, 0.0)
        self.back_sum[where] = np.where(again, self.back_sum[where] + ratio, 0.0)
        back = self.back_times >= DAYS
        self.back_times[back] = 0.0
        return back, self.back_sum / DAYS


def _where(slots: IntArray, series: int) -> Where:
    """Rows of a table [slot, S]."""
    return (slots,) if slots.ndim == 1 else (slots, np.broadcast_to(np.arange(series), slots.shape))
