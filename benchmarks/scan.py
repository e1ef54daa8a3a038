"""What a scan costs, beside two floors measured in the same run.

``python benchmarks/scan.py`` makes four tables (1 M, 10 M and 50 M rows over 60 days, and 50 M over
300 days at the rate of the 10 M), and for each of them starts child processes and prints wall time,
CPU time and peak memory of

- floor 1: a process that runs only the plain count per event type and hour, by DuckDB;
- floor 2: a process that runs only eventwatch's own grouped query, as a first run needs it;
- the same query as a second run and as a daemon's cycle need it (only what is new);
- a first and a second ``eventwatch run-once``, and a cycle inside the daemon.

Tables are kept in ``--folder`` for the next time, unless ``--clean`` is given. They end at the minute
they were made; ``--plan`` prints how many row groups a second run opens.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.generate import EVENT_TYPES, TABLE

FOLDER = Path("/var/tmp/eventwatch-bench")


@dataclass(frozen=True)
class Case:
    """One table."""

    name: str
    rows: int
    days: int

    @property
    def look_back(self) -> int:
        """Days that a first run reads."""
        return min(self.days, 60)


CASES = (
    Case("1M/60d", 1_000_000, 60),
    Case("10M/60d", 10_000_000, 60),
    Case("50M/300d", 50_000_000, 300),
    Case("50M/60d", 50_000_000, 60),
)


@dataclass(frozen=True)
class Usage:
    """What one child process took."""

    wall: float
    cpu: float
    peak: float
    """Megabytes."""
    code: int = 0

    def __str__(self) -> str:
        failed = "" if self.code in (0, 1) else f" exit {self.code}"
        return f"{self.wall:7.2f} s {self.cpu:7.2f} s {self.peak:6.0f} MB{failed}"


def measured(command: list[str], quiet: bool = True) -> Usage:
    """Runs a child to its end."""
    started = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL if quiet else None)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return Usage(
        time.monotonic() - started,
        used.ru_utime + used.ru_stime,
        used.ru_maxrss / 1024,
        child.returncode,
    )


# -- what the children do --------------------------------------------------------------------------


def plain(database: Path) -> None:
    """Floor 1."""
    import duckdb

    with duckdb.connect(str(database), read_only=True) as con:
        con.execute(
            "SELECT event_type, epoch_us(occurred_at) // 3600000000 AS hour, count(*) "
            f"FROM {TABLE} GROUP BY ALL"
        ).fetchall()


def grouped(database: Path, now: datetime, days: int, kind: str) -> None:
    """Floor 2 (``first``), and the same query over what is new (``second``, ``cycle``, ``plan``)."""
    from eventwatch.model.durations import floor_to
    from eventwatch.model.measurement import HOUR, ScanRequest
    from eventwatch.model.settings import Columns, Dimension, Exposure, Secret
    from eventwatch.warehouse.reader import IbisWarehouse, explain

    exposure = Exposure(
        "events",
        Secret(f"duckdb://{database}"),
        table=TABLE,
        columns=Columns(event_id="event_id"),
        dimensions=(Dimension("platform", "platform"), Dimension("app_version", "app_version")),
        query_timeout=timedelta(minutes=10),
    )

    def since(back: timedelta) -> datetime:
        return floor_to(now - back, HOUR)

    new = since(timedelta(minutes=15))
    first = kind == "first"
    request = ScanRequest(
        now=now,
        rows_from=since(timedelta(days=days)) if first else new,
        cuts_from=since(timedelta(days=35)) if first else new,
        delays_from=since(timedelta(days=2)) if first else new,
        fine_from=since(timedelta(hours=48)),
        oldest_occurred=now - timedelta(days=90),
        duplicates_from=since(timedelta(days=1)) if first else new,
    )
    if kind == "plan":
        found = re.findall(
            r"Row Groups Scanned: (\d+ / \d+)", explain(exposure, request, analyze=True)
        )
        print("row groups opened of all, per part of the statements: " + ", ".join(found))
        return
    scan = IbisWarehouse().scan(exposure, request)
    print(f"{scan.rows} rows, {scan.cells.num_rows} cells, {scan.statements} statements")
    if kind == "cycle":
        for _ in range(3):
            cpu, wall = time.process_time(), time.monotonic()
            IbisWarehouse().scan(exposure, request)
            cpu, wall = time.process_time() - cpu, time.monotonic() - wall
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print("cycle " + json.dumps({"wall": wall, "cpu": cpu, "peak": peak}))


def child(*arguments: object) -> list[str]:
    """The command of a child that runs a part of this file."""
    return [sys.executable, "-W", "ignore", __file__, *map(str, arguments)]


def cycle(database: Path, now: datetime, days: int) -> Usage:
    """The grouped query inside a process that has run it before: imports are paid."""
    done = subprocess.run(
        child("--child", "cycle", database, now.isoformat(), days),
        capture_output=True,
        text=True,
        check=True,
    )
    line = next(text for text in done.stdout.splitlines() if text.startswith("cycle "))
    return Usage(**json.loads(line.removeprefix("cycle ")))


# -- eventwatch itself -----------------------------------------------------------------------------

CONFIG = """\
contracts: {{source: contracts}}
exposures:
  analytics_events:
    connection: duckdb://{database}
    table: {table}
    columns:
      event_type: event_type
      occurred_at: occurred_at
      loaded_at: loaded_at
      event_id: event_id
    dimensions: [platform, app_version]
    query_timeout: 10m
    owner: data
