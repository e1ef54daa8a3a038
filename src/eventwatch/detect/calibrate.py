"""What a large score means for each series: its own record says how often it comes by itself.

Two steps. Each window and direction is scaled so that its largest |z| of a quiet day is what a
normal variable's would be; then the tail beyond most days' maxima is fitted, so that equal scores
stand for equally rare days in every series.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from eventwatch.detect.settings import (
    SCORE_AT_TAIL_START,
    SCORE_PER_FOLD,
    TAIL_START,
    Grain,
)

FloatArray = NDArray[np.float64]

SCALE_DAYS = 28
SCALE_PRIOR = 12.0
"""Days that "as a normal variable" is worth: the largest of a few weeks is a noisy thing."""
TAIL_DAYS = 60
STARTS = (SCORE_AT_TAIL_START, 5.0)
FEW_DAYS = 5
EXCESS_CAP = 4.0
"""One incident must not deafen a series for two months."""
HABIT_DAYS = 4
"""What has come on so many days of them is no incident but what the series is like, however far."""
TAIL_PRIOR_DAYS = 15.0
TAIL_PRIOR_MEAN = 0.5
TABLE_TAIL = 30.0
MOST_TAIL = 30.0
TAIL_MEANS = (0.38, 0.6)
"""A normal variable's largest of a day exceeds its 90 % quantile by a third on average."""


class Calibration:
    """Mutable while a pass runs; one per pass."""

    def __init__(self, series: int, grain: Grain) -> None:
        windows = np.array(grain.windows, dtype=np.float64)
        self.scale = np.ones((2, len(windows), series))
        self.start = np.full((2, series), SCORE_AT_TAIL_START)
        self.mean = np.full((2, series), TAIL_PRIOR_MEAN)
        self.looks = 1.0 + 1.5 * (grain.per_day - 1) / windows
        """[W] independent windows of a day."""
        self.median = np.maximum(ndtri(0.5 ** (1.0 / self.looks)), 0.6)[None, :, None]
        self.high = np.maximum(ndtri(0.9 ** (1.0 / self.looks)), 1.2)[None, :, None]
        self.largest = np.full((SCALE_DAYS, 2, len(windows), series), np.nan)
        self.raws = np.full((TAIL_DAYS, 2, series), np.nan)
        self.days = 0
        self.per_day = grain.per_day

    def apply(self, z: FloatArray) -> FloatArray:
        """z [W, S] in the units of a normal variable."""
        return np.asarray(z / np.where(z > 0, self.scale[0], self.scale[1]))

    def tail(self, raw: FloatArray) -> FloatArray:
        """Scores [2, S] of the largest calibrated |z| upwards and downwards [2, S]. A series that
        bursts upwards now and then is still heard at once when it falls."""
        over = SCORE_AT_TAIL_START + SCORE_PER_FOLD * (raw - self.start) / self.mean
        return np.asarray(np.where(raw > self.start, over, SCORE_AT_TAIL_START * raw / self.start))

    def learn(
        self, zs: FloatArray, raws: FloatArray, told: NDArray[np.bool_], quiet: NDArray[np.int64]
    ) -> None:
        """One day: z [n, W, S] and largest calibrated |z| [n, 2, S] (both 0 where not judged), which
        buckets are no news because their alarm is old [n, S], quiet buckets [S].

        The onset of an alarm counts: a series that is in alarm every week is like that.
        """
        enough = quiet >= max(1, self.per_day // 2)
        day = self.days % SCALE_DAYS
        highest, lowest, largest = zs.max(axis=0), zs.min(axis=0), raws.max(axis=0)
        some = np.flatnonzero(told.any(axis=0))
        if some.size:
            silent = told[:, None, some]
            left = np.where(silent, 0.0, zs[:, :, some])
            highest[:, some], lowest[:, some] = left.max(axis=0), left.min(axis=0)
            largest[:, some] = np.where(silent, 0.0, raws[:, :, some]).max(axis=0)
        self.largest[day, 0] = np.where(enough, np.maximum(highest, 0.0), np.nan)
        self.largest[day, 1] = np.where(enough, np.maximum(-lowest, 0.0), np.nan)
        self.raws[self.days % TAIL_DAYS] = np.where(enough, largest, np.nan)
        self.days += 1
        if self.days < FEW_DAYS:
            return
        middle, high, known = _quantiles(self.largest[: min(self.days, SCALE_DAYS)], (0.5, 0.9))
        scale = np.maximum(middle / self.median, high / self.high)
        trust = known / (known + SCALE_PRIOR)
        self.scale = np.where(
            known >= FEW_DAYS, np.clip(trust * scale + (1 - trust), 0.9, 4.0), self.scale
        )
        self._fit_tail()

    def _fit_tail(self) -> None:
        raws = self.raws[: min(self.days, TAIL_DAYS)]
        start, _, known = _quantiles(raws, (1.0 - TAIL_START / 2.0, 0.5))
        start = np.where(known >= FEW_DAYS, np.clip(start, *STARTS), SCORE_AT_TAIL_START)
        over = np.nan_to_num(raws - start)
        cap = np.full_like(start, EXCESS_CAP)
        if len(over) >= HABIT_DAYS:
            cap = np.maximum(np.partition(over, -HABIT_DAYS, axis=0)[-HABIT_DAYS], cap)
        excess = np.where(raws > start, np.minimum(over, cap), 0.0)
        count = (raws > start).sum(axis=0)
        total = np.nansum(excess, axis=0)
        # What a tail is worth follows the table's: most series have too few far days of their own.
        # Bounded, so that a few wild series do not speak for all.
        capped = np.minimum(total, 1.0 * count).sum(axis=1)
        table = (capped + TABLE_TAIL * TAIL_PRIOR_MEAN) / (count.sum(axis=1) + TABLE_TAIL)
        prior = np.clip(table, *TAIL_MEANS)[:, None]
        mean = (total + TAIL_PRIOR_DAYS * prior) / (count + TAIL_PRIOR_DAYS)
        self.start, self.mean = start, np.clip(mean, TAIL_MEANS[0], MOST_TAIL)


def _quantiles(
    values: FloatArray, at: tuple[float, float]
) -> tuple[FloatArray, FloatArray, NDArray[np.int64]]:
    """Two quantiles over axis 0 and how many are known; NaN are left out (and sort last)."""
    ordered = np.sort(values, axis=0)
    known = np.isfinite(ordered).sum(axis=0)

    def one(q: float) -> FloatArray:
        place = np.clip(np.ceil(q * known).astype(np.int64) - 1, 0, ordered.shape[0] - 1)
        value: FloatArray = np.take_along_axis(ordered, place[None], axis=0)[0]
        return np.where(known > 0, value, 0.0)

    return one(at[0]), one(at[1]), known
