"""Engines that the suite of the warehouse runs on, each filled with the same rows."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from eventwatch.model.settings import Exposure
from tests.warehouse.tables import (
    Layout,
    exposure_of,
    quoted,
    write_duckdb,
    write_parquet,
)

Stored = list[dict[str, Any]]


class Engine(ABC):
    """Writes rows where an exposure can read them."""

    slow_view: str | None = None

    @abstractmethod
    def create(self, layout: Layout, rows: Stored) -> Exposure:
        """A fresh table."""

    @abstractmethod
    def replace(self, layout: Layout, rows: Stored) -> None:
        """Other rows in the same table."""


class DuckDBFile(Engine):
    slow_view = "CREATE VIEW slow AS SELECT e.* FROM events e, range(3000000) a, range(3000000) b"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "warehouse.duckdb"

    def create(self, layout: Layout, rows: Stored) -> Exposure:
        return exposure_of(layout, write_duckdb(self.path, layout, rows))

    def replace(self, layout: Layout, rows: Stored) -> None:
        write_duckdb(self.path, layout, rows)

    def execute(self, statement: str) -> None:
        with duckdb.connect(str(self.path)) as con:
            con.execute(statement)


class ParquetFiles(Engine):
    """Three files in two folders, renamed into place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "lake"

    def create(self, layout: Layout, rows: Stored) -> Exposure:
        self.replace(layout, rows)
        pattern = str(self.folder / "**" / "*.parquet")
        return exposure_of(layout, "duckdb://", table=None, parquet=pattern)

    def replace(self, layout: Layout, rows: Stored) -> None:
        import os

        for i, name in enumerate(("a/1", "a/2", "b/3")):
            path = self.folder / f"{name}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_parquet(path.with_suffix(".tmp"), layout, rows[i::3])
            os.utime(path.with_suffix(".tmp"), (1.7e9, 1.7e9))
            path.with_suffix(".tmp").replace(path)


class PostgreSQL(Engine):
    slow_view = (
        "CREATE VIEW slow AS SELECT e.* FROM events e, generate_series(1, 3000000) a, "
        "generate_series(1, 3000000) b"
    )

    def __init__(self, url: str) -> None:
        self.url = url
        self.schema = f"t{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE SCHEMA {self.schema}")

    def execute(self, statement: str, rows: Sequence[Sequence[Any]] | None = None) -> None:
        import psycopg

        with psycopg.connect(self.url) as con, con.cursor() as cursor:
            cursor.execute("SET TIMEZONE = 'UTC'")
            if not statement.startswith("CREATE SCHEMA"):
                cursor.execute(f"SET search_path = {self.schema}".encode())
            if rows is None:
                cursor.execute(statement.encode())
            else:
                cursor.executemany(statement.encode(), rows)

    def create(self, layout: Layout, rows: Stored) -> Exposure:
        self.replace(layout, rows)
        return exposure_of(layout, self.url, table=f"{self.schema}.events")

    def replace(self, layout: Layout, rows: Stored) -> None:
        types = {n: "text" if kind is None else kind.postgres for n, kind in layout.types().items()}
        self.execute("DROP TABLE IF EXISTS events CASCADE")
        shown = ", ".join(f"{quoted(n).replace('%', '%%')} {kind}" for n, kind in types.items())
        self.execute(f"CREATE TABLE events ({shown})")
        marks = ", ".join("%s" for _ in types)
        self.execute(f"INSERT INTO events VALUES ({marks})", [list(row.values()) for row in rows])
