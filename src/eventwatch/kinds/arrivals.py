"""When the rows of each event type arrived: hours of loading, never of occurring.

``counts`` holds one column per loaded hour, the running hour last, however far it has come. Hours
that nobody could measure are in ``measured`` and hold zeros that mean nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from eventwatch.model.durations import from_epoch
from eventwatch.model.measurement import FINE, HOUR, Cells
from eventwatch.model.result import Spark
from eventwatch.model.view import ExposureView

MOST_CELLS = 16_000_000
"""Largest matrix that is made: 3,000 event types × 220 days, 128 MB. Older hours fall away first."""
NEVER = np.iinfo(np.int64).min
DENSE = 0.25
"""Share of the last 48 hours with arrivals from which a picture by the hour says something."""

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Arrivals:
    """Arrivals of each event type, S of them, over H hours."""

    names: tuple[str | None, ...]
    """Event type of each row."""
    start: int
    """Start of the first hour, epoch seconds."""
    now: float
    """Epoch seconds."""
    counts: IntArray
    """[S, H]."""
    last: IntArray
    """[S] last load, epoch seconds; NEVER where there is none."""
    measured: NDArray[np.bool_]
    """[H] False where nobody could measure."""

    @property
    def hours(self) -> int:
        """H."""
        return int(self.counts.shape[1])

    @property
    def edges(self) -> FloatArray:
        """[H+1] epoch seconds of where hours begin and end."""
        return self.start + HOUR * np.arange(self.hours + 1, dtype=np.float64)

    def spark(self, series: int) -> Spark | None:
        """The last 48 hours by the hour, or the last 14 days by the day where that is emptier."""
        return spark_of(self.counts[series], self.start)


def arrivals_of(view: ExposureView) -> Arrivals:
    """The arrivals of the look-back."""
    about = ("arrivals", view.now, view.measured_from, view.not_measured)
    found = view.rows.memo.get(about)
    if found is None:
        found = view.rows.memo[about] = _arrivals_of(view)
    arrivals: Arrivals = found
    return arrivals


def _arrivals_of(view: ExposureView) -> Arrivals:
    cells = view.rows
    now = view.now.timestamp()
    end = int(now) // HOUR + 1
    size = len(cells.keys)
    start = int(view.measured_from.timestamp()) // HOUR
    start = max(min(start, end - 1), end - max(MOST_CELLS // max(size, 1), 48))
    hours = end - start
    # What lies outside falls into a column before and one behind.
    flat = cells.loaded_hour - (start - 1)
    np.clip(flat, 0, hours + 1, out=flat)
    flat += (np.arange(size, dtype=np.int64) * (hours + 2))[cells.series]
    counts = np.bincount(flat, weights=cells.rows, minlength=size * (hours + 2))
    counts = counts.reshape(size, hours + 2)[:, 1:-1]
    return Arrivals(
        names=tuple(key.event_type for key in cells.keys),
        start=start * HOUR,
        now=now,
        counts=counts.astype(np.int64),
        last=cells.most(cells.last_loaded, NEVER),
        measured=_measured(view, start * HOUR, hours),
    )


def _measured(view: ExposureView, start: int, hours: int) -> NDArray[np.bool_]:
    known = np.ones(hours, dtype=np.bool_)
    for begin, end in view.not_measured:
        first = int(np.floor((begin.timestamp() - start) / HOUR))
        stop = int(np.ceil((end.timestamp() - start) / HOUR))
        known[max(first, 0) : max(stop, 0)] = False
    return known


def spark_of(counts: NDArray[np.int64], start: int) -> Spark | None:
    """A picture of hourly counts that end with the running hour; None without counts."""
    if not counts.any():
        return None
    recent = counts[-48:]
    if len(counts) <= 48 or (recent > 0).mean() >= DENSE:
        begin = start + HOUR * (len(counts) - len(recent))
        return Spark(from_epoch(begin), timedelta(hours=1), tuple(float(v) for v in recent))
    width = min(len(counts) // 24, 14)
    days = counts[len(counts) - width * 24 :].reshape(width, 24).sum(axis=1)
    begin = start + HOUR * (len(counts) - width * 24)
    return Spark(from_epoch(begin), timedelta(days=1), tuple(float(v) for v in days))


def pauses(cells: Cells, series: int | None, since: int) -> tuple[FloatArray, FloatArray]:
    """Begin and end (epoch seconds) of every pause between loads of one series, or (None) of all taken
    together.

    Loads within one bucket are taken for one: a pause inside a bucket is not seen.
    """
    loaded, first, last = cells.loaded, cells.first_loaded, cells.last_loaded
    if series is not None:
        mine = cells.places(series)
        loaded, first, last = loaded[mine], first[mine], last[mine]
    if len(loaded) and int(loaded.min()) < since:
        late = loaded >= since
        loaded, first, last = loaded[late], first[late], last[late]
    if not len(loaded):
        return np.empty(0), np.empty(0)
    bucket = loaded // FINE
    base = int(bucket.min())
    width = int(bucket.max()) - base + 1
    begins = np.full(width, np.iinfo(np.int64).max)
    ends = np.full(width, NEVER)
    np.minimum.at(begins, bucket - base, first)
    np.maximum.at(ends, bucket - base, last)
    used = ends > NEVER
    begins, ends = begins[used], ends[used]
    # A coarse bucket reaches over fine ones: a pause starts after everything loaded so far.
    ends = np.maximum.accumulate(ends)
    return ends[:-1].astype(np.float64), begins[1:].astype(np.float64)
