"""The rhythm of each series: hour of day × day of week × shape of the weekend × hour of week.

Every factor is a precision-weighted mean with a prior that says "nothing special", so a series with
little history leans on what it has: hour of day from its first full day, day of week from its
first week, hour of week as weeks agree. Arrays are laid out [slot, series].
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.clock import Clock, pick, scatter
from eventwatch.detect.empty import FLOOR, Empty
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
LEAST = 1e-4
NEW_HOUR = 100.0
"""Most that the first days of an hour that was empty are worth."""
NEW_TIMES = 2.0
"""From so many times what the season expects there, an hour that was empty is a new one."""
YOUNG_DAYS = 14
"""So long the profile is made anew each day from the raw counts: running updates against a level that
is itself just being found would keep the first days' bias for weeks."""


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


def weekly(alarm: BoolArray, start: int, stop: int, per_day: int) -> BoolArray:
    """[stop - start, S] which buckets are in alarm, were at the same time a week ago, and not all the
    time between: that is the rhythm, and must teach the season or it will alarm every week."""
    begin = start - 7 * per_day
    if begin < 0:
        return np.zeros((stop - start, alarm.shape[1]), dtype=np.bool_)
    twice = alarm[start:stop] & alarm[begin : begin + stop - start]
    return np.asarray(twice & ~alarm[begin:start].all(axis=0), dtype=np.bool_)


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
        self.empty = Empty(series, slots_per_day)
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

    def learn(
        self, clock: Clock, ratio: FloatArray, precision: FloatArray, level: FloatArray
    ) -> None:
        """One day: ``ratio`` is count ÷ level and ``precision`` 1 ÷ its relative variance, 0 where
        nothing is to be learned; both [n, S]. ``level`` [S] is rows in an average bucket."""
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
        # An hour in which little comes tells as much as one in which rows come as usual: in units of
        # what comes, the prior would outweigh for ever that next to nothing does.
        low = np.minimum(precision / np.clip(hour, LEAST, 1.0), np.maximum(level, precision))
        scatter(self.hour_sum, clock.slot, low * ratio / (day * shape * week))
        scatter(self.hour_weight, clock.slot, low)
        precision = np.where(hour * day * shape * week > FLOOR, precision, 0.0)
        # A day's hours share what moves the day: together they say no more than a few.
        shared = precision / (1.0 + 0.01 * precision.sum(axis=0))
        others = np.maximum(hour * shape * week, 0.05)
        low = shared * hour / np.clip(day, LEAST, 1.0)
        scatter(self.day_sum, clock.weekday, low * ratio / others)
        scatter(self.day_weight, clock.weekday, low)
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

    def wake(self, clock: Clock, counts: FloatArray, level: FloatArray, told: BoolArray) -> None:
        """Learns from one day of counts [n, S] which hours are empty; those that were and are not any
        more begin anew at what came. ``level`` [S] is rows in an average bucket."""
        back, ratio = self.empty.learn(clock, counts, level, told)
        back = back & (ratio > NEW_TIMES * self.hour())
        if not back.any():
            return
        weight = np.where(back, np.minimum(level, NEW_HOUR), self.hour_weight)
        self.hour_sum = np.where(back, weight * ratio, self.hour_sum)
        self.hour_weight = weight
        for factor in (self.shape, self.week):
            again = np.tile(back, (len(factor.sum) // len(back), 1))
            factor.sum[again] = factor.weight[again] = 0.0

    def restart(
        self,
        columns: IntArray,
        counts: FloatArray,
        seen: FloatArray,
        clock: Clock,
        phi: Callable[[FloatArray, IntArray], FloatArray],
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

        level = np.maximum(mean.mean(axis=0), 1e-9)

        def worth(expected: FloatArray, ratio: FloatArray | float = 1.0) -> FloatArray:
            rows = level * ratio
            return np.asarray(expected / (1.0 + phi(rows, columns) * np.minimum(rows, level)))

        expected = sums(clock.slot, per_day, usual)
        ratio = sums(clock.slot, per_day, counts) / np.maximum(expected, 1e-9)
        weight = worth(expected, ratio)
        self.hour_weight[:, columns] = weight
        self.hour_sum[:, columns] = weight * ratio
        self.day_sum[:, columns] = self.day_weight[:, columns] = 0.0
        self.shape.sum[:, columns] = self.shape.weight[:, columns] = 0.0
        self.week.sum[:, columns] = self.week.weight[:, columns] = 0.0
        if days >= 7:
            hour = self.hour()[:, columns]
            by_hour = (
                pick(hour, clock.slot)
                * seen
                * (counts.sum(axis=0) / np.maximum(seen.sum(axis=0), 1.0))
            )
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
