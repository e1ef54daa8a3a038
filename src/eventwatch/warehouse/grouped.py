"""The one statement of a scan: every set of cells as a union of aggregations.

Each branch filters the table by itself, so that the engine reads only that branch's columns and only
that branch's span; nothing is shared, because a shared subquery is materialised by some engines and
would hold the look-back in memory. Every row of the answer says which branch it is of (``part``);
``Parts`` translates back. All spans are closed at ``now``: what was loaded later is counted, not
measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import ibis

from eventwatch.model.measurement import (
    DELAY,
    DELAY_BINS,
    FINE,
    HOUR,
    NULL_VALUE,
    OTHER,
    TIME,
    ScanRequest,
)
from eventwatch.model.settings import Dimension
from eventwatch.warehouse.columns import Columns, as_text
from eventwatch.warehouse.dialect import MICRO
from eventwatch.warehouse.times import Bound, TimeColumn
from eventwatch.warehouse.values import value_expr

CLOCK_SKEW = timedelta(minutes=5)
"""How far in the future a time may be before it counts as ``future``."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ROWS_PART = 0
FUTURE_PART = -1
NULL_PART = -2


@dataclass(frozen=True)
class Parts:
    """Branch number → name of the set (``dimension`` of the cells)."""

    names: tuple[str, ...]

    @staticmethod
    def of(dimensions: tuple[Dimension, ...]) -> Parts:
        """The sets that a scan of these dimensions may give."""
        return Parts(("", TIME, DELAY, *(d.name for d in dimensions)))

    def number(self, name: str) -> int:
        """The branch of a set."""
        return self.names.index(name)


@dataclass(frozen=True)
class Spans:
    """The instants of a request, made safe: nothing before 1970 is ever bucketed."""

    now: datetime
    rows_from: datetime
    cuts_from: datetime
    delays_from: datetime
    times_from: datetime
    fine_from: datetime
    oldest: datetime
    newest: datetime

    @staticmethod
    def of(request: ScanRequest) -> Spans:
        """From a request."""
        return Spans(
            now=request.now,
            rows_from=max(request.rows_from, _EPOCH),
            cuts_from=max(request.cuts_from, _EPOCH),
            delays_from=max(request.delays_from, _EPOCH),
            times_from=max(request.times_from, _EPOCH),
            fine_from=max(request.fine_from, _EPOCH),
            oldest=max(request.oldest_occurred, _EPOCH),
            newest=request.now + CLOCK_SKEW,
        )

    @property
    def first(self) -> datetime:
        """The earliest instant anything is compared with."""
        return min(self.times_from, self.delays_from, self.oldest)


def grouped(table: Any, columns: Columns, request: ScanRequest) -> Any:
    """The statement. Columns of the answer: part (int16), event_type and value (string), occurred,
    loaded, rows, first_loaded, last_loaded (int64, times in epoch seconds)."""
    return ibis.union(*_branches(table, columns, request), distinct=False)


def _branches(table: Any, columns: Columns, request: ScanRequest) -> Iterator[Any]:
    spans = Spans.of(request)
    parts = Parts.of(columns.exposure.dimensions)
    fine = max(spans.fine_from, spans.rows_from)
    if fine <= spans.now:
        yield _rows(table, columns, spans, Bound(fine), Bound(spans.now), width=FINE)
    if spans.rows_from < fine:
        yield _rows(
            table, columns, spans, Bound(spans.rows_from), Bound(fine, inside=False), width=HOUR
        )
    yield _bad_times(table, columns, spans, parts.number(TIME))
    if columns.exposure.has_load_time:
        yield _delays(table, columns, spans, parts.number(DELAY))
    for dimension in columns.exposure.dimensions:
        known = kept_names(dimension, request)
        yield _cut(table, columns, spans, dimension, known=known, part=parts.number(dimension.name))
    yield _count(
        table,
        NULL_PART,
        [
            columns.loaded.missing(table),
            *columns.partition(table, Bound(spans.rows_from), Bound(spans.now)),
        ],
    )
    if not request.as_of:
        after = Bound(spans.now + CLOCK_SKEW, inside=False)
        yield _count(table, FUTURE_PART, columns.loaded_within(table, after, None))


# -- branches ------------------------------------------------------------------------------------


def _rows(
    table: Any, columns: Columns, spans: Spans, low: Bound, high: Bound, *, width: int
) -> Any:
    rows = _good(table, columns, spans, low, high)
    occurred = _bucket(columns.occurred, rows, HOUR)
    if width == FINE:
        # Compared as the column is, like the filter: the bucket's own start would do as well.
        recent = columns.occurred.within(rows, Bound(spans.fine_from), None)
        occurred = ibis.ifelse(recent, _bucket(columns.occurred, rows, FINE), occurred)
    return _aggregate(
        rows,
        columns,
        ROWS_PART,
        ibis.literal(""),
        {"o": occurred, "l": _bucket(columns.loaded, rows, width)},
    )


def _cut(
    table: Any,
    columns: Columns,
    spans: Spans,
    dimension: Dimension,
    *,
    known: tuple[str, ...],
    part: int,
) -> Any:
    low, high = Bound(spans.cuts_from), Bound(spans.now)
    kept = _kept(_good(table, columns, spans, low, high), columns, dimension, known)
    rows = _good(table, columns, spans, low, high)
    slim = rows.select(
        e=columns.event_type(rows),
        v=as_text(rows[dimension.column]),
        o=_bucket(columns.occurred, rows, HOUR),
        l=_bucket(columns.loaded, rows, HOUR),
        t=columns.loaded.ticks(rows),
    )
    joined = slim.left_join(kept, slim.v == kept.raw)
    value = ibis.ifelse(joined.v.isnull(), NULL_VALUE, joined.named.fill_null(OTHER))
    return _answer(
        joined.group_by(e=joined.e, v=value, o=joined.o, l=joined.l).agg(
            n=joined.count(), first=joined.t.min(), last=joined.t.max()
        ),
        columns,
        part,
    )


