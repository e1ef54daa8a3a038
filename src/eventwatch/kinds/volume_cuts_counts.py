"""Counts of cuts: sums of the last hours of all at once, and whole histories of the few that matter.

A *cut* here is one value of one watched dimension, of one event type; its *siblings* are the other
values of that dimension in that event type, and cut and siblings together are its *group*. Counts are
by the hour in which rows occurred; only closed hours are looked at, for a share of an hour that has
just begun says little. Whatever depends on the past as a whole is summed in one go over the cells, so
that a cycle in which nothing moves costs a few passes over them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from eventwatch.kinds.drift_stops import by_part
from eventwatch.model.measurement import HOUR, Cells

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

WINDOWS = (1, 2, 4, 8, 24, 48)
"""Hours."""
RECENT = max(WINDOWS)
SETTLED = (48, 120)
"""Hours back, from and to, of the other level a share is held against: what has lasted for three
days or longer is the usual by now."""
LAGS = 12
"""Hours after which nobody waits for the rows of one platform any more."""
LAG_HOURS = (24, 9 * 24)
"""Hours back, from and to, whose rows say how late each cut comes."""
LAG_WORTH = 50.0
"""Rows of its own after which a cut's delays count as much as its group's."""


@dataclass(frozen=True)
class CutSums:
    """S cuts in G groups, over the closed hours before ``hour``."""

    hour: int
    """Hours since 1970: the open one. The newest closed hour is the one before it."""
    group: IntArray
    """[S]"""
    labels: tuple[tuple[str | None, str], ...]
    """[G] event type and dimension."""
    recent: FloatArray
    """[S, RECENT] rows by hours back; column 0 is the newest closed hour."""
    before: FloatArray
    """[S] rows before those."""
    settled: FloatArray
    """[S] rows in the hours SETTLED."""
    days: FloatArray
    """[S] days that are measured before those (the same for all)."""

    def of_group(self, values: FloatArray) -> FloatArray:
        """Sums over groups, [G, ...] from [S, ...]."""
        out = np.zeros((len(self.labels), *values.shape[1:]))
        order, groups, begins = self._by_group
        out[groups] = np.add.reduceat(values[order], begins, axis=0)
        return out

    @cached_property
    def _by_group(self) -> tuple[IntArray, IntArray, IntArray]:
        """Series in the order of their groups, the groups that have any, and where each begins."""
        order = np.argsort(self.group, kind="stable")
        groups, begins = np.unique(self.group[order], return_index=True)
        return order, groups, begins

    def windows(self, values: FloatArray) -> FloatArray:
        """[S or G, W] sums over the last hours, from [.., RECENT]."""
        return np.cumsum(values, axis=1)[:, np.array(WINDOWS) - 1]


def sums_of(cells: Cells, at: int, measured_from: int) -> CutSums:
    """One pass over the cells. ``at`` and ``measured_from``: epoch seconds."""
    size, hour = len(cells.keys), at // HOUR
    group, labels = by_part(cells.keys)
    # Of a million cells nearly all are old.
    late = np.flatnonzero(cells.occurred >= (hour - SETTLED[1]) * HOUR)
    back = hour - 1 - cells.occurred[late] // HOUR
    ahead, near = late[back < 0], late[back >= 0]
    flat = cells.series[near].astype(np.int64) * SETTLED[1] + back[back >= 0]
    counted = np.bincount(flat, weights=cells.rows[near], minlength=size * SETTLED[1])
    counted = counted.reshape(size, SETTLED[1])
    total = cells.row_count.astype(np.float64)
    # Of the open hour and of clocks that run ahead.
    young = np.bincount(cells.series[ahead], weights=cells.rows[ahead], minlength=size)
    recent = counted[:, :RECENT].astype(np.float64)
    oldest = int(cells.occurred.min()) // HOUR if len(cells.occurred) else hour
    oldest = max(oldest, measured_from // HOUR, hour - 35 * 24)
    return CutSums(
        hour=hour,
        group=group,
        labels=tuple(labels),
        recent=recent,
        before=np.maximum(total - young - recent.sum(axis=1), 0.0),
        settled=counted[:, SETTLED[0] :].sum(axis=1),
        days=np.full(size, max(hour - RECENT - oldest, 0) / 24.0),
    )


@dataclass(frozen=True)
class CutHistory:
    """Hourly counts of K cuts over T closed hours, oldest first."""

    start: int
    """Hours since 1970 of the first row."""
    counts: FloatArray
    """[T, K]"""
    group: FloatArray
    """[T, K] of their groups."""
    lead: FloatArray
    """[T, K] how much more, relatively, of the cut than of its group has arrived by now; 1 where all
    has."""
    missing: FloatArray
    """[T] part of the hour's rows that is still on its way."""

    @property
    def size(self) -> int:
        """T."""
        return len(self.counts)


