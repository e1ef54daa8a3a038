"""Opens an exposure for one call and closes it again: open, ask, close.

A DuckDB file is held no longer than the question takes, because a reader keeps the writer out. Nothing
is shared between calls or threads. The only SQL that is ever sent is compiled by Ibis from our own
expressions; views inside the file are the user's, and cannot reach out of it (no external access, no
extensions loaded on the way, no Python variables as tables).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import ibis
import pyarrow as pa

from eventwatch.model.errors import ExposureInvalid, Fault, WarehouseError
from eventwatch.model.settings import Exposure
from eventwatch.warehouse.columns import fault
from eventwatch.warehouse.dialect import Dialect
from eventwatch.warehouse.embedded import PARQUET_VIEW, open_duckdb

BATCH_ROWS = 65536
_POSTGRES = {
    "application_name": "eventwatch",
    "connect_timeout": 10,
    # A server that is gone without a word would keep the call waiting for hours.
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30000,
}


@dataclass
class Source:
    """One open exposure. Of one thread, except ``cancel`` and ``share_done``."""

    exposure: Exposure
    con: Any
    table: Any
    dialect: Dialect

    def batches(self, expression: Any) -> Iterator[pa.RecordBatch]:
        """Runs one statement, an expression or (on DuckDB) its SQL, and streams its answer."""
        if self.dialect.name != "duckdb":
            yield from self.con.to_pyarrow_batches(expression, chunk_size=BATCH_ROWS)
            return
        # Ibis 12 asks DuckDB for batches by a method that DuckDB 2.0 no longer has.
        sql = expression if isinstance(expression, str) else self.con.compile(expression)
        relation = self.con.con.sql(sql)
        reader = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
        yield from reader(BATCH_ROWS)

    def cancel(self) -> None:
        """Stops the running statement, from another thread."""
        raw = getattr(self.con, "con", None)
        for name in ("interrupt", "cancel_safe", "cancel"):
            stop = getattr(raw, name, None)
            if callable(stop):
                stop()
                return

    def share_done(self) -> float:
        """Share of the running statement that is done, 0 to 1; NaN where the engine does not say."""
        ask = getattr(getattr(self.con, "con", None), "query_progress", None)
        percent = float(ask()) if callable(ask) else -1.0
        return percent / 100 if 0 <= percent <= 100 else float("nan")

    def plan(self, sql: str, *, analyze: bool) -> str:
        """The engine's own words on how it would run a statement (or, with ``analyze``, ran it)."""
        if self.dialect.name not in ("duckdb", "postgres"):
            return f"(no plan: {self.dialect.name} is not asked for one)"
        asked = ("EXPLAIN ANALYZE " if analyze else "EXPLAIN ") + sql
        rows = self.con.con.execute(asked).fetchall()
        return "\n".join(str(row[-1]) for row in rows)

    def close(self) -> None:
        """Lets go of the exposure."""
        with suppress(Exception):
            self.con.disconnect()


@contextmanager
def opened(exposure: Exposure, files: tuple[str, ...] = ()) -> Iterator[Source]:
    """The exposure, open; ``files`` are the Parquet files to read where it is made of them."""
    url = exposure.connection.reveal()
    if exposure.parquet is not None or url.startswith("duckdb:"):
        con = open_duckdb(exposure, url, files)
    else:
        con = _open_other(exposure, url)
    source = Source(exposure, con, None, Dialect(str(con.name)))
    try:
        source.table = _table(exposure, con)
        yield source
    finally:
        source.close()


# -- others --------------------------------------------------------------------------------------


def _open_other(exposure: Exposure, url: str) -> Any:
    given = {key for key, _ in parse_qsl(urlsplit(url).query)}
    extra = _POSTGRES if url.startswith(("postgres:", "postgresql:")) else {}
    try:
        con = ibis.connect(url, **{k: v for k, v in extra.items() if k not in given})
    except (ImportError, ModuleNotFoundError) as error:
        scheme = urlsplit(url).scheme
        package = f"ibis-framework[{scheme}]" if not extra else "eventwatch[postgres]"
        which = f" ({error.name})" if error.name else ""
        raise WarehouseError(
            f"{exposure.name}: reading {scheme} needs a driver that is not installed{which}: "
            f"pip install '{package}'"
        ) from None
    except Exception as error:
        # Not chained: a driver's exception may hold the connection string.
        raise WarehouseError(
            f"{exposure.name}: cannot connect: {redact(str(error), exposure)}"
        ) from None
    if con.name == "postgres":
        _harden_postgres(con, exposure)
    return con


def _harden_postgres(con: Any, exposure: Exposure) -> None:
    limit = int(exposure.query_timeout.total_seconds() * 1000)
    with con.con.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
        # The second line of defence: our own thread cancels first.
        cursor.execute(f"SET statement_timeout = {limit + 2000}")
        cursor.execute(f"SET idle_in_transaction_session_timeout = {limit + 60000}")
        # Answers are read to the end, so the plan for the first rows is the wrong one.
        cursor.execute("SET cursor_tuple_fraction = 1.0")


def redact(text: str, exposure: Exposure) -> str:
    """The text without the connection's secrets."""
    url = exposure.connection.reveal()
    secrets = {url, urlsplit(url).password or ""}
    secrets |= {unquote(secret) for secret in secrets}
    secrets |= {value for _, value in parse_qsl(urlsplit(url).query)}
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) > 2:
            text = text.replace(secret, "********")
    return text


# -- tables --------------------------------------------------------------------------------------


def _table(exposure: Exposure, con: Any) -> Any:
    if exposure.parquet is not None:
        return con.table(PARQUET_VIEW)
    *path, name = table_path(exposure.table or "")
    try:
        return con.table(name, database=tuple(path)) if path else con.table(name)
    except Exception as error:
        if type(error).__name__ in ("TableNotFound", "CatalogException"):
            raise ExposureInvalid([_no_table(exposure)]) from None
        raise


def table_path(text: str) -> tuple[str, ...]:
    """``schema.table`` as its parts; a part in double quotes may hold dots (``"` doubled)."""
    found = re.findall(r'\s*("(?:[^"]|"")+"|[^.]+)\s*(?:\.|$)', text)
    return tuple(
        part[1:-1].replace('""', '"')
        if part.startswith('"') and part.endswith('"') and len(part) > 2
        else part
        for part in (p.strip() for p in found)
    ) or (text,)


def _no_table(exposure: Exposure) -> Fault:
    return fault(
        exposure,
        "table",
        f"there is no table or view {exposure.table!r} that this connection may read; write "
        "schema.table where it is in another schema, and put a name with dots in double quotes",
    )
