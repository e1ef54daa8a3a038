"""The rhythm of each series: hour of day × day of week × shape of the weekend × hour of week.

Every factor is a precision-weighted mean with a prior that says "nothing special", so a series with
little history leans on what it has: hour of day from its first full day, day of week from its
first week, hour of week as weeks agree. Arrays are laid out [slot, series].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.pooled import typical

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

HALF_LIFE_DAYS = 28.0
HALF_LIFE_WEEKS = 5.0
HOUR_PRIOR = 2.0
"""Precision of "this hour is like the others": a standard deviation of 0.7."""
DAY_PRIOR = 30.0
UNSEEN_DAY = 0.08
"""Relative variance of a weekday a series has not been through yet: its first weekend."""
SHAPE_START = 0.15**2
WEEK_START = 0.05**2
"""Variance of the two finer factors around 1 before a series shows its own."""
SHAPE_CAP = 5.0
SPREAD_SLOTS = 25.0
"""How many slots of its own that, and what the table shows, are worth."""
SPREAD_LIMITS = (0.01**2, 1.5**2)
FADED_NOISE = 0.6
"""Variance of an exponentially faded mean times its weight: between 1 (young) and 0.5 (old)."""
FLOOR = 0.005
YOUNG_DAYS = 14
"""So long the profile is made anew each day from the raw counts: running updates against a level that
is itself just being found would keep the first days' bias for weeks."""


def pick(table: FloatArray, slots: IntArray) -> FloatArray:
    """Rows of [slot, S] by slots [n] that all series share, or [n, S] of their own."""
    if slots.ndim == 1:
        return np.asarray(table[slots], dtype=np.float64)
    return np.asarray(np.take_along_axis(table, slots, axis=0), dtype=np.float64)


def scatter(table: FloatArray, slots: IntArray, values: FloatArray) -> None:
    """Adds values [n, S] to the rows of [slot, S]; a slot may come twice."""
    if slots.ndim > 1:
        flat = slots * table.shape[1] + np.arange(table.shape[1])
        table += np.bincount(flat.ravel(), values.ravel(), table.size).reshape(table.shape)
        return
    # Buckets that follow each other and share a slot are one.
    starts = np.concatenate([[True], slots[1:] != slots[:-1]]).nonzero()[0]
    if len(starts) < len(slots):
        values, slots = np.add.reduceat(values, starts, axis=0), slots[starts]
    if len(set(slots.tolist())) == len(slots):
        table[slots] += values
        return
    for slot, row in zip(slots.tolist(), values, strict=True):
        table[slot] += row


@dataclass
class Clock:
    """Slots of consecutive buckets: [n], or [n, S] where series start at different times."""

    slot: IntArray
    """Slot of the day, 0 to ``slots_per_day`` - 1."""
    weekday: IntArray
    slots_per_day: int

    @property
    def week(self) -> IntArray:
        """Slot of the week."""
        return np.asarray(self.weekday * self.slots_per_day + self.slot, dtype=np.int64)

    @property
    def shape(self) -> IntArray:
        """Slot of the day, Saturday's and Sunday's apart from the other days'."""
        return np.asarray((self.weekday >= 5) * self.slots_per_day + self.slot, dtype=np.int64)

    def part(self, start: int, stop: int) -> Clock:
        """Buckets [start, stop)."""
        return Clock(self.slot[start:stop], self.weekday[start:stop], self.slots_per_day)

    def of(self, columns: IntArray) -> Clock:
        """The same for some of the series."""
        if self.slot.ndim == 1:
            return self
        return Clock(self.slot[:, columns], self.weekday[:, columns], self.slots_per_day)


