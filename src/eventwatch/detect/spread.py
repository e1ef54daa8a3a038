"""How far counts stray beyond Poisson, for each series and length of window.

``phi`` is the relative variance beyond Poisson, from squared errors of past windows, each worth what
it can tell (much where counts are large, little where Poisson noise drowns it), shrunk to the
table's. Sparse clustered series get a second estimate that small counts cannot bias downwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.clock import Clock, pick, scatter
from eventwatch.detect.pooled import typical
from eventwatch.detect.settings import Grain

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

START = 0.02
FLOOR = 1e-4
CEILING = 50.0
HALF_LIFE = 10.0
SPARSE_HALF_LIFE = 20.0
SPARSE_BELOW = 30.0
SPARSE_PRIOR = 2.0
FEW = 2.0 * SPARSE_BELOW
"""Expected rows up to which the estimate of sparse windows holds; twice as many end it."""
PRIOR = 1.5
TABLE_PRIOR = 0.3
USUAL_PART, USUAL_LEAST, MOST_TIMES = 0.65, 0.03, 4.0
"""A series counts for what it strays, up to four times what two thirds of the series do (or 0.03)."""
HOUR_PRIOR = 8.0
HOUR_HALF_LIFE = 28.0
ROUGHNESS = (0.6**2, 2.5**2)
ERROR_CAP = 2.8
"""Errors count up to so many standard deviations: an incident must not widen what is usual."""
AT_ONCE = 30_000
"""Numbers worked on at once: what does not fit the processor's cache is slow."""
CAPPED_AWAY = 1.06
"""What that cap takes from the variance of a normal variable, given back."""


