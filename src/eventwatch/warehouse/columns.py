"""The exposure's columns as the config maps them, held against the table's real ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from typing import Any

import ibis

from eventwatch.model.errors import Fault
from eventwatch.model.settings import Exposure
from eventwatch.warehouse.dialect import Dialect
from eventwatch.warehouse.times import Bound, TimeColumn, form_of
from eventwatch.warehouse.values import EVENT_TYPE_LIMIT, shorten_expr

_DAY = timedelta(days=1)
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(2200, 1, 1, tzinfo=UTC)
_TIMES = (
    "it must be a timestamp, a date, or a number of seconds, milliseconds, microseconds or "
    "nanoseconds since 1970; let a view cast it"
)
_SCALAR = "it must be a single value, not a list or a structure; let a view pick the part"


def faults(exposure: Exposure, schema: Any) -> tuple[Fault, ...]:
    """Every difference between the mapping and an Ibis schema."""
    return tuple(_faults(exposure, schema))


def _faults(exposure: Exposure, schema: Any) -> Iterator[Fault]:
    for key, column, rule in _mapped(exposure):
        if column not in schema:
            text = f"{_where(exposure)} has no column {column!r}{_near(column, schema)}"
            if key == "columns.loaded_at":
                text += "; `loaded_at: null` says that the table does not know when a row arrived"
            yield fault(exposure, key, text)
            continue
        kind = schema[column]
        if rule == "time" and form_of(kind) is None:
            yield fault(exposure, key, f"column {column!r} is {kind}: {_TIMES}")
        elif rule == "scalar" and (kind.is_nested() or kind.is_binary()):
            yield fault(exposure, key, f"column {column!r} is {kind}: {_SCALAR}")
        elif rule == "partition" and not _partitions(kind):
            yield fault(
                exposure,
                key,
                f"column {column!r} is {kind}: a partition column must be a date, a timestamp, a "
                "string like 2026-01-31 or a number like 20260131",
            )


def _mapped(exposure: Exposure) -> Iterator[tuple[str, str, str]]:
    columns = exposure.columns
    yield "columns.event_type", columns.event_type, "scalar"
    yield "columns.occurred_at", columns.occurred_at, "time"
    if columns.loaded_at is not None:
        yield "columns.loaded_at", columns.loaded_at, "time"
    if columns.event_id is not None:
        yield "columns.event_id", columns.event_id, "scalar"
    if columns.payload is not None:
        yield "columns.payload", columns.payload, "any"
    for dimension in exposure.dimensions:
        yield f"dimensions.{dimension.name}", dimension.column, "scalar"
    if exposure.partition is not None:
        yield "partition.column", exposure.partition.column, "partition"


def _near(column: str, schema: Any) -> str:
    names = list(schema.names)
    close = [n for n in names if n.casefold() == column.casefold()]
    close = close or get_close_matches(column, names, n=3, cutoff=0.6)
    if close:
        return "; did you mean " + " or ".join(map(repr, close)) + "?"
    shown = ", ".join(map(repr, names[:20]))
    return f"; its columns are {shown}" + (
        f" and {len(names) - 20} more" if len(names) > 20 else ""
    )


def _where(exposure: Exposure) -> str:
    return (
        f"table {exposure.table!r}" if exposure.parquet is None else f"parquet {exposure.parquet!r}"
    )


def fault(exposure: Exposure, key: str, message: str) -> Fault:
    """A fault of this exposure's entry in the config."""
    path, _, line = exposure.location.rpartition(":")
    known = bool(path) and line.isdigit()
    return Fault(
        path if known else exposure.location or "config",
        int(line) if known else None,
        message,
        f"exposures.{exposure.name}.{key}" if key else f"exposures.{exposure.name}",
    )


def _partitions(kind: Any) -> bool:
    return bool(kind.is_date() or kind.is_timestamp() or kind.is_string() or kind.is_integer())


