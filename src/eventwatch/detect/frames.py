"""The front door for plain series: a DataFrame of counts in, the same rows with a verdict out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from eventwatch.detect.clock import Clock, clock_of
from eventwatch.detect.panel import Panel
from eventwatch.detect.rank import ranked
from eventwatch.detect.resume import in_pieces
from eventwatch.detect.settings import DAY, DetectSettings, Grain, grain
from eventwatch.detect.transform import USUAL_Z, stabilise, unstabilise
from eventwatch.model.status import Status

BATCH_CELLS = 3_000_000
"""Most series × buckets scored at once, which bounds the memory."""
ROWS_AT_ONCE = 200_000
"""Rows of the frame that get their verdict at once, for the same reason."""
VERDICTS = [status.value for status in Status]
_SAID = ("one_expected", "one_spread", "age", "z", "score")
"""Of what a pass says, what the verdicts are made of."""
ADDED = ("expected", "lower", "upper", "z", "p_value", "score", "status")


def score_counts(
    counts: pd.DataFrame, *, bucket: timedelta | str, settings: DetectSettings | None = None
) -> pd.DataFrame:
    """Scores every row of a frame of counts; row t rests on rows at or before t only.

    ``counts`` has the columns ``series`` (str), ``ts`` (datetime64, UTC, start of the bucket) and
    ``value`` (float). A row that is absent between a series' first row and the last ``ts`` of the
    frame counts as 0; NaN is a bucket nobody observed. ``bucket`` is the width (timedelta or
    ``"1h"``).

    Returns the same rows, in the same order and with the same index, with

    ========== ====================================================================
    expected   events expected in the bucket; NaN while nothing is known
    lower      and ``upper``: the usual range around it (99 of 100 quiet buckets)
    z          signed deviation of the window that spoke, calibrated to a normal
    p_value    two-sided, of ``z``
    score      ≥ 0, higher is worse; below ``settings.threshold`` equal scores are equally
               rare in every series, from there on the bucket's own distance counts too
    status     FAIL from ``settings.threshold`` on, LEARNING with too little history,
               SKIPPED where nothing was observed, else PASS
    ========== ====================================================================

    Raises ValueError for missing columns, rows that share a series and a bucket, and a bucket that
    is not between a minute and a week.
    """
    chosen = DetectSettings() if settings is None else settings
    width = int(pd.Timedelta(bucket).total_seconds())
    if not 60 <= width <= 7 * DAY:
        raise ValueError(f"bucket must be between a minute and a week, not {bucket}")
    missing = [name for name in ("series", "ts", "value") if name not in counts.columns]
    if missing:
        raise ValueError(f"counts has no column {', '.join(missing)}")
    result = counts.copy()
    rows = len(counts)
    values = {name: np.full(rows, np.nan) for name in ("expected", "lower", "upper")}
    values |= {"z": np.zeros(rows), "p_value": np.ones(rows), "score": np.zeros(rows)}
    status = np.full(rows, VERDICTS.index(Status.LEARNING.value), dtype=np.int8)
    if rows:
        layout = _layout(counts, width)
        for columns, length in _batches(layout, chosen.witness):
            _score_batch(
                layout, columns, length, grain(width), chosen, values=values, status=status
            )
    for name in ADDED[:-1]:
        result[name] = values[name]
    result["status"] = pd.array(VERDICTS, dtype="str").take(status)
    return result


@dataclass(frozen=True)
class _Layout:
    """Where each row of the frame lies; arrays of its length except ``first`` and ``length``."""

    code: NDArray[np.int64]
    step: NDArray[np.int64]
    """Buckets since the series' own first row."""
    value: NDArray[np.float64]
    first: NDArray[np.int64]
    """Epoch seconds of each series' first row."""
    length: NDArray[np.int64]
    names: tuple[str, ...]


