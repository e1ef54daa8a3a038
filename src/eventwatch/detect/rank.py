"""Which bucket of an alarm is the worst.

What decides is the loudest window, and a long one stays loud for as long as it holds the bad hours. So
among buckets that are in alarm anyway, those that are themselves far off rank higher. Nothing crosses the
threshold by it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.transform import z_of

FloatArray = NDArray[np.float64]

PLAIN = 3.0
"""A bucket less far off, in normal scores, adds nothing."""
STEP = 0.3
"""Part of the score that is added where the bucket is e times as far off."""


def ranked(
    score: FloatArray,
    counts: FloatArray,
    expected: FloatArray,
    phi: FloatArray,
    threshold: float,
) -> FloatArray:
    """Scores [any shape] of which those from ``threshold`` on also say how far the single bucket lies
    from what was expected of it; ``phi`` is the relative variance beyond Poisson."""
    result = np.array(score)
    over = (score >= threshold) & np.isfinite(counts) & np.isfinite(expected)
    off = np.abs(
        z_of(
            np.maximum(counts[over], 0.0),
            np.maximum(expected[over], 1e-9),
            np.maximum(phi[over], 1e-9),
        )
    )
    result[over] *= 1.0 + STEP * np.log(np.maximum(off / PLAIN, 1.0))
    return result
