"""Small tables for tests: one list of rows, written in every type and into every engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from eventwatch.model.measurement import ScanRequest
from eventwatch.model.settings import Columns, Dimension, Exposure, Secret
from tests.warehouse.brute import EPOCH

NOW = datetime(2026, 3, 31, 12, 7, 30, tzinfo=UTC)
"""Two days after Europe's clocks went forward."""
UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True)
class TimeType:
    """A way to store an instant. ``write`` takes epoch microseconds and the zone of the zone-less."""

    duckdb: str
    postgres: str
    arrow: pa.DataType
    write: Callable[[int, ZoneInfo], Any]


def _naive(micros: int, zone: ZoneInfo) -> datetime:
    return (EPOCH + timedelta(microseconds=micros)).astimezone(zone).replace(tzinfo=None, fold=0)


def _aware(micros: int, zone: ZoneInfo) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


TIME_TYPES: dict[str, TimeType] = {
    "timestamp": TimeType("TIMESTAMP", "timestamp", pa.timestamp("us"), _naive),
    "timestamptz": TimeType("TIMESTAMPTZ", "timestamptz", pa.timestamp("us", "UTC"), _aware),
    "date": TimeType("DATE", "date", pa.date32(), lambda m, z: _naive(m, z).date()),
    "epoch_s": TimeType("INTEGER", "integer", pa.int32(), lambda m, _: m // 10**6),
    "epoch_s64": TimeType("BIGINT", "bigint", pa.int64(), lambda m, _: m // 10**6),
    "epoch_ms": TimeType("BIGINT", "bigint", pa.int64(), lambda m, _: m // 10**3),
    "epoch_us": TimeType("BIGINT", "bigint", pa.int64(), lambda m, _: m),
    "epoch_ns": TimeType("BIGINT", "bigint", pa.int64(), lambda m, _: m * 10**3 + 999),
    "double_s": TimeType("DOUBLE", "double precision", pa.float64(), lambda m, _: m / 10**6),
    "double_ms": TimeType("DOUBLE", "double precision", pa.float64(), lambda m, _: m / 10**3),
}


@dataclass(frozen=True)
class Layout:
    """Names and types of the columns of a table."""

    occurred: str = "timestamp"
    loaded: str | None = "timestamp"
    zone: ZoneInfo = UTC_ZONE
    dimensions: tuple[Dimension, ...] = (Dimension("platform", "platform", cap=3),)
    look_back: timedelta = timedelta(days=60)

    def columns(self) -> Columns:
        return Columns(
            "event_type", "occurred_at", "loaded_at" if self.loaded else None, "event_id", None
        )

    def types(self) -> dict[str, TimeType | None]:
        """Column → its time type; None: text."""
        found: dict[str, TimeType | None] = {"event_type": None, "event_id": None}
        found |= {d.column: None for d in self.dimensions}
        found["occurred_at"] = TIME_TYPES[self.occurred]
        if self.loaded:
            found["loaded_at"] = TIME_TYPES[self.loaded]
        return found


def stored(layout: Layout, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows as the table holds them: instants (epoch microseconds) in the column's type."""
    types = layout.types()
    return [
        {
            name: (
                None
                if row.get(name) is None
                else row[name]
                if kind is None
                else kind.write(row[name], layout.zone)
            )
            for name, kind in types.items()
        }
        for row in rows
    ]


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def write_duckdb(
    path: Path, layout: Layout, rows: list[dict[str, Any]], table: str = "events"
) -> str:
    """Creates or replaces a table; gives the connection URL."""
    types = {
        name: "VARCHAR" if kind is None else kind.duckdb for name, kind in layout.types().items()
    }
    with duckdb.connect(str(path)) as con:
        con.execute("SET TimeZone = 'UTC'")
        shown = ", ".join(f"{quoted(name)} {kind}" for name, kind in types.items())
        con.execute(f"CREATE OR REPLACE TABLE {quoted(table)} ({shown})")
        insert_duckdb(con, layout, rows, table)
    return f"duckdb://{path}"


def insert_duckdb(
    con: duckdb.DuckDBPyConnection,
    layout: Layout,
    rows: list[dict[str, Any]],
    table: str = "events",
) -> None:
    """Adds rows."""
    if rows:
        marks = ", ".join("?" for _ in layout.types())
        con.executemany(
            f"INSERT INTO {quoted(table)} VALUES ({marks})", [list(row.values()) for row in rows]
        )


def write_parquet(path: Path, layout: Layout, rows: list[dict[str, Any]]) -> None:
    """One Parquet file."""
    schema = pa.schema(
        [
            (name, pa.string() if kind is None else kind.arrow)
            for name, kind in layout.types().items()
        ]
    )
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)


def exposure_of(layout: Layout, url: str, **changes: Any) -> Exposure:
    """The exposure that reads such a table."""
    made = Exposure(
        name="events",
        connection=Secret(url),
        table="events",
        columns=layout.columns(),
        dimensions=layout.dimensions,
        naive_time_zone=layout.zone,
        look_back=layout.look_back,
        query_timeout=timedelta(seconds=60),
        lock_wait=timedelta(seconds=5),
        location="config.yaml:7",
    )
    return replace(made, **changes)


def hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def request_of(now: datetime = NOW, **changes: Any) -> ScanRequest:
    """A first run over ten days."""
    made = ScanRequest(
        now=now,
        rows_from=hour(now - timedelta(days=10)),
        cuts_from=hour(now - timedelta(days=7)),
        delays_from=hour(now - timedelta(days=3)),
        fine_from=hour(now - timedelta(hours=48)),
        oldest_occurred=now - timedelta(days=30),
        duplicates_from=hour(now - timedelta(days=4)),
        duplicates_window=timedelta(hours=1),
    )
    return replace(made, **changes)
