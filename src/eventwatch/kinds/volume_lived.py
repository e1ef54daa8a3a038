"""The rows as they were lived: without what was loaded a second time, or long after its day.

A backfill changes what the table says of the past, not what happened in it. Old rows that come in a
burst may fill their hours up to what is usual there (an outage was repaired), never beyond. Repeated
rows beyond the usual share are taken out of the hour they were loaded in: ``duplicates`` tells them.
Only volume looks at the rows this way, and nothing is taken out that comes late every day.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from eventwatch.model.measurement import HOUR, Cells
from eventwatch.model.view import ExposureView

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DAY = 86400
LATE = 6 * HOUR
"""Nothing that comes earlier is old, however steady the table is."""
LATEST = 1 << 9
"""Times LATE: where a table's rows are usually older than this, it has no lateness of its own."""
USUALLY_LATE = 0.01
"""Share of a day's loads that may be older than what is called old."""
BURST = 4.0
"""Times the usual old rows of a loaded day, from which on they are a backfill."""
BURST_ROWS = 20.0
BURST_SHARE = 0.05
"""Part of a usual day's rows that a backfill has at least."""
SHORT = 0.6
"""An hour that has less than this part of what is usual was incomplete."""
NEIGHBOURS = (1, 2, 3)
"""Weeks before and after (days, in a table without weeks) that say what is usual in an hour."""
REPEATED = 0.1
REPEATED_BURST = 3.0
"""Share of repeated rows from which on they are taken out, and times the usual share."""


def lived(view: ExposureView) -> Cells:
    """The main set with the rows of backfills and repeated loads taken out; cells stay in place."""
    cells = view.rows
    if not len(cells.series):
        return cells
    rows = cells.rows.astype(np.float64)
    changed = _without_repeats(view, rows)
    if view.exposure.has_load_time:
        changed |= _without_backfills(view, rows)
    return replace(cells, rows=np.rint(rows).astype(np.int64)) if changed else cells


def _without_repeats(view: ExposureView, rows: FloatArray) -> bool:
    """Takes repeated rows out of ``rows`` where there are more than usual; whether there were any."""
    cells, repeats = view.rows, view.duplicates
    if not len(repeats.series):
        return False
    column = {key.event_type: s for s, key in enumerate(cells.keys)}
    of = np.array([column.get(key.event_type, -1) for key in repeats.keys], dtype=np.int64)
    series = of[repeats.series]
    known = series >= 0
    # Repeats are counted over the last day at least.
    first = min(int(repeats.loaded.min()), int(view.now.timestamp()) - DAY) // HOUR
    width = int(max(cells.loaded.max(), repeats.loaded.max())) // HOUR - first + 1
    some = np.unique(series[known])
    place = np.full(len(cells.keys), -1)
    place[some] = np.arange(len(some))
    hour = cells.loaded // HOUR - first
    inside = (place[cells.series] >= 0) & (hour >= 0)
    shape = (len(some), width)
    flat = place[cells.series[inside]] * width + hour[inside]
    total = np.bincount(flat, weights=rows[inside], minlength=len(some) * width).reshape(shape)
    at = place[series[known]] * width + repeats.loaded[known] // HOUR - first
    again = np.bincount(at, weights=repeats.rows[known], minlength=len(some) * width)
    again = np.minimum(again.reshape(shape), total)
    share = np.where(total > 0, again / np.maximum(total, 1.0), np.nan)
    usual = np.nan_to_num(_median(share))[:, None]
    share = np.nan_to_num(share)
    excess = np.where(share > np.maximum(REPEATED, REPEATED_BURST * usual), share - usual, 0.0)
    if not excess.any():
        return False
    rows[inside] *= 1.0 - excess.reshape(-1)[flat]
    return True


def _without_backfills(view: ExposureView, rows: FloatArray) -> bool:
    """Takes out of ``rows`` what a burst of old rows brings beyond the usual; whether there was any."""
    cells = view.rows
    delay = cells.loaded - cells.occurred
    old = delay > LATE
    if not old.any():
        return False
    day = cells.loaded // DAY
    day = day - day.min()
    days = int(day.max()) + 1
    total = np.bincount(day, weights=rows, minlength=days)
    border = LATE
    while True:
        late = np.bincount(day[old], weights=rows[old], minlength=days)
        if np.median(late[total > 0] / total[total > 0]) <= USUALLY_LATE:
            break
        if border >= LATE * LATEST:
            return False
        border *= 2
        old = delay > border
    flagged = _bursts(cells, rows, old=old, day=day, days=days)
    if not flagged.any():
        return False
    _fill(view, rows, flagged)
    return True


