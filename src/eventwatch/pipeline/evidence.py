"""How event types did by the values of the watched dimensions since their trouble began.

Counted from the cells that were judged anyway, and only where something moved. Expected is what came
in the same hours of earlier weeks (their median, so that one bad week says nothing), carried to the
level of the last days and shared out among the values as the last days were: versions come and go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from eventwatch.alerting.causes_evidence import Across, Evidence, Moved
from eventwatch.alerting.causes_falls import began, falls, is_lag, is_unseen, rises
from eventwatch.kinds.delays import quantile, summed_bins
from eventwatch.kinds.drift_stops import by_part, by_value, numbered
from eventwatch.model.alert import Alert
from eventwatch.model.measurement import HOUR, OTHER, Cells, SeriesKey
from eventwatch.model.view import ExposureView
from eventwatch.pipeline.handovers import declared_names, handovers

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LONGEST = 24
"""Hours of a span: what lasts longer shows in its newest hours as well."""
SHORTEST = 0.5
"""Hours after which a span may begin with a whole hour, without the one in which it began."""
WEEK, DAY = 7 * 24, 24
WEEKS, DAYS = 4, 6
"""Earlier weeks that are looked at; days, where not even one week is known."""
MIX = 72
"""Hours before the span that say how rows are shared out among values, and on which level they are."""
MIX_ROWS = 20.0
MOST_LEVEL = 4.0
"""A level says at most so many times of what earlier weeks say."""
CUTS_KNOWN = timedelta(days=35)
MOST_VALUES = 20
"""Of a dimension, for one event type; the rest counts as other."""
SAYS = 9.0
"""Rows under a value from which on an event type says how it does."""
SURE = 3.0
"""Standard deviations of a count by which it must be off to say so."""
CHUNK = 1_000_000
"""Cells that are looked at at once, to keep what they need small."""


def evidence(view: ExposureView, alerts: Sequence[Alert]) -> Evidence:
    """What the rows say of these open alerts. Empty where none is about counts."""
    telling = [a for a in alerts if (falls(a) and not is_lag(a)) or rises(a) or is_unseen(a)]
    handed, declared = handovers(view, alerts), declared_names(view)
    if not telling or not len(view.cuts.series):
        return Evidence(handed=handed, declared=declared)
    end = _end(view)
    begins = _begins(telling, end)
    moved = {n for n in begins if n is not None}
    shared = begins[None] if None in begins else sorted(begins.values())[len(begins) // 2]
    keys = view.cuts.keys
    groups, pairs = by_part(keys)
    type_of, names = numbered([event_type for event_type, _ in pairs])
    types = type_of[groups]
    begin = np.array([begins.get(n, shared) for n in names], dtype=np.int64)
    spans = _Spans(begin, end, types, _known_from(view, types, len(names)))
    own = spans.counted(view.cuts)
    # All event types over one span, so that they can be added up.
    same = _Spans(np.full(len(names), shared), end, types, spans.known_from)
    all_of = own if (begin == shared).all() else same.counted(view.cuts)
    expected = own.expected(groups, len(pairs), spans)
    hours = {str(n): float(spans.length(t)) for t, n in enumerate(names) if n in moved}
    tables: dict[tuple[str, str], dict[str, Moved]] = {}
    wanted = np.array([n in moved for n in names], dtype=np.bool_)[types]
    for s in np.flatnonzero(wanted & ((own.now > 0) | (expected > 0))).tolist():
        key = keys[s]
        table = tables.setdefault((str(key.event_type), key.dimension), {})
        table[key.value] = Moved(float(own.now[s]), float(expected[s]))
    return Evidence(
        moved={label: _few(table) for label, table in tables.items()},
        hours=hours,
        whole=_whole(keys, all_of, all_of.expected(groups, len(pairs), same)),
        handed=handed,
        declared=declared,
    )


def _end(view: ExposureView) -> float:
    """Epoch hours, with a fraction, up to which nearly all rows have arrived."""
    newest = int(view.rows.last_loaded.max()) if len(view.rows.last_loaded) else 0
    # What a table that stopped did not bring says nothing of a value; loads may be an hour apart.
    at = min(view.now.timestamp(), newest + HOUR) if newest else view.now.timestamp()
    late = 0.0
    if view.exposure.has_load_time:
        bins = summed_bins(view.delays, view.now, hours=24)
        late = quantile(bins, 0.95) if bins.any() else 0.0
    return (at - min(late, 24.0 * HOUR)) / HOUR


def _begins(telling: Sequence[Alert], end: float) -> dict[str | None, int]:
    """First whole hour of each event type's span; that of None is the exposure's own trouble. What
    falls counts before what rises, the newest before what is older."""
    found: dict[str | None, tuple[bool, datetime]] = {}
    for alert in telling:
        name, mark = alert.result.event_type, (falls(alert), began(alert))
        found[name] = max(found.get(name, mark), mark)
    return {name: _first_hour(at, end) for name, (_, at) in found.items()}


def _first_hour(at: datetime, end: float) -> int:
    """The hour in which it began is half as usual: left out, where a whole one is known after it."""
    hours = at.timestamp() / HOUR
    first = int(np.ceil(hours)) if end - np.ceil(hours) >= SHORTEST else int(hours)
    # Of what began a moment ago the last hour says what can be said.
    return int(min(max(first, int(end) - LONGEST), int(np.ceil(end)) - 1))


def _known_from(view: ExposureView, types: IntArray, count: int) -> IntArray:
    """[T] first hour from which the rows of each event type are known."""
    start = max(view.measured_from, view.now - CUTS_KNOWN).timestamp()
    first = view.cuts.least(view.cuts.occurred, np.iinfo(np.int64).max) // HOUR
    found = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(found, types, first)
    return np.asarray(np.maximum(found, int(np.ceil(start / HOUR))), dtype=np.int64)


@dataclass(frozen=True)
class _Spans:
    """One span of hours for each of T event types, all with the same end."""

    begin: IntArray
    """[T]"""
    end: float
    types: IntArray
    """[S] event type of each series."""
    known_from: IntArray
    """[T]"""

    @property
    def period(self) -> int:
        """Hours after which hours are like each other."""
        return WEEK if (self.begin - self.known_from >= WEEK).any() else DAY

    @property
    def back(self) -> int:
        """Earlier periods that are looked at."""
        return WEEKS if self.period == WEEK else DAYS

    def length(self, of: int | IntArray) -> FloatArray:
        """Hours of the spans of these event types."""
        spans = np.clip(self.end - self.begin[of], 0.0, float(LONGEST))
        return np.asarray(spans, dtype=np.float64)

    def counted(self, cells: Cells) -> _Counted:
        """One pass over the cells."""
        size, period, back = len(self.types), self.period, self.back
        begin, length = self.begin[self.types], self.length(self.types)
        counts = np.zeros((back + 1) * size)
        mixed = np.zeros((back + 2) * size)
        for series, occurred, rows in _chunks(cells):
            since = occurred // HOUR - begin[series]
            ago = -(since // period)
            place = since + ago * period
            # The last hour has only begun; that of earlier weeks counts as much.
            part = np.clip(length[series] - place, 0.0, 1.0)
            part = np.where((ago == 0) & (part > 0), 1.0, part)
            keep = (part > 0) & (ago >= 0) & (ago <= back)
            counts += np.bincount(
                (ago * size + series)[keep], (rows * part)[keep], minlength=len(counts)
            )
            keep = (place >= period - MIX) & (ago >= 1) & (ago <= back + 1)
            mixed += np.bincount((ago * size + series)[keep], rows[keep], minlength=len(mixed))
        return _Counted(counts.reshape(back + 1, size), mixed.reshape(back + 2, size)[1:])


@dataclass(frozen=True)
class _Counted:
    """Rows of S series in a span and before."""

    spans: FloatArray
    """[K + 1, S] in the span, and in the same hours of K earlier periods."""
    before: FloatArray
    """[K + 1, S] in the hours before each of them."""

    @property
    def now(self) -> FloatArray:
        """[S] in the span."""
        return np.asarray(self.spans[0], dtype=np.float64)

    def expected(self, groups: IntArray, count: int, spans: _Spans) -> FloatArray:
        """[S] rows that usually come. ``groups`` [S]: the event type × dimension of each series."""
        type_of = np.zeros(count, dtype=np.int64)
        type_of[groups] = spans.types
        periods = np.arange(1, len(self.spans))[:, None] * spans.period
        known = spans.begin[type_of][None, :] - periods >= spans.known_from[type_of][None, :]
        total = _median(_grouped(self.spans[1:], groups, count), known)
        before = _grouped(self.before, groups, count)
        if spans.period == WEEK:
            known = known & (
                spans.begin[type_of][None, :] - periods - MIX >= spans.known_from[type_of][None, :]
            )
            usual = _median(before[1:], known)
            level = np.where(usual >= MIX_ROWS, before[0] / np.maximum(usual, 1.0), 1.0)
            total = total * np.clip(level, 1.0 / MOST_LEVEL, MOST_LEVEL)
        recent = self.before[0]
        enough = before[0][groups] >= MIX_ROWS
        ever = self.spans[1:].sum(axis=0) + self.before.sum(axis=0)
        parts = np.where(enough, recent, ever)
        sums = np.bincount(groups, parts, minlength=count)
        return np.asarray(total[groups] * parts / np.maximum(sums[groups], 1e-9))


def _chunks(cells: Cells) -> Iterator[tuple[IntArray, IntArray, IntArray]]:
    for first in range(0, len(cells.series), CHUNK):
        part = slice(first, first + CHUNK)
        yield cells.series[part].astype(np.int64), cells.occurred[part], cells.rows[part]


def _grouped(values: FloatArray, groups: IntArray, count: int) -> FloatArray:
    """[K, G] from [K, S]."""
    return np.stack([np.bincount(groups, row, minlength=count) for row in values])


def _median(values: FloatArray, known: NDArray[np.bool_]) -> FloatArray:
    """[G] over the known ones; 0 where none is."""
    some = known.any(axis=0)
    found = np.zeros(values.shape[1])
    found[some] = np.nanmedian(np.where(known, values, np.nan)[:, some], axis=0)
    return found


def _few(table: dict[str, Moved]) -> dict[str, Moved]:
    if len(table) <= MOST_VALUES:
        return table
    ordered = sorted(table.items(), key=lambda e: (-(e[1].observed + e[1].expected), e[0]))
    kept = dict(ordered[:MOST_VALUES])
    rest = [rows for _, rows in ordered[MOST_VALUES:]] + [kept.pop(OTHER, Moved(0.0, 0.0))]
    kept[OTHER] = Moved(sum(r.observed for r in rest), sum(r.expected for r in rest))
    return kept


def _whole(
    keys: tuple[SeriesKey, ...], counted: _Counted, expected: FloatArray
) -> dict[str, dict[str, Across]]:
    values, labels = by_value(keys)
    count, now = len(labels), counted.now
    says = np.maximum(expected, now) >= SAYS

    def summed(what: FloatArray | NDArray[np.bool_]) -> FloatArray:
        return np.asarray(np.bincount(values, what.astype(np.float64), minlength=count))

    def names(where: NDArray[np.bool_]) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for s in np.flatnonzero(where).tolist():
            name = keys[s].event_type
            if name is not None:
                found.setdefault(int(values[s]), []).append(name)
        return found

    rows, usual, known = summed(now), summed(expected), summed(says)
    off = SURE * np.sqrt(expected + 1.0)
    fell = names(says & (now <= expected / 2) & (expected - now >= SURE * np.sqrt(expected)))
    rose = names(says & (now >= 2 * expected) & (now - expected >= off))
    whole: dict[str, dict[str, Across]] = {}
    for i, (dimension, value) in enumerate(labels):
        if rows[i] or usual[i]:
            whole.setdefault(dimension, {})[value] = Across(
                Moved(float(rows[i]), float(usual[i])),
                int(known[i]),
                tuple(sorted(fell.get(i, ()))),
                tuple(sorted(rose.get(i, ()))),
            )
    return whole
