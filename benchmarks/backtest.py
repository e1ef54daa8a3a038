"""How long a backtest takes, beside what cannot be less: the bare scan and a plain rolling mean.

    python benchmarks/backtest.py --rows 1000000 --days 60 --jobs 4

Makes the table of the audit benchmark (300 event types, ten teams), replays its last days hour by
hour through ``eventwatch backtest`` as a process, and prints the seconds, the seconds of processor
time, and both as multiples of the floors: one scan of the table, and a rolling mean by numpy over
the same counts (event types × hours) once per cycle.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.audit import GENERATOR, write_project


def table_of(folder: Path, rows: int, seed: int) -> tuple[Path, list[str], datetime]:
    """The table, its declared event types and the instant it ends at."""
    database = folder / f"ev_{rows}_{seed}.duckdb"
    labels = folder / f"ev_{rows}_{seed}_labels.json"
    if not database.exists():
        command = [sys.executable, str(GENERATOR), "--rows", str(rows), "--seed", str(seed)]
        command += ["--out", str(database), "--labels", str(labels)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    said = json.loads(labels.read_text())
    return database, said["known_types"], datetime.fromisoformat(said["now"])


def floors(database: Path, cycles: int) -> tuple[float, float]:
    """Seconds of one grouped scan, and of a rolling mean over the hours once per cycle."""
    began = time.perf_counter()
    with duckdb.connect(str(database), read_only=True) as connection:
        found = connection.execute(
            "SELECT event_type, epoch(occurred_at)::BIGINT // 3600 AS hour, count(*) AS n "
            "FROM analytics_events GROUP BY ALL"
        ).fetchnumpy()
    scanned = time.perf_counter() - began
    names, column = np.unique(np.asarray(found["event_type"]).astype(str), return_inverse=True)
    hour = np.asarray(found["hour"], dtype=np.int64)
    counts = np.zeros((int(hour.max() - hour.min()) + 1, len(names)))
    counts[hour - hour.min(), column] = np.asarray(found["n"])
    began = time.perf_counter()
    for _ in range(cycles):
        total = np.cumsum(counts, axis=0)
        _ = (total[24:] - total[:-24]) / 24.0
    return scanned, time.perf_counter() - began


def run(config: Path, begin: datetime, end: datetime, extra: list[str]) -> dict[str, float]:
    """Cost of one backtest as a process, its children included."""
    command = [sys.executable, "-m", "eventwatch", "backtest", "--config", str(config)]
    command += ["--from", begin.isoformat(), "--to", end.isoformat(), "--format", "json", *extra]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(f"backtest ended with {done.returncode}:\n{done.stderr}")
    document = json.loads(done.stdout)
    return {
        "cycles": document["cycles"],
        "incidents": sum(team["incidents"] for team in document["teams"]),
        "wall": wall,
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "rss_mb": after.ru_maxrss / 1024,
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--check", help="only this kind of check")
    parser.add_argument("--keep", type=Path, help="folder to keep the table in")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        database, names, now = table_of(folder, options.rows, options.seed)
        config = write_project(folder, database, names)
        extra = [
            "--jobs",
            str(options.jobs),
            *(["--check", options.check] if options.check else []),
        ]
        begin = now - timedelta(days=options.days)
        cost = run(config, begin, now, extra)
        scan, rolling = floors(database, int(cost["cycles"]))
    print(
        f"{options.rows:,} rows, {len(names)} event types, {cost['cycles']:,.0f} cycles, "
        f"{cost['incidents']:.0f} incidents, {options.jobs} jobs"
    )
    print(
        f"  wall {cost['wall']:.1f} s, processor {cost['cpu']:.1f} s, "
        f"{1000 * cost['cpu'] / cost['cycles']:.0f} ms a cycle, {cost['rss_mb']:.0f} MB at most"
    )
    print(f"  bare scan {scan:.2f} s: wall is {cost['wall'] / scan:.0f} times it")
    print(
        f"  rolling mean once a cycle {rolling:.2f} s: processor is {cost['cpu'] / rolling:.0f} "
        "times it"
    )


if __name__ == "__main__":
    main()
