"""What an event type has been like: how many rows a day, its emptiest day, its longest pause. Promises
that are proposed rest on these."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from eventwatch.kinds.volume_panel import grid_of
from eventwatch.model.measurement import HOUR
from eventwatch.model.view import ExposureView

DAY = 86400
DAYS = 28


@dataclass(frozen=True)
class Habit:
    """Of one event type."""

    per_day: float
    """Rows, over the last four weeks while it lived."""
    least_day: int | None
    """Rows of its emptiest whole day of these; None: there was no whole day."""
    longest_pause: timedelta | None
    """Between rows that arrived one after the other, over the look-back; None: fewer than two."""


def habits(view: ExposureView) -> dict[str, Habit]:
    """Of every event type that came in the look-back and has a name."""
    cells, now = view.rows, int(view.now.timestamp())
    start = int(view.measured_from.timestamp())
    days = grid_of(max(start, now - (DAYS + 1) * DAY), now, DAY, view.exposure.time_zone)
    place = days.place(cells.occurred)
    found: dict[str, Habit] = {}
    order = np.lexsort((cells.first_loaded, cells.series))
    edges = np.searchsorted(cells.series[order], np.arange(len(cells.keys) + 1))
    for series, key in enumerate(cells.keys):
        mine = order[edges[series] : edges[series + 1]]
        if key.event_type is None or not len(mine):
            continue
        born = int(cells.occurred[mine].min())
        seen = view.ledger.get(key)
        if seen is not None:
            born = min(born, int(seen.first_at.timestamp()))
        inside = (place[mine] >= 0) & (place[mine] < days.size)
        counts = np.bincount(
            place[mine][inside], weights=cells.rows[mine][inside], minlength=max(days.size, 1)
        )
        first = int(np.searchsorted(days.edges, max(born, start)))
        whole = counts[first : days.size - 1]
        since = max(born, start, now - DAYS * DAY) // HOUR * HOUR
        recent = cells.rows[mine][cells.occurred[mine] >= since].sum()
        found[key.event_type] = Habit(
            per_day=float(recent) / max((now - since) / DAY, 1.0 / 24),
            least_day=int(whole.min()) if len(whole) else None,
            longest_pause=_longest(cells.first_loaded[mine], cells.last_loaded[mine]),
        )
    return found


def _longest(
    first: np.ndarray[tuple[int], np.dtype[np.int64]],
    last: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> timedelta | None:
    """``first`` ascending."""
    if len(first) < 2:
        return None
    gaps = first[1:] - np.maximum.accumulate(last)[:-1]
    return timedelta(seconds=max(int(gaps.max()), 0))
