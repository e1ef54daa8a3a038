"""From cells to a matrix of counts: which buckets there are, and how complete the young ones can be.

What a reader would get wrong: counts are by the time rows *occurred*, so the newest buckets are short
of the rows that are still on their way. They are not judged against a full bucket: what has usually
arrived by that age (the reporting triangle) says how much of one can be there.
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.calendar import local_seconds
from eventwatch.detect.rate import gap_p_value
from eventwatch.kinds.volume_counts import by_hour, hourly_counts, last_rows, summed
from eventwatch.model.measurement import FINE, HOUR, Cells
from eventwatch.model.view import ExposureView

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FINE_PER_HOUR = HOUR // FINE
FINE_BACK = 12 * FINE_PER_HOUR
"""Delays up to here are known by the fine bucket."""
HOURS_BACK = 96
DAY = 24 * HOUR
TRIANGLE_DAYS = 14
COMPLETE = 0.99
TYPE_WORTH = 60.0
"""Rows of its own after which an event type's delays count as much as the table's."""
RHYTHM_DAYS = 28
GONE_DAYS = 14
"""Whole days without a row after which an event type that comes back is a new one."""
GONE_ROWS = 50.0
"""Rows that would have come in such a silence: less says nothing about a rare event type."""
ODD_HOUR = 0.3
"""Part of an hour's rows that may come later than those of most hours."""
ODD_ROWS = 20
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
    times = np.unique(np.concatenate([cells.first_loaded, cells.last_loaded]))
    gaps = np.diff(times[-LATE_GAPS * 4 :]).astype(np.float64)
    # Steady tables have thousands of tiny pauses: only the longest of each hour can tell.
    gaps = _longest_per_hour(times[-LATE_GAPS * 4 - 1 :], gaps)
    return last if gap_p_value(gaps, float(elapsed)) < LATE_P else now


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
    size = len(cells.keys)
    counts = hourly_counts(cells, grid.edges, start, at)
    if counts is None:
        counts = summed(cells, grid.place(cells.occurred), grid.size)
    last_row = last_rows(cells, start, at)
    _unmeasured(counts, grid, view)
    _unborn(counts, grid, view)
    _reborn(counts, grid)
    fine, share, doubt = _completeness(view, cells, grid, at, size)
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
    )


def _unmeasured(counts: FloatArray, grid: Grid, view: ExposureView) -> None:
    """NaN where nobody could measure, and where the whole table is missing a bucket."""
    for begin, end in view.not_measured:
        first = int(grid.place(np.array([int(begin.timestamp())]))[0])
        last = int(grid.place(np.array([int(end.timestamp())]))[0])
        counts[max(first, 0) : last + 1] = np.nan
    total = np.nansum(counts, axis=1)
    if grid.size < 3:
        return
    usual = np.array(
        [np.median(total[max(0, t - 24) : t + 25]) for t in np.flatnonzero(total == 0)]
    )
    empty = np.flatnonzero(total == 0)[usual >= EMPTY_BELOW] if usual.size else usual.astype(int)
    counts[empty[empty < grid.size - 1]] = np.nan


def _unborn(counts: FloatArray, grid: Grid, view: ExposureView) -> None:
    """NaN before an event type's first row, unless it is older than what is measured."""
    if not grid.size:
        return
    some = counts > 0
    first = np.where(some.any(axis=0), some.argmax(axis=0), grid.size)
    for s, key in enumerate(view.rows.keys):
        seen = view.ledger.get(key)
        if seen is not None and seen.first_at.timestamp() < grid.edges[0]:
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
    measured: NDArray[np.bool_] = np.asarray(np.isfinite(by_day).any(axis=1))
    came = np.nan_to_num(by_day).sum(axis=1)
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


