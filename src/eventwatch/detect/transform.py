"""Counts on a scale where one unit is one standard deviation, whatever their mean and spread.

``phi`` is the relative variance beyond Poisson: the variance of a count is m + phi m².
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, ndtr, ndtri

FloatArray = NDArray[np.float64]

USUAL_Z = 2.6
"""Half-width of the usual range: 99 of 100 quiet buckets lie inside."""
EXACT_BELOW = 60.0
EXACT_FROM = 2.2
"""Smaller counts that lie further off than this get their exact tail."""
WIDE = 1.0
"""The same where the variance beyond Poisson is more than the squared mean: nothing at all is then
a likely count, and the transformation knows no such thing."""
LARGEST = 2**50
SMALL_TAIL = 0.4
"""A tail so small is the smaller one of the two."""


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
    """Signed normal score of the negative binomial's own tail, for counts too small to transform.

    The two tails add up to 1 or more. So where the one on the side of the count is small, the other
    need not be computed, and that is nearly everywhere.
    """
    size = 1.0 / phi
    success = size / (size + expected)
    down = np.asarray(observed < expected)
    tail = betainc(
        np.where(down, size, observed),
        np.where(down, observed + 1.0, size),
        np.where(down, success, 1.0 - success),
    )
    near = (tail > SMALL_TAIL).nonzero()[0]
    if near.size:
        of = observed[near], size[near], success[near]
        low, high = _low(*of), _high(*of)
        down[near], tail[near] = low < high, np.minimum(low, high)
    z = ndtri(np.clip(tail, 1e-300, 0.5))
    return np.asarray(np.where(down, z, -z), dtype=np.float64)


def _low(observed: FloatArray, size: FloatArray, success: FloatArray) -> FloatArray:
    """P(count <= observed)."""
    return np.asarray(betainc(size, observed + 1.0, success), dtype=np.float64)


def _high(observed: FloatArray, size: FloatArray, success: FloatArray) -> FloatArray:
    """P(count >= observed)."""
    tail = betainc(np.maximum(observed, 1e-9), size, 1.0 - success)
    return np.asarray(np.where(observed > 0, tail, 1.0), dtype=np.float64)


def z_of(observed: FloatArray, expected: FloatArray, phi: FloatArray) -> FloatArray:
    """Signed normal score of counts [any shape]: transformed, or exact where that matters."""
    root = np.sqrt(phi)
    unit = 2.0 / root
    z: FloatArray = unit * np.arcsinh(root * np.sqrt(observed + 0.375))
    z -= unit * np.arcsinh(root * np.sqrt(expected + 0.375))
    off = np.abs(z) > EXACT_FROM
    small = (((expected < EXACT_BELOW) | (phi > WIDE)) & off).ravel().nonzero()[0]
    if small.size:
        alike = [
            each if each.shape == z.shape else np.broadcast_to(each, z.shape)
            for each in (observed, expected, phi)
        ]
        np.put(z, small, exact_z(*(each.take(small) for each in alike)))
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