def history_of(cells: Cells, sums: CutSums, chosen: IntArray, at: int, start: int) -> CutHistory:
    """The hours from ``start`` (hours since 1970) of the chosen cuts and of their groups."""
    hours, count = sums.hour - start, len(chosen)
    wanted, place = np.unique(sums.group[chosen], return_inverse=True)
    group_place = np.full(len(sums.labels), -1)
    group_place[wanted] = np.arange(len(wanted))
    cut_place = np.full(len(sums.group), -1)
    cut_place[chosen] = np.arange(count)
    mine = np.flatnonzero(group_place[sums.group][cells.series] >= 0)
    of_group = group_place[sums.group[cells.series[mine]]]
    of_cut = cut_place[cells.series[mine]]
    occurred, rows = cells.occurred[mine] // HOUR, cells.rows[mine]
    lag = np.clip(cells.loaded[mine] // HOUR - occurred, 0, LAGS)

    def summed(
        row: IntArray, column: IntArray, keep: BoolArray, shape: tuple[int, int]
    ) -> FloatArray:
        flat = row[keep] * shape[1] + column[keep]
        made = np.bincount(flat, weights=rows[keep], minlength=shape[0] * shape[1])
        return np.asarray(made.reshape(shape), dtype=np.float64)

    t = occurred - start
    inside = (t >= 0) & (t < hours)
    group = summed(t, of_group, inside, (hours, len(wanted)))[:, place]
    counts = summed(t, of_cut, inside & (of_cut >= 0), (hours, count))
    age = sums.hour - occurred
    known = (age > LAG_HOURS[0]) & (age <= LAG_HOURS[1])
    group_lags = summed(lag, of_group, known, (LAGS + 1, len(wanted)))[:, place]
    lags = summed(lag, of_cut, known & (of_cut >= 0), (LAGS + 1, count))
    usual = _arrived(group_lags, np.ones_like(group_lags[:1]), LAG_WORTH / 10, at)
    own = _arrived(lags, usual, LAG_WORTH, at)
    lead = np.ones((hours, count))
    missing = np.zeros(hours)
    reach = min(LAGS, hours)
    if reach and count:
        lead[hours - reach :] = (own / np.maximum(usual, 1e-3))[:reach][::-1]
        missing[hours - reach :] = 1.0 - usual.mean(axis=1)[:reach][::-1]
    return CutHistory(start, counts, group, lead, missing)


def _arrived(lags: FloatArray, usual: FloatArray, worth: float, at: int) -> FloatArray:
    """[LAGS, K] part of an hour's rows that has arrived when the hour is the k-th closed one back, by
    rows per lag in hours [LAGS + 1, K]; with few rows of its own, ``usual`` ([LAGS, K] or [1, K])."""
    total = lags.sum(axis=0)
    curve = np.cumsum(lags, axis=0)
    phase = at % HOUR / HOUR
    # Lag k + 1 of the newest closed hour (k = 0) is the open hour, and that far in.
    part = curve[:-1] + phase * (curve[1:] - curve[:-1])
    return np.asarray((part + worth * usual) / (total + worth), dtype=np.float64)
