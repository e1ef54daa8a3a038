"""A time column, whatever its type: how it is compared, and how it becomes an integer.

Comparisons put the bare column on one side and a literal of its own type on the other, so that the
engine can use zone maps, partitions and indexes; an expression over the column would hide it from
them. A bound is therefore turned into intervals of the column's own domain: one interval for a
timestamp, one per unit for an integer (1.7e9 are seconds, 1.7e12 milliseconds), a second one where
the clock went back inside the window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import Enum
from functools import reduce
from operator import or_
from typing import Any
from zoneinfo import ZoneInfo

import ibis

from eventwatch.model.settings import UTC_ZONE
from eventwatch.warehouse.dialect import MICRO, Dialect
from eventwatch.warehouse.zones import Piece, pieces

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: tuple[tuple[int, int], ...] = ((1, 10**11), (10**3, 10**14), (10**6, 10**17), (10**9, 0))
"""(units per second, magnitude at which the next unit begins; 0: never)."""


class Form(Enum):
    """What a column's type makes of a time."""

    AWARE = "timestamp with time zone"
    NAIVE = "timestamp"
    DATE = "date"
    INTEGER = "integer"
    REAL = "real"


def form_of(kind: Any) -> Form | None:
    """The form of an Ibis data type; None: it cannot be a time."""
    if kind.is_timestamp():
        return Form.NAIVE if kind.timezone is None else Form.AWARE
    if kind.is_date():
        return Form.DATE
    if kind.is_integer() and kind.nbytes >= 4:
        return Form.INTEGER
    if kind.is_floating() or kind.is_decimal():
        return Form.REAL
    return None


@dataclass(frozen=True)
class Bound:
    """One end of a span of time."""

    at: datetime
    inside: bool = True
    """Whether ``at`` itself belongs to the span."""

    def micros(self) -> int:
        """Exact epoch microseconds."""
        return (self.at - _EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True)
