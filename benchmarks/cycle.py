"""CPU of what eventwatch does again and again, beside a floor measured in the same run.

    python benchmarks/cycle.py [--part daemon] [--part judge] [--part batch]

- daemon: a recorded cycle five minutes after the one before, 300 event types, 10 M rows in 60 days
  (the table of ``benchmarks/scan.py``, or any other that ``--table`` names). Floor: DuckDB opens
  the file, counts what was loaded in the last quarter of an hour by event type and 5 minutes, closes;
  and a plain numpy rolling mean over the same counts, hourly.
- judge: the volume kind on a made-up view of 3,000 event types (``--types``), first without and
  then with the state of the cycle before. Floor: that rolling mean.
- batch: ``score_counts`` of 300 series over a year of hours. Floor: that rolling mean.

Each part runs in a child process. Every figure is the median of some runs, in seconds of CPU.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import scan
from benchmarks.generate import TABLE

from eventwatch.model.contract import Catalog, Contract, Location, Owner
from eventwatch.model.measurement import HOUR, Cells, SeriesKey
from eventwatch.model.settings import Exposure, Secret
from eventwatch.model.view import ExposureView, Seen

PARTS = ("daemon", "judge", "batch")
DAYS = 60
WARM = 4
"""Cycles before the first that is counted: statements are compiled, files are in memory."""
TEAMS = 100


def cpu(work: Callable[[], Any]) -> float:
    """Seconds of CPU of this process, all threads."""
    before = time.process_time()
    work()
    return time.process_time() - before


def rolling(counts: NDArray[np.float64], width: int = 24) -> NDArray[np.float64]:
    """The plainest baseline there is: the mean of the last ``width`` rows of [T, S]."""
    total = np.cumsum(counts, axis=0)
    total[width:] = total[width:] - total[:-width]
    return total / np.minimum(np.arange(1, len(counts) + 1), width)[:, None]


def floor_of(shape: tuple[int, int]) -> float:
    """The rolling mean over counts of a shape."""
    counts = np.random.default_rng(1).poisson(20.0, shape).astype(np.float64)
    return median(cpu(lambda: rolling(counts)) for _ in range(7))


# -- the daemon's cycle ----------------------------------------------------------------------------


def daemon(config: Path, database: Path, end: datetime, cycles: int) -> dict[str, float]:
    """Cycles of one process that follow each other by five minutes and end at ``end``."""
    import duckdb

    from eventwatch import app

    clock = scan.Clock(end - timedelta(minutes=5 * (WARM + cycles)))
    house = replace(app.load(config), clock=clock)
    history = app.adapter("history")(house.settings.history)
    place = app.Workplace(house, app.store(house), history, house.catalog)
    exposure = house.settings.exposures[0]
    spent = []
    for n in range(WARM + cycles):
        clock.at += timedelta(minutes=5)
        spent.append(cpu(lambda n=n: _cycle(app, place, exposure, f"bench-{end:%s}-{n}")))  # type: ignore[misc]

    def bare() -> None:
        since = (clock.at - timedelta(minutes=15)).replace(tzinfo=None)
        with duckdb.connect(str(database), read_only=True) as con:
            con.execute(
                "SELECT event_type, epoch_us(occurred_at) // 300000000, count(*) FROM "
                f"{TABLE} WHERE loaded_at >= ? GROUP BY ALL",
                [since],
            ).fetchall()

    query = median(cpu(bare) for _ in range(5))
    return {
        "first cycle": spent[0],
        "cycle": median(spent[WARM:]),
        "floor": query + floor_of((DAYS * 24, 300)),
    }


def _cycle(app: Any, place: Any, exposure: Exposure, name: str) -> None:
    report = app.run_cycle(place, exposure, app.RunOptions(), name)
    assert not report.error, report.error


# -- judging many event types ----------------------------------------------------------------------


def made_up(types: int, now: int, days: int = DAYS) -> ExposureView:
    """A view of so many event types, without a table: hours, and 5 minutes in the last two days."""
    random = np.random.default_rng(7)
    start = (now - days * 86400) // 86400 * 86400
    # As of the end of that day, so that a later ``now`` sees the same past.
    hours = (now // 86400 * 86400 + 86400 - start) // HOUR
    rhythm = 1.0 + 0.6 * np.sin(2 * np.pi * np.arange(hours) / 24)
    mean = np.exp(random.normal(2.5, 1.2, types))[:, None] * rhythm
    counts = random.poisson(mean * random.gamma(30, 1 / 30, mean.shape))
    series, hour = np.nonzero(counts)
    rows, occurred = counts[series, hour], start + hour * HOUR
    fine = occurred >= now // HOUR * HOUR - 48 * HOUR
    parts = np.arange(12)
    split = rows[fine][:, None] // 12 + (parts < rows[fine][:, None] % 12)
    series = np.concatenate([series[~fine], np.repeat(series[fine], 12)])
    times = (occurred[fine][:, None] + 300 * parts).ravel()
    widths = np.concatenate([np.full((~fine).sum(), HOUR), np.full(len(times), 300)])
    occurred = np.concatenate([occurred[~fine], times])
    rows = np.concatenate([rows[~fine], split.ravel()])
    there = (rows > 0) & (occurred + widths <= now)
    order = np.lexsort((occurred, series, occurred // 86400))
    order = order[there[order]]
    series, occurred, rows = series[order], occurred[order], rows[order]
    keys = tuple(SeriesKey(f"evt_{n:05}") for n in range(types))
    cells = Cells(
        keys,
        series.astype(np.int32),
        occurred,
        occurred,
        rows,
        occurred + 3,
        occurred + widths[order] - 2,
    )
    at = datetime.fromtimestamp(now, UTC)
    first = datetime.fromtimestamp(start - 86400, UTC)
    contracts = {
        key.event_type: Contract(
            event_type=key.event_type or "",
            message_name=f"bench.{key.event_type}",
            location=Location("bench.proto", n + 1),
            owner=Owner(team=f"team-{n % TEAMS}"),
        )
        for n, key in enumerate(keys)
    }
    empty = Cells.empty()
    return ExposureView(
        exposure=Exposure("bench", Secret("duckdb://bench"), table="bench"),
        now=at,
        catalog=Catalog(MappingProxyType(contracts), MappingProxyType({}), "bench"),  # type: ignore[arg-type]
        rows=cells,
        cuts=empty,
        delays=empty,
        duplicates=empty,
        bad_times=empty,
        ledger={key: Seen(first, at) for key in keys},
        measured_from=datetime.fromtimestamp(start, UTC),
        watching_since=first,
    )


def judging(types: int, cycles: int) -> dict[str, float]:
    """The volume kind without a state, and with that of five minutes before."""
    from eventwatch.kinds.definition import rules_for
    from eventwatch.kinds.registry import KINDS
    from eventwatch.model.status import KindName

    kind = KINDS[KindName.VOLUME]
    now = int(datetime(2026, 11, 18, 15, 0, tzinfo=UTC).timestamp())
    spent = []
    for n in range(1 + cycles):
        view = made_up(types, now + 300 * n)
        rules = rules_for(kind.defaults, (), view.exposure.name, view.catalog)
        spent.append(cpu(lambda v=view, r=rules: sum(1 for _ in kind.judge(v, r))))  # type: ignore[misc]
    return {
        "without a state": spent[0],
        "with the state": median(spent[1:]),
        "floor": floor_of((DAYS * 24, types)),
    }


# -- a year at once --------------------------------------------------------------------------------


def batch() -> dict[str, float]:
    """``score_counts`` of 300 series over a year of hours."""
    import pandas as pd

    from eventwatch.detect import score_counts

    random = np.random.default_rng(3)
    hours = 8760
    rhythm = 1.0 + 0.6 * np.sin(2 * np.pi * np.arange(hours) / 24)
    counts = random.poisson(20.0 * rhythm[:, None] * random.gamma(30, 1 / 30, (hours, 300)))
    frame = pd.DataFrame(
        {
            "series": np.repeat([f"s{n:03}" for n in range(300)], hours),
            "ts": np.tile(pd.date_range("2025-01-01", periods=hours, freq="h", tz="UTC"), 300),
            "value": counts.T.ravel().astype(np.float64),
        }
    )
    return {
        "score_counts": cpu(lambda: score_counts(frame, bucket="1h")),
        "floor": floor_of((hours, 300)),
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--part", action="append", choices=PARTS)
    parser.add_argument("--folder", type=Path, default=scan.FOLDER)
    parser.add_argument("--table", type=Path, help="DuckDB file with a table analytics_events")
    parser.add_argument("--end", type=datetime.fromisoformat, help="of --table, with a zone")
    parser.add_argument("--types", type=int, default=3000)
    parser.add_argument("--cycles", type=int, default=6)
    parser.add_argument("--child", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--config", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        done = {
            "daemon": lambda: daemon(options.config, options.table, options.end, options.cycles),
            "judge": lambda: judging(options.types, options.cycles),
            "batch": batch,
        }[options.child]()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print("measured " + json.dumps({"peak": peak, **done}))
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    for part in options.part or PARTS:
        _print(part, _measured(part, options))


def _measured(part: str, options: argparse.Namespace) -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", __file__, "--child", part]
    command += ["--types", str(options.types), "--cycles", str(options.cycles)]
    if part == "daemon":
        if options.table:
            table, end = options.table, options.end
        else:
            table, end = scan.table_of(scan.CASES[1], options.folder)
        config = scan.project(options.folder / "cycle-project", table)
        command += ["--table", str(table), "--end", end.isoformat(), "--config", str(config)]
    # One thread for linear algebra: nothing here is large enough for more.
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    line = next((t for t in done.stdout.splitlines() if t.startswith("measured ")), None)
    if line is None:
        raise SystemExit(f"{part} failed:\n{done.stderr[-3000:]}")
    found: dict[str, float] = json.loads(line.removeprefix("measured "))
    return found


def _print(part: str, found: dict[str, float]) -> None:
    peak, floor = found.pop("peak"), found.pop("floor")
    print(f"{part}: peak {peak:.0f} MB, floor {floor:.4f} s CPU")
    for name, seconds in found.items():
        print(f"  {name:<18}{seconds:8.3f} s CPU {seconds / floor:8.1f} × floor", flush=True)


if __name__ == "__main__":
    main()
