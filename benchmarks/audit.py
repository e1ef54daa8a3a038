"""Audits the 300-event-type table of ../shared/bench/audit and holds the report against its labels.

    python benchmarks/audit.py --rows 1000000 --seed 42

Makes the table, ten teams' contracts and a config in a scratch folder, runs ``eventwatch run-once
--format json`` as a process and prints, per sort of planted incident, how many were found with the
right kind and owner, how far the reported start is from the planted one, and what else was alerted.
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
from datetime import datetime
from pathlib import Path
from typing import Any

GENERATOR = Path(__file__).resolve().parents[2] / "shared" / "bench" / "audit" / "gen.py"
TEAMS = 10
KIND_OF = {
    "drop_to_zero": {"volume", "freshness"},
    "drop_50pct": {"volume"},
    "spike_3x": {"volume"},
    "platform_missing": {"drift"},
    "duplicate_ids": {"duplicates"},
    "new_event_type": {"drift"},
}


def team_of(event_type: str) -> str:
    """Ten teams of thirty event types, dealt out in turn so that each has big and small ones."""
    return f"team-{int(event_type.rsplit('_', 1)[1]) % TEAMS}"


def write_project(folder: Path, database: Path, event_types: list[str]) -> Path:
    """config.yaml and contracts for the generated table; the config's path."""
    contracts = folder / "contracts"
    contracts.mkdir(parents=True, exist_ok=True)
    values = "".join(
        f"  TEAM_TEAM_{n} = {n + 1} [(eventwatch.contract.v1.team) = "
        f'{{ slack_channel: "#team-{n}" }}];\n'
        for n in range(TEAMS)
    )
    head = 'syntax = "proto3";\npackage bench;\nimport "eventwatch/contract/v1/options.proto";\n'
    (contracts / "teams.proto").write_text(
        head + "enum Team {\n  TEAM_UNSPECIFIED = 0;\n" + values + "}\n"
    )
    messages = "".join(
        f"message {name.title().replace('_', '')} {{\n"
        f'  option (eventwatch.contract.v1.event) = {{ owner {{ team: "{team_of(name)}" }} '
        f'event_type: "{name}" description: "Generated." }};\n}}\n'
        for name in event_types
    )
    (contracts / "events.proto").write_text(head + messages)
    config = folder / "config.yaml"
    config.write_text(
        "contracts: {source: contracts/}\n"
        "exposures:\n"
        "  analytics_events:\n"
        f"    connection: duckdb://{database}\n"
        "    table: analytics_events\n"
        "    columns: {event_type: event_type, occurred_at: occurred_at, loaded_at: loaded_at,"
        " event_id: event_id}\n"
        "    dimensions: [platform, app_version]\n"
        "teams: {data-platform: {slack_channel: '#data-platform'}}\n"
        "notify: {fallback_team: data-platform}\n"
        "state: sqlite:///var/state.db\n"
        "history: var/history\n"
    )
    return config


def audit(config: Path, at: str | None = None) -> tuple[dict[str, Any], dict[str, float]]:
    """The report of one run-once as a process, and what it cost."""
    command = [sys.executable, "-m", "eventwatch", "run-once", "--config", str(config)]
    command += ["--format", "json", *(["--at", at] if at else [])]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        raise SystemExit(
            f"run-once ended with {done.returncode}:\n{done.stderr}\n{done.stdout[:2000]}"
        )
    cost = {
        "wall": wall,
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "rss_mb": after.ru_maxrss / 1024,
        "exit": done.returncode,
    }
    return json.loads(done.stdout), cost


def score(report: dict[str, Any], labels: dict[str, Any]) -> dict[str, Any]:
    """Found per sort of incident, and what was alerted without being planted."""
    findings = [
        f
        for e in report["exposures"]
        for f in e["findings"]
        if f["disposition"] == "firing" and f["severity"] != "info"
    ]
    planted = {i["event_type"]: i for i in labels["incidents"]}
    table: dict[str, list[Any]] = {}
    for incident in labels["incidents"]:
        name = incident["event_type"]
        owner = "data-platform" if incident["kind"] == "new_event_type" else team_of(name)
        hits = [
            f
            for f in findings
            if f["event_type"] == name
            and f["kind"] in KIND_OF[incident["kind"]]
            and f["owner"]["team"] == owner
        ]
        row = table.setdefault(incident["kind"], [0, 0, []])
        row[1] += 1
        if hits:
            row[0] += 1
            start = datetime.fromisoformat(incident["start"].replace("Z", "+00:00"))
            away: list[float] = [
                (datetime.fromisoformat(f["since"]) - start).total_seconds() / 3600
                for f in hits
                if f["since"]
            ]
            row[2].append(round(min((abs(hours), hours) for hours in away)[1], 1) if away else None)
        else:
            row[2].append("missed " + name)
    false = sorted(
        f"{f['event_type']}/{f['kind']}/{f['aspect']}: {f['summary']}"
        for f in findings
        if f["event_type"] not in planted
    )
    return {"found": table, "false": false}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--keep", type=Path, help="folder to keep the table in")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        database = folder / f"ev_{options.rows}_{options.seed}.duckdb"
        label_file = folder / f"ev_{options.rows}_{options.seed}_labels.json"
        if not database.exists():
            command = [sys.executable, str(GENERATOR), "--rows", str(options.rows)]
            command += ["--seed", str(options.seed), "--out", str(database)]
            subprocess.run([*command, "--labels", str(label_file)], check=True)
        labels = json.loads(label_file.read_text())
        config = write_project(folder, database, labels["known_types"])
        at = labels["now"].replace(" ", "T")
        report, cost = audit(config, at)
        outcome = score(report, labels)
        print(f"rows {labels['rows']:,}  seed {options.seed}  {cost}")
        for kind, (hit, total, away) in outcome["found"].items():
            print(f"  {kind:18} {hit} of {total}   hours from the planted start: {away}")
        print(f"  not planted, alerted: {len(outcome['false'])}")
        for line in outcome["false"][:30]:
            print(f"    {line}")


if __name__ == "__main__":
    main()
