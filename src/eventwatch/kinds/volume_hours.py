"""What an hour brings by the minute: jobs that run at half past, streams that come at the full hour.

The share of an hour's rows that has come follows from how late rows are, if they occur evenly within
the hour. Many event types do not. So the same minute of the hours before says, for each event type,
how much had come then; it corrects the even share as far as it is surely different, and where a
burst is due it says that little is known: a job may run some minutes early or late.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eventwatch.model.measurement import FINE, HOUR, Cells

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

SETTLED, LEARNED = 12, 24
"""Hours back from which on all delays are known, and how many of them are learned from."""
REACH = 36
"""Fine buckets after an hour's begin up to which its share is corrected."""
LEAST_HOURS = 8
"""With rows in fewer of those hours, nothing is learned of an event type."""
JITTER = 2
"""Fine buckets by which a job may be early or late."""
BURST = 0.15
"""More than this part of an hour beyond an even flow, within the jitter, is a burst."""
OFTEN = 0.1
LEARNED_LATELY = (LEARNED + 2) * HOUR
LATE_PART, LATE_ROWS = 0.3, 20.0
"""Part of an hour's rows that come later than those of most hours, and the least rows of one."""
UNKNOWN = 4.0
"""Relative variance of a share of which next to nothing is known."""


@dataclass(frozen=True)
class Hours:
    """Rows of earlier hours of each event type, by the fine bucket after the hour's begin in which
    they had come."""

    come: FloatArray
    """[hours, REACH + 2, S], cumulated; the last one holds all."""

    @staticmethod
    def of(cells: Cells, at: int, size: int, *, loaded: bool) -> Hours:
        """Of the hours before ``at`` whose delays are known; ``loaded``: load times are."""
        newest = at // HOUR - SETTLED
        begin = cells.occurred_hour
        old = np.flatnonzero((begin < newest) & (begin >= newest - LEARNED))
        begin = begin[old] * HOUR
        when = cells.loaded[old] if loaded else cells.occurred[old]
        after = np.clip((when - begin) // FINE, 0, REACH + 1)
        back = newest - 1 - begin // HOUR
        flat = (back * (REACH + 2) + after) * size + cells.series[old]
        rows = np.bincount(flat, weights=cells.rows[old], minlength=LEARNED * (REACH + 2) * size)
        come = np.cumsum(rows.reshape(LEARNED, REACH + 2, size), axis=1)
        good = ~waited(come.sum(axis=2))
        return Hours(np.where(good[:, None, None], come, 0.0))

    def share(self, age: int, even: FloatArray, doubt: FloatArray) -> tuple[FloatArray, FloatArray]:
        """[S] share of an hour's rows that has come ``age`` seconds after its begin, and its relative
        variance; ``even`` and ``doubt`` [S] say the same of rows that occur evenly."""
        if age >= REACH * FINE:
            return even, doubt
        total = self.come[:, -1]
        rows = total.sum(axis=0)
        known = (total > 0).sum(axis=0) >= LEAST_HOURS
        came = self._by(age / FINE)
        own = came.sum(axis=0) / np.maximum(rows, 1.0)
        off = own - even
        noise = 2.0 * self._variance(came)
        sure = noise < off**2
        trust = 1.0 - noise / np.where(sure, off**2, np.inf)
        # Of an hour that has just begun nothing can have come, which says nothing.
        trust = np.where(known & sure & (age >= FINE), trust, 0.0)
        found = even + trust * off
        sway = self._sway(came, found)
        burst = self._burst(age)
        sudden = known & (burst > BURST)
        found = np.where(sudden, np.maximum(found, burst / 2.0), found)
        doubt = np.where(known & (trust > 0), np.maximum(doubt, sway), doubt)
        return np.clip(found, 0.0, 1.0), np.where(sudden, UNKNOWN, doubt)

    def _by(self, fine: float) -> FloatArray:
        """[hours, S] rows that had come so many fine buckets after the hour's begin."""
        whole = int(fine)
        if whole >= REACH + 1:
            return np.asarray(self.come[:, -1])
        before = self.come[:, whole - 1] if whole > 0 else 0.0
        return np.asarray(before + (fine - whole) * (self.come[:, whole] - before))

    def _variance(self, came: FloatArray) -> FloatArray:
        """[S] of the ratio of all that had come to all that came, from how it differs by hour
        (Cochran, "Sampling Techniques", 1977), at least that of counts."""
        total = self.come[:, -1]
        rows = np.maximum(total.sum(axis=0), 1.0)
        share = (came.sum(axis=0) + 0.5) / (rows + 1.0)
        hours = np.maximum((total > 0).sum(axis=0), 2)
        between = ((came - share * total) ** 2).sum(axis=0) / rows**2 * hours / (hours - 1)
        return np.asarray(np.maximum(between, share * (1.0 - share) / rows))

    def _sway(self, came: FloatArray, share: FloatArray) -> FloatArray:
        """[S] relative variance of single hours around ``share``, beyond that of counts."""
        total = self.come[:, -1]
        expected = share * total
        beyond = ((came - expected) ** 2 - expected * (1.0 - share)).sum(axis=0)
        return np.asarray(np.maximum(beyond, 0.0) / np.maximum((expected**2).sum(axis=0), 1e-9))

    def _burst(self, age: int) -> FloatArray:
        """[S] half of what comes within the jitter around this minute beyond an even flow."""
        per_hour = HOUR / FINE
        late, early = age / FINE + JITTER, max(age / FINE - JITTER, 0.0)
        rows = np.maximum(self.come[:, -1].sum(axis=0), 1.0)
        comes = (self._by(late) - self._by(early)).sum(axis=0) / rows
        even = (min(late, per_hour) - min(early, per_hour)) / per_hour
        return np.asarray(np.maximum(comes - even, 0.0) / 2.0)


def waited(come: FloatArray) -> BoolArray:
    """[hours] whose rows came later than those of most hours did: they waited for a pipeline to be
    repaired, and must not make the next day's young buckets look complete enough. ``come`` [hours, K]
    is rows of all event types by their age, cumulated. Earlier than most is harmless, and rare.
    """
    total = come[:, -1]
    if not (total > 0).any():
        return total < 0
    arrived = come / np.maximum(total, 1.0)[:, None]
    usual = np.median(arrived[total > 0], axis=0)
    return np.asarray(((usual - arrived).max(axis=1) > LATE_PART) & (total >= LATE_ROWS))


def ever_so_silent(cells: Cells, series: int, since: int, at: int, *, loaded: bool) -> bool:
    """Whether one event type had often brought nothing from ``since`` to ``at`` in the same minutes of
    the hours before in which it came at all. Where the silence is long, a job may be a little late."""
    if at - since > 2 * JITTER * FINE:
        at -= JITTER * FINE
    mine = np.flatnonzero((cells.series == series) & (cells.occurred >= since - LEARNED_LATELY))
    occurred = cells.occurred[mine]
    when = cells.loaded[mine] if loaded else occurred
    silent = spoke = 0
    for lag in range(1, LEARNED + 1):
        begin, end = since - lag * HOUR, at - lag * HOUR
        if not ((occurred >= begin - HOUR) & (occurred < end + HOUR)).any():
            continue
        # What was loaded in the fine bucket that is not over need not have been there yet.
        came = (occurred >= begin) & (occurred < end) & (when + FINE <= end)
        spoke, silent = spoke + bool(came.any()), silent + (not came.any())
    return silent >= max(OFTEN * spoke, 1.0)
