"""A long window whose newest part is as usual again speaks no louder than that part.

Without this, a day's window goes on alerting for a day after the trouble has ended, and begins new
episodes each time chance pushes it over a threshold again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

BACK = 2.0
"""Standard deviations by which a shorter window must lie on the usual side of a longer one's rate."""


def fresh(z: FloatArray, observed: FloatArray, held: FloatArray, phi: FloatArray) -> FloatArray:
    """z [W, S] of windows that end with the same bucket, shortest first, with observed and expected
    counts and their relative variance beyond Poisson, all [W, S]."""
    rate = observed / held
    sign = np.where(z < 0, -1.0, 1.0)
    size = np.abs(z)
    for k in range(1, len(z)):
        loud = np.flatnonzero(size[k] > BACK)
        if not loud.size:
            continue
        usual, wide = held[:k, loud], phi[:k, loud]
        scaled = usual * np.maximum(rate[k, loud], 1.0)
        deviation = np.sqrt(scaled + wide * scaled**2)
        back = sign[k, loud] * (usual * rate[k, loud] - observed[:k, loud]) / deviation
        part = np.maximum(sign[k, loud] * z[:k, loud], 0.0)
        newest = np.where(back > BACK, part, np.inf).min(axis=0)
        size[k, loud] = np.minimum(size[k, loud], newest)
    return np.asarray(sign * size)


def without(sums: FloatArray, begin: int, usual: FloatArray) -> None:
    """Takes an alarm that is over out of the cumulated counts ``sums`` of one series, which end with the
    newest bucket: from bucket ``begin`` on they hold what was ``usual`` there, as far as that goes."""
    if not usual.size:
        return
    end = begin + len(usual)
    made = sums[begin] + usual.cumsum()
    sums[end + 1 :] += made[-1] - sums[end]
    sums[begin + 1 : end + 1] = made
