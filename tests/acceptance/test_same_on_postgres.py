"""The same rows give the same report, whichever engine holds them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import psycopg

from tests.fakes.project import Project, steady

NOW = datetime(2026, 11, 20, 10, 2, tzinfo=UTC)


def troubled() -> pd.DataFrame:
    """Rows in which each kind of check has something to say, nulls and wrong times included."""
    frame = steady(["user_a", "user_b", "user_c", "user_d"], until=NOW, days=20)
    stop = pd.Timestamp(NOW - timedelta(hours=20))
    frame = frame[(frame.event_type != "user_b") | (frame.loaded_at < stop)]
    gone = (frame.event_type == "user_c") & (frame.platform == "ios") & (frame.loaded_at >= stop)
    frame = frame[~gone]
    again = frame[(frame.event_type == "user_d") & (frame.loaded_at > stop)].iloc[::5]
    late = frame.head(40).assign(event_id="late")
    late["loaded_at"] = pd.NaT
    nameless = frame.tail(30).assign(event_type=None, event_id="nameless")
    unknown = frame.tail(50).assign(event_type="user_x", event_id="unknown")
    wrong = frame.tail(20).assign(
        event_id="wrong", occurred_at=pd.Timestamp("2035-01-01", tz="UTC")
    )
    return pd.concat([frame, again, late, nameless, unknown, wrong], ignore_index=True)


def stripped(value: Any) -> Any:
    """A report without what differs from run to run."""
    if isinstance(value, dict):
        drop = {"run_id", "elapsed_seconds", "elapsed", "key", "version"}
        return {k: stripped(v) for k, v in value.items() if k not in drop}
    if isinstance(value, list):
        return [stripped(v) for v in value]
    return value


def test_postgres_and_duckdb_give_the_same_json(project: Project, postgres_url: str) -> None:
    frame = troubled()
    project.declare("user_a", "user_b", "user_c", "user_d")
    project.config("    look_back: 20d\n")
    project.rows(frame)
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        connection.execute("DROP TABLE IF EXISTS events")
        connection.execute(
            "CREATE TABLE events (event_id text, event_type text, occurred_at timestamptz,"
            " loaded_at timestamptz, platform text)"
        )
        with connection.cursor().copy("COPY events FROM STDIN") as copy:
            columns = ["event_id", "event_type", "occurred_at", "loaded_at", "platform"]
            for row in frame[columns].itertuples(index=False):
                copy.write_row([None if pd.isna(v) else v for v in row])
    on_duckdb = project.audit("--at", NOW.isoformat())
    project.config("    look_back: 20d\n", connection=postgres_url.replace("+psycopg", ""))
    on_postgres = project.audit("--at", NOW.isoformat())
    assert on_duckdb.code == on_postgres.code == 1, on_postgres.err
    kinds = {f["kind"] for f in on_duckdb.findings()}
    assert kinds >= {"drift", "duplicates", "freshness"}
    assert stripped(on_postgres.report) == stripped(on_duckdb.report)
