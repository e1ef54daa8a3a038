"""The trace of one event type's counts: what was seen, what was usual, where it is bad."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.panel import Scored
from eventwatch.detect.transform import USUAL_Z, stabilise, unstabilise
from eventwatch.kinds.volume_panel import DAY, VolumePanel
from eventwatch.model.durations import from_epoch
from eventwatch.model.trace import Mark, Stretch, Trace, Values

FloatArray = NDArray[np.float64]

DAYS = 7.0
"""So much is shown where buckets are less than a day: each hour beside the same one a week ago."""
CLOSE = 3.0
"""The same while what is bad is so short that it would be a hair there."""
SHORT = timedelta(hours=8)
BY_DAY = 28.0
LONGEST = 120.0
LEAST_BUCKETS = 24


def trace_of(
    panel: VolumePanel,
    scored: Scored,
    column: int,
    *,
    zone: str,
    sentence: str = "",
    since: datetime | None = None,
    days: float | None = None,
    scale: FloatArray | None = None,
    marks: tuple[Mark, ...] = (),
) -> Trace:
    """The last days of one event type.

    ``since``: from then on it is bad; None: it is not. ``scale`` [T, 2] is by how much the series' own
    calibration widens its range upwards and downwards; None: it does not. ``days``: how much is shown;
    None: what fits. The panel must have a bucket.
    """
    grid = panel.grid
    wanted = _days(panel, since) if days is None else min(days, LONGEST)
    born = int(np.isfinite(panel.counts[:, column]).argmax())
    # Weeks before it came would leave a hair of what there is.
    first = max(0, grid.size - round(wanted * DAY / grid.step), born)
    first = max(0, min(first, grid.size - LEAST_BUCKETS))
    rows = slice(first, grid.size)
    expected, lower, upper = usual_range(panel, scored, column, rows, scale)
    start, end = from_epoch(grid.edges[first]), from_epoch(min(panel.at, int(grid.edges[-1])))
    name = panel.names[column]
    bad = () if since is None or since >= end else (Stretch(max(since, start), end),)
    return Trace(
        title="" if name is None else name,
        sentence=sentence,
        start_at=start,
        step=timedelta(seconds=grid.step),
        zone=zone,
        observed=_values(panel.counts[rows, column]),
        expected=_values(expected),
        lower=_values(lower),
        upper=_values(upper),
        bad=bad,
        common=_values(scored.common[rows]),
        marks=tuple(mark for mark in marks if start <= mark.at <= end),
        open_until=end if panel.at < grid.edges[-1] else None,
        shown_until=from_epoch(panel.now) if panel.late else None,
    )


def _days(panel: VolumePanel, since: datetime | None) -> float:
    if panel.grid.step >= DAY:
        return BY_DAY
    return CLOSE if since is not None and from_epoch(panel.at) - since < SHORT else DAYS


def usual_range(
    panel: VolumePanel, scored: Scored, column: int, rows: slice, scale: FloatArray | None = None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Expected counts of single buckets and the range that 99 of 100 quiet ones lie in, each of the
    length of ``rows``; NaN where nothing is known."""
    expected = scored.one_expected[rows, column]
    spread = scored.one_spread[rows, column]
    # What went on from a kept state does not remember how wide very old buckets strayed.
    remembered = spread[spread > 0]
    if remembered.size:
        spread = np.where(spread > 0, spread, np.median(remembered))
    # Of its very first bucket nothing was expected.
    born = int(np.isfinite(panel.counts[:, column]).argmax())
    known = (expected > 0) & (np.arange(rows.start, rows.stop) > born)
    wide = np.ones((len(spread), 2)) if scale is None else np.maximum(scale[rows], 1.0)
    phi = np.maximum(spread, 1e-6)
    middle = stabilise(np.where(known, expected, 0.0), phi)
    lower = unstabilise(middle - USUAL_Z * wide[:, 1], phi)
    upper = unstabilise(middle + USUAL_Z * wide[:, 0], phi)
    return (
        np.where(known, expected, np.nan),
        np.where(known, lower, np.nan),
        np.where(known, upper, np.nan),
    )


def _values(array: FloatArray) -> Values:
    return tuple(float(v) if np.isfinite(v) else None for v in array)
