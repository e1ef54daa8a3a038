"""Days that run like another day of the week: a public holiday that nobody declared, a working Saturday.

On such a day a weekday is told by the profile of a Sunday (and a weekend day by that of a Wednesday).
That it might be one is a second explanation of every count of the day, with a small prior: what it
explains well is little news. What neither profile explains, and silence, is as much news as before.
Where series share a table, the others know better: when their day is an ordinary one, so is this.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.clock import Clock
from eventwatch.detect.transform import z_of

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

SUNDAY, WEDNESDAY = 6, 2
PRIOR = 2.0 * math.log(1.0 / 0.005)
"""Twice the log odds against such a day before any of its buckets was seen."""
SURE = 14.0
"""Evidence from which a day is taken for one: its season is the other one, and it teaches nothing."""
BOUNDS = (-30.0, 30.0)
ONE_BUCKET = 16.0
"""Most that one bucket says for either profile."""
FROM_DAYS = 8.0
"""Days of history before the days of the week are known."""
BENT_FROM = 1.5
NONE = np.zeros(0, dtype=np.int64)
ORDINARY = 30.0
"""Evidence of the whole table from which its day is an ordinary one."""
SHARES = 0.2
"""How far a series must go with the table to have the table's day."""


def other(clock: Clock) -> Clock:
    """The same hours on the other kind of day."""
    weekday = np.where(clock.weekday >= 5, WEDNESDAY, SUNDAY)
    return Clock(clock.slot, weekday, clock.slots_per_day)


class DayType:
    """Mutable while a pass runs; one per pass. ``evidence`` is twice the log likelihood ratio of the
    other profile over the local day so far."""

    def __init__(self, series: int, *, one_place: bool = False) -> None:
        self.one_place = one_place
        self.evidence = np.zeros(series)
        self.ordinary = np.zeros(series, dtype=bool)
        """By the rest of the table."""
        self.barred = np.zeros(series, dtype=bool)
        """In alarm since before midnight: that goes on, and the day explains nothing."""
        self.midnight = np.zeros(series, dtype=np.int64)
        """First bucket of the local day."""
        self.yesterday = np.zeros(series, dtype=bool)
        """Whether the local day before was such a day."""

    @property
    def sure(self) -> BoolArray:
        """[S] today is such a day."""
        return np.asarray((self.evidence > SURE) & ~self.ordinary & ~self.barred)

    def taught(self, start: int, stop: int) -> BoolArray:
        """[n, S] buckets that teach what their weekday is like."""
        bucket = np.arange(start, stop)[:, None]
        unlike = np.where(bucket >= self.midnight[None, :], self.sure, self.yesterday)
        return np.asarray(~unlike)

    def turn(
        self, t: int, slot: IntArray, hot: BoolArray, sum_s: FloatArray, sum_a: FloatArray
    ) -> IntArray:
        """Before bucket ``t``. Where its slot says that it is past local midnight: the windows that
        reach back over a day that was taken for another are held against that other season. Returns
        the series whose past was changed."""
        began = slot[t] < slot[t - 1] if t else np.False_
        if not began.any():
            return NONE
        begins = np.broadcast_to(began, self.evidence.shape)
        was = self.sure
        changed = np.flatnonzero(begins & was)
        for s in changed:
            rows = slice(int(self.midnight[s]) + 1, t + 1)
            sum_s[rows, s] += sum_a[rows, s] - sum_a[rows.start - 1, s]
        self.yesterday = np.where(begins, was, self.yesterday)
        self.midnight = np.where(begins, t, self.midnight)
        self.evidence = np.where(begins, 0.0, self.evidence)
        self.barred = np.where(begins, hot, self.barred)
        return changed

    def bend(
        self,
        t: int,
        z: FloatArray,
        begin: IntArray,
        of: tuple[FloatArray, FloatArray, FloatArray],
        *,
        usual: FloatArray,
        sum_a: FloatArray,
    ) -> FloatArray:
        """z [W, S] where today may be such a day: the smaller of what both explanations leave, the
        second one with its prior. ``of`` is observed, expected and variance beyond Poisson, ``usual``
        the season of the windows, ``sum_a`` [T+1, S] how much more the other kind of day has."""
        may = (np.abs(z) > BENT_FROM) & ~(self.ordinary | self.barred)
        if self.one_place:
            # A holiday comes to the whole table, which says so: it explains no silence of one series.
            may &= of[0] > 0
        cells = may.ravel().nonzero()[0]
        if not cells.size:
            return z
        window, column = np.divmod(cells, z.shape[1])
        within = np.maximum(begin[window], self.midnight[column])
        more = sum_a[t + 1, column] - sum_a[within, column]
        season = usual.take(cells)
        ratio = np.maximum(season + more, 1e-6) / season
        unlike = (ratio != 1.0).nonzero()[0]
        if not unlike.size:
            return z
        cells, column, ratio = cells[unlike], column[unlike], ratio[unlike]
        observed, expected, phi = (each.take(cells) for each in of)
        against = PRIOR - np.minimum(self.evidence[column], PRIOR)
        there = np.maximum(expected * ratio, 1e-6)
        bent = np.sqrt(z_of(observed, there, phi) ** 2 + against)
        usually = z.take(cells)
        mixed = z.copy()
        np.put(mixed, cells, np.sign(usually) * np.minimum(bent, np.abs(usually)))
        return mixed

    def weigh(
        self, came: FloatArray, z: FloatArray, there: FloatArray, phi: FloatArray, known: BoolArray
    ) -> None:
        """Adds what one bucket says; all [S]. ``z`` is its score by the usual season, ``there`` what is
        expected on the other kind of day."""
        if not known.any():
            return
        other_z = z_of(came, there, phi)
        news = np.minimum(z**2, ONE_BUCKET) - np.minimum(other_z**2, ONE_BUCKET)
        evidence = self.evidence + np.where(known, news, 0.0)
        self.evidence = np.minimum(np.maximum(evidence, BOUNDS[0]), BOUNDS[1])


def ordinary(evidence: FloatArray, share: FloatArray) -> BoolArray:
    """[S] which series have an ordinary day because the table has one; ``share`` [S] is how far each
    goes with the table."""
    table = float((evidence * np.minimum(share, 1.0)).sum())
    return np.asarray((share > SHARES) & (table < -ORDINARY))
