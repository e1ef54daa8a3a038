"""DuckDB, hardened: a database file, or Parquet files seen through an empty one.

A reader keeps the writer out and a writer keeps readers out, each with an error at once and no way to
wait; so the waiting is done here. External access is switched off as soon as the exposure's own files
are known: a view in the file must not read what lies beside it.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import duckdb
import ibis

from eventwatch.model.errors import ExposureBusy, ExposureInvalid, WarehouseError
from eventwatch.model.settings import Exposure
from eventwatch.warehouse.columns import fault
from eventwatch.warehouse.spill import spill_directory

MEMORY_LIMIT = "256MB"
"""DuckDB's own limit; beyond it it spills. Keeps a first run on 50 M rows under 1 GB in all."""
THREADS = 4
PARQUET_VIEW = "eventwatch_parquet"
"""Name of the view that Parquet files are seen through."""
_DUCKDB_SETTINGS = ("memory_limit", "threads", "temp_directory", "max_temp_directory_size")
_PID = re.compile(r"\(PID (\d+)\)")
_BUSY = (
    "Could not set lock",
    "different configuration than existing connections",
    "Unique file handle conflict",
    "already attached",
)


def duckdb_config(url: str) -> tuple[str, dict[str, str]]:
    """Path (``:memory:`` where there is none) and settings that a ``duckdb://`` URL names.

    Raises ValueError for a setting that is not one of ours to change.
    """
    rest, _, query = url.partition("://")[2].partition("?")
    config = {
        "memory_limit": MEMORY_LIMIT,
        "threads": str(min(THREADS, os.cpu_count() or 1)),
        "temp_directory": spill_directory(),
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


def open_duckdb(exposure: Exposure, url: str, files: tuple[str, ...]) -> Any:
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
        raise WarehouseError(
            f"{exposure.name}: there is no DuckDB file {path!r}; make it, or correct "
            f"exposures.{exposure.name}.connection"
        )

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
    """Tries until the lock is free, waiting 0.1 s at first and up to half a second, so that a loader that
    lets go for a second every few is not missed; with jitter, since many monitors that wait in step
    would meet again."""
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
        pause = min(0.5, pause * 2)


def _open_parquet(config: dict[str, str], files: tuple[str, ...]) -> Any:
    con = ibis.duckdb.connect(":memory:", **config)
    try:
        raw = con.con
        # The footers are read once for all branches of the statement; they cannot go stale, since
        # the connection lives for one call and the files are compared before and after.
        raw.execute("SET parquet_metadata_cache = true")
        raw.execute("SET allowed_paths = " + _list(files))
        raw.execute("SET enable_external_access = false")
        con.read_parquet(list(files), table_name=PARQUET_VIEW, union_by_name=True)
        raw.execute("SET lock_configuration = true")
    except BaseException:
        con.disconnect()
        raise
    return con


def _list(texts: tuple[str, ...]) -> str:
    return "[" + ", ".join("'" + text.replace("'", "''") + "'" for text in texts) + "]"
