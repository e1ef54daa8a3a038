"""How often event types come, and which come so seldom that their counts say next to nothing.

A type that sleeps for weeks and brings seven rows on one day is far beyond any expectation, and no
incident to anybody. So of such a type no fall is told (freshness watches its silence), and a rise only
where it is large beside all that the type brought before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eventwatch.kinds.volume_panel import VolumePanel

DAY = 86400
RARE_PER_DAY = 12.0
"""Fewer rows a day than this: hours say nothing, days are judged."""
DAYS_OF_RATE = 28
LATELY = 3
"""Days before the newest that do not count in what is usual: they may be the incident itself."""
TOO_RARE_PER_WEEK = 4.0
"""Fewer rows a week than this: counts say next to nothing."""
DAYS_PER_WEEK = 1.0
"""On fewer days a week than this: the same."""
LEAST_ROWS, TIMES_LARGEST = 30.0, 3.0
"""A rise of such a type must bring so many rows, and so many times those of its largest day."""


def rates(panel: VolumePanel) -> NDArray[np.float64]:
    """[S] rows a day of each event type while it lived, over the last four weeks."""
    return _rates(panel, slice(None))


def rate(panel: VolumePanel, column: int) -> float:
    """The same of one event type."""
    return float(_rates(panel, slice(column, column + 1))[0])


def _rates(panel: VolumePanel, columns: slice) -> NDArray[np.float64]:
    buckets = max(1, DAYS_OF_RATE * DAY // panel.grid.step)
    recent = panel.counts[-buckets:, columns]
    days = np.isfinite(recent).sum(axis=0) * panel.grid.step / DAY
    return np.asarray(np.nansum(recent, axis=0) / np.maximum(days, 1.0), dtype=np.float64)


def least_of_rise(panel: VolumePanel, per_day: NDArray[np.float64]) -> NDArray[np.float64]:
    """[S] rows that a rise must bring to be told: 0 for an event type that is not too rare. ``per_day``
    is [S] from ``rates``."""
    found = np.zeros(len(per_day))
    columns = np.flatnonzero(per_day < RARE_PER_DAY)
    by_day = _days(panel.counts[:, columns], max(1, DAY // panel.grid.step))
    before = by_day[: max(len(by_day) - LATELY, 0)]
    usual = before[-DAYS_OF_RATE:]
    weeks = np.maximum(np.isfinite(usual).sum(axis=0) / 7.0, 1.0)
    rows, days = np.nansum(usual, axis=0) / weeks, (usual > 0).sum(axis=0) / weeks
    rare = (rows < TOO_RARE_PER_WEEK) | (days < DAYS_PER_WEEK)
    largest = np.nan_to_num(before).max(axis=0, initial=0.0)
    found[columns] = np.where(rare, np.maximum(LEAST_ROWS, TIMES_LARGEST * largest), 0.0)
    return found


def _days(counts: NDArray[np.float64], per_day: int) -> NDArray[np.float64]:
    """[days, S] rows of whole days that end with the newest bucket; NaN: not known."""
    whole = len(counts) // per_day
    of_day = counts[len(counts) - whole * per_day :].reshape(whole, per_day, counts.shape[1])
    known = np.isfinite(of_day).any(axis=1)
    return np.where(known, np.nansum(of_day, axis=1), np.nan)
