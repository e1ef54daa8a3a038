"""What the daemon costs before it does anything useful: start, memory, idle CPU.

    python benchmarks/footprint.py [--types 30,300,3000] [--idle 60]

For each number of event types: seconds from exec to the end of the first cycle (a table of eight days,
about one row an hour and type), resident memory then and after some idle time, and CPU seconds an hour
while nothing is due. The floor is a bare interpreter that imports what the daemon computes with, in
the same run; figures stand beside it as ratios. Of a machine that does other things too, the CPU seconds
to the first cycle say more than those of the clock.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from eventwatch.model.settings import Secret  # noqa: E402
from tests.faults.watched import QUICK, ran  # noqa: E402

DAYS = 8
BARE = "import duckdb, numpy, scipy.special, sqlalchemy, ibis, time, sys; print(1, flush=True); "
HEAD = 'syntax = "proto3";\npackage bench;\nimport "eventwatch/contract/v1/options.proto";\n'


@dataclass(frozen=True)
class Cost:
    """Of one process."""

    seconds: float
    """To the end of its first piece of work."""
    rss_mb: float
    cpu_seconds: float


def project(folder: Path, types: int) -> None:
    """A table of so many event types, all declared."""
    (folder / "contracts").mkdir(parents=True)
    (folder / "checks").mkdir()
    events = "".join(
        f"message T{n} {{\n  option (eventwatch.contract.v1.event) = {{ owner {{ team: "
        f'"team-0" }} event_type: "type_{n:04d}" description: "Made up." }};\n}}\n'
        for n in range(types)
    )
    team = (
        "enum Team {\n  TEAM_UNSPECIFIED = 0;\n  TEAM_TEAM_0 = 1 "
        '[(eventwatch.contract.v1.team) = { slack_channel: "#team-0" }];\n}\n'
    )
    (folder / "contracts" / "events.proto").write_text(HEAD + team + events)
    (folder / "config.yaml").write_text(
        "contracts: {source: contracts/}\nexposures:\n  events:\n"
        f"    connection: duckdb://{folder / 'events.duckdb'}\n    table: events\n"
        "    columns: {event_type: event_type, occurred_at: occurred_at, loaded_at: loaded_at,"
        " event_id: event_id}\n    look_back: 7d\n"
        "teams: {data-platform: {slack_channel: '#data-platform'}}\n"
        "notify: {fallback_team: data-platform}\n"
        "state: sqlite:///var/state.db\nhistory: var/history\n"
    )
    with duckdb.connect(str(folder / "events.duckdb")) as con:
        con.execute("SELECT setseed(0.5)")
        con.execute(
            f"CREATE TABLE events AS SELECT uuid()::VARCHAR AS event_id, 'type_' || "
            f"lpad((i % {types})::VARCHAR, 4, '0') AS event_type, moment AS occurred_at, "
            f"moment AS loaded_at FROM (SELECT i, make_timestamp(({time.time() * 1e6:.0f} - random() "
            f"* {DAYS * 86400 * 1e6})::BIGINT) AS moment FROM range({types * DAYS * 24}) AS r(i))"
        )


def of_process(pid: int) -> tuple[float, float]:
    """Resident megabytes and CPU seconds."""
    status = dict(
        line.split(":", 1)
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if ":" in line
    )
    stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    cpu = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    return int(status["VmRSS"].split()[0]) / 1024.0, cpu


def bare() -> Cost:
    """The floor."""
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-c", BARE + "time.sleep(60)"], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        seconds = time.monotonic() - began
        rss, cpu = of_process(process.pid)
        process.kill()
    return Cost(seconds, rss, cpu)


def daemon(types: int, idle: float) -> tuple[Cost, float, float]:
    """The first cycle; then memory, and CPU seconds an hour, when nothing is due."""
    with tempfile.TemporaryDirectory(prefix="eventwatch-footprint-") as place:
        folder = Path(place)
        project(folder, types)
        state = Secret(f"sqlite:///{folder}/var/state.db")
        began = time.monotonic()
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, str(QUICK), "config.yaml", "3600"],
                cwd=folder, stdout=log, stderr=log,
                env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
        try:
            while not ran(state):
                if process.poll() is not None or time.monotonic() - began > 300:
                    raise SystemExit((folder / "log").read_text("utf-8", "replace"))
                time.sleep(0.1)
            seconds = time.monotonic() - began
            first = Cost(seconds, *of_process(process.pid))
            # What follows a first cycle, such as saving its state, is not idleness yet.
            time.sleep(10)
            _, before = of_process(process.pid)
            time.sleep(idle)
            rss, after = of_process(process.pid)
            return first, rss, (after - before) / idle * 3600.0
        finally:
            process.terminate()
            process.wait(30)


def main() -> None:
    """The table on standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--types", default="30,300,3000")
    parser.add_argument("--idle", type=float, default=60.0, help="seconds")
    options = parser.parse_args()
    floor = bare()
    print(
        f"floor: imports in {floor.seconds:.1f} s, {floor.cpu_seconds:.1f} s CPU, "
        f"{floor.rss_mb:.0f} MB"
    )
    print(
        f"{'types':>6} {'first cycle':>18} {'its CPU':>18} {'RSS after it':>18}"
        f" {'RSS idle':>18} {'CPU s/h':>8}"
    )
    for types in (int(text) for text in options.types.split(",")):
        first, rss, cpu = daemon(types, options.idle)
        print(
            f"{types:6} {first.seconds:8.1f} s {first.seconds / floor.seconds:5.1f} x"
            f" {first.cpu_seconds:8.1f} s {first.cpu_seconds / floor.cpu_seconds:5.1f} x"
            f" {first.rss_mb:9.0f} MB {first.rss_mb / floor.rss_mb:4.1f} x"
            f" {rss:9.0f} MB {rss / floor.rss_mb:4.1f} x {cpu:8.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
