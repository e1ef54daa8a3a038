"""What strays now strays in the next hour too: the short memory of a series' deviations.

Weather, a campaign, a slow page: real counts leave their season for some hours and come back. A faded
mean of the last relative errors, times the series' own regression on it, moves the expectation of the
next buckets. A window is moved only by what was known before it began.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.pooled import typical

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

HALF_LIFE = 2.0
"""Buckets."""
DAYS = 20.0
"""Half-life of what the regression is learned from."""
PRIOR = 50.0
"""Buckets of its own that the table's regression is worth."""
GAIN = (-0.2, 1.0)
MOVES = (-0.5, 1.0)
MOST_WEIGHT = 3.0
"""No series says more of its table than so many usual ones."""
KEEP = 0.5 ** (1.0 / HALF_LIFE)


class Echo:
    """Mutable while a pass runs; one per pass."""

    def __init__(self, windows: NDArray[np.int64], series: int, per_day: int) -> None:
        self.last = np.zeros(series)
        self.gain = np.zeros(series)
        self.product, self.power = np.zeros(series), np.zeros(series)
        self.prior = PRIOR / (DAYS * per_day)
        w = windows.astype(np.float64)
        self.reach = ((1.0 - KEEP**w) / (1.0 - KEEP) / w)[:, None]

    def ahead(self, before: FloatArray) -> FloatArray:
        """Factors [W, S] on the expectation of windows; ``before`` [W, S] is ``last`` as it was at
        their beginnings."""
        moved = self.gain * self.reach * before
        return np.asarray(1.0 + np.minimum(np.maximum(moved, MOVES[0]), MOVES[1]))

    def learn(
        self, error: FloatArray, variance: FloatArray, trust: FloatArray, learn: BoolArray
    ) -> FloatArray:
        """One bucket: relative ``error`` [S] and its variance, which part of it is more than counting
        noise (``trust``), and where it teaches. Returns what of the error was foreseen."""
        foreseen = np.minimum(np.maximum(self.gain * self.last, MOVES[0]), MOVES[1])
        weight = np.where(learn, 1.0 / variance, 0.0)
        self.power += weight * self.last**2
        self.product += weight * self.last * error
        news = np.where(learn, (1.0 - KEEP) * error * trust, 0.0)
        self.last = KEEP * self.last + news
        return np.asarray(foreseen)

    def settle(self) -> None:
        """The end of a day: the regression, shrunk to the table's."""
        weight = np.minimum(self.power, MOST_WEIGHT * float(np.median(self.power)))
        table = float(typical(self.product / (self.power + 1e-6), weight)[0])
        worth = self.prior * float(self.power.mean())
        own = (self.product + worth * table) / (self.power + worth + 1e-6)
        self.gain = np.clip(own, *GAIN)
        fade = 0.5 ** (1.0 / DAYS)
        self.product *= fade
        self.power *= fade
