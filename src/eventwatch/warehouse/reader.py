"""The warehouse on Ibis: verify, scan, recount. The one entrance to this package."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pyarrow as pa

from eventwatch.model.errors import (
    ExposureInvalid,
    ExposureTimeout,
    Fault,
    WarehouseError,
)
from eventwatch.model.measurement import DUPLICATE, TIME, Recount, Scan, ScanRequest
from eventwatch.model.settings import Exposure
from eventwatch.ports.warehouse import Progress
from eventwatch.warehouse.cells import Gatherer
from eventwatch.warehouse.columns import Columns, faults
from eventwatch.warehouse.connect import Source, opened, redact
from eventwatch.warehouse.deadline import Deadline
from eventwatch.warehouse.grouped import Parts, Spans, grouped
from eventwatch.warehouse.parquet import steadily
from eventwatch.warehouse.recounting import recounting
from eventwatch.warehouse.repeats import repeats
from eventwatch.warehouse.template import Statements

T = TypeVar("T")


class IbisWarehouse:
    """Implements ``ports.warehouse.Warehouse``. Holds compiled statements and nothing else; every call
    opens and closes."""

    def __init__(self) -> None:
        self._statements = Statements()

    def verify(self, exposure: Exposure) -> tuple[Fault, ...]:
        """Every difference between the config and the table."""
        try:
            return _with(exposure, lambda source: faults(exposure, source.table.schema()))
        except ExposureInvalid as invalid:
            return invalid.faults

    def scan(
        self, exposure: Exposure, request: ScanRequest, progress: Progress | None = None
    ) -> Scan:
        """Measures what ``request`` asks for: one statement, and one more for repeated ids."""
        started = time.monotonic()
        wants_repeats = (
            request.duplicates_from is not None and exposure.columns.event_id is not None
        )

        def measure(source: Source) -> tuple[Gatherer, int]:
            columns = _columns(source, Spans.of(request).first, request.now)
            parts = Parts.of(exposure.dimensions).names
            gatherer = Gatherer((*parts, DUPLICATE))
            statement = self._statement(source, columns, request, grouped)
            for batch in _ask(source, statement, _told(progress, 0.0, 0.9, "counting rows")):
                gatherer.add(batch, parts, ("", TIME))
            if wants_repeats:
                second = self._statement(source, columns, request, repeats)
                for batch in _ask(source, second, _told(progress, 0.9, 1.0, "looking for repeats")):
                    gatherer.add(batch, (DUPLICATE,), ())
            return gatherer, 2 if wants_repeats else 1

        gatherer, statements = _with(exposure, measure)
        return Scan(
            request=request,
            cells=gatherer.table(),
            rows=gatherer.row_count,
            future_loaded=gatherer.future_loaded,
            null_loaded=gatherer.null_loaded,
            statements=statements,
            elapsed=timedelta(seconds=time.monotonic() - started),
            capped=tuple(d.name for d in exposure.dimensions if d.name in gatherer.capped),
        )

    def _statement(
        self,
        source: Source,
        columns: Columns,
        request: ScanRequest,
        build: Callable[[Any, Columns, ScanRequest], Any],
    ) -> Any:
        """What ``Source.batches`` runs: SQL where it was compiled before."""
        if source.dialect.name != "duckdb":
            return build(source.table, columns, request)
        return self._statements.text(source, columns, request, build)

    def recount(self, exposure: Exposure, first_day: datetime, end_day: datetime) -> Recount:
        """Rows per event type and loaded UTC day in [first_day, end_day)."""
        first = -(-int(first_day.timestamp()) // 86400) * 86400
        end = int(end_day.timestamp()) // 86400 * 86400

        def count(source: Source) -> Recount:
            low, high = datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(end, UTC)
            columns = _columns(source, low, high)
            rows: dict[tuple[int, str | None], int] = {}
            null_loaded = 0
            for batch in _ask(source, recounting(source.table, columns, low, high), None):
                for row in batch.to_pylist():
                    if row["day"] is None:
                        null_loaded += row["rows"]
                    else:
                        rows[row["day"], row["event_type"]] = row["rows"]
            return Recount(tuple(range(first, end, 86400)), rows, null_loaded)

        if end <= first:
            return Recount((), {}, 0)
        return _with(exposure, count)


def explain(exposure: Exposure, request: ScanRequest, *, analyze: bool = False) -> str:
    """The SQL of the grouped statement (and of the one for repeated ids) and the engine's plan of
    each; with ``analyze`` on DuckDB they are run, and the plan says how many row groups were read."""

    def tell(source: Source) -> str:
        columns = _columns(source, Spans.of(request).first, request.now)
        wanted = [grouped(source.table, columns, request)]
        if request.duplicates_from is not None and exposure.columns.event_id is not None:
            wanted.append(repeats(source.table, columns, request))
        told = []
        for expression in wanted:
            sql = str(source.con.compile(expression))
            told += [sql, source.plan(sql, analyze=analyze)]
        return "\n\n".join(told)

    return _with(exposure, tell)


def _with(exposure: Exposure, work: Callable[[Source], T]) -> T:
    """``work`` on the open exposure, its errors in our words."""

    def attempt(files: tuple[str, ...]) -> T:
        try:
            with opened(exposure, files) as source:
                return work(source)
        except WarehouseError:
            raise
        except Exception as error:
            text = redact(str(error), exposure).strip() or type(error).__name__
            raise WarehouseError(f"{exposure.name}: {text}") from None

    return attempt(()) if exposure.parquet is None else steadily(exposure, attempt)


def _columns(source: Source, first: datetime, last: datetime) -> Columns:
    schema = source.table.schema()
    found = faults(source.exposure, schema)
    if found:
        raise ExposureInvalid(found)
    return Columns.of(source.exposure, schema, source.dialect, first, last)


def _ask(
    source: Source, statement: object, tell: Callable[[float], None] | None
) -> Iterator[pa.RecordBatch]:
    """Runs one statement under the exposure's time limit."""
    limit = source.exposure.query_timeout.total_seconds()
    watch = None if tell is None else lambda: tell(source.share_done())
    with Deadline(limit, source.cancel, watch) as deadline:
        try:
            yield from source.batches(statement)
        except Exception as error:
            if not deadline.expired:
                raise
            raise ExposureTimeout(
                f"{source.exposure.name}: the query was cancelled after {limit:g} s, the limit that "
                "query_timeout sets; raise it, or let a partition column or an index on the load "
                "time bound what is read"
            ) from error


def _told(
    progress: Progress | None, start: float, stop: float, word: str
) -> Callable[[float], None] | None:
    if progress is None:
        return None
    progress(start, word)
    return lambda share: progress(start + share * (stop - start), word)
