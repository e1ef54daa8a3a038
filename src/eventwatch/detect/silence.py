"""How rare it is that nothing came at all, by counting alone.

A tail that is fitted to daily maxima falls slower than counts do: of a type with twelve rows a day a day
of nothing has a chance of one in some thousands, and the fitted tail takes it for one in a hundred. The
zero class of the negative binomial, with the series' own spread and all that is not known of level and
season, is exact. What it says is believed where the series itself has been as silent on one day at most,
which may have been the outage before this one: a season that is not known yet, or bursts, show in its
record.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from eventwatch.detect.settings import SCORE_AT_TAIL_START, SCORE_PER_FOLD, TAIL_START

FloatArray = NDArray[np.float64]

FROM = -2.5
"""Normal score from which a silence is looked at."""
STRAYS = 1.5
"""A series whose windows stray by more than this, beside what its counts and spread make likely, is not
one that counting knows."""
RECORD_DAYS = 21
"""Days that must be known of a series."""
LATEST = 3
"""Newest days that are left out of the record: they may be the silence itself."""
LOOKS = 10.0
"""Looks that one window of a day stands for: windows of several lengths hold each other (two), and the
newest bucket is judged each cycle while it fills (five, as measured of hourly cycles)."""
LEAST_LOOKS = 2.5
"""Independent windows of a day that a bucket of a day stands for: it is looked at while it fills, as a
window of its length that slides."""


def record(raws: FloatArray, days: int) -> FloatArray:
    """[S] how far each series has been below what was expected on its second farthest day; ``raws``
    [D, S] are its daily maxima (NaN: not known) as a ring of which ``days`` were ever filled. Infinite:
    too little is known."""
    size = len(raws)
    newest = (days - 1 - np.arange(min(days, LATEST))) % size
    kept = np.delete(raws, newest, axis=0)
    known = np.isfinite(kept).sum(axis=0)
    second = np.partition(np.nan_to_num(kept), -2, axis=0)[-2]
    return np.asarray(np.where(known >= RECORD_DAYS, second, np.inf))


def score_of(z: FloatArray, looks: FloatArray) -> FloatArray:
    """Scores of silences whose exact normal score is ``z`` < 0, at so many independent looks a day."""
    chance = np.maximum(ndtr(z) * np.maximum(looks, LEAST_LOOKS) * LOOKS, 1e-300)
    return np.asarray(SCORE_AT_TAIL_START + SCORE_PER_FOLD * np.log(TAIL_START / chance))