def once(alarm: BoolArray, per_day: int) -> BoolArray:
    """[n, S] which buckets of the first days [n, S] were in an alarm that does not come again at its
    time of day on half of the days, or at its time of the week. What does is the rhythm itself: a
    series that sends in office hours alone seems to fail every night until its nights are learned."""
    days = len(alarm) // per_day
    by_day = alarm[len(alarm) - days * per_day :].reshape(days, per_day, -1)
    again = np.tile(by_day.sum(axis=0) >= max(2, -(-days // 2)), (days, 1))
    if days == YOUNG_DAYS:
        again |= np.tile(alarm.reshape(2, 7 * per_day, -1).all(axis=0), (2, 1))
    return np.asarray(alarm & ~again)


class Factor:
    """A fine factor around 1 whose spread is learned too: the prior is as strong as the slots of
    this series, and those of the table, are alike (empirical Bayes by moments)."""

    def __init__(self, slots: int, series: int, start: float) -> None:
        self.sum = np.zeros((slots, series))
        self.weight = np.zeros((slots, series))
        self.spread = np.full(series, start)
        self.start = start

    def at(self, slots: IntArray) -> tuple[FloatArray, FloatArray]:
        """Factors of slots, and their variance."""
        prior = 1.0 / self.spread
        total = pick(self.weight, slots) + prior
        return (pick(self.sum, slots) + prior) / total, 1.0 / total

    def fade(self, rate: float) -> None:
        """Forgets a little."""
        self.sum *= rate
        self.weight *= rate

    def learn_spread(self) -> None:
        """The excess of the slots' variance over their noise, by DerSimonian and Laird's moments,
        shrunk to the table's."""
        weight = np.maximum(self.weight, 1e-9)
        error = np.minimum((self.sum / weight - 1.0) ** 2, 9.0) - FADED_NOISE / weight
        news = self.weight / (self.weight + 20.0)
        total, slots = (news * error).sum(axis=0), news.sum(axis=0)
        usual = max(float(typical(total / np.maximum(slots, 1e-9), slots)[0]), 0.0)
        known = float(slots.sum())
        table = (known * usual + SPREAD_SLOTS * self.start) / (known + SPREAD_SLOTS)
        spread = (total + SPREAD_SLOTS * table) / (slots + SPREAD_SLOTS)
        self.spread = np.clip(spread, *SPREAD_LIMITS)


class Season:
    """Mutable while a pass runs; one per pass."""

    def __init__(self, series: int, slots_per_day: int) -> None:
        self.slots_per_day = slots_per_day
        self.hour_sum = np.zeros((slots_per_day, series))
        self.hour_weight = np.zeros((slots_per_day, series))
        self.day_sum = np.zeros((7, series))
        self.day_weight = np.zeros((7, series))
        self.shape = Factor(2 * slots_per_day, series, SHAPE_START)
        self.week = Factor(7 * slots_per_day, series, WEEK_START)
        self.days = 0

    def hour(self) -> FloatArray:
        """Factors by slot of day [slots_per_day, S]."""
        return (self.hour_sum + HOUR_PRIOR) / (self.hour_weight + HOUR_PRIOR)

    def day(self) -> FloatArray:
        """Factors by weekday [7, S]."""
        return (self.day_sum + DAY_PRIOR) / (self.day_weight + DAY_PRIOR)

    def factors(self, clock: Clock) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Season of consecutive buckets and the relative variances of not knowing it better, of the
        bucket's own and of its whole day's; all [n, S]."""
        shape, doubt = self.shape.at(clock.shape)
        week, more = self.week.at(clock.week)
        season = pick(self.hour(), clock.slot) * pick(self.day(), clock.weekday) * shape * week
        seen = pick(self.day_weight, clock.weekday)
        of_day = 0.5 / (seen + DAY_PRIOR) + UNSEEN_DAY / (1.0 + seen)
        return np.maximum(season, FLOOR), 0.5 * (doubt + more), of_day

    def learn(self, clock: Clock, ratio: FloatArray, precision: FloatArray) -> None:
        """One day: ``ratio`` is count ÷ level and ``precision`` 1 ÷ its relative variance, 0 where
        nothing is to be learned; both [n, S]."""
        fade = 0.5 ** (1.0 / HALF_LIFE_DAYS)
        fade_week = 0.5 ** (1.0 / (7.0 * HALF_LIFE_WEEKS))
        self.hour_sum *= fade
        self.hour_weight *= fade
        self.day_sum *= fade_week
        self.day_weight *= fade_week
        self.shape.fade(fade_week)
        self.week.fade(fade_week)
        hour, day = pick(self.hour(), clock.slot), pick(self.day(), clock.weekday)
        shape, _ = self.shape.at(clock.shape)
        week, _ = self.week.at(clock.week)
        scatter(self.hour_sum, clock.slot, precision * ratio / (day * shape * week))
        scatter(self.hour_weight, clock.slot, precision)
        # A day's hours share what moves the day: together they say no more than a few.
        shared = precision / (1.0 + 0.01 * precision.sum(axis=0))
        others = np.maximum(hour * shape * week, 0.05)
        scatter(self.day_sum, clock.weekday, shared * hour * ratio / others)
        scatter(self.day_weight, clock.weekday, shared * hour)
        scatter(
            self.shape.sum, clock.shape, precision * ratio / np.maximum(hour * day * week, FLOOR)
        )
        scatter(self.shape.weight, clock.shape, precision)
        scatter(
            self.week.sum, clock.week, precision * ratio / np.maximum(hour * day * shape, FLOOR)
        )
        scatter(self.week.weight, clock.week, precision)
        self.days += 1
        if self.days % 7 == 0:
            self.shape.learn_spread()
            self.week.learn_spread()

    def restart(
        self, columns: IntArray, counts: FloatArray, seen: FloatArray, clock: Clock, phi: FloatArray
    ) -> None:
        """Makes the profile of some series anew from their raw counts [n, columns] (whole days,
        zeros where ``seen`` is 0)."""
        per_day = self.slots_per_day
        days = counts.shape[0] // per_day
        shape = (days, per_day, counts.shape[1])
        total = seen.reshape(shape).sum(axis=1)
        mean = counts.reshape(shape).sum(axis=1) / np.maximum(total, 1.0)
        usual = np.repeat(mean, per_day, axis=0) * seen
        width = counts.shape[1]

        def sums(slots: IntArray, size: int, values: FloatArray) -> FloatArray:
            table = np.zeros((size, width))
            scatter(table, slots, values)
            return table

        def worth(expected: FloatArray) -> FloatArray:
            return np.asarray(expected / (1.0 + phi * np.maximum(mean.mean(axis=0), 1e-9)))

        expected = sums(clock.slot, per_day, usual)
        weight = worth(expected)
        ratio = sums(clock.slot, per_day, counts) / np.maximum(expected, 1e-9)
        self.hour_weight[:, columns] = weight
        self.hour_sum[:, columns] = weight * ratio
        self.day_sum[:, columns] = self.day_weight[:, columns] = 0.0
        self.shape.sum[:, columns] = self.shape.weight[:, columns] = 0.0
        self.week.sum[:, columns] = self.week.weight[:, columns] = 0.0
        if days >= 7:
            hour = self.hour()[:, columns]
            level = counts.sum(axis=0) / np.maximum(seen.sum(axis=0), 1.0)
            by_hour = pick(hour, clock.slot) * seen * level
            expected = sums(clock.weekday, 7, by_hour)
            weight = np.minimum(worth(expected), 100.0)
            ratio = sums(clock.weekday, 7, counts) / np.maximum(expected, 1e-9)
            self.day_weight[:, columns] = weight
            self.day_sum[:, columns] = weight * ratio
            by_day = by_hour * pick(self.day()[:, columns], clock.weekday)
            size = 2 * per_day
            expected = sums(clock.shape, size, by_day)
            weight = worth(expected)
            ratio = sums(clock.shape, size, counts) / np.maximum(expected, 1e-9)
            self.shape.weight[:, columns] = weight
            # A slot where nothing was expected must not make the shape of the weekend.
            self.shape.sum[:, columns] = weight * np.minimum(ratio, SHAPE_CAP)
            if days % 7 == 0:
                self.shape.learn_spread()