teams:
  data: {{slack_channel: "#data"}}
notify: {{fallback_team: data}}
state: sqlite:///var/state.db
history: var/history
"""


CONTRACT = """\
message Evt{number:03} {{
  option (eventwatch.contract.v1.event) = {{event_type: "evt_{number:03}" owner: {{team: "data"}}}};
}}
"""


def project(folder: Path, database: Path) -> Path:
    """A fresh project folder that watches one table and declares its event types; gives its
    config.yaml."""
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(
        [sys.executable, "-m", "eventwatch", "init", str(folder)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    shutil.rmtree(folder / "contracts" / "social")  # the sample that init writes
    (folder / "var").mkdir(exist_ok=True)
    head = 'syntax = "proto3";\npackage bench;\nimport "eventwatch/contract/v1/options.proto";\n'
    contracts = "".join(CONTRACT.format(number=n) for n in range(1, EVENT_TYPES + 1))
    (folder / "contracts" / "bench.proto").write_text(head + contracts, encoding="utf-8")
    config = folder / "config.yaml"
    config.write_text(CONFIG.format(database=database, table=TABLE), encoding="utf-8")
    return config


def run_once(config: Path, *, send: bool = False) -> Usage:
    """One ``eventwatch run-once`` as a process of its own."""
    command = [sys.executable, "-m", "eventwatch", "run-once", "--config", str(config)]
    command += ["--send"] if send else []
    return measured([*command, "--format", "json", "--output", str(config.parent / "report.json")])


def eventwatch_rows(database: Path, folder: Path, now: datetime) -> list[tuple[str, Usage]]:
    """First and second run-once as processes, then a cycle inside a daemon that has run some."""
    config = project(folder, database)
    return [
        ("run-once, first", run_once(config)),
        ("run-once, second", run_once(config)),
        ("daemon, cycle", daemon_cycle(config, now)),
    ]


def daemon_cycle(config: Path, now: datetime) -> Usage:
    """The fourth recorded cycle of a process, five minutes after its third."""
    done = subprocess.run(
        child("--child", "daemon", config, now.isoformat(), 0),
        capture_output=True,
        text=True,
        check=False,
    )
    line = next((t for t in done.stdout.splitlines() if t.startswith("cycle ")), None)
    if line is None:
        raise SystemExit(f"the daemon's cycle failed:\n{done.stderr[-2000:]}")
    return Usage(**json.loads(line.removeprefix("cycle ")))


class Clock:
    """Time that is set, so that a table made some time ago is not late."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """The instant it was set to."""
        return self.at

    def monotonic(self) -> float:
        """Seconds."""
        return time.monotonic()


def cycles(config: Path, now: datetime) -> None:
    """What the daemon does in each cycle, four times; prints the last one's cost."""
    from dataclasses import replace

    from eventwatch import app

    clock = Clock(now - timedelta(minutes=20))
    house = replace(app.load(config), clock=clock)
    place = app.Workplace(
        house,
        app.store(house),
        app.adapter("history")(house.settings.history),
        house.catalog,
    )
    exposure = house.settings.exposures[0]
    for n in range(4):
        clock.at += timedelta(minutes=5)
        cpu, wall = time.process_time(), time.monotonic()
        report = app.run_cycle(place, exposure, app.RunOptions(), f"bench-{n}")
        cpu, wall = time.process_time() - cpu, time.monotonic() - wall
        assert not report.error, report.error
        print(f"{report.rows_read} rows read, {report.statements} statements, {cpu:.2f} s CPU")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print("cycle " + json.dumps({"wall": wall, "cpu": cpu, "peak": peak}))