def _bursts(
    cells: Cells, rows: FloatArray, *, old: NDArray[np.bool_], day: IntArray, days: int
) -> NDArray[np.bool_]:
    """[N] cells of old rows of a loaded day that brought far more old rows of their event type than
    its other days do."""
    some = np.unique(cells.series[old])
    place = np.full(len(cells.keys), -1)
    place[some] = np.arange(len(some))
    mine = place[cells.series] >= 0
    flat = place[cells.series[mine]] * days + day[mine]
    shape = (len(some), days)
    size = len(some) * days
    late = np.bincount(flat, weights=rows[mine] * old[mine], minlength=size).reshape(shape)
    all_rows = np.bincount(flat, weights=rows[mine] * ~old[mine], minlength=size).reshape(shape)
    lived_days = np.where(all_rows > 0, all_rows, np.nan)
    usual = np.nan_to_num(_median(lived_days))
    normally = np.median(late, axis=1)
    least = np.maximum(BURST * normally + BURST_ROWS, BURST_SHARE * usual)
    burst = np.zeros(len(rows), dtype=np.bool_)
    burst[mine] = (late > least[:, None]).reshape(-1)[flat]
    return burst & old


def _fill(view: ExposureView, rows: FloatArray, flagged: NDArray[np.bool_]) -> None:
    """Leaves of the flagged rows what their hours are short of what is usual there."""
    cells = view.rows
    some = np.unique(cells.series[flagged])
    place = np.full(len(cells.keys), -1)
    place[some] = np.arange(len(some))
    first = int(cells.occurred.min()) // HOUR
    hours = int(cells.occurred.max()) // HOUR - first + 1
    mine = place[cells.series] >= 0
    flat = place[cells.series[mine]] * hours + cells.occurred[mine] // HOUR - first
    size = len(some) * hours
    plain, brought = (
        np.bincount(flat, weights=rows[mine] * which, minlength=size)
        .astype(np.float64)
        .reshape(len(some), hours)
        for which in (~flagged[mine], flagged[mine])
    )
    usual = _usual(plain, brought)
    short = np.where(plain < SHORT * usual, np.clip(usual - plain, 0.0, brought), 0.0)
    room = np.where(np.isfinite(usual), short, brought)
    part = (room / np.maximum(brought, 1e-9)).reshape(-1)
    kept = np.where(flagged[mine], part[flat], 1.0)
    rows[mine] *= kept


def _usual(plain: FloatArray, brought: FloatArray) -> FloatArray:
    """What is usual in each hour that got old rows [S, H], by the same hour of other weeks, or days;
    NaN where more of those were filled than lived: such a history was imported as a whole."""
    usual = np.full(plain.shape, np.nan)
    series, hour = np.nonzero(brought)
    for span in (7 * 24, 24):
        around, filled = [], np.zeros(len(hour))
        for shift in (sign * n * span for n in NEIGHBOURS for sign in (-1, 1)):
            there = hour + shift
            inside = (there >= 0) & (there < plain.shape[1] - 1)
            there = np.where(inside, there, 0)
            # Hours that were filled as well were not lived either.
            alive = inside & ((plain[series, there] > 0) | (brought[series, there] == 0))
            filled += np.where(alive, -1.0, 1.0 * inside)
            around.append(np.where(alive, plain[series, there], np.nan))
        found = _median(np.stack(around, axis=1))
        missing = np.isnan(usual[series, hour])
        found = np.where(filled >= 0, np.nan, found)
        usual[series, hour] = np.where(missing, found, usual[series, hour])
    return usual


def _median(values: FloatArray) -> FloatArray:
    """Of each row, NaN left out; NaN where there is nothing else."""
    known = np.isfinite(values).any(axis=1)
    middle = np.full(len(values), np.nan)
    if known.any():
        middle[known] = np.nanmedian(values[known], axis=1)
    return middle
