"""How often large scores come, in the table and in each series: the last word of the calibration.

A fitted tail is right about the days it was fitted to. Where the far days of a whole table are farther
off than that, all its scores are drawn in; and a series that alerted a while ago must be surer to alert
again, so that one restless series does not make the channel one that nobody reads.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.settings import SCORE_AT_TAIL_START, SCORE_PER_FOLD

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

DAYS = 60.0
"""Half-life of what the table is known by."""
WORTH = 2.0
"""Far days that the prior is worth, in each series."""
USUAL = 0.47
"""How far beyond the start of its tail a far day lies on average in most series."""
MOST = 0.7
"""Part of the series that the table is known by: those that stray more do not speak for it."""
FURTHEST = 3.0
RARE = 0.05
"""Far days are at least so large a part: where hardly any is, those few are incidents."""
DRAWN = (0.8, 2.0)
FROM_DAYS = 10.0
AGAIN = 4.5
"""Score that counts as an episode of a series."""
AGAIN_DAYS = 10.0
"""Half-life of having had one."""
FREE = 0.7
EXPECTED = 0.5
"""Episodes that a quiet series has had, and how many more it takes to matter."""


class Habit:
    """Mutable while a pass runs; one per pass."""

    def __init__(self, series: int) -> None:
        self.largest = np.zeros(series)
        """Of the day so far, before it is drawn in."""
        self.far, self.count = np.zeros(series), np.zeros(series)
        self.drawn = 1.0
        self.episodes, self.before = np.zeros(series), np.zeros(series)
        self.above = np.zeros(series, dtype=bool)

    def score(self, score: FloatArray, fresh: BoolArray) -> FloatArray:
        """Scores [n, S] of buckets of one day, drawn in; ``fresh`` is where they are no old alarm's."""
        start = SCORE_AT_TAIL_START
        self.largest = np.maximum(self.largest, np.where(fresh, score, 0.0).max(axis=0))
        score = np.where(score > start, start + (score - start) / self.drawn, score)
        above = score > AGAIN
        self.episodes += above[0] & ~self.above
        self.episodes += (above[1:] & ~above[:-1]).sum(axis=0)
        self.above = above[-1]
        rarer = np.log((self.before + FREE) / (EXPECTED + FREE))
        return np.asarray(np.maximum(score - SCORE_PER_FOLD * rarer, 0.0))

    def settle(self, age: FloatArray) -> None:
        """The end of a day; ``age`` [S] in days."""
        known = age > FROM_DAYS
        over = np.minimum(self.largest - SCORE_AT_TAIL_START, FURTHEST)
        far = known & (over > 0)
        fade = 0.5 ** (1.0 / DAYS)
        self.far = self.far * fade + np.where(far, over, 0.0)
        self.count = self.count * fade + np.maximum(far, RARE * known)
        if known.any():
            mean = (self.far + USUAL * WORTH) / (self.count + WORTH)
            self.drawn = float(np.clip(np.quantile(mean[known], MOST) / USUAL, *DRAWN))
        self.largest = np.zeros_like(self.largest)
        self.before = self.episodes.copy()
        self.episodes = self.episodes * 0.5 ** (1.0 / AGAIN_DAYS)
