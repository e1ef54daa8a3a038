"""The statements compile for engines that no test can run: the URL alone should change the engine."""

from __future__ import annotations

from datetime import UTC, datetime

import ibis
import pytest
import sqlglot

from eventwatch.warehouse.columns import Columns
from eventwatch.warehouse.dialect import Dialect
from eventwatch.warehouse.grouped import Spans, grouped
from eventwatch.warehouse.recounting import recounting
from eventwatch.warehouse.repeats import repeats
from tests.warehouse.tables import Layout, exposure_of, request_of

ENGINES = [
    "bigquery",
    "databricks",
    "duckdb",
    "mysql",
    "postgres",
    "pyspark",
    "snowflake",
    "trino",
]
SCHEMA = {
    "event_type": "string",
    "event_id": "string",
    "platform": "string",
    "occurred_at": "int64",
    "loaded_at": "timestamp('UTC')",
}


@pytest.mark.parametrize("engine", ENGINES)
def test_the_statements_compile(engine: str) -> None:
    table = ibis.table(SCHEMA, name="events")
    request = request_of(known_values={"platform": ("ios", "it's")})
    exposure = exposure_of(Layout(), "unused://")
    spans = Spans.of(request)
    columns = Columns.of(exposure, table.schema(), Dialect(engine), spans.first, request.now)
    day = datetime(2026, 3, 30, tzinfo=UTC)
    for expression in (
        grouped(table, columns, request),
        repeats(table, columns, request),
        recounting(table, columns, day, request.now),
    ):
        sql = str(ibis.to_sql(expression, dialect=engine))
        assert len(sqlglot.parse(sql, dialect="spark" if engine == "pyspark" else engine)) == 1
