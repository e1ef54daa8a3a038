"""Whether what comes during a long alarm is a level: something to get used to, and no outage."""

from __future__ import annotations

import numpy as np

from eventwatch.detect.panel import FloatArray
from eventwatch.detect.settings import Grain

DEEP = 0.2
"""Part of the usual counts under which a lasting alarm is an outage and no new level yet."""
STEADY = 2.0
"""Mean squared error around the would-be level, in units of what is usual, from which there is none."""
OUTLIER = 9.0
"""Most that one bucket adds to that mean."""


def is_level(x: FloatArray, usual: FloatArray, phi: float, grain: Grain) -> bool:
    """``x`` [n]: the newest counts; ``usual`` [n]: what the old level expected of them; ``phi``: the
    relative variance beyond Poisson of one bucket. Fine buckets must also lie steadily around it: what
    jumps about within an hour is no level, however long it lasts."""
    total, expected = float(x.sum()), float(usual.sum())
    if total <= DEEP * expected:
        return False
    if not grain.steady:
        return True
    mean = np.maximum(usual * total / max(expected, 1e-6), 0.3)
    error = (x - mean) ** 2 / (mean + phi * mean**2)
    return bool(np.minimum(error, OUTLIER).mean() < STEADY)
