"""From cells to a matrix of counts: which buckets there are, what nobody measured, and as of when.

What a reader would get wrong: counts are by the time rows *occurred*, so the newest buckets are short
of the rows that are still on their way; ``volume_share`` says how complete they can be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.calendar import local_seconds
from eventwatch.detect.rate import gap_p_value
from eventwatch.kinds.volume_counts import hourly_counts, last_rows, summed
from eventwatch.kinds.volume_hours import ever_so_silent
from eventwatch.kinds.volume_share import completeness
from eventwatch.model.durations import from_epoch
from eventwatch.model.measurement import FINE, HOUR, Cells
from eventwatch.model.view import ExposureView

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DAY = 24 * HOUR
GONE_DAYS = 14
"""Whole days without a row after which an event type that comes back is a new one."""
GONE_ROWS = 50.0
"""Rows that would have come in such a silence: less says nothing about a rare event type."""
LATE_P = 1e-3
LATE_AT_LEAST = 600
LATE_GAPS = 400
EMPTY_BELOW = 20.0
"""A table that usually has so many rows in a bucket and has none was not loaded, not quiet."""


@dataclass(frozen=True)
class Grid:
    """Consecutive buckets; the last one is still open."""

    edges: IntArray
    """[T+1] epoch seconds."""
    step: int

    @property
    def size(self) -> int:
        """T."""
        return len(self.edges) - 1

    def place(self, times: IntArray) -> IntArray:
        """Bucket of each instant; -1 before the first and T after the last."""
        if self.step <= HOUR and self.size:
            places: IntArray = np.clip((times - self.edges[0]) // self.step, -1, self.size)
            return places
        return np.searchsorted(self.edges, times, side="right").astype(np.int64) - 1


@dataclass(frozen=True)
class VolumePanel:
    """Counts of S event types over T buckets, as they can be judged at ``at``."""

    grid: Grid
    names: tuple[str | None, ...]
    counts: FloatArray
    """[T, S]; NaN: not measured, or before the event type came."""
    share: FloatArray
    """[T, S] part of a bucket's rows that can have arrived."""
    doubt: FloatArray
    """[T, S] relative variance of ``share``."""
    at: int
    """Epoch seconds as of which is judged: now, or the last load where the table is late."""
    now: int
    last_row: IntArray
    """[S] end of the last occurred bucket that holds rows."""
    fine: FloatArray
    """[FINE_BACK] of the table: part of a fine bucket that has arrived when it is so many fine
    buckets old."""
    silent_before: Callable[[int], bool] = lambda _: False
    """Whether the event type of a column is often as silent as it is now at these minutes."""

    @property
    def late(self) -> bool:
        """Whether nothing was loaded for longer than this table's pauses last."""
        return self.at < self.now


