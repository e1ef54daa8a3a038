"""How fast the level of a series may wander, so that its errors have no memory.

The innovations of a filter with the right gain are white (Mehra 1970): errors that go on in the same
direction say that the level follows too slowly, errors that alternate that it follows noise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

TREND = 0.9
HALF_LIFE = 10.0
PRIOR = 300.0
RATE = 5.0
FROM_DAYS = 4.0


class Wander:
    """Mutable while a pass runs; one per pass."""

    def __init__(self, series: int, limit: float) -> None:
        self.limit = limit
        self.drift = np.full(series, 0.5 * limit)
        """Standard deviation of the level's random walk over a day, relative."""
        self.trend = np.zeros(series)
        self.product, self.power = np.zeros(series), np.zeros(series)

    def learn(self, unit: FloatArray, learn: NDArray[np.bool_]) -> None:
        """One bucket's innovation [S] in its own standard deviations, 0 where nothing is learned."""
        self.product += unit * self.trend
        self.power += unit**2
        self.trend = np.where(learn, TREND * self.trend + unit, self.trend)

    def settle(self, age: FloatArray) -> None:
        """The end of a day; ``age`` [S] in days."""
        old = age > FROM_DAYS
        if old.any():
            memory = TREND / (1.0 - TREND)
            spread = self.power * memory
            table = float(np.median(self.product[old] / np.maximum(spread[old], 1e-18)))
            own = (self.product + PRIOR * table * memory) / (spread + PRIOR * memory)
            change = np.exp(np.clip(RATE * own, -0.25, 0.25))
            drift = np.clip(self.drift * change, self.limit / 8.0, self.limit * 1.25)
            self.drift = np.where(old, drift, self.drift)
        fade = 0.5 ** (1.0 / HALF_LIFE)
        self.product *= fade
        self.power *= fade
