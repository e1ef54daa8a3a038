"""How event types that moved did by the values of the watched dimensions, from one cycle's cells."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from eventwatch.alerting.causes_evidence import Evidence, Moved
from eventwatch.alerting.causes_falls import began, falls, rises
from eventwatch.model.alert import Alert
from eventwatch.model.measurement import HOUR
from eventwatch.model.view import ExposureView

WEEKS = 4
WEEK = 7 * 24 * HOUR
LONGEST = timedelta(hours=24)
SHORTEST = timedelta(hours=1)
MOST_TYPES = 2_000
"""Event types looked at; where more moved, these show the cause as well."""


def evidence(view: ExposureView, alerts: Sequence[Alert]) -> Evidence:
    """Rows of each event type with an alert, by value: what came since most of them began to move, and
    what came in the same hours of earlier weeks (their median; weeks before a series began count as
    none of its own). Without alerts about event types: nothing is looked at."""
    about = sorted(
        {
            name
            for alert in alerts
            if (name := alert.result.event_type) is not None and (falls(alert) or rises(alert))
        }
    )[:MOST_TYPES]
    cells = view.cuts
    if not about or not len(cells.series):
        return Evidence()
    start, stop = _span(alerts, view.now)
    if stop <= start:
        return Evidence()
    wanted = set(about)
    mine = np.array([key.event_type in wanted for key in cells.keys], dtype=np.bool_)
    counts = np.zeros((WEEKS + 1, len(cells.keys)))
    first = cells.least(cells.occurred, stop)
    of_mine = mine[cells.series]
    for week in range(WEEKS + 1):
        low, high = start - week * WEEK, stop - week * WEEK
        inside = of_mine & (cells.occurred >= low) & (cells.occurred < high)
        counts[week] = np.bincount(
            cells.series[inside], weights=cells.rows[inside], minlength=len(cells.keys)
        )
    known = np.array([start - week * WEEK for week in range(1, WEEKS + 1)])[:, None] >= first
    past = np.where(known, counts[1:], np.nan)
    with np.errstate(all="ignore"):
        usual = np.zeros(len(cells.keys))
        some = known.any(axis=0)
        usual[some] = np.nanmedian(past[:, some], axis=0)
    moved: dict[tuple[str, str], dict[str, Moved]] = {}
    for place in np.flatnonzero(mine & ((counts[0] > 0) | (usual > 0))).tolist():
        key = cells.keys[place]
        assert key.event_type is not None
        table = moved.setdefault((key.event_type, key.dimension), {})
        table[key.value] = Moved(float(counts[0][place]), float(usual[place]))
    return Evidence(moved)


def _span(alerts: Sequence[Alert], now: datetime) -> tuple[int, int]:
    """Whole hours, [start, stop): from when most of the alerts began, a day back at most. The open hour
    belongs to it only where there would be nothing else."""
    stop = int(now.timestamp()) // HOUR * HOUR
    starts = sorted(began(a) for a in alerts if falls(a) or rises(a))
    middle = starts[len(starts) // 2] if starts else now
    middle = min(max(middle, now - LONGEST), now - SHORTEST)
    start = int(middle.timestamp()) // HOUR * HOUR
    # The hour in which it began is half as usual, and the next one shows it plainly.
    if stop - start > 2 * HOUR:
        start += HOUR
    return start, max(stop, start + HOUR)
