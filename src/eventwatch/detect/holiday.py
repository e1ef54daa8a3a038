"""What public holidays do to counts: a range that is wider, and a shift as far as one was seen.

A holiday is not like other such weekdays, and nobody knows beforehand by how much. So the expectation
gets a relative variance that all buckets of the day share. What the table did on earlier holidays,
and then each series, moves the expectation and narrows that variance again. Both are bounded: where
many rows are expected, none is far outside on a holiday too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.panel import BoolArray, FloatArray, Panel
from eventwatch.detect.told import FROM

UNSEEN = 0.45**2
"""Variance of the logarithm of a holiday's ratio to such a weekday before any was seen: shops and
offices differ by far more than noise, in either direction."""
ALIKE = 0.15**2
"""What remains of it however many were seen: no two holidays are alike."""
FURTHEST = 1.2
"""Logarithm of the largest shift in either direction (to 30 % or by 3.3): a holiday on which the table
was broken must not teach that nothing comes on holidays."""
WORTH = 0.05
"""Relative variance at which a day of one series says half as much as a certain one."""


class Holidays:
    """Mutable while a pass runs; one per pass. ``mark`` is how much of a holiday a bucket is, 0 to 1.

    Without holidays in the panel it says nothing: shifts of 1, variances of 0.
    """

    def __init__(self, panel: Panel) -> None:
        series = panel.counts.shape[1]
        self.active = panel.holiday is not None
        self.windows = np.array(panel.grain.windows, dtype=np.int64)
        self.sum, self.weight = np.zeros(series), np.zeros(series)
        self.table_sum = self.table_weight = 0.0
        # Cumulated standard deviations of the newest buckets, as far as the longest window reaches.
        reach = int(self.windows.max()) + 1 if self.active else 1
        self.recent = np.zeros((reach, series))

    def shift(self, mark: FloatArray) -> FloatArray:
        """Factors [n, S] on the expectation of buckets with these marks [n]."""
        if not self.active:
            return np.ones((1, 1))
        mean, _ = self._known()
        return np.asarray(np.exp(mark[:, None] * mean[None, :]))

    def variance(self, mark: float, season: FloatArray, usual: FloatArray) -> FloatArray:
        """Relative variance [W, S] that the windows ending with this bucket have by the holidays in
        them; ``season`` [S] of the bucket, 0 where it was not observed, ``usual`` [W, S] of the
        windows. Every bucket must be shown once, in order."""
        if not self.active:
            return np.zeros((1, 1))
        _, variance = self._known()
        self.recent[:-1] = self.recent[1:]
        self.recent[-1] = self.recent[-2] + mark * np.sqrt(variance) * season
        inside = self.recent[-1][None, :] - self.recent[-1 - self.windows]
        # The buckets of one day stray together: their deviations add up, not their variances.
        return np.asarray((inside / usual) ** 2, dtype=np.float64)

    def learn(
        self, mark: FloatArray, counts: FloatArray, mean: FloatArray, learn: BoolArray
    ) -> None:
        """The buckets of a day [n, S]: what came, what comes on such days that are no holiday, and
        where something is to be learned; ``mark`` [n]."""
        if not self.active or not (mark >= FROM).any():
            return
        inside = learn & (mark >= FROM)[:, None]
        expected = np.where(inside, mean, 0.0).sum(axis=0)
        came = np.where(inside, counts, 0.0).sum(axis=0)
        ratio = np.clip(np.log((came + 0.5) / (expected + 0.5)), -FURTHEST, FURTHEST)
        part = inside.sum(axis=0) / len(mark)
        worth = part * WORTH / (WORTH + 1.0 / np.maximum(expected, 1e-9))
        total = float(worth.sum())
        if total <= 0.0:
            return
        self.sum += worth * ratio
        self.weight += worth
        # Many series of one day are one day: they say together how that day was.
        self.table_sum += float(part.max()) * float((worth * ratio).sum()) / total
        self.table_weight += float(part.max())

    def _known(self) -> tuple[FloatArray, NDArray[np.float64]]:
        """Logarithm of the ratio [S] and its variance [S]."""
        table = self.table_sum / (self.table_weight + 1.0)
        mean = (self.sum + table) / (self.weight + 1.0)
        seen = 0.5 * self.table_weight + 0.5 * np.minimum(self.weight, self.table_weight)
        return mean, ALIKE + (UNSEEN - ALIKE) / (1.0 + seen)
