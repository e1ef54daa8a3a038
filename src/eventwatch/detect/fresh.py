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
    size = np.abs(z)
    loud = (size[1:] > BACK).ravel().nonzero()[0] + z.shape[1]
    if not loud.size:
        return z
    # All windows [W, n] of the series of each loud window; only shorter ones speak about it.
    window, column = np.divmod(loud, z.shape[1])
    seen, usual, wide, shorter = (a[:, column] for a in (observed, held, phi, z))
    at = (window, np.arange(len(window)))
    rate, sign = seen[at] / usual[at], np.where(shorter[at] < 0, -1.0, 1.0)
    scaled = usual * np.maximum(rate, 1.0)
    deviation = np.sqrt(scaled + wide * scaled**2)
    back = sign * (usual * rate - seen) / deviation
    back[np.arange(len(z))[:, None] >= window] = 0.0
    part = np.maximum(sign * shorter, 0.0)
    newest = np.where(back > BACK, part, np.inf).min(axis=0)
    quiet = z.copy()
    np.put(quiet, loud, sign * np.minimum(size[window, column], newest))
    return quiet


def without(sums: FloatArray, begin: int, usual: FloatArray) -> None:
    """Takes an alarm that is over out of the cumulated counts ``sums`` of one series, which end with the
    newest bucket: from bucket ``begin`` on they hold what was ``usual`` there, as far as that goes."""
    if not usual.size:
        return
    end = begin + len(usual)
    made = sums[begin] + usual.cumsum()
    sums[end + 1 :] += made[-1] - sums[end]
    sums[begin + 1 : end + 1] = made