def _completeness(
    view: ExposureView, cells: Cells, grid: Grid, at: int, size: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The table's fine curve, and [T, S] shares with their relative variances."""
    share = np.ones((grid.size, size))
    doubt = np.zeros((grid.size, size))
    if not grid.size:
        return np.ones(FINE_BACK), share, doubt
    curve, own = _fine_curves(cells, at, size, known=view.exposure.has_load_time)
    steady = _is_steady(cells, at) or not view.exposure.has_load_time
    hourly, spread = (np.empty(0), np.empty(0)) if steady else _by_phase(cells, at)
    phase = at % FINE / FINE
    start = int(view.measured_from.timestamp())
    weights = _rhythm(cells, start, at, view.exposure.time_zone) if grid.step > HOUR else None
    settled: tuple[FloatArray, float] | None = None
    for t in range(max(0, grid.size - 1 - HOURS_BACK * HOUR // min(grid.step, HOUR)), grid.size):
        begin, end = int(grid.edges[t]), int(grid.edges[t + 1])
        fines = np.arange(begin // FINE, -(-end // FINE))
        back = at // FINE - fines
        if back.min() > HOURS_BACK * FINE_PER_HOUR:
            continue
        # What is older than any known delay is as complete as it will be: alike for all buckets.
        old = steady and int(back.min()) > FINE_BACK
        if old and settled is not None:
            share[t], doubt[t] = settled
        elif steady:
            part = _arrived(curve, back, phase)
            mine = _arrived(own, back, phase)
            share[t] = mine.mean(axis=0)
            if weights is not None and not old:
                hours = local_seconds(fines * FINE, view.exposure.time_zone) % DAY // HOUR
                weight = weights[hours]
                share[t] = (mine * weight).sum(axis=0) / weight.sum(axis=0)
            # Delays wander from hour to hour: a tenth of what is missing, squared.
            doubt[t] = (0.15 * (1.0 - min(part.mean(), 1.0))) ** 2 / max(part.mean(), 0.02)
            if old:
                settled = share[t].copy(), float(doubt[t, 0]) if size else 0.0
        else:
            hours = np.clip(at // HOUR - fines // FINE_PER_HOUR, -1, HOURS_BACK - 1)
            part = np.where(hours < 0, 0.0, hourly[hours])
            share[t] = part.mean()
            doubt[t] = spread[np.maximum(hours, 0)].mean() / max(part.mean(), 0.05) ** 2
    share = np.where(share >= COMPLETE, 1.0, np.clip(share, 1e-4, 1.0))
    return curve, share, np.where(share >= 1.0, 0.0, np.minimum(doubt, 4.0))


def _arrived(curve: FloatArray, back: IntArray, phase: float) -> FloatArray:
    """Part of fine buckets that has arrived, ``back`` fine buckets ago; curve [K] or [K, S]."""
    padded = np.concatenate([np.zeros_like(curve[:1]), curve])
    top = len(curve) - 1
    upper = padded[np.clip(back, -1, top) + 1]
    lower = padded[np.clip(back - 1, -1, top) + 1]
    done = np.where(back[(...,) + (None,) * (curve.ndim - 1)] == 0, phase, 1.0)
    return np.asarray((lower + phase * (upper - lower)) * np.where(done < 1, 0.5, 1.0))


def _fine_curves(cells: Cells, at: int, size: int, *, known: bool) -> tuple[FloatArray, FloatArray]:
    """Cumulated delays of the table [K] and of each event type [K, S], in fine buckets.

    From rows that occurred 12 to 36 hours ago: all their delays up to 12 hours are known.
    """
    if not known:
        return np.ones(FINE_BACK), np.ones((FINE_BACK, size))
    found = cells.memo.get(("fine curves", at))
    if found is None:
        found = cells.memo["fine curves", at] = _delays_of(cells, at, size)
    curves: tuple[FloatArray, FloatArray] = found
    return curves


def _delays_of(cells: Cells, at: int, size: int) -> tuple[FloatArray, FloatArray]:
    top = at // FINE
    fine = np.flatnonzero(cells.occurred >= at - 36 * HOUR)
    occurred, loaded = cells.occurred[fine], cells.loaded[fine]
    known = (occurred < at - 12 * HOUR) & (loaded >= occurred - FINE) & (loaded <= top * FINE)
    fine = fine[known]
    delay = np.clip((cells.loaded[fine] - cells.occurred[fine]) // FINE, 0, FINE_BACK)
    usual = _usual_hours(at // HOUR - cells.occurred[fine] // HOUR, delay, cells.rows[fine])
    flat = delay * size + cells.series[fine]
    weights = np.where(usual, cells.rows[fine], 0)
    table = np.bincount(flat, weights=weights, minlength=(FINE_BACK + 1) * size)
    table = table.reshape(FINE_BACK + 1, size)
    rows = table.sum(axis=0)
    total = rows.sum()
    if total < 1:
        return np.ones(FINE_BACK), np.ones((FINE_BACK, size))
    curve = np.cumsum(table.sum(axis=1))[:-1] / total
    own = (np.cumsum(table, axis=0)[:-1] + TYPE_WORTH * curve[:, None]) / (rows + TYPE_WORTH)
    return curve, own


def _rhythm(cells: Cells, start: int, at: int, zone: ZoneInfo) -> FloatArray:
    """[24, S] what part of a day's rows each local hour has, by the last four weeks: half a day is
    not half of its rows."""
    size, first = len(cells.keys), (at - RHYTHM_DAYS * DAY) // HOUR
    hours, known = at // HOUR - first, -(-start // HOUR)
    if known <= first:
        counted = by_hour(cells, known, at)[first - known : first - known + hours]
    else:
        counted = summed(cells, np.clip(cells.occurred_hour - first, -1, hours), hours)
    local = local_seconds((first + np.arange(hours, dtype=np.int64)) * HOUR, zone) % DAY // HOUR
    own = np.zeros((24, size))
    for hour, rows in zip(local.tolist(), counted, strict=True):
        own[hour] += rows
    table = own / np.maximum(own.sum(axis=0), 1.0)
    table = (table.sum(axis=1) + 1e-3) / (table.sum() + 24e-3)
    part = (own + TYPE_WORTH * table[:, None]) / (own.sum(axis=0) + TYPE_WORTH)
    return np.asarray(part, dtype=np.float64)


def _usual_hours(hour: IntArray, delay: IntArray, rows: IntArray) -> NDArray[np.bool_]:
    """[N] whether cells are of hours whose rows came as those of most hours did. Rows that waited for
    a pipeline to be repaired must not make the next day's young buckets look complete enough."""
    if not len(hour):
        return np.ones(0, dtype=np.bool_)
    hour = hour - hour.min()
    hours = int(hour.max()) + 1
    counted = np.bincount(
        hour * (FINE_BACK + 1) + delay, weights=rows, minlength=hours * (FINE_BACK + 1)
    ).reshape(hours, -1)
    total = counted.sum(axis=1)
    arrived = np.cumsum(counted, axis=1) / np.maximum(total, 1.0)[:, None]
    middle = np.median(arrived[total > 0], axis=0)
    # Later than most is what repairs do; earlier than most is harmless, and rare.
    odd = np.asarray((middle - arrived).max(axis=1) > ODD_HOUR) & (total >= ODD_ROWS)
    return np.take(~odd, hour)


def _by_phase(cells: Cells, at: int) -> tuple[FloatArray, FloatArray]:
    """For tables loaded in batches: part of an hour's rows that was there k hours later at this time
    of day on earlier days [HOURS_BACK], and the variance between those days."""
    hour = at // HOUR
    back = hour - cells.occurred // HOUR
    within = (back >= 0) & (back < TRIANGLE_DAYS * 24 + HOURS_BACK)
    delay = np.clip(cells.loaded[within] // HOUR - cells.occurred[within] // HOUR, 0, HOURS_BACK)
    width = HOURS_BACK + 1
    rows = (TRIANGLE_DAYS * 24 + HOURS_BACK) * width
    triangle = np.bincount(back[within] * width + delay, weights=cells.rows[within], minlength=rows)
    cumulated = np.cumsum(triangle.reshape(-1, width), axis=1)
    phase = at % HOUR / HOUR
    ages = np.arange(HOURS_BACK)
    seen, total = [], []
    for day in range(1, TRIANGLE_DAYS):
        row = cumulated[ages + day * 24]
        now = row[ages, ages]
        before = np.where(ages > 0, row[ages, np.maximum(ages - 1, 0)], 0.0)
        seen.append(before + phase * (now - before))
        total.append(row[:, -1])
    part = np.array(seen) / np.maximum(np.array(total), 1e-9)
    weight = np.array(total) > 0
    count = np.maximum(weight.sum(axis=0), 1)
    mean = (part * weight).sum(axis=0) / count
    variance = ((part - mean) ** 2 * weight).sum(axis=0) / count + 0.002
    return np.where(weight.any(axis=0), mean, 1.0), np.where(mean >= COMPLETE, 0.0, variance)


def _is_steady(cells: Cells, at: int) -> bool:
    """Whether loads come all the time and not in a few batches a day."""
    found = cells.memo.get(("steady", at))
    if found is None:
        found = cells.memo["steady", at] = _comes_all_the_time(cells, at)
    return bool(found)


def _comes_all_the_time(cells: Cells, at: int) -> bool:
    recent = cells.loaded[(cells.loaded >= at - 24 * HOUR) & (cells.loaded <= at)]
    used = np.zeros(24 * FINE_PER_HOUR + 2, dtype=np.bool_)
    used[recent // FINE - (at - 24 * HOUR) // FINE] = True
    return int(used.sum()) >= 24 * FINE_PER_HOUR // 3