@dataclass(frozen=True)
class Columns:
    """The mapped columns of one exposure, ready for expressions. Every method takes the table."""

    exposure: Exposure
    dialect: Dialect
    occurred: TimeColumn
    loaded: TimeColumn
    """The occurred column itself where there is no load time."""

    @staticmethod
    def of(
        exposure: Exposure, schema: Any, dialect: Dialect, first: datetime, last: datetime
    ) -> Columns:
        """For questions about [first, last]; the schema must be without ``faults``."""
        low = int((first - 3 * _DAY).timestamp())
        high = int((last + 3 * _DAY).timestamp())

        def time(name: str) -> TimeColumn:
            kind = schema[name]
            form = form_of(kind)
            assert form is not None, name
            narrow = bool(kind.is_integer()) and kind.nbytes == 4
            return TimeColumn(name, form, narrow, exposure.naive_time_zone, dialect, low, high)

        occurred = time(exposure.columns.occurred_at)
        loaded = exposure.columns.loaded_at
        return Columns(exposure, dialect, occurred, occurred if loaded is None else time(loaded))

    def event_type(self, table: Any) -> Any:
        """The event type as a string of bounded length; null stays null."""
        text = as_text(table[self.exposure.columns.event_type])
        return shorten_expr(text, EVENT_TYPE_LIMIT, self.dialect)

    def loaded_within(self, table: Any, low: Bound | None, high: Bound | None) -> list[Any]:
        """Conditions: loaded between the bounds, and in the partitions that can hold such rows."""
        found = [self.loaded.within(table, low, high)]
        found += self.partition(table, low, high)
        if self._by_occurrence():
            found.append(self._not_too_late(table, found[0]))
        return found

    def partition(self, table: Any, low: Bound | None, high: Bound | None) -> list[Any]:
        """Conditions on the partition column for rows loaded between the bounds; a day of slack on
        both sides takes up what time zone the days are in. Partitions by occurrence have no end:
        what occurs in the future is to be counted too."""
        setting = self.exposure.partition
        if setting is None:
            return []
        slack = _DAY + (self.exposure.look_back if self._by_occurrence() else timedelta(0))
        first = None if low is None else (low.at - slack).astimezone(UTC).date()
        stop = (
            None
            if high is None or self._by_occurrence()
            else (high.at + 2 * _DAY).astimezone(UTC).date()
        )
        column = table[setting.column]
        kind = column.type()
        found = []
        if first is not None:
            found.append(column >= _day_literal(kind, first))
        if stop is not None:
            found.append(column < _day_literal(kind, stop))
        return found

    def _by_occurrence(self) -> bool:
        setting = self.exposure.partition
        return setting is not None and setting.of == "occurred_at" and self.exposure.has_load_time

    def _not_too_late(self, table: Any, loaded_in_span: Any) -> Any:
        """Where partitions follow the occurrence, what is later than the look-back is out of reach
        for some windows and not for others; it is left out of all of them, so that a scan and a
        recount of the same day agree. Rows without a usable time pass: they are counted as such."""
        limit = int(self.exposure.look_back.total_seconds())
        occurred = self.dialect.divide(self.occurred.ticks(table), self.occurred.tick)
        loaded = self.dialect.divide(self.loaded.ticks(table), self.loaded.tick)
        usable = self.occurred.within(table, Bound(_FIRST), Bound(_LAST)) & loaded_in_span
        return ibis.ifelse(usable, occurred >= loaded - limit, True)


def as_text(column: Any) -> Any:
    """Any scalar as a string."""
    return column if column.type().is_string() else column.cast("string")


def _day_literal(kind: Any, day: date) -> Any:
    if kind.is_date():
        return day
    if kind.is_timestamp():
        at = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return at.replace(tzinfo=None) if kind.timezone is None else at
    if kind.is_integer():
        return day.year * 10000 + day.month * 100 + day.day
    return day.isoformat()