class TimeColumn:
    """One mapped time of one exposure. ``first`` and ``last`` (epoch seconds) bound what its values
    are asked for; zone changes outside are not looked up."""

    name: str
    form: Form
    narrow: bool
    """A 32-bit integer: seconds only."""
    zone: ZoneInfo
    dialect: Dialect
    first: int
    last: int

    # -- comparisons ---------------------------------------------------------------------------

    def missing(self, table: Any) -> Any:
        """Null, or not a number."""
        column = table[self.name]
        if self.form is Form.REAL and column.type().is_floating():
            return column.isnull() | column.isnan()
        return column.isnull()

    def within(self, table: Any, low: Bound | None, high: Bound | None) -> Any:
        """Between two bounds; None: no bound on that side. False or null for what is missing."""
        column = table[self.name]
        parts = [_interval(column, a, b) for a, b in self._intervals(low, high)]
        if not parts:
            return ibis.literal(False)
        found = reduce(or_, parts)
        if high is None and self.form is Form.REAL and column.type().is_floating():
            found = found & ~column.isnan()  # NaN is greater than every number in SQL
        return found

    def _intervals(self, low: Bound | None, high: Bound | None) -> Sequence[_Interval]:
        if self.form is Form.AWARE:
            return [(None if low is None else _End(low.at, low.inside), _end(high))]
        if self.form in (Form.NAIVE, Form.DATE):
            return self._local_intervals(low, high)
        return self._number_intervals(low, high)

    def _local_intervals(self, low: Bound | None, high: Bound | None) -> list[_Interval]:
        spans: list[tuple[datetime | None, bool, datetime | None, bool]] = []
        cut = self.pieces()
        for i, piece in enumerate(cut):
            shift = timedelta(seconds=piece.offset)
            start = None if piece.start is None else _local(piece.start)
            stop = _local(cut[i + 1].start) if i + 1 < len(cut) else None
            a, a_in = (None, True) if low is None else (_naive(low.at) + shift, low.inside)
            b, b_in = (None, True) if high is None else (_naive(high.at) + shift, high.inside)
            if start is not None and (a is None or a < start):
                a, a_in = start, True
            if stop is not None and (b is None or b >= stop):
                b, b_in = stop, False
            if a is not None and b is not None and (a > b or (a == b and not (a_in and b_in))):
                continue
            if spans and spans[-1][2] == a and a is not None:  # they touch: one interval
                spans[-1] = (*spans[-1][:2], b, b_in)
            else:
                spans.append((a, a_in, b, b_in))
        if self.form is Form.DATE:
            return [(_first_day(a, a_in), _last_day(b, b_in)) for a, a_in, b, b_in in spans]
        return [
            (None if a is None else _End(a, a_in), None if b is None else _End(b, b_in))
            for a, a_in, b, b_in in spans
        ]

    def _number_intervals(self, low: Bound | None, high: Bound | None) -> list[_Interval]:
        found: list[_Interval] = []
        units = _UNITS[:1] if self.narrow else _UNITS
        for i, (unit, ceiling) in enumerate(units):
            # Negative numbers are seconds to us, whatever they are: all of them are before 1970.
            floor: _End | None = None if i == 0 else _End(_UNITS[i - 1][1], True)
            top: _End | None = _End(ceiling, False) if ceiling and not self.narrow else None
            a = None if low is None else self._number(low, unit, up=True)
            b = None if high is None else self._number(high, unit, up=False)
            start = _later(floor, a)
            stop = _earlier(top, b)
            if start is None or stop is None or _ordered(start, stop):
                found.append((start, stop))
        return found

    def _number(self, bound: Bound, unit: int, *, up: bool) -> _End:
        whole, rest = divmod(bound.micros() * unit, MICRO)
        if self.form is Form.REAL:
            return _End(whole if rest == 0 else whole + rest / MICRO, bound.inside)
        if rest == 0:
            # A finer number than ours is the microsecond it lies in: the rest of it is inside too.
            finer = max(unit // MICRO, 1) - 1 if up is not bound.inside else 0
            return _End(whole + finer, bound.inside)
        return _End(whole + 1 if up else whole, True)

    # -- integers ------------------------------------------------------------------------------

    @property
    def tick(self) -> int:
        """Ticks per second of ``ticks``."""
        return self.dialect.tick if self.form in (Form.AWARE, Form.NAIVE, Form.DATE) else 1

    def ticks(self, table: Any) -> Any:
        """Ticks since 1970 UTC, rounded down; int64. Only for rows that ``within`` let through."""
        column = table[self.name]
        if self.form is Form.AWARE:
            return self.dialect.ticks(column)
        if self.form in (Form.NAIVE, Form.DATE):
            return self._to_utc(self.dialect.ticks(column), self.tick)
        if self.form is Form.INTEGER:
            return self._by_unit(column, lambda v, u: self.dialect.divide(v.cast("int64"), u))
        return self._by_unit(column, lambda v, u: (v.cast("float64") / u).floor().cast("int64"))

    def micros(self, table: Any) -> Any:
        """Microseconds since 1970 UTC, rounded down; int64."""
        column = table[self.name]
        if self.form is Form.AWARE:
            return self.dialect.micros(column)
        if self.form in (Form.NAIVE, Form.DATE):
            return self._to_utc(self.dialect.micros(column), MICRO)
        if self.form is Form.INTEGER:
            return self._by_unit(column, self._whole_micros)
        return self._by_unit(
            column, lambda v, u: (v.cast("float64") * (MICRO / u)).floor().cast("int64")
        )

    def _whole_micros(self, value: Any, unit: int) -> Any:
        value = value.cast("int64")
        return (
            value * (MICRO // unit) if unit <= MICRO else self.dialect.divide(value, unit // MICRO)
        )

    def _by_unit(self, column: Any, convert: Any) -> Any:
        if self.narrow:
            return convert(column, 1)
        made = convert(column, _UNITS[-1][0])
        for unit, ceiling in reversed(_UNITS[:-1]):
            made = ibis.ifelse(column < ceiling, convert(column, unit), made)
        return made

    def _to_utc(self, local: Any, tick: int) -> Any:
        made = local
        cut = self.pieces()
        if len(cut) == 1:
            return local if cut[0].offset == 0 else local - cut[0].offset * tick
        for i, piece in enumerate(cut):
            shifted = local - piece.offset * tick
            at = piece.start
            made = (
                shifted if i == 0 or at is None else ibis.ifelse(local >= at * tick, shifted, made)
            )
        return made

    def pieces(self) -> tuple[Piece, ...]:
        """Pieces of constant offset of the zone that zone-less values are read in."""
        if self.zone.key == UTC_ZONE.key:
            return (Piece(None, 0),)
        return pieces(self.zone, self.first, self.last)


@dataclass(frozen=True)
class _End:
    value: Any
    inside: bool


_Interval = tuple[_End | None, _End | None]


def _interval(column: Any, low: _End | None, high: _End | None) -> Any:
    if low is None and high is None:
        return column.notnull()
    parts = []
    if low is not None:
        parts.append(column >= low.value if low.inside else column > low.value)
    if high is not None:
        parts.append(column <= high.value if high.inside else column < high.value)
    return parts[0] if len(parts) == 1 else parts[0] & parts[1]


def _end(bound: Bound | None) -> _End | None:
    return None if bound is None else _End(bound.at, bound.inside)


def _later(a: _End | None, b: _End | None) -> _End | None:
    if a is None or b is None:
        return a if b is None else b
    return b if (b.value, not b.inside) > (a.value, not a.inside) else a


def _earlier(a: _End | None, b: _End | None) -> _End | None:
    if a is None or b is None:
        return a if b is None else b
    return b if (b.value, b.inside) < (a.value, a.inside) else a


def _ordered(low: _End, high: _End) -> bool:
    return bool(low.value < high.value or (low.value == high.value and low.inside and high.inside))


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)


def _local(second: int | None) -> datetime:
    return _naive(_EPOCH) + timedelta(seconds=second or 0)


def _first_day(at: datetime | None, inside: bool) -> _End | None:
    """Dates are midnights: the first one at or after."""
    if at is None:
        return None
    whole = at.time() == time.min
    return _End(at.date() if whole else at.date() + timedelta(days=1), inside or not whole)


def _last_day(at: datetime | None, inside: bool) -> _End | None:
    if at is None:
        return None
    whole = at.time() == time.min
    return _End(at.date(), inside or not whole)