def grid_of(start: int, at: int, step: int, zone: ZoneInfo) -> Grid:
    """Buckets from ``start`` (rounded up) to the one that holds ``at``.

    Buckets up to an hour follow the epoch, wider ones the local clock, so that a day is a day.
    """
    if step <= HOUR:
        first = -(-start // step) * step
        stop = at // step * step + step
        return Grid(np.arange(first, stop + 1, step, dtype=np.int64), step)
    local = local_seconds(np.array([start, at], dtype=np.int64), zone)
    marks = np.arange(
        -(-int(local[0]) // step) * step, int(local[1]) // step * step + 2 * step, step
    )
    # Local marks back to UTC: the offset of the guess is the offset, but for an hour a year.
    shift = local_seconds(marks.astype(np.int64), zone) - marks
    guess = marks - shift
    edges = marks - (local_seconds(guess.astype(np.int64), zone) - guess)
    return Grid(np.unique(edges.astype(np.int64)), step)


def judged_at(view: ExposureView) -> int:
    """Now, or the moment of the last load where the table itself is late."""
    now = int(view.now.timestamp())
    cells = view.rows
    if not view.exposure.has_load_time or not len(cells.series):
        return now
    last = int(cells.last_loaded.max())
    elapsed = now - last
    if elapsed <= LATE_AT_LEAST:
        return now
    times = _newest_times(cells, last)
    gaps = np.diff(times[-LATE_GAPS * 4 :]).astype(np.float64)
    # Steady tables have thousands of tiny pauses: only the longest of each hour can tell.
    gaps = _longest_per_hour(times[-LATE_GAPS * 4 - 1 :], gaps)
    return last if gap_p_value(gaps, float(elapsed)) < LATE_P else now


def _newest_times(cells: Cells, last: int) -> IntArray:
    """The last LATE_GAPS * 4 + 1 instants of loads, or more, sorted: millions of cells are not."""
    back = DAY
    while True:
        near = [t[t >= last - back] for t in (cells.first_loaded, cells.last_loaded)]
        times = np.unique(np.concatenate(near))
        if len(times) > LATE_GAPS * 4 or sum(map(len, near)) == 2 * len(cells.series):
            return times
        back *= 8


def _longest_per_hour(times: IntArray, gaps: FloatArray) -> FloatArray:
    if not gaps.size:
        return gaps
    hour = times[len(times) - len(gaps) - 1 : -1] // HOUR
    edges = np.flatnonzero(np.r_[True, np.diff(hour) > 0])
    return np.asarray(np.maximum.reduceat(gaps, edges)[-LATE_GAPS:], dtype=np.float64)


def panel_of(view: ExposureView, step: int, at: int) -> VolumePanel:
    """The panel of an exposure for one width of bucket."""
    cells = view.rows
    start = int(view.measured_from.timestamp())
    grid = grid_of(start, max(at, start), step, view.exposure.time_zone)
    counts = hourly_counts(cells, grid.edges, start, at)
    if counts is None:
        counts = summed(cells, grid.place(cells.occurred), grid.size)
    last_row = last_rows(cells, start, at)
    _unmeasured(counts, grid, view)
    _unborn(counts, grid, view)
    _reborn(counts, grid)
    fine, share, doubt = completeness(view, cells, grid.edges, grid.step, at)
    return VolumePanel(
        grid=grid,
        names=tuple(key.event_type for key in cells.keys),
        counts=counts,
        share=share,
        doubt=doubt,
        at=at,
        now=int(view.now.timestamp()),
        last_row=np.minimum(last_row + FINE, at),
        fine=fine,
        silent_before=lambda s: ever_so_silent(
            cells, s, int(last_row[s]) + FINE, at, loaded=view.exposure.has_load_time
        ),
    )


def _unmeasured(counts: FloatArray, grid: Grid, view: ExposureView) -> None:
    """NaN where nobody could measure, and where the whole table is missing a bucket."""
    for begin, end in view.not_measured:
        first = int(grid.place(np.array([int(begin.timestamp())]))[0])
        last = int(grid.place(np.array([int(end.timestamp())]))[0])
        counts[max(first, 0) : last + 1] = np.nan
    total = np.nansum(counts, axis=1) if view.not_measured else counts.sum(axis=1)
    if grid.size < 3:
        return
    none = np.flatnonzero(total == 0)
    none = none[none < grid.size - 1]
    low, high = np.maximum(none - 24, 0), np.minimum(none + 25, grid.size)
    # A median reaches it only where half of the buckets do: most need not be looked at.
    some = np.concatenate([[0], np.cumsum(total >= EMPTY_BELOW)])
    for i in np.flatnonzero(2 * (some[high] - some[low]) >= high - low):
        if np.median(total[low[i] : high[i]]) >= EMPTY_BELOW:
            counts[none[i]] = np.nan


def _unborn(counts: FloatArray, grid: Grid, view: ExposureView) -> None:
    """NaN before an event type's first row, unless it is older than what is measured."""
    if not grid.size:
        return
    some = counts > 0
    first = np.where(some.any(axis=0), some.argmax(axis=0), grid.size).tolist()
    begin = from_epoch(int(grid.edges[0]))
    for s, key in enumerate(view.rows.keys):
        seen = view.ledger.get(key)
        if seen is not None and seen.first_at < begin:
            continue
        # The first row of all cannot tell a type that began from one that is rare.
        counts[: first[s], s] = np.nan


def _reborn(counts: FloatArray, grid: Grid) -> None:
    """NaN before the return of an event type that was gone for weeks: what it was before says little
    of what it is now, so it learns anew."""
    per_day = max(DAY // grid.step, 1)
    days = grid.size // per_day
    if days <= GONE_DAYS:
        return
    # Days that end with the newest bucket; the open one is in the last.
    skipped = grid.size - days * per_day
    by_day = counts[skipped:].reshape(days, per_day, -1)
    known_buckets = np.isfinite(by_day)
    measured: NDArray[np.bool_] = np.asarray(known_buckets.any(axis=1))
    came = np.where(known_buckets, by_day, 0.0).sum(axis=1)
    for s in np.flatnonzero((came > 0).any(axis=0) & (measured & (came == 0)).any(axis=0)):
        # Days nobody measured neither break a silence nor lengthen it.
        known = np.flatnonzero(measured[:, s])
        present = np.flatnonzero(came[known, s] > 0)
        silent = np.diff(present) - 1
        for k in np.flatnonzero(silent >= GONE_DAYS)[::-1]:
            before = came[known[: present[k] + 1], s]
            usual = before.sum() / len(before[np.argmax(before > 0) :])
            if usual * silent[k] >= GONE_ROWS:
                back = skipped + int(known[present[k + 1]]) * per_day
                first = back + int(np.argmax(np.nan_to_num(counts[back:, s]) > 0))
                counts[:first, s] = np.nan
                break
