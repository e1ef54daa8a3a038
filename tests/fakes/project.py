"""Small tables, contracts and configs in a folder of their own, run through the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

HEAD = 'syntax = "proto3";\npackage shop;\nimport "eventwatch/contract/v1/options.proto";\n'


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """The JSON report."""
        parsed: dict[str, Any] = json.loads(self.out)
        return parsed

    def findings(self, **wanted: object) -> list[dict[str, Any]]:
        """Findings whose fields are as wanted."""
        return [
            f
            for e in self.report["exposures"]
            for f in e["findings"]
            if all(f[k] == v for k, v in wanted.items())
        ]


class Project:
    """A folder with config.yaml, contracts/ and a DuckDB file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "warehouse.duckdb"
        (folder / "contracts").mkdir(parents=True)
        (folder / "checks").mkdir()

    def contracts(self, text: str, name: str = "events.proto") -> None:
        """Writes a .proto file below the common head."""
        (self.folder / "contracts" / name).write_text(HEAD + text, encoding="utf-8")

    def declare(self, *event_types: str, team: str = "growth", more: str = "") -> None:
        """One plain contract per event type."""
        self.contracts(
            "".join(
                f"message M{i} {{ option (eventwatch.contract.v1.event) = {{"
                f' owner {{ team: "{team}" }} event_type: "{name}" description: "d" {more} }}; }}\n'
                for i, name in enumerate(event_types)
            )
        )

    def config(self, extra: str = "", connection: str | None = None, table: str = "events") -> None:
        """Writes config.yaml; ``extra`` goes below the exposure, indented by four."""
        (self.folder / "config.yaml").write_text(
            "contracts: {source: contracts/}\n"
            "exposures:\n  events:\n"
            f"    connection: {connection or f'duckdb://{self.database}'}\n"
            f"    table: {table}\n"
            "    columns: {event_type: event_type, occurred_at: occurred_at,"
            " loaded_at: loaded_at, event_id: event_id}\n"
            "    dimensions: [platform]\n"
            f"{extra}"
            "teams:\n"
            "  growth: {slack_channel: '#growth', slack_group_id: S0123ABCDE}\n"
            "  data-platform: {slack_channel: '#data-platform'}\n"
            "notify: {fallback_team: data-platform}\n"
            "state: sqlite:///var/state.db\n"
            "history: var/history\n"
        )

    def rows(self, frame: pd.DataFrame) -> None:
        """Replaces the table by these rows."""
        with duckdb.connect(str(self.database)) as connection:
            connection.register("frame", frame)
            connection.execute("CREATE OR REPLACE TABLE events AS SELECT * FROM frame")

    def sql(self, statement: str) -> None:
        """Changes the table."""
        with duckdb.connect(str(self.database)) as connection:
            connection.execute("SET TimeZone='UTC'")
            connection.execute(statement)

    def run(self, *arguments: str, env: dict[str, str] | None = None) -> Done:
        """``eventwatch …`` as a process in the folder."""
        done = subprocess.run(
            [sys.executable, "-m", "eventwatch", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env={**os.environ, "COLUMNS": "160", **(env or {})},
            check=False,
            timeout=120,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def audit(self, *arguments: str) -> Done:
        """``eventwatch run-once --format json``."""
        return self.run("run-once", "--format", "json", *arguments)


def steady(
    event_types: Sequence[str],
    *,
    until: datetime,
    days: int = 20,
    per_hour: int = 12,
    platforms: Sequence[str] = ("ios", "web"),
    delay: timedelta = timedelta(seconds=90),
) -> pd.DataFrame:
    """Rows at an even pace up to ``until``: nothing in them is worth an alert."""
    hours = days * 24
    start = (until - timedelta(hours=hours)).astimezone(UTC)
    step = timedelta(hours=1) / per_hour
    frames = []
    for i, name in enumerate(event_types):
        occurred = pd.date_range(
            start + timedelta(seconds=7 * i), periods=hours * per_hour, freq=step, tz="UTC"
        )
        frames.append(
            pd.DataFrame(
                {
                    "event_id": [f"{i}-{k}" for k in range(len(occurred))],
                    "event_type": name,
                    "occurred_at": occurred,
                    "loaded_at": occurred + delay,
                    "platform": [platforms[k % len(platforms)] for k in range(len(occurred))],
                }
            )
        )
    frame = pd.concat(frames, ignore_index=True)
    return frame[frame.loaded_at <= pd.Timestamp(until)].reset_index(drop=True)
