"""What the history costs, beside a plain pyarrow read of the same bytes.

    python benchmarks/history.py [--types 300] [--days 60] [--fill 0.8]

Makes a synthetic exposure (its ``""`` set, a platform of 5 values, 35 days of it), writes it as a first
scan does, and prints for each step wall time, CPU time and the ratio of CPU to its floor. The floor of
reading is pyarrow reading the same columns of the same row groups and doing nothing with them; that of a
cycle is pyarrow writing today's cells. Figures depend on the machine, ratios much less.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from eventwatch.model.measurement import CELL_SCHEMA, FINE, FINE_SPAN, HOUR, Scan, ScanRequest
from eventwatch.store.history import ParquetHistory

DAY = 86400
NOW = int(datetime(2026, 3, 2, 13, 47, tzinfo=UTC).timestamp())
PLATFORMS = ["android", "backend", "ios", "tv", "web"]
CUT_DAYS = 35


def main() -> None:
    """Runs every step once and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--types", type=int, default=300)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--fill", type=float, default=0.8, help="share of buckets with rows")
    options = parser.parse_args()
    make = _Maker(options.types, options.fill)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        history = ParquetHistory(root)
        first = make.scan(NOW, NOW - options.days * DAY, NOW - CUT_DAYS * DAY)
        print(f"{first.cells.num_rows:,} cells, {first.cells.nbytes / 1e6:.0f} MB in memory")
        floor = measure("floor: one Parquet file of them", lambda: _write(first.cells))
        measure("first scan written", lambda: history.replace("bench", first), floor)
        files = sorted(root.glob("*/*.parquet"))
        size = sum(path.stat().st_size for path in files)
        print(f"{len(files)} files, {size / 1e6:.1f} MB on disk")

        since, until = at(NOW - options.days * DAY), at(NOW + 1)
        cold, warm = ParquetHistory(root), history
        floor = measure("floor: pyarrow reads the '' set", lambda: _read(files, 0))
        measure("floor: DuckDB reads the '' set", lambda: _duckdb(root), floor)
        measure("'' set, first time", lambda: cold.cells("bench", ("",), since, until), floor)
        warm.cells("bench", ("",), since, until)
        measure("'' set, in a daemon", lambda: warm.cells("bench", ("",), since, until), floor)
        floor = measure("floor: pyarrow reads platform", lambda: _read(files, 1))

        def platforms() -> object:
            return cold.cells("bench", ("platform",), since, until, merge_loads=True)

        measure("platform, loads merged, first time", platforms, floor)
        measure("platform, loads merged, again", platforms, floor)

        today = pq.read_table(files[-1])
        floor = measure("floor: pyarrow writes today", lambda: _write(today))
        for turn in (1, 2):
            now = NOW + turn * FINE
            new = make.scan(now, now - 900, now - 900)
            replace = partial(history.replace, "bench", new)
            measure(f"cycle {turn}: {new.cells.num_rows:,} cells replaced", replace, floor)
            measure(
                f"cycle {turn}: '' set read for judging",
                lambda: history.cells("bench", ("",), since, until),
            )
        measure("coverage and known values", lambda: _ask(history))
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def measure(name: str, step: Callable[[], object], floor: float | None = None) -> float:
    """Runs a step, prints its line and returns its CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    step()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    ratio = "" if floor is None else f"{cpu / max(floor, 1e-6):7.2f} × floor"
    print(f"{name:44} {wall:8.3f} s wall {cpu:8.3f} s CPU {ratio}")
    return cpu


def at(seconds: float) -> datetime:
    """Aware UTC."""
    return datetime.fromtimestamp(seconds, UTC)


class _Maker:
    """Makes scans of a table that is steady but for chance."""

    def __init__(self, types: int, fill: float) -> None:
        self._random = np.random.default_rng(7)
        self._fill = fill
        self._types = pa.array([f"event_type_number_{i}" for i in range(types)])

    def scan(self, now: int, rows_from: int, cuts_from: int) -> Scan:
        """Everything loaded from an instant on."""
        fine = (now - int(FINE_SPAN.total_seconds())) // HOUR * HOUR
        hours = cuts_from // HOUR * HOUR
        rows_from = (
            rows_from
            // (FINE if rows_from >= fine else HOUR)
            * (FINE if rows_from >= fine else HOUR)
        )
        tables = [
            *self._cells("", [""], rows_from, min(fine, now), HOUR),
            *self._cells("", [""], max(rows_from, fine), now, FINE),
            *self._cells("platform", PLATFORMS, hours, now, HOUR),
        ]
        request = ScanRequest(
            now=at(now),
            rows_from=at(rows_from),
            cuts_from=at(hours),
            delays_from=at(hours),
            fine_from=at(fine),
            oldest_occurred=at(0),
            duplicates_from=None,
        )
        return Scan(request, pa.concat_tables(tables), 0, 0, 0, 1, timedelta(0))

    def _cells(
        self, dimension: str, values: list[str], begin: int, end: int, step: int
    ) -> list[pa.Table]:
        tables = []
        for lag in (0, step):
            loaded, types, codes = (
                grid.ravel()
                for grid in np.meshgrid(
                    np.arange(begin, end, step),
                    np.arange(len(self._types), dtype=np.int32),
                    np.arange(len(values), dtype=np.int32),
                    indexing="ij",
                )
            )
            kept = self._random.random(len(loaded)) < self._fill
            loaded, types, codes = loaded[kept], types[kept], codes[kept]
            first = loaded + self._random.integers(0, step // 2, len(loaded))
            columns: list[Any] = [
                pa.DictionaryArray.from_arrays(types, self._types),
                pa.DictionaryArray.from_arrays(np.zeros_like(types), pa.array([dimension])),
                pa.DictionaryArray.from_arrays(codes, pa.array(values)),
                loaded - lag,
                loaded,
                self._random.poisson(20, len(loaded)) + 1,
                first,
                first + self._random.integers(0, step // 2, len(loaded)),
            ]
            tables.append(pa.table(columns, schema=CELL_SCHEMA))
        return tables


def _read(files: list[Path], group: int) -> None:
    for path in files:
        with pq.ParquetFile(path) as file:
            if group < file.num_row_groups:
                file.read_row_group(group, use_threads=False)


def _duckdb(root: Path) -> None:
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute(
            "SELECT event_type, occurred, loaded, rows, first_loaded, last_loaded "
            f"FROM read_parquet('{root}/*/*.parquet') WHERE dimension = ''"
        ).fetchnumpy()


def _write(table: pa.Table) -> None:
    pq.write_table(table, BytesIO())


def _ask(history: ParquetHistory) -> None:
    history.covered_from("bench")
    history.covered_until("bench")
    history.known_values("bench", "platform")


if __name__ == "__main__":
    main()