class Spread:
    """Mutable while a pass runs; one per pass."""

    def __init__(self, series: int, grain: Grain) -> None:
        shape = (len(grain.windows), series)
        self.length = np.array(grain.windows, dtype=np.float64)[:, None]
        self.per_day = grain.per_day
        self.usual = np.full(shape, START)
        self.sum, self.weight = np.zeros(shape), np.zeros(shape)
        self.hour_sum, self.hour_weight = np.zeros((24, series)), np.zeros((24, series))
        self.sparse = np.zeros(shape)
        self.sparse_sum, self.sparse_weight = np.zeros(shape), np.zeros(shape)

    @property
    def phi(self) -> FloatArray:
        """[W, S]."""
        return np.asarray(np.maximum(self.usual, self.sparse), dtype=np.float64)

    def phi_of(self, expected: FloatArray) -> FloatArray:
        """[W, S] of windows of average hours in which so much is expected [W, S]."""
        return np.asarray(np.maximum(self.usual, self.sparse * _few(expected)), dtype=np.float64)

    def single(self, expected: FloatArray, columns: NDArray[np.int64] | None = None) -> FloatArray:
        """[n, S] of single buckets in which so much is expected [n, S], of all series or some."""
        usual, sparse = self.usual[0], self.sparse[0]
        if columns is not None:
            usual, sparse = usual[columns], sparse[columns]
        return np.asarray(usual + sparse * _few(expected), dtype=np.float64)

    def widen(self, phi: FloatArray, expected: FloatArray) -> None:
        """Makes ``phi`` [W, S], which knows of ``usual`` alone, what it is where so much is expected."""
        if self.sparse.any():
            np.maximum(phi, self.sparse * _few(expected), out=phi)

    def rough(self, clock: Clock) -> FloatArray:
        """[n, S] how much wider than on average counts stray at this hour of the day, squared."""
        hours = (self.hour_sum + HOUR_PRIOR) / (self.hour_weight + HOUR_PRIOR)
        found = pick(np.clip(hours, *ROUGHNESS), _hour(clock))
        return np.asarray(np.broadcast_to(found, (len(clock.slot), hours.shape[1])))

    def learn(
        self,
        error: FloatArray,
        expected: FloatArray,
        told: BoolArray,
        clock: Clock,
        wide: tuple[FloatArray, FloatArray],
    ) -> None:
        """One day of windows: count minus expected and expected [n, W, S], NaN errors where nothing
        was judged; ``told`` [n, S] is where something is to be learned. ``wide`` [n, W, S] is how
        rough their hours are, and the relative variance for what is not known."""
        for half_life, faded in (
            (HALF_LIFE, (self.sum, self.weight)),
            (HOUR_HALF_LIFE, (self.hour_sum, self.hour_weight)),
            (SPARSE_HALF_LIFE, (self.sparse_sum, self.sparse_weight)),
        ):
            for each in faded:
                np.multiply(each, 0.5 ** (1.0 / half_life), out=each)
        series = told.shape[1]
        width = max(AT_ONCE // max(error.size // max(series, 1), 1), 1)
        for first in range(0, series, width):
            part = slice(first, first + width)
            rough, unsure = (each[:, :, part] for each in wide)
            day = _Errors(error[:, :, part], expected[:, :, part], told[:, part], rough, unsure)
            self._learn_from(day, part, clock)
        table = self._of_table()
        prior = PRIOR / np.sqrt(self.length)
        usual = (self.sum + prior * table) / (self.weight + prior)
        self.usual = np.clip(usual, FLOOR, CEILING)
        self.sparse = np.clip(self.sparse_sum / (self.sparse_weight + SPARSE_PRIOR), 0.0, CEILING)

    def _of_table(self) -> FloatArray:
        """[W, 1] what a series strays on average, where none counts for more than some times what is
        usual: those that come in bursts must not widen all others."""
        own = np.maximum(self.sum, 0.0) / np.maximum(self.weight, 1e-9)
        # The variance of the logarithm of such an estimate.
        noise = 2.0 / np.maximum(self.weight * self.per_day, 1e-3)
        usual = np.maximum(typical(own, 1.0 / (0.5 + noise), USUAL_PART), USUAL_LEAST)
        capped = np.minimum(self.sum, MOST_TIMES * usual * self.weight).sum(axis=1, keepdims=True)
        weight = self.weight.sum(axis=1, keepdims=True) + TABLE_PRIOR
        return np.asarray(np.maximum(capped + TABLE_PRIOR * START, 0.0) / weight)

    def _learn_from(self, of: _Errors, part: slice, clock: Clock) -> None:
        """Adds a day of some series that lie side by side."""
        usual = self.usual[:, part]
        valid = np.isfinite(of.error) & of.told[:, None, :]
        error = np.where(valid, of.error, 0.0)
        phi = np.maximum(usual * of.rough, self.sparse[:, part])
        inverse = 1.0 / np.maximum(of.expected, 0.05)
        relative = error * inverse
        bound = ERROR_CAP**2 * (inverse + phi + of.unsure)
        excess = CAPPED_AWAY * np.minimum(relative**2, bound) - inverse
        length = np.maximum(self.length / 2.0, 1.0)
        info = np.where(valid, (phi / (phi + inverse)) ** 2 + 1e-4, 0.0) / length
        # What single buckets say of their hour, in units of the series' own spread.
        per_hour = max(1, self.per_day // 24)
        say = info[:, 0] * (excess[:, 0] / usual[0]) / per_hour
        hour = _hour(clock)
        hour = hour if hour.ndim == 1 else hour[:, part]
        scatter(self.hour_sum[:, part], hour, say)
        scatter(self.hour_weight[:, part], hour, info[:, 0] / per_hour)
        excess = excess / of.rough
        self.sum[:, part] += (info * excess).sum(axis=0) / self.per_day
        self.weight[:, part] += info.sum(axis=0) / self.per_day
        # Ratio of sums instead of a mean of ratios: sum(error² - m) / sum(m²).
        sparse = valid & (of.expected < SPARSE_BELOW)
        if sparse.any():
            square = of.expected**2
            cap = 36.0 * (of.expected + phi * square) + 4.0
            gain = np.where(sparse, np.minimum(error**2, cap) - of.expected, 0.0).sum(axis=0)
            self.sparse_sum[:, part] += gain / length
            self.sparse_weight[:, part] += np.where(sparse, square, 0.0).sum(axis=0) / length


@dataclass(frozen=True)
class _Errors:
    """Of a day of windows [n, W, S]."""

    error: FloatArray
    expected: FloatArray
    told: BoolArray
    """[n, S]."""
    rough: FloatArray
    unsure: FloatArray


def _few(expected: FloatArray) -> FloatArray:
    """What was learned where next to nothing is expected says nothing of full hours."""
    return np.asarray(np.minimum(np.maximum(2.0 - expected / FEW, 0.0), 1.0))


def _hour(clock: Clock) -> NDArray[np.int64]:
    """Hours of buckets; the slot itself where buckets are longer than that."""
    return clock.slot * 24 // clock.slots_per_day if clock.slots_per_day >= 24 else clock.slot
