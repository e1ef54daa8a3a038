"""Wide bounds for a series that was born hours ago: its own few hours, in the rhythm of its table.

A series of less than some days has no season of its own. That of the table stands in, and how far the
seasons of the grown series lie from the table's says how far this one's may. What a launch does is not
known either, so only a fall counts here: a rise in the first days is what a launch is for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.transform import exact_range, z_of

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

HOURS = (1, 2, 4, 8, 24)
GROWN_AT_LEAST = 6
"""Grown series that make a table's rhythm."""
LEARNED_AT_LEAST = 6
"""Whole buckets of its own before the window, its first (which is a part of one) left out."""
ROWS_AT_LEAST = 30.0
LAUNCH = 0.5
"""Relative standard deviation that is granted to the level of what was just launched."""
LOUD = -4.0
"""z from which a fall is told."""
EXPECTED_AT_LEAST = 5.0
"""Rows of a grown series whose deviation says something of the table."""


@dataclass(frozen=True)
class Newborn:
    """What a young series has sent in the window that speaks loudest, against what is usual."""

    window: int
    """Buckets, ending with the newest one."""
    observed: float
    expected: float
    lower: float
    """Fewer rows than this are told."""
    upper: float
    spread: float
    """Relative variance beyond Poisson."""
    z: float

    @property
    def fails(self) -> bool:
        """Whether it fell out of its bounds."""
        return self.z <= LOUD


@dataclass(frozen=True)
class Table:
    """What the grown series of a table have done in the last buckets, all arrays [n, G] and causal."""

    counts: FloatArray
    expected: FloatArray
    season: FloatArray
    """Mean about 1; with the part of each bucket that can have arrived by now."""


def newborn(counts: FloatArray, table: Table, *, per_hour: float = 1.0) -> Newborn | None:
    """Judges the last bucket of one series.

    ``counts`` [n] of its buckets, NaN before its birth; ``table`` over the same n buckets,
    ``per_hour`` of which make an hour. None: too little is known.

    The count of a window is held against own rate × table's season × what the table does now, with
    relative variance  launch² + tau² + 1/rows + own scatter,  where tau² is the variance over grown
    series of the logarithm of (season of the window ÷ season before it).
    """
    born = np.flatnonzero(np.isfinite(counts))
    if not born.size or table.season.shape[1] < GROWN_AT_LEAST:
        return None
    first = int(born[0]) + 1
    middle = np.median(table.season, axis=1)
    found: Newborn | None = None
    for window in sorted({max(1, round(h * per_hour)) for h in HOURS}):
        start = len(counts) - window
        if start - first < max(LEARNED_AT_LEAST, window // 2):
            break
        one = _of_window(counts, table, middle, first=first, start=start)
        if one is not None and (found is None or one.z < found.z):
            found = one
    return found


def _of_window(
    counts: FloatArray,
    table: Table,
    middle: FloatArray,
    *,
    first: int,
    start: int,
) -> Newborn | None:
    before, inside = slice(first, start), slice(start, len(counts))
    known = np.isfinite(counts[before])
    rows = float(counts[before][known].sum())
    usual = float(middle[before][known].sum())
    if rows < ROWS_AT_LEAST or usual <= 0 or not np.isfinite(counts[inside]).all():
        return None
    rate = rows / usual
    theirs = np.maximum(table.season[inside], 1e-9).sum(axis=0)
    moved = min(_moved(table, inside), 1.0)
    expected = max(rate * float(middle[inside].sum()) * moved, 1e-6)
    ratio = np.log(theirs / np.maximum(table.season[before][known].sum(axis=0), 1e-9))
    unlike = _robust_variance(ratio)
    mean = rate * middle[before][known]
    error = np.minimum((counts[before][known] - mean) ** 2, 9.0 * (mean + mean**2))
    own = max(float((error - mean).sum()) / max(float((mean**2).sum()), 1e-9), 0.0)
    spread = LAUNCH**2 + math.expm1(min(unlike, 4.0)) + 1.0 / rows + own / (len(counts) - start)
    observed = float(counts[inside].sum())
    z = float(z_of(np.array([observed]), np.array([expected]), np.array([spread]))[0])
    lower, upper = exact_range(expected, spread, -LOUD)
    return Newborn(len(counts) - start, observed, expected, lower, upper, spread, z)


def _moved(table: Table, inside: slice) -> float:
    """What the grown series send now, as a part of what they should."""
    expected = table.expected[inside].sum(axis=0)
    enough = expected >= EXPECTED_AT_LEAST
    if int(enough.sum()) < GROWN_AT_LEAST:
        return 1.0
    return float(np.median(np.nansum(table.counts[inside], axis=0)[enough] / expected[enough]))


def _robust_variance(values: FloatArray) -> float:
    """From the half and from nine tenths of the absolute deviations, the larger: a few odd series do
    not move it, many of them do."""
    apart = np.abs(values - np.median(values))
    half, most = np.quantile(apart, (0.5, 0.9))
    return float(max(1.4826 * half, most / 1.645) ** 2)
