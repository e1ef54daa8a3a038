"""Sums of cells as the history makes them of old days: hours for five minutes, one load a day.

The arrays here hold one loaded day. A replay needs a day both ways: fine while it is young, in hours
once it is older than two days.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventwatch.model.measurement import FINE_SPAN, HOUR, Cells

OLD = int(FINE_SPAN.total_seconds())


def coarse_when_old(cells: Cells) -> Cells:
    """What was already old when it was loaded, in hours of occurrence: a scan reads it so."""
    old = cells.occurred < cells.loaded - OLD
    if not old.any() or not (cells.occurred[old] % HOUR).any():
        return cells
    occurred = np.where(old, cells.occurred // HOUR * HOUR, cells.occurred)
    return _summed(cells, occurred, cells.loaded)


def hourly(cells: Cells) -> Cells:
    """Buckets of an hour, both ways."""
    if not ((cells.occurred % HOUR).any() or (cells.loaded % HOUR).any()):
        return cells
    return _summed(cells, cells.occurred // HOUR * HOUR, cells.loaded // HOUR * HOUR)


def merged(cells: Cells) -> Cells:
    """One cell per series and occurred bucket; loaded is the latest of them."""
    return _summed(cells, cells.occurred, None)


def by_arrival(cells: Cells) -> Cells:
    """Sorted by the last load of each cell, so that what had come by an instant is a prefix."""
    return take(cells, np.argsort(cells.last_loaded, kind="stable"))


def take(cells: Cells, order: NDArray[Any]) -> Cells:
    """The cells at these places."""
    return cells.where(order)


def _summed(cells: Cells, occurred: NDArray[np.int64], loaded: NDArray[np.int64] | None) -> Cells:
    if not len(cells.series):
        return cells
    keys = (occurred, cells.series) if loaded is None else (loaded, occurred, cells.series)
    order = np.lexsort(keys)
    new = np.zeros(len(order), dtype=np.bool_)
    new[0] = True
    for key in keys:
        ordered = key[order]
        new[1:] |= ordered[1:] != ordered[:-1]
    starts = np.flatnonzero(new)
    buckets = cells.loaded if loaded is None else loaded
    return Cells(
        cells.keys,
        cells.series[order][starts],
        occurred[order][starts],
        np.maximum.reduceat(buckets[order], starts),
        np.add.reduceat(cells.rows[order], starts),
        np.minimum.reduceat(cells.first_loaded[order], starts),
        np.maximum.reduceat(cells.last_loaded[order], starts),
    )
