"""Counts on a scale where one unit is one standard deviation, whatever their mean and spread.

``phi`` is the relative variance beyond Poisson: the variance of a count is m + phi m².
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, ndtr, ndtri

FloatArray = NDArray[np.float64]

EXACT_BELOW = 60.0
EXACT_FROM = 2.2
LARGEST = 2**50
"""Smaller counts that lie further off than this get their exact tail."""


def stabilise(counts: FloatArray, phi: FloatArray) -> FloatArray:
    """Anscombe's transformation for the negative binomial: variance about 1 at every mean.

    Anscombe, "The transformation of Poisson, binomial and negative-binomial data", 1948.
    """
    root = np.sqrt(phi)
    return np.asarray(2.0 / root * np.arcsinh(root * np.sqrt(counts + 0.375)))


def unstabilise(values: FloatArray, phi: FloatArray) -> FloatArray:
    """Inverse of ``stabilise``; counts, not below 0."""
    root = np.sqrt(phi)
    return np.asarray(
        np.maximum(np.sinh(np.maximum(values, 0.0) * root / 2.0) ** 2 / phi - 0.375, 0)
    )


def exact_z(observed: FloatArray, expected: FloatArray, phi: FloatArray) -> FloatArray:
    """Signed normal score of the negative binomial's own tail, for counts too small to transform."""
    size = 1.0 / phi
    success = size / (size + expected)
    low = betainc(size, observed + 1.0, success)
    high = np.where(observed > 0, betainc(np.maximum(observed, 1e-9), size, 1.0 - success), 1.0)
    down = low < high
    tail = np.clip(np.minimum(low, high), 1e-300, 0.5)
    return np.asarray(np.where(down, ndtri(tail), -ndtri(tail)), dtype=np.float64)


def z_of(observed: FloatArray, expected: FloatArray, phi: FloatArray) -> FloatArray:
    """Signed normal score of counts [any shape]: transformed, or exact where that matters."""
    z = stabilise(observed, phi) - stabilise(expected, phi)
    small = (expected < EXACT_BELOW) & (np.abs(z) > EXACT_FROM)
    if small.any():
        z[small] = exact_z(observed[small], expected[small], phi[small])
    return z


def exact_range(expected: float, phi: float, half: float) -> tuple[float, float]:
    """Counts between which the negative binomial lies but for the two tails beyond ``half`` normal
    scores; for counts too small, or too scattered, to transform."""
    size = 1.0 / phi
    success = size / (size + expected)
    tail = float(ndtr(-half))

    def quantile(share: float) -> float:
        low, high = -1, 1
        while high < LARGEST and betainc(size, high + 1.0, success) < share:
            high *= 2
        while high - low > 1:
            middle = (low + high) // 2
            if betainc(size, middle + 1.0, success) < share:
                low = middle
            else:
                high = middle
        return float(high)

    return quantile(tail), quantile(1.0 - tail)
