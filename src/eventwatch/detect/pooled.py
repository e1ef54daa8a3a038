"""What is typical of a table: a quantile that a few wild series do not move.

A mean over series is ruled by the wildest of them. One batch job, or some event types that come in
bursts, would make every calm series beside them look as if it could do anything.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def typical(values: FloatArray, weight: FloatArray, at: float = 0.5) -> FloatArray:
    """Weighted quantile over the last axis, which is kept with length 1; of values [..., S] and
    weights ≥ 0 of the same shape. 0 where nothing has weight."""
    order = np.argsort(values, axis=-1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=-1)
    summed = np.cumsum(np.take_along_axis(weight, order, axis=-1), axis=-1)
    total = summed[..., -1:]
    place = (summed < at * total).sum(axis=-1, keepdims=True)
    found = np.take_along_axis(ordered, np.minimum(place, values.shape[-1] - 1), axis=-1)
    return np.asarray(np.where(total > 0, found, 0.0), dtype=np.float64)