# -- the table -------------------------------------------------------------------------------------


def table_of(case: Case, folder: Path) -> tuple[Path, datetime]:
    """The case's table and the instant it ends at; made where it is not there yet."""
    database = folder / f"{case.name.replace('/', '-')}.duckdb"
    stamp = database.with_suffix(".json")
    if not stamp.exists():
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        print(f"making {database.name} ...", flush=True)
        # In a child: memory that this process once had would be counted as every later child's.
        maker = [sys.executable, str(Path(__file__).with_name("generate.py"))]
        maker += ["--rows", str(case.rows), "--days", str(case.days)]
        subprocess.run([*maker, "--end", now.isoformat(), "--out", str(database)], check=True)
        stamp.write_text(json.dumps(now.isoformat()), encoding="utf-8")
    return database, datetime.fromisoformat(json.loads(stamp.read_text(encoding="utf-8")))


def measure(case: Case, arguments: argparse.Namespace) -> None:
    """Measures one table and prints its rows."""
    database, now = table_of(case, arguments.folder)
    given = (database, now.isoformat(), case.look_back)
    measured(child("--child", "plain", *given))  # warms the page cache for all that follow
    rows = [
        ("floor 1: type × hour", measured(child("--child", "plain", *given))),
        ("floor 2: grouped, first", measured(child("--child", "first", *given))),
        ("grouped, second", measured(child("--child", "second", *given))),
        ("grouped, cycle", cycle(database, now, case.look_back)),
    ]
    if not arguments.floors_only:
        rows += eventwatch_rows(database, arguments.folder / "project", now)
    lower, upper = rows[0][1].wall, rows[1][1].wall
    print(f"\n{case.name:<26}{'wall':>9} {'CPU':>9} {'peak':>9}   ÷ floor 1  ÷ floor 2")
    for name, used in rows:
        print(f"{name:<26}{used}   {used.wall / lower:9.2f}  {used.wall / upper:9.2f}", flush=True)
    if arguments.plan:
        measured(child("--child", "plan", *given), quiet=False)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--case", action="append", choices=[c.name for c in CASES])
    parser.add_argument("--floors-only", action="store_true", help="leave run-once out")
    parser.add_argument("--plan", action="store_true", help="print the row groups of a second run")
    parser.add_argument("--clean", action="store_true", help="delete the tables at the end")
    parser.add_argument("--child", nargs=4, metavar=("WHAT", "DATABASE", "NOW", "DAYS"))
    arguments = parser.parse_args()
    if arguments.child:
        what, database, now, days = arguments.child
        if what == "plain":
            plain(Path(database))
        elif what == "daemon":
            cycles(Path(database), datetime.fromisoformat(now))
        else:
            grouped(Path(database), datetime.fromisoformat(now), int(days), what)
        return
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        if not arguments.case or case.name in arguments.case:
            measure(case, arguments)
    if arguments.clean:
        shutil.rmtree(arguments.folder)


if __name__ == "__main__":
    main()