def _layout(counts: pd.DataFrame, width: int) -> _Layout:
    ts = pd.to_datetime(counts["ts"], utc=True)
    if ts.isna().any():
        raise ValueError("ts holds a missing time")
    epoch = (ts.astype("int64") // (10**9 // _per_second(ts))).to_numpy(dtype=np.int64)
    raw, labels = pd.factorize(counts["series"], use_na_sentinel=False)
    # Sorted by name, so that the order of rows changes nothing.
    names, rank = np.unique(np.array([str(label) for label in labels]), return_inverse=True)
    code = rank.reshape(-1)[raw]
    first = np.full(len(names), np.iinfo(np.int64).max)
    np.minimum.at(first, code, epoch)
    # Days of a local zone are 23 or 25 hours long twice a year: the nearest step is meant.
    step = (epoch - first[code] + (width // 2 if width >= DAY else 0)) // width
    length = np.zeros(len(names), dtype=np.int64)
    np.maximum.at(length, code, step + 1)
    place = np.sort(code * (int(step.max()) + 1) + step)
    if (place[1:] == place[:-1]).any():
        raise ValueError("two rows share a series and a bucket")
    value = counts["value"].to_numpy(dtype=np.float64, na_value=np.nan)
    value = np.where(np.isfinite(value), np.maximum(value, 0.0), np.nan)
    return _Layout(
        np.asarray(code, dtype=np.int64), step, value, first, length, tuple(map(str, names))
    )


def _per_second(ts: pd.Series) -> int:
    """How many seconds' fraction 10**9 is divided by for the resolution the column has."""
    unit = getattr(ts.dtype, "unit", "ns")
    return {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[unit]


def _batches(layout: _Layout, together: bool) -> Iterator[tuple[NDArray[np.int64], int]]:
    """Series of similar length, few enough for the memory; all at once when they are witnesses."""
    order = np.lexsort((np.arange(len(layout.first)), layout.first, -layout.length))
    start = 0
    while start < len(order):
        longest = int(layout.length[order[start]])
        size = len(order) if together else max(1, BATCH_CELLS // longest)
        columns = order[start : start + size]
        if not together:
            columns = columns[layout.length[columns] * 4 >= longest]
        yield np.sort(columns), longest
        start += len(columns)


def _score_batch(
    layout: _Layout,
    columns: NDArray[np.int64],
    length: int,
    of: Grain,
    settings: DetectSettings,
    *,
    values: dict[str, NDArray[np.float64]],
    status: NDArray[np.int8],
) -> None:
    place = np.full(len(layout.first), -1, dtype=np.int64)
    place[columns] = np.arange(len(columns))
    mine = np.flatnonzero(place[layout.code] >= 0)
    column, step = place[layout.code[mine]], layout.step[mine]
    first = layout.first[columns]
    begin = int(first.min())
    if settings.witness:
        # Witnesses must stand at the same instant; alone, each series starts its own clock.
        shift = (first - begin) // of.seconds
        step = step + shift[column]
        first = np.full_like(first, begin)
        length = int(step.max()) + 1
    else:
        shift = np.zeros(len(columns), dtype=np.int64)
    counts = np.zeros((length, len(columns)))
    counts[np.arange(length)[:, None] < shift[None, :]] = np.nan
    cell = step * len(columns) + column
    del step, column
    counts.ravel()[cell] = layout.value[mine]
    said = {name: np.empty(counts.shape) for name in _SAID}
    for piece in in_pieces(Panel(counts, _clock(first, length, of, settings), of), settings):
        for name, array in said.items():
            array[piece.start : piece.stop] = piece.of(getattr(piece.made.out, name))
        # Or two passes would be held at once.
        del piece
    for begin in range(0, len(mine), ROWS_AT_ONCE):
        part = slice(begin, begin + ROWS_AT_ONCE)
        _write(
            said,
            settings,
            counts,
            rows=mine[part],
            cell=cell[part],
            values=values,
            status=status,
        )


def _clock(first: NDArray[np.int64], length: int, of: Grain, settings: DetectSettings) -> Clock:
    offsets = of.seconds * np.arange(length, dtype=np.int64)
    shared = bool((first == first[0]).all())
    epochs = first[0] + offsets if shared else offsets[:, None] + first[None, :]
    return clock_of(epochs, of, settings)


def _write(
    said: dict[str, NDArray[np.float64]],
    settings: DetectSettings,
    counts: NDArray[np.float64],
    *,
    rows: NDArray[np.int64],
    cell: NDArray[np.int64],
    values: dict[str, NDArray[np.float64]],
    status: NDArray[np.int8],
) -> None:
    """The verdicts on some rows of the frame, by their cells in the arrays [T, S]."""
    found = {name: array.take(cell) for name, array in said.items()}
    expected, spread = found["one_expected"], np.maximum(found["one_spread"], 1e-6)
    age = found["age"]
    known = age > 0
    middle = stabilise(np.where(known, expected, 0.0), spread)
    values["expected"][rows] = np.where(known, expected, np.nan)
    values["lower"][rows] = np.where(known, unstabilise(middle - USUAL_Z, spread), np.nan)
    values["upper"][rows] = np.where(known, unstabilise(middle + USUAL_Z, spread), np.nan)
    learning = age < settings.learning_days
    z = np.where(learning, 0.0, found["z"])
    score = np.where(learning, 0.0, found["score"])
    values["z"][rows] = z
    values["p_value"][rows] = 2.0 * ndtr(-np.abs(z))
    count = counts.take(cell)
    values["score"][rows] = ranked(score, count, expected, spread, settings.threshold)
    over = score >= settings.threshold
    if settings.z_threshold is not None:
        over = np.abs(z) >= settings.z_threshold
    code = {name: VERDICTS.index(name) for name in VERDICTS}
    verdict = np.where(over, code["fail"], code["pass"])
    verdict = np.where(learning, code["learning"], verdict)
    status[rows] = np.where(np.isnan(count), code["skipped"], verdict)