def kept_names(dimension: Dimension, request: ScanRequest) -> tuple[str, ...]:
    """Values of a dimension that keep their places, in an order that does not change with their rows."""
    known = request.known_values.get(dimension.name, ())
    # DuckDB before 2.0 ends a statement at a NUL; such a value takes its place by its rows.
    return tuple(sorted([value for value in known if "\0" not in value][: dimension.cap]))


def _kept(rows: Any, columns: Columns, dimension: Dimension, known: tuple[str, ...]) -> Any:
    """The values that are followed: column's text → name. Known ones keep their places, the free
    ones go to the largest of this window; ties fall by digest, alike on every engine."""
    text = as_text(rows[dimension.column])
    counts = rows.filter(text.notnull()).group_by(raw=text).agg(n=lambda t: t.count())
    named = counts.mutate(named=value_expr(counts.raw, columns.dialect))
    is_known = named.named.isin(list(known)) if known else ibis.literal(False)
    ranked = named.mutate(known=is_known, tie=columns.dialect.md5(named.named))
    order = [ranked.n.desc(), ranked.tie.asc()]
    ranked = ranked.mutate(
        place=ibis.row_number().over(ibis.window(group_by=ranked.known, order_by=order))
    )
    free = dimension.cap - len(known)
    return ranked.filter(ranked.known | (ranked.place < free)).select("raw", "named")


def _delays(table: Any, columns: Columns, spans: Spans, part: int) -> Any:
    rows = _good(table, columns, spans, Bound(spans.delays_from), Bound(spans.now))
    delay = columns.loaded.micros(rows) - columns.occurred.micros(rows)
    loaded = _bucket(columns.loaded, rows, HOUR)
    return _aggregate(rows, columns, part, _bin(delay), {"o": loaded, "l": loaded})


def _bin(delay: Any, low: int = 0, high: int = DELAY_BINS - 1) -> Any:
    """The bin of a delay in microseconds by bisection: five comparisons and no logarithm, which is
    not exact at powers of two on every engine."""
    if low == high:
        return ibis.literal(str(low))
    middle = (low + high + 1) // 2
    start = (1 << (middle - 1)) * MICRO
    return ibis.ifelse(delay >= start, _bin(delay, middle, high), _bin(delay, low, middle - 1))


def _bad_times(table: Any, columns: Columns, spans: Spans, part: int) -> Any:
    low, high = Bound(spans.times_from), Bound(spans.now)
    oldest, newest = Bound(spans.oldest, inside=False), Bound(spans.newest, inside=False)
    missing = columns.occurred.missing(table)
    future = columns.occurred.within(table, newest, None)
    old = columns.occurred.within(table, None, oldest)
    rows = table.filter(missing | future | old, *columns.loaded_within(table, low, high))
    kind = ibis.cases(
        (columns.occurred.missing(rows), "null_occurred"),
        (columns.occurred.within(rows, newest, None), "future"),
        else_="old",
    )
    loaded = _bucket(columns.loaded, rows, HOUR)
    return _aggregate(rows, columns, part, kind, {"o": loaded, "l": loaded})


def _count(table: Any, part: int, conditions: list[Any]) -> Any:
    none = ibis.null("int64")
    return (
        table.filter(*conditions)
        .agg(n=lambda t: t.count())
        .select(
            part=ibis.literal(part, "int16"),
            event_type=ibis.null("string"),
            value=ibis.literal(""),
            occurred=none,
            loaded=none,
            rows=lambda t: t.n,
            first_loaded=none,
            last_loaded=none,
        )
    )


# -- pieces --------------------------------------------------------------------------------------


def _good(table: Any, columns: Columns, spans: Spans, low: Bound, high: Bound) -> Any:
    """Rows loaded between the bounds whose occurred time is usable. Each call is a reading of its own
    (a view): equal filters would become one shared subquery."""
    table = table.view()
    return table.filter(
        *columns.loaded_within(table, low, high),
        columns.occurred.within(table, Bound(spans.oldest), Bound(spans.newest)),
    )


def _bucket(time: TimeColumn, rows: Any, width: int) -> Any:
    """Start of the bucket in epoch seconds."""
    return time.dialect.divide(time.ticks(rows), width * time.tick) * width


def _aggregate(rows: Any, columns: Columns, part: int, value: Any, buckets: dict[str, Any]) -> Any:
    slim = rows.select(e=columns.event_type(rows), v=value, t=columns.loaded.ticks(rows), **buckets)
    return _answer(
        slim.group_by("e", "v", "o", "l").agg(
            n=slim.count(), first=slim.t.min(), last=slim.t.max()
        ),
        columns,
        part,
    )


def _answer(groups: Any, columns: Columns, part: int) -> Any:
    tick = columns.loaded.tick
    return groups.select(
        part=ibis.literal(part, "int16"),
        event_type=groups.e,
        value=groups.v,
        occurred=groups.o,
        loaded=groups.l,
        rows=groups.n,
        first_loaded=columns.dialect.divide(groups["first"], tick),
        last_loaded=columns.dialect.divide(groups["last"], tick),
    )
