"""How far counts stray beyond Poisson, for each series and length of window.

``phi`` is the relative variance beyond Poisson, from squared errors of past windows, each worth what
it can tell (much where counts are large, little where Poisson noise drowns it), shrunk to the
table's. Sparse clustered series get a second estimate that small counts cannot bias downwards.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.season import Clock, pick, scatter
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
PRIOR = 1.5
TABLE_PRIOR = 0.3
HOUR_PRIOR = 8.0
HOUR_HALF_LIFE = 28.0
ROUGHNESS = (0.6**2, 2.5**2)
ERROR_CAP = 2.8
"""Errors count up to so many standard deviations: an incident must not widen what is usual."""
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

    def phi_of(self, roughness: FloatArray) -> FloatArray:
        """[W, S] of windows whose hours are so much rougher than the average one [W, S]."""
        return np.asarray(np.maximum(self.usual * roughness, self.sparse), dtype=np.float64)

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
        wide: FloatArray,
    ) -> None:
        """One day of windows: count minus expected and expected [n, W, S], NaN errors where nothing
        was judged; ``told`` [n, S] is where something is to be learned. ``wide`` [2, n, W, S] is how
        rough their hours are, and the relative variance for what is not known."""
        valid = np.isfinite(error) & told[:, None, :]
        phi = np.maximum(self.usual * wide[0], self.sparse)
        inverse = 1.0 / np.maximum(expected, 0.05)
        relative = np.where(valid, error, 0.0) * inverse
        bound = ERROR_CAP**2 * (inverse + phi + wide[1])
        excess = CAPPED_AWAY * np.minimum(relative**2, bound) - inverse
        length = np.maximum(self.length / 2.0, 1.0)
        info = np.where(valid, (phi / (phi + inverse)) ** 2 + 1e-4, 0.0) / length
        self._learn_hours(info[:, 0], excess[:, 0] / self.usual[0], clock)
        excess = excess / wide[0]
        fade = 0.5 ** (1.0 / HALF_LIFE)
        self.sum = fade * self.sum + (info * excess).sum(axis=0) / self.per_day
        self.weight = fade * self.weight + info.sum(axis=0) / self.per_day
        table = np.maximum(self.sum.sum(axis=1, keepdims=True) + TABLE_PRIOR * START, 0.0) / (
            self.weight.sum(axis=1, keepdims=True) + TABLE_PRIOR
        )
        prior = PRIOR / np.sqrt(self.length)
        usual = (self.sum + prior * table) / (self.weight + prior)
        self.usual = np.clip(usual, FLOOR, CEILING)
        self._learn_sparse(np.where(valid, error, 0.0), expected, phi, valid, length)

    def _learn_hours(self, info: FloatArray, excess: FloatArray, clock: Clock) -> None:
        """What single buckets [n, S] say of their hour, in units of the series' own spread."""
        fade = 0.5 ** (1.0 / HOUR_HALF_LIFE)
        self.hour_sum *= fade
        self.hour_weight *= fade
        per_hour = max(1, self.per_day // 24)
        scatter(self.hour_sum, _hour(clock), info * excess / per_hour)
        scatter(self.hour_weight, _hour(clock), info / per_hour)

    def _learn_sparse(
        self,
        error: FloatArray,
        expected: FloatArray,
        phi: FloatArray,
        valid: BoolArray,
        length: FloatArray,
    ) -> None:
        """Ratio of sums instead of a mean of ratios: sum(error² - m) / sum(m²)."""
        sparse = valid & (expected < SPARSE_BELOW)
        fade = 0.5 ** (1.0 / SPARSE_HALF_LIFE)
        cap = 36.0 * (expected + phi * expected**2) + 4.0
        gain = np.where(sparse, np.minimum(error**2, cap) - expected, 0.0).sum(axis=0)
        weight = np.where(sparse, expected**2, 0.0).sum(axis=0)
        self.sparse_sum = fade * self.sparse_sum + gain / length
        self.sparse_weight = fade * self.sparse_weight + weight / length
        self.sparse = np.clip(self.sparse_sum / (self.sparse_weight + SPARSE_PRIOR), 0.0, CEILING)


def _hour(clock: Clock) -> NDArray[np.int64]:
    """Hours of buckets; the slot itself where buckets are longer than that."""
    return clock.slot * 24 // clock.slots_per_day if clock.slots_per_day >= 24 else clock.slot
