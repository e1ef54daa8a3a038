"""When a score is a failure: the one rule that the volume check judges by and that blind spots are
sought with, over as many series as there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

STAYS = 0.6
"""Part of the threshold down to which a failing count goes on failing."""


@dataclass(frozen=True)
class Bars:
    """What each of S series must reach to fail; arrays [S]."""

    score: FloatArray
    """Score to fail from."""
    silence: FloatArray
    """The same where nothing came in the window that spoke."""
    z: FloatArray
    """A plain |z| instead of both; NaN: none is set."""
    drops: BoolArray
    """Whether what is too low counts."""
    rises: BoolArray
    rows: FloatArray
    """Rows that a rise must bring at least."""

    def of(self, columns: NDArray[np.int64]) -> Bars:
        """The same for some of the series, in this order."""
        return Bars(
            self.score[columns],
            self.silence[columns],
            self.z[columns],
            self.drops[columns],
            self.rises[columns],
            self.rows[columns],
        )

    def spread(self, columns: Sequence[int], series: int) -> Bars:
        """Of ``series`` series, those in ``columns`` having these bars, and the others none they can
        reach."""
        wide = Bars(
            np.full(series, np.inf),
            np.full(series, np.inf),
            np.full(series, np.nan),
            np.zeros(series, dtype=np.bool_),
            np.zeros(series, dtype=np.bool_),
            np.zeros(series),
        )
        for name, value in vars(self).items():
            getattr(wide, name)[columns] = value
        return wide


def failing(
    bars: Bars, score: FloatArray, alarm: BoolArray, *, z: FloatArray, observed: FloatArray
) -> BoolArray:
    """[S] which series fail in the last row of ``score`` and ``alarm`` [T, S]; ``z`` and ``observed``
    [S] are that row's.

    At the threshold, or over it earlier in the same alarm and not well under it since: a count that
    hovers around the threshold is one incident, not ten.
    """
    limit = np.where(observed == 0, bars.silence, bars.score)
    last = score[-1]
    top = np.full(last.shape, -np.inf)
    # Whose last bucket is in no alarm is in none that began earlier.
    for s in np.flatnonzero(alarm[-1]):
        calm = np.flatnonzero(~alarm[:, s])
        top[s] = score[calm[-1] + 1 if calm.size else 0 :, s].max()
    over = (last >= limit) | ((top >= limit) & (last >= STAYS * limit))
    fails = np.where(np.isnan(bars.z), over, np.abs(z) >= bars.z)
    wanted = np.where(z < 0, bars.drops, (z > 0) & bars.rises & (observed >= bars.rows))
    return np.asarray(fails & wanted, dtype=np.bool_)
