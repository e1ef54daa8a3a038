"""How complete young buckets can be: what has usually arrived by that age (the reporting triangle).

What a reader would get wrong: a bucket that has just begun is not judged against a full one, and the
share that can be there is known only roughly, which its doubt says.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.calendar import local_seconds
from eventwatch.kinds.volume_counts import by_hour, summed
from eventwatch.kinds.volume_hours import Hours, waited
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


def completeness(
    view: ExposureView, cells: Cells, edges: IntArray, step: int, at: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The table's fine curve, and [T, S] shares with their relative variances, of the buckets between
    ``edges`` [T+1], ``step`` seconds wide."""
    size, buckets = len(cells.keys), len(edges) - 1
    share = np.ones((buckets, size))
    doubt = np.zeros((buckets, size))
    if not buckets:
        return np.ones(FINE_BACK), share, doubt
    curve, own = _fine_curves(cells, at, size, known=view.exposure.has_load_time)
    steady = _is_steady(cells, at) or not view.exposure.has_load_time
    hourly, spread = (np.empty(0), np.empty(0)) if steady else _by_phase(cells, at)
    phase = at % FINE / FINE
    start = int(view.measured_from.timestamp())
    weights = _rhythm(cells, start, at, view.exposure.time_zone) if step > HOUR else None
    hours_before = None
    if step == HOUR:
        hours_before = Hours.of(cells, at, size, loaded=view.exposure.has_load_time)
    settled: tuple[FloatArray, float] | None = None
    first = max(0, buckets - 1 - HOURS_BACK * HOUR // min(step, HOUR))
    for t in range(first, buckets):
        begin, end = int(edges[t]), int(edges[t + 1])
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
            if hours_before is not None:
                share[t], doubt[t] = hours_before.share(at - begin, share[t], doubt[t])
            if old:
                settled = share[t].copy(), float(doubt[t, 0]) if size else 0.0
        else:
            hours = np.clip(at // HOUR - fines // FINE_PER_HOUR, -1, HOURS_BACK - 1)
            part = np.where(hours < 0, 0.0, hourly[hours])
            share[t] = part.mean()
            doubt[t] = spread[np.maximum(hours, 0)].mean() / max(part.mean(), 0.05) ** 2
    young, unsure = share[first:], doubt[first:]
    young[:] = np.where(young >= COMPLETE, 1.0, np.clip(young, 1e-4, 1.0))
    unsure[:] = np.where(young >= 1.0, 0.0, np.minimum(unsure, 4.0))
    return curve, share, doubt


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
    """[N] whether cells are of hours whose rows came as those of most hours did."""
    if not len(hour):
        return np.ones(0, dtype=np.bool_)
    hour = hour - hour.min()
    hours = int(hour.max()) + 1
    counted = np.bincount(
        hour * (FINE_BACK + 1) + delay, weights=rows, minlength=hours * (FINE_BACK + 1)
    ).reshape(hours, -1)
    return np.take(~waited(np.cumsum(counted, axis=1)), hour)


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
