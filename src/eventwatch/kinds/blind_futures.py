"""Futures in which the rate of an event type changes at some moment: what would come, how much of it
would have arrived when it is looked at, all drawn from what the detector itself believes.

The counts of one future are nested: what comes at half the rate is part of what comes at the whole
one. So of two changes the larger one is the larger one in every single future, not on average only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

DROPS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
"""Sizes of drops that are tried, as the part that is missing."""
RISES = (1.1, 1.2, 1.3, 1.4, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0, 10.0)
"""Sizes of rises that are tried, as factors."""
FACTORS = (*sorted(round(1.0 - d, 3) for d in DROPS), 1.0, *RISES)
"""All of them as factors on the rate, ascending."""
UNCHANGED = FACTORS.index(1.0)
COMPLETE = 0.99


@dataclass(frozen=True)
class Timing:
    """When a change begins, and what of each bucket from then on can be seen at the last look.

    Arrays [F]; the first bucket is the one in which the change begins.
    """

    begins: float
    """Part of the first bucket that was as usual, [0, 1)."""
    share: FloatArray
    """Part of the bucket's rows that has arrived."""
    touched: FloatArray
    """The same of what comes after the change began; at most ``share``."""
    looks: FloatArray
    """Seconds since the change began: the end of each bucket, last the last look."""

    @property
    def doubt(self) -> FloatArray:
        """Relative variance of ``share``, as the volume check doubts it."""
        late = 1.0 - np.minimum(self.share, 1.0)
        return np.asarray((0.15 * late) ** 2 / np.maximum(self.share, 0.02), dtype=np.float64)


def timing(begins: float, within: float, step: int, fine: FloatArray, fine_step: int) -> Timing:
    """The last look is ``within`` seconds after the beginning. ``fine`` is the part of a fine bucket
    (``fine_step`` seconds) that has arrived by its age."""
    end = begins + within / step
    buckets = max(int(np.ceil(end - 1e-9)), 1)
    slots = step // fine_step
    at = np.arange(buckets * slots)
    age = end * slots - at
    young = 0.5 * np.clip(age, 0.0, 1.0) * fine[0]
    arrived = np.where(age >= 1.0, np.interp(age - 1.0, np.arange(len(fine)), fine), young)
    after = np.clip(at + 1.0 - begins * slots, 0.0, 1.0)
    share = arrived.reshape(buckets, slots).mean(axis=1)
    touched = (arrived * after).reshape(buckets, slots).mean(axis=1)
    whole = share >= COMPLETE
    touched = np.where(whole, touched / np.maximum(share, 1e-9), touched)
    looks: FloatArray = np.asarray((np.arange(buckets) + 1.0 - begins) * step, dtype=np.float64)
    looks[-1] = within
    share = np.where(whole, 1.0, np.clip(share, 1e-4, 1.0))
    return Timing(begins, share, np.minimum(touched, share), looks)


@dataclass(frozen=True)
class Rates:
    """What one future holds for S series: the rows to be expected in each full bucket [F, S], once it
    is known how that day and those hours stray."""

    mean: FloatArray

    def usual(self, rng: np.random.Generator) -> FloatArray:
        """Counts [F, S] of full buckets in which nothing changes."""
        return np.asarray(rng.poisson(self.mean), dtype=np.float64)

    def changed(self, rng: np.random.Generator, first: int, when: Timing) -> FloatArray:
        """Counts [len(FACTORS), F, S] of what has arrived, from bucket ``first`` on."""
        mean = self.mean[first : first + len(when.share)]
        before = rng.poisson(mean * (when.share - when.touched)[:, None])
        steps = np.diff(np.array(FACTORS), prepend=0.0)
        more = rng.poisson(steps[:, None, None] * (mean * when.touched[:, None])[None])
        return np.asarray(before[None] + np.cumsum(more, axis=0), dtype=np.float64)


def rates(
    rng: np.random.Generator,
    expected: FloatArray,
    alone: FloatArray,
    together: FloatArray,
) -> Rates:
    """Draws how each bucket strays by itself (relative variance ``alone`` [F, S]) and all of them
    together (``together`` [S])."""
    return Rates(expected * _gamma(rng, together)[None, :] * _gamma(rng, alone))


def _gamma(rng: np.random.Generator, variance: FloatArray) -> FloatArray:
    """Draws of mean 1."""
    shape = 1.0 / np.maximum(variance, 1e-9)
    return np.asarray(rng.standard_gamma(shape) / shape, dtype=np.float64)
