"""Opens an exposure for one call and closes it again: open, ask, close.

A DuckDB file is held no longer than the question takes, because a reader keeps the writer out. Nothing
is shared between calls or threads. The only SQL that is ever sent is compiled by Ibis from our own
expressions; views inside the file are the user's, and cannot reach out of it (no external access, no
extensions loaded on the way, no Python variables as tables).
"""

from __future__ import annotations

import atexit
import os
import random
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import duckdb
import ibis
import pyarrow as pa

from eventwatch.model.errors import (
    ExposureBusy,
    ExposureInvalid,
    Fault,
    WarehouseError,
)
from eventwatch.model.settings import Exposure
from eventwatch.warehouse.columns import fault
from eventwatch.warehouse.dialect import Dialect

MEMORY_LIMIT = "256MB"
"""DuckDB's own limit; beyond it it spills. Keeps a first run on 50 M rows under 1 GB in all."""
THREADS = 4
BATCH_ROWS = 65536
_PARQUET_VIEW = "eventwatch_parquet"
_DUCKDB_SETTINGS = ("memory_limit", "threads", "temp_directory", "max_temp_directory_size")
_PID = re.compile(r"\(PID (\d+)\)")
_BUSY = (
    "Could not set lock",
    "different configuration than existing connections",
    "Unique file handle conflict",
    "already attached",
)


@dataclass
class Source:
    """One open exposure. Of one thread, except ``cancel`` and ``share_done``."""

    exposure: Exposure
    con: Any
    table: Any
    dialect: Dialect

    def batches(self, expression: Any) -> Iterator[pa.RecordBatch]:
        """Runs one statement and streams its answer."""
        if self.dialect.name != "duckdb":
            yield from self.con.to_pyarrow_batches(expression, chunk_size=BATCH_ROWS)
            return
        # Ibis 12 asks DuckDB for batches by a method that DuckDB 2.0 no longer has.
        relation = self.con.con.sql(self.con.compile(expression))
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
        con = _open_duckdb(exposure, url, files)
    else:
        con = _open_other(exposure, url)
    source = Source(exposure, con, None, Dialect(str(con.name)))
    try:
        source.table = _table(exposure, con)
        yield source
    finally:
        source.close()


# -- DuckDB --------------------------------------------------------------------------------------


def duckdb_config(url: str) -> tuple[str, dict[str, str]]:
    """Path (``:memory:`` where there is none) and settings that a ``duckdb://`` URL names.

    Raises ValueError for a setting that is not one of ours to change.
    """
    rest, _, query = url.partition("://")[2].partition("?")
    config = {
        "memory_limit": MEMORY_LIMIT,
        "threads": str(min(THREADS, os.cpu_count() or 1)),
        "temp_directory": _spill_directory(),
        "preserve_insertion_order": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
    }
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key == "read_only":
            continue  # always
        if key not in _DUCKDB_SETTINGS:
            raise ValueError(f"{key!r} is not one of {', '.join(_DUCKDB_SETTINGS)}")
        config[key] = value
    path = unquote(rest)
    return (":memory:" if path in ("", ":memory:") else path), config


def _open_duckdb(exposure: Exposure, url: str, files: tuple[str, ...]) -> Any:
    try:
        path, config = duckdb_config(url if url.startswith("duckdb:") else "duckdb://")
    except ValueError as error:
        raise ExposureInvalid([fault(exposure, "connection", f"{error}")]) from None
    if exposure.parquet is not None:
        return _open_parquet(config, files)
    if path == ":memory:":
        message = "duckdb:// without a path is an empty database; name a file or set parquet"
        raise ExposureInvalid([fault(exposure, "connection", message)])
    if not Path(path).exists():
        raise WarehouseError(f"{exposure.name}: there is no DuckDB file {path!r}")

    def connect() -> Any:
        con = ibis.duckdb.connect(path, read_only=True, **config)
        # After the directory for spilling is set: it could not be set any more. The configuration is
        # not locked: Ibis sets its own things on every connection, and two connections of one
        # process to one file share an instance.
        con.con.execute("SET enable_external_access = false")
        return con

    try:
        return _patiently(connect, exposure.lock_wait)
    except duckdb.Error as error:
        text = str(error)
        if any(sign in text for sign in _BUSY):
            found = _PID.search(text)
            who = f"process {found[1]}" if found else "another connection of this process"
            raise ExposureBusy(
                f"{exposure.name}: {path!r} is held by {who}, which writes to it; tried again for "
                f"{exposure.lock_wait.total_seconds():.0f} s. A DuckDB file has one writer or many "
                "readers: let the writer close it between loads, or publish a copy"
            ) from None
        raise WarehouseError(f"{exposure.name}: {path!r} cannot be opened: {text}") from error


def _patiently(connect: Callable[[], Any], wait: timedelta) -> Any:
    """Tries until the lock is free, waiting 0.1 s at first and up to 2 s, with jitter: many monitors
    that wait in step would meet again."""
    end = time.monotonic() + wait.total_seconds()
    pause = 0.1
    while True:
        try:
            return connect()
        except duckdb.Error as error:
            left = end - time.monotonic()
            if left <= 0 or not any(sign in str(error) for sign in _BUSY):
                raise
        time.sleep(min(left, pause * random.uniform(0.5, 1.5)))
        pause = min(2.0, pause * 2)


def _open_parquet(config: dict[str, str], files: tuple[str, ...]) -> Any:
    # The footers are read once for all branches of the statement; they cannot go stale, since the
    # connection lives for one call and the files are compared before and after.
    con = ibis.duckdb.connect(":memory:", **config, parquet_metadata_cache="true")
    try:
        raw = con.con
        raw.execute("SET allowed_paths = " + _list(files))
        raw.execute("SET enable_external_access = false")
        con.read_parquet(list(files), table_name=_PARQUET_VIEW, union_by_name=True)
        raw.execute("SET lock_configuration = true")
    except BaseException:
        con.disconnect()
        raise
    return con


def _list(texts: tuple[str, ...]) -> str:
    return "[" + ", ".join("'" + text.replace("'", "''") + "'" for text in texts) + "]"


_spill_lock = threading.Lock()
_spill: list[str] = []


def _spill_directory() -> str:
    """A private directory of this process. One for all calls: connections to one file from one
    process must have equal settings."""
    with _spill_lock:
        if not _spill or not Path(_spill[0]).is_dir():
            _spill[:] = [tempfile.mkdtemp(prefix="eventwatch-")]
            atexit.register(shutil.rmtree, _spill[0], ignore_errors=True)
        return _spill[0]


# -- others --------------------------------------------------------------------------------------


def _open_other(exposure: Exposure, url: str) -> Any:
    try:
        con = ibis.connect(url)
    except (ImportError, ModuleNotFoundError) as error:
        scheme = urlsplit(url).scheme
        raise WarehouseError(
            f"{exposure.name}: reading {scheme} needs a driver that is not installed ({error.name}); "
            f"install ibis-framework[{'postgres' if scheme == 'postgresql' else scheme}]"
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
        return con.table(_PARQUET_VIEW)
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
        part[1:-1].replace('""', '"') if part.startswith('"') and part.endswith('"') and len(part) > 2
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
